/// Defines a handle: the use cases of one resource over the shared context, reached by an accessor of [`Services`](crate::Services). Each area
/// has its own handles, so that a call from one area to another names what it calls.
macro_rules! handle {
    ($(#[$docs:meta])* $accessor:ident: $name:ident) => {
        $(#[$docs])*
        #[derive(Clone)]
        pub struct $name(crate::Services);

        impl std::ops::Deref for $name {
            type Target = crate::Services;

            fn deref(&self) -> &crate::Services {
                &self.0
            }
        }

        impl crate::Services {
            $(#[$docs])*
            pub fn $accessor(&self) -> $name {
                $name(self.clone())
            }
        }
    };
}

pub(crate) use handle;

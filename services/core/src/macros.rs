/// Defines a handle: the use cases of one resource over what its area works with, reached by an accessor of that. Each area has its own
/// handles, so that a call from one area to another names what it calls.
#[macro_export]
macro_rules! handle {
    ($(#[$docs:meta])* $accessor:ident: $name:ident over $over:ident) => {
        $(#[$docs])*
        #[derive(Clone)]
        pub struct $name($over);

        impl std::ops::Deref for $name {
            type Target = $over;

            fn deref(&self) -> &$over {
                &self.0
            }
        }

        impl $over {
            $(#[$docs])*
            pub fn $accessor(&self) -> $name {
                $name(self.clone())
            }
        }
    };
}

/// Defines the use cases of an area: its state and settings over the area below, to which it dereferences.
#[macro_export]
macro_rules! area {
    ($(#[$docs:meta])* $name:ident over $below:ident: $inner:ident) => {
        $(#[$docs])*
        #[derive(Clone)]
        pub struct $name {
            below: $below,
            inner: std::sync::Arc<$inner>,
        }

        impl std::ops::Deref for $name {
            type Target = $below;

            fn deref(&self) -> &$below {
                &self.below
            }
        }
    };
}

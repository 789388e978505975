//! Operations, as the operator of an installation meets them.

pub mod backup;
pub mod bad_starts;
pub mod crash;
pub mod disk;
pub mod key_rotation;
pub mod load;
pub mod operating;
pub mod secrets;
pub mod upgrade;

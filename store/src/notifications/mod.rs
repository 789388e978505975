//! Notifications: the channels of teams, what is on its way to them, and letters to people.

mod channels;
mod deliveries;
mod letters;
mod told;

pub use channels::{ChannelEdit, ChannelHealth};
pub use deliveries::{AttemptEnd, DeliveryFilter};
pub use letters::LetterRow;
pub use told::ToldDeployment;

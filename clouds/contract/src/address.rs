use serde::{Deserialize, Serialize};

/// Internal address of something that answers visitors, for places where its name may not resolve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Scheme and address to connect to, such as `http://10.0.0.2:8081`.
    pub base: String,
    /// Value of the `Host` header.
    pub host: String,
}

/// Address at which visitors see an environment, or one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The address, such as `https://shop-x7-ew.a.run.app/`.
    pub url: String,
    /// Address for places where the name may not resolve.
    pub reach: Reach,
    /// Host name that a domain of the team's own would point at, where a cloud has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_target: Option<String>,
}

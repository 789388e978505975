//! Units that prices are normalised to, and those of vendors.

use serde::{Deserialize, Serialize};

/// Unit of a quantity. A month is 730 hours; GB of vendors are taken for GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A processor for an hour.
    VcpuHour,
    /// A GiB of memory for an hour.
    GibHour,
    /// A processor for a second.
    VcpuSecond,
    /// A GiB of memory for a second.
    GibSecond,
    /// A GiB that is moved.
    Gib,
    /// A GiB that is stored for a month.
    GibMonth,
    /// A request.
    Request,
    /// An operation on stored objects.
    Operation,
    /// A call of a function.
    Call,
    /// A database instance for an hour.
    InstanceHour,
    /// Something for an hour.
    UnitHour,
    /// Something for a day.
    UnitDay,
    /// Something for a month.
    UnitMonth,
    /// A DNS zone for a month.
    ZoneMonth,
    /// A version of a secret for a month.
    VersionMonth,
    /// A load balancer capacity unit for an hour.
    LcuHour,
    /// A DNS query.
    Query,
}

/// Power of ten by which a vendor's price is divided to be that of a unit; none if the vendor's unit is not that unit.
pub fn vendor_factor(vendor: &str, unit: Unit) -> Option<u32> {
    let tens = match (vendor, unit) {
        ("vCPU-hour" | "vCore-hour", Unit::VcpuHour)
        | ("GB-hour" | "GiB-hour", Unit::GibHour)
        | ("vCPU-second", Unit::VcpuSecond)
        | ("GB-second" | "GiB-second", Unit::GibSecond)
        | ("unit-second", Unit::VcpuSecond | Unit::GibSecond)
        | ("GB" | "GiB", Unit::Gib)
        | ("GB-month" | "GiB-month", Unit::GibMonth)
        | ("request", Unit::Request | Unit::Operation | Unit::Call)
        | ("operation", Unit::Operation)
        | ("execution" | "invocation", Unit::Call)
        | ("hour", Unit::InstanceHour | Unit::UnitHour)
        | ("day", Unit::UnitDay)
        | ("profile-month", Unit::UnitMonth)
        | ("zone-month", Unit::ZoneMonth)
        | ("version-month", Unit::VersionMonth)
        | ("LCU-hour", Unit::LcuHour)
        | ("query", Unit::Query) => 0,
        ("10k requests", Unit::Request) => 4,
        ("1M requests", Unit::Request) => 6,
        _ => return None,
    };
    Some(tens)
}

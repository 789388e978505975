//! Costs of a workload at each place.

use std::io::Read;
use std::path::Path;

use pricing::{Bases, Cloud, Estimate, Grants, Place, Prices, Profile, estimate};

use super::show;
use crate::arguments::Output;
use crate::client::output;
use server::Failure;

/// Costs at a place: with what the first workload there brings along, and without.
pub(super) struct PlaceCosts {
    pub(super) first: Estimate,
    pub(super) there: Estimate,
}

impl PlaceCosts {
    /// Order in lists: what has a hole comes last, since it costs more than its sum.
    fn rank(&self) -> (bool, f64) {
        (self.first.has_hole(), self.first.usd)
    }
}

/// Compares places and shows the lines of the cheapest.
pub(super) fn run(file: &Path, free_tiers: bool, anywhere: bool, output: Output) -> Result<(), Failure> {
    let profile = read(file)?;
    let prices = Prices::embedded();
    let region = profile.region.as_deref().filter(|_| !anywhere);
    let grants = if free_tiers { Grants::On } else { Grants::Off };
    let costs = compare(&prices, &profile, &prices.places(region), grants);
    if costs.is_empty() {
        let region = region.unwrap_or_default();
        let remedy = "name another region in the profile, or give --anywhere";
        return Err(Failure::failed("NOT_PRICED", format!("no price book has the region {region}: {remedy}")));
    }
    if output.json {
        output::json(&show::document(&costs, free_tiers));
    } else {
        let clouds = Cloud::ALL.into_iter().filter(|cloud| !costs.iter().any(|costs| costs.first.place.cloud == *cloud));
        show::print(&costs, &clouds.collect::<Vec<_>>(), region);
    }
    Ok(())
}

/// Costs at each place, the cheapest first.
pub(super) fn compare(prices: &Prices, profile: &Profile, places: &[Place], grants: Grants) -> Vec<PlaceCosts> {
    let at = |place: &Place| {
        let first = estimate(prices, profile, place, grants, Bases::First)?;
        let there = estimate(prices, profile, place, grants, Bases::AlreadyThere(0.0))?;
        Some(PlaceCosts { first, there })
    };
    let mut costs: Vec<PlaceCosts> = places.iter().filter_map(at).collect();
    costs.sort_by(|one, other| {
        let (one, other) = (one.rank(), other.rank());
        one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
    });
    costs
}

fn read(file: &Path) -> Result<Profile, Failure> {
    let bad = |problem: String| {
        let message = format!("{}: {problem}; docs/costs.md describes profiles", file.display());
        Failure { code: "BAD_INPUT".to_owned(), ..Failure::usage(message) }
    };
    let mut text = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut text).map(drop)
    } else {
        std::fs::read(file).map(|bytes| text = bytes)
    };
    read.map_err(|error| bad(format!("the file cannot be read: {error}")))?;
    Profile::parse(&text).map_err(|error| bad(error.to_string()))
}

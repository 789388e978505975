//! Comparisons as tables and JSON.

use pricing::{Assumption, Cloud, Estimate, Line, Origin};
use serde_json::{Value, json};

use super::compare::PlaceCosts;
use crate::client::output;

/// Prints the places, the lines and assumptions of the first, and what has no price.
pub(super) fn print(costs: &[PlaceCosts], without: &[Cloud], region: Option<&str>) {
    output::table(&["PLACE", "MONTH", "BASES THERE", "NOTE"], costs.iter().map(row).collect(), "");
    let Some(best) = costs.first() else { return };
    println!("\n{} a month, line by line:", best.first.place);
    output::table(&["WHAT", "QUANTITY", "USD", "NOTE"], best.first.lines.iter().map(line).collect(), "");
    println!("\nFrom the profile, and what more of it costs there:");
    output::table(&["NAME", "VALUE", "SOURCE", "EFFECT"], best.first.assumptions.iter().map(assumption).collect(), "");
    println!();
    for costs in costs.iter().filter(|costs| !costs.first.not_priced.is_empty()) {
        println!("not priced in {}: {}", costs.first.place, costs.first.not_priced.join(", "));
    }
    for cloud in without {
        println!("{cloud} has no prices{}", region.map(|region| format!(" in {region}")).unwrap_or_default());
    }
    println!(
        "MONTH has what the first workload in an account and region brings along, such as a load balancer; BASES THERE has not."
    );
    let mut dates: Vec<String> = costs.iter().map(|costs| format!("{} {}", costs.first.place.cloud, costs.first.as_of)).collect();
    dates.sort();
    dates.dedup();
    println!("Prices of {}; taxes, discounts and commitments are not in them.", dates.join(", "));
}

fn row(costs: &PlaceCosts) -> Vec<String> {
    let notes = [
        (costs.first.has_hole(), "not comparable: something that makes up a bill has no price"),
        (costs.first.is_doubtful(), "unverified"),
    ];
    let notes: Vec<&str> = notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note).collect();
    vec![costs.first.place.to_string(), shown(&costs.first), shown(&costs.there), notes.join("; ")]
}

/// A sum, which is the least it can be where something has no price.
fn shown(estimate: &Estimate) -> String {
    let at_least = if estimate.not_priced.is_empty() { "~" } else { "at least " };
    format!("{at_least}${:.2}", estimate.usd)
}

fn line(line: &Line) -> Vec<String> {
    let unit = line.unit.map(|unit| output::text(&json!(unit)).replace('_', " ")).unwrap_or_default();
    let usd = line.usd.map_or_else(|| "not priced".to_owned(), |usd| format!("{usd:.4}"));
    let notes = [
        line.base.map(|_| "first in this account and region".to_owned()),
        line.trust.filter(|trust| trust.is_doubtful()).map(|trust| output::text(&json!(trust))),
    ];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    vec![line.what.to_owned(), format!("{} {unit}", number(line.quantity)).trim_end().to_owned(), usd, notes.join("; ")]
}

fn assumption(assumption: &Assumption) -> Vec<String> {
    let source = match assumption.source {
        Origin::Given => "profile",
        Origin::Assumed => "assumed",
    };
    let sign = if assumption.effect_usd < 0.0 { "-" } else { "+" };
    let effect = format!("+{}: {sign}${:.2}", number(assumption.change), assumption.effect_usd.abs());
    vec![assumption.name.to_owned(), number(assumption.value), source.to_owned(), effect]
}

/// A quantity with what matters of its digits.
fn number(value: f64) -> String {
    let text = if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The comparison as a document; amounts are texts.
pub(super) fn document(costs: &[PlaceCosts], free_tiers: bool) -> Value {
    let cheapest = costs.first().filter(|costs| !costs.first.has_hole()).map(|costs| costs.first.place.to_string());
    json!({
        "version": 1,
        "currency": "USD",
        "freeTiers": free_tiers,
        "cheapest": cheapest,
        "asOf": costs.iter().map(|costs| costs.first.as_of).min(),
        "places": costs.iter().map(place).collect::<Vec<_>>(),
    })
}

fn place(costs: &PlaceCosts) -> Value {
    let estimate = &costs.first;
    let item = |line: &Line| {
        json!({
            "what": line.what,
            "key": line.key,
            "quantity": line.quantity,
            "unit": line.unit,
            "usd": line.usd.map(|usd| format!("{usd:.6}")),
            "fixed": line.fixed,
            "base": line.base,
            "trust": line.trust,
        })
    };
    let assumption = |assumption: &Assumption| {
        json!({
            "name": assumption.name,
            "value": assumption.value,
            "source": assumption.source,
            "change": assumption.change,
            "effectUsd": format!("{:.6}", assumption.effect_usd),
        })
    };
    json!({
        "cloud": estimate.place.cloud,
        "region": estimate.place.region,
        "monthlyUsd": format!("{:.2}", estimate.usd),
        "monthlyUsdBasesThere": format!("{:.2}", costs.there.usd),
        "atLeast": !estimate.not_priced.is_empty(),
        "comparable": !estimate.has_hole(),
        "unverified": estimate.is_doubtful(),
        "notPriced": estimate.not_priced,
        "items": estimate.lines.iter().map(item).collect::<Vec<_>>(),
        "assumptions": estimate.assumptions.iter().map(assumption).collect::<Vec<_>>(),
        "asOf": estimate.as_of,
        "book": estimate.version,
    })
}

#[cfg(test)]
mod tests {
    use pricing::{Grants, Prices, Profile};

    use super::super::compare::compare;
    use super::*;

    fn costs(profile: &str) -> Vec<PlaceCosts> {
        let prices = Prices::embedded();
        compare(&prices, &Profile::parse(profile.as_bytes()).unwrap(), &prices.places(None), Grants::Off)
    }

    #[test]
    fn places_with_holes_come_last_and_are_never_the_cheapest() {
        let costs = costs("{}");
        let holes: Vec<bool> = costs.iter().map(|costs| costs.first.has_hole()).collect();
        assert!(!holes[0] && holes.is_sorted() && holes.contains(&true));
        let document = document(&costs, false);
        assert_eq!(document["cheapest"], costs[0].first.place.to_string());
        assert_eq!(document["places"][0]["comparable"], true);
    }

    #[test]
    fn amounts_are_texts_and_what_has_no_price_is_null() {
        let document = document(&costs(r#"{"kind": "static"}"#), false);
        let aws = document["places"].as_array().unwrap().iter().find(|place| place["region"] == "us-east-1").unwrap();
        assert!(aws["monthlyUsd"].as_str().unwrap().parse::<f64>().unwrap() > 0.0);
        assert_eq!(aws["atLeast"], true);
        let items = aws["items"].as_array().unwrap();
        assert!(items.iter().any(|item| item["usd"].is_null() && item["what"] == "functions at the edge"));
        assert_eq!(aws["notPriced"][0], "functions at the edge");
    }

    #[test]
    fn a_cloud_with_bases_costs_more_for_the_first() {
        let costs = costs("{}");
        let aws = costs.iter().find(|costs| costs.first.place.to_string() == "aws/us-east-1").unwrap();
        assert!((aws.first.usd - aws.there.usd - 23.725).abs() < 1e-6);
        assert!(row(aws)[1].starts_with("~$") && row(aws)[2].starts_with("~$"), "{:?}", row(aws));
    }

    #[test]
    fn quantities_have_the_digits_that_matter() {
        assert_eq!(["730", "0.06", "7.5", "300000"], [730.0, 0.06, 7.5, 300_000.0].map(number).each_ref().map(String::as_str));
    }
}

//! The built-in prices.

use std::path::PathBuf;

use pricing::{Book, Cloud, Price, Prices};
use serde_json::{Value, json};

use crate::arguments::Output;
use crate::client::output;
use server::Failure;

/// Lists the books.
pub(super) fn list(output: Output) {
    let prices = Prices::embedded();
    if output.json {
        let book = |book: &Book| {
            let keys: Vec<&str> = book.prices.iter().map(|price| price.key.as_str()).collect();
            let regions: Vec<&str> = book.regions().collect();
            json!({"cloud": book.cloud, "version": book.version, "asOf": book.as_of, "keys": keys, "regions": regions})
        };
        output::json(&json!({"books": prices.books().map(book).collect::<Vec<_>>()}));
        return;
    }
    let row = |book: &Book| {
        let regions: Vec<&str> = book.regions().collect();
        vec![
            book.cloud.to_string(),
            book.version.clone(),
            book.as_of.to_string(),
            book.prices.len().to_string(),
            regions.join(" "),
        ]
    };
    output::table(&["CLOUD", "BOOK", "AS OF", "PRICES", "REGIONS"], prices.books().map(row).collect(), "");
}

/// Shows a price everywhere, or lists the keys that contain a text.
pub(super) fn show(key: &str, output: Output) -> Result<(), Failure> {
    let prices = Prices::embedded();
    let found = prices.books().find_map(|book| Some((book, book.price(key)?)));
    if let Some((book, price)) = found {
        if output.json {
            output::json(&document(book, price));
        } else {
            println!(
                "{} per {} (the vendor's unit: {})",
                price.key,
                output::text(&json!(price.unit)).replace('_', " "),
                price.vendor_unit
            );
            output::table(&["PLACE", "USD", "TRUST", "AS OF", "SKU", "SOURCE"], rows(book, price), "");
        }
        return Ok(());
    }
    let keys = prices.books().flat_map(|book| &book.prices).map(|price| price.key.as_str());
    let near: Vec<&str> = keys.filter(|candidate| candidate.contains(key)).collect();
    if near.is_empty() {
        let message =
            format!("no price has the key {key}, or a key that contains it; `mikrocloud costs prices show .` lists all");
        return Err(Failure::failed("NOT_PRICED", message));
    }
    if output.json {
        output::json(&json!({"keys": near}));
    } else {
        println!("{}", near.join("\n"));
    }
    Ok(())
}

fn rows(book: &Book, price: &Price) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (place, rate) in &price.places {
        let source = book.sources.get(&rate.src);
        let as_of = source.and_then(|source| source.as_of).map_or_else(|| "unknown".to_owned(), |day| day.to_string());
        let like = rate.like.as_ref().map(|like| format!(" (as in {like})")).unwrap_or_default();
        for tier in &rate.tiers {
            let from = if tier.0.value() > 0.0 { format!(" from {}", tier.0.text()) } else { String::new() };
            rows.push(vec![
                place.clone(),
                format!("{}{from}", tier.1.text()),
                format!("{}{like}", output::text(&json!(book.trust(rate)))),
                as_of.clone(),
                rate.sku.clone(),
                source.map(|source| source.name.clone()).unwrap_or_default(),
            ]);
        }
    }
    rows
}

fn document(book: &Book, price: &Price) -> Value {
    let rates = price.places.iter().map(|(place, rate)| {
        let source = book.sources.get(&rate.src);
        json!({
            "place": place,
            "sku": rate.sku,
            "tiers": rate.tiers.iter().map(|tier| json!({"from": tier.0, "usd": tier.1})).collect::<Vec<_>>(),
            "trust": book.trust(rate),
            "like": rate.like,
            "source": source.map(|source| &source.name),
            "asOf": source.and_then(|source| source.as_of),
        })
    });
    json!({
        "key": price.key,
        "cloud": book.cloud,
        "unit": price.unit,
        "vendorUnit": price.vendor_unit,
        "rates": rates.collect::<Vec<_>>(),
        "book": book.version,
        "asOf": book.as_of,
    })
}

/// Checks the built-in books, or files.
pub(super) fn check(files: &[PathBuf], output: Output) -> Result<(), Failure> {
    let mut books = Vec::new();
    if files.is_empty() {
        for cloud in Cloud::ALL {
            let book = Book::embedded(cloud);
            books.push((format!("built-in {cloud}"), book.prices.len(), book.as_of));
        }
    }
    for file in files {
        let bad = |problem: String| Failure::failed("BAD_PRICES", format!("{}: {problem}", file.display()));
        let text = std::fs::read(file).map_err(|error| bad(format!("the file cannot be read: {error}")))?;
        let book = Book::parse(&text).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            bad(format!("{error}{cause}"))
        })?;
        books.push((file.display().to_string(), book.prices.len(), book.as_of));
    }
    if output.json {
        let book = |(name, prices, as_of): &(String, usize, _)| json!({"book": name, "prices": prices, "asOf": as_of});
        output::json(&json!({"valid": true, "books": books.iter().map(book).collect::<Vec<_>>()}));
        return Ok(());
    }
    for (name, prices, as_of) in books {
        println!("good: {name}, {prices} prices of {as_of}");
    }
    Ok(())
}

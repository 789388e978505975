//! Books, goldens, recipes and comparisons.

use proptest::prelude::*;

use crate::import::import;
use crate::*;

fn place(cloud: Cloud, region: &str) -> Place {
    Place { cloud, region: region.to_owned() }
}

/// Cost of quantities by key.
fn cost(cloud: Cloud, region: &str, quantities: &[(&str, f64)]) -> f64 {
    let item = |(key, quantity): &(&str, f64)| Item {
        what: "",
        key: (*key).to_owned().into(),
        quantity: *quantity,
        fixed: false,
        base: None,
        essential: true,
    };
    let items: Vec<Item> = quantities.iter().map(item).collect();
    let lines = price(&Book::embedded(cloud), &items, region, Grants::On, Bases::First);
    lines.iter().map(|line| line.usd.unwrap_or_else(|| panic!("{} has no price", line.key))).sum()
}

/// Fails unless two sums are the same to the cent.
#[track_caller]
fn assert_cents(usd: f64, expected: f64) {
    assert!((usd - expected).abs() < 0.005 + 1e-9, "{usd} is not {expected}");
}

fn aws(region: &str) -> f64 {
    let quantities = [
        ("aws.fargate.vcpu_hour", 730.0),
        ("aws.fargate.gib_hour", 1460.0),
        ("aws.rds.postgresql.db.t4g.medium", 730.0),
        ("aws.rds.storage_gib_month", 50.0),
        ("aws.s3.gib_month", 100.0),
        ("aws.egress.gib", 500.0),
        ("aws.alb.hour", 730.0),
    ];
    cost(Cloud::Aws, region, &quantities)
}

fn azure(region: &str) -> f64 {
    let quantities = [
        ("azure.apps.vcpu_second", 2_628_000.0),
        ("azure.apps.gib_second", 5_256_000.0),
        ("azure.postgresql.b2s", 730.0),
        ("azure.postgresql_storage.gib_month", 50.0),
        ("azure.blob.gib_month", 100.0),
        ("azure.egress.gib", 500.0),
    ];
    cost(Cloud::Azure, region, &quantities)
}

fn gcp(processors: &str, memory: &str) -> f64 {
    let quantities = [
        (processors, 2_628_000.0),
        (memory, 5_256_000.0),
        ("gcp.sql.vcpu_hour", 1460.0),
        ("gcp.sql.gib_hour", 2920.0),
        ("gcp.sql.storage_gib_month", 50.0),
        ("gcp.storage.gib_month", 100.0),
        ("gcp.egress.gib", 500.0),
    ];
    cost(Cloud::Gcp, "us-central1", &quantities)
}

#[test]
fn reference_workloads_cost_what_was_computed_by_hand() {
    // 1 processor and 2 GiB, always busy; PostgreSQL 2/4 with 50 GiB; 100 GiB of objects; 500 GiB of traffic; free quantities deducted.
    assert_cents(aws("us-east-1"), 143.97);
    assert_cents(aws("eu-west-1"), 149.46);
    assert_cents(aws("ap-southeast-1"), 195.24);
    assert_cents(azure("eastus"), 165.71);
    assert_cents(azure("northeurope"), 169.32);
    assert_cents(azure("southeastasia"), 235.64);
    assert_cents(gcp("gcp.run.vcpu_second", "gcp.run.gib_second"), 222.23);
    assert_cents(gcp("gcp.run.instance_vcpu_second", "gcp.run.instance_gib_second"), 203.83);
}

#[test]
fn bases_and_a_small_task_cost_what_was_computed_by_hand() {
    let aws = |key: &str, quantity: f64| cost(Cloud::Aws, "us-east-1", &[(key, quantity)]);
    assert_cents(aws("aws.alb.hour", 730.0), 16.43);
    assert_cents(aws("aws.ipv4.hour", 1460.0), 7.30);
    assert_cents(aws("aws.ipv4.hour", 730.0), 3.65);
    let task = [("aws.fargate.vcpu_hour", 730.0 * 0.25), ("aws.fargate.gib_hour", 730.0 * 0.5)];
    assert_cents(cost(Cloud::Aws, "us-east-1", &task), 9.01);
    assert_cents(cost(Cloud::Azure, "eastus", &[("azure.registry.day", 365.0 / 12.0)]), 5.07);
    assert_cents(cost(Cloud::Azure, "eastus", &[("azure.frontdoor.base_month", 1.0)]), 35.00);
    assert_cents(cost(Cloud::Gcp, "us-central1", &[("gcp.lb.rule_hour", 730.0)]), 18.25);
}

#[test]
fn books_are_what_the_table_says() {
    let made =
        import(include_bytes!("../book/prices.csv"), include_bytes!("../book/import.csv"), include_bytes!("../book/notes.json"))
            .unwrap();
    assert_eq!(made.mapped + made.shapes + made.ignored + made.without_price, 425);
    assert_eq!((made.shapes, made.without_price), (62, 1));
    for book in &made.books {
        assert_eq!(*book, *Book::embedded(book.cloud), "run `price-book import pricing/book`");
        assert_eq!(book.check(), []);
        let text = serde_json::to_vec(book).unwrap();
        assert_eq!(Book::parse(&text).unwrap(), *book);
    }
}

#[test]
fn a_row_without_a_rule_or_with_several_is_refused() {
    let head = "cloud,region,service,sku_or_meter,unit,price_usd,free_tier,as_of,source,verified,vcpu,memory_gib\n";
    let rules = "cloud,region,service,sku,keys,units,from,place,note\n";
    let notes = r#"{"version": "1", "clouds": {"aws": {"places": {"us-east-1": []}, "grants": [], "likes": []}}}"#;
    let run = |rows: &str, more: &str| {
        import(format!("{head}{rows}").as_bytes(), format!("{rules}{more}").as_bytes(), notes.as_bytes())
            .map_err(|error| error.to_string())
    };
    let row = "aws,us-east-1,S3,storage,GB-month,0.023,,2026-09-06,a,api,,\n";
    let rule = "aws,*,S3,*,aws.s3.gib_month,gib_month,,,\n";
    assert_eq!(run(row, rule).unwrap().mapped, 1);
    assert!(run(row, "").unwrap_err().contains("no rule selects it"));
    assert!(
        run(row, &format!("{rule}aws,us-east-1,S3,stor*,ignore,,,,twice\n"))
            .unwrap_err()
            .contains("several rules select it: *; stor*")
    );
    assert!(run(&format!("{row}{row}"), rule).unwrap_err().contains("aws.s3.gib_month in us-east-1 from 0 has two rows"));
    assert!(run(row, "aws,*,S3,*,aws.s3.gib_month,gib,,,\n").unwrap_err().contains("GB-month is not gib"));
    assert!(run(&row.replace("0.023", "-1"), rule).unwrap_err().contains("`-1` is no amount"));
}

#[test]
fn amounts_keep_their_digits() {
    let amount = |text, tens| Amount::from_vendor(text, tens).map(String::from);
    assert_eq!(amount("2e-07", 0).unwrap(), "0.0000002");
    assert_eq!(amount("1.66667e-05", 0).unwrap(), "0.0000166667");
    assert_eq!(amount("0.05", 4).unwrap(), "0.000005");
    assert_eq!(amount("40", 0).unwrap(), "40");
    assert_eq!(amount("1e2", 0).unwrap(), "100");
    assert_eq!(amount("0", 0).unwrap(), "0");
    for text in ["", "-1", "x", "1e99", ".5", "NaN", "0x1"] {
        assert!(amount(text, 0).is_err(), "{text}");
    }
}

fn book(prices: &str) -> Result<Book, BookError> {
    let text = format!(
        r#"{{"format": 1, "cloud": "aws", "currency": "USD", "version": "1", "as_of": "2026-01-01",
            "sources": {{"a": {{"name": "n", "as_of": null, "trust": "quoted"}}}}, "places": {{"r": ["g"], "q": []}},
            "prices": [{prices}], "grants": [], "shapes": {{}}}}"#
    );
    Book::parse(text.as_bytes())
}

#[test]
fn faults_of_a_book_are_named() {
    let price = |places: &str| format!(r#"{{"key": "k", "unit": "gib", "vendor_unit": "GB", "in": {{{places}}}}}"#);
    let rate = |place: &str, tiers: &str| format!(r#""{place}": {{"sku": "s", "tiers": {tiers}, "src": "a"}}"#);
    let refusal = |places: &str| book(&price(places)).unwrap_err().to_string();
    assert!(book(&price(&rate("r", r#"[["0", "1"]]"#))).is_ok());
    assert!(refusal(&rate("r", r#"[["1", "1"]]"#)).contains("k in r: tiers have to begin at 0 and to rise"));
    assert!(refusal(&rate("r", r#"[["0", "1"], ["0", "2"]]"#)).contains("tiers have to begin at 0"));
    assert!(refusal(&rate("r", "[]")).contains("tiers have to begin at 0"));
    assert!(refusal(&rate("x", r#"[["0", "1"]]"#)).contains("no region of the book belongs to the place x"));
    let twice = format!("{}, {}", rate("r", r#"[["0", "1"]]"#), rate("g", r#"[["0", "2"]]"#));
    assert!(refusal(&twice).contains("k has several rates for r: r, g"));
    assert!(refusal(&rate("r", r#"[["0", "-1"]]"#)).contains("no price book"));
    assert!(refusal(&rate("r", r#"[["0", 1.5]]"#)).contains("no price book"));
    assert!(refusal(&rate("r", r#"[["0", "1"]]"#).replace(r#""src": "a""#, r#""src": "b""#)).contains("the source `b`"));
}

#[test]
fn a_group_of_regions_has_one_rate() {
    let text = r#"{"key": "k", "unit": "gib", "vendor_unit": "GB", "in": {"g": {"sku": "s", "tiers": [["0", "2"], ["10", "1"]], "src": "a"}}}"#;
    let book = book(text).unwrap();
    let rate = book.rate("k", "r").unwrap();
    assert!((rate.cost(15.0) - 25.0).abs() < 1e-12);
    assert!((rate.at(9.0) - 2.0).abs() < 1e-12 && (rate.at(10.0) - 1.0).abs() < 1e-12);
    assert!(book.rate("k", "q").is_none() && book.rate("other", "r").is_none());
}

#[test]
fn what_has_no_price_is_named_and_not_0() {
    let prices = Prices::embedded();
    let profile = Profile::parse(br#"{"kind": "static"}"#).unwrap();
    let estimate = estimate(&prices, &profile, &place(Cloud::Aws, "us-east-1"), Grants::Off, Bases::First).unwrap();
    assert_eq!(estimate.not_priced, ["functions at the edge", "key-value reads at the edge"]);
    assert!(estimate.lines.iter().filter(|line| line.usd.is_none()).all(|line| line.trust.is_none() && line.unit.is_none()));
    assert!(!estimate.has_hole(), "what is small does not rule a place out");
    let far = crate::estimate(&prices, &profile, &place(Cloud::Aws, "ap-south-1"), Grants::Off, Bases::First).unwrap();
    assert!(far.has_hole() && far.not_priced.contains(&"traffic to visitors"), "{:?}", far.not_priced);
}

#[test]
fn what_is_larger_than_sold_is_a_hole() {
    let profile = Profile::parse(br#"{"cpuMilli": 64000}"#).unwrap();
    for place in Prices::embedded().places(None) {
        assert!(estimate(&Prices::embedded(), &profile, &place, Grants::Off, Bases::First).unwrap().has_hole(), "{place}");
    }
    let database = r#"{"databases": [{"engine": "postgresql", "cpu": 200, "memoryGib": 4, "storageGib": 1}]}"#;
    let profile = Profile::parse(database.as_bytes()).unwrap();
    let estimate = estimate(&Prices::embedded(), &profile, &place(Cloud::Aws, "us-east-1"), Grants::Off, Bases::First).unwrap();
    assert_eq!(estimate.not_priced, ["PostgreSQL instance"]);
}

#[test]
fn sizes_are_rounded_up_to_what_is_sold() {
    let quantity = |cloud, profile: &str, key: &str| {
        let items = items(&Book::embedded(cloud), &Profile::parse(profile.as_bytes()).unwrap());
        items.iter().find(|item| item.key == key).map(|item| item.quantity).unwrap()
    };
    let profile = r#"{"cpuMilli": 300, "memoryMib": 700, "busy": 1, "requests": 0}"#;
    assert!((quantity(Cloud::Aws, profile, "aws.fargate.vcpu_hour") - 730.0 * 0.5).abs() < 1e-9);
    assert!((quantity(Cloud::Aws, profile, "aws.fargate.gib_hour") - 730.0).abs() < 1e-9);
    assert!((quantity(Cloud::Azure, profile, "azure.apps.vcpu_second") - 2_628_000.0 * 0.5).abs() < 1e-6);
    assert!((quantity(Cloud::Azure, profile, "azure.apps.gib_second") - 2_628_000.0).abs() < 1e-6);
    assert!((quantity(Cloud::Gcp, profile, "gcp.run.vcpu_second") - 2_628_000.0 * 0.56).abs() < 1e-3);
}

#[test]
fn goldens_of_recipes_stand() {
    let prices = Prices::embedded();
    let assert_costs = |profile: &str, expected: [f64; 3]| {
        let profile = Profile::parse(profile.as_bytes()).unwrap();
        let places = [(Cloud::Aws, "us-east-1"), (Cloud::Azure, "eastus"), (Cloud::Gcp, "us-central1")];
        for ((cloud, region), expected) in places.into_iter().zip(expected) {
            assert_cents(estimate(&prices, &profile, &place(cloud, region), Grants::Off, Bases::First).unwrap().usd, expected);
        }
    };
    let server =
        r#"{"kind": "container", "cpuMilli": 500, "memoryMib": 1024, "busy": 0.2, "requests": 1000000, "responseKib": 20}"#;
    let site = r#"{"kind": "static", "requests": 1000000, "responseKib": 200, "objectsGib": 1, "domains": 1}"#;
    assert_costs(server, [48.63, 17.15, 11.52]);
    assert_costs(site, [18.22, 53.55, 44.32]);
}

#[test]
fn bases_count_once_or_by_their_share() {
    let prices = Prices::embedded();
    let profile = Profile::default();
    let at = |bases| estimate(&prices, &profile, &place(Cloud::Aws, "us-east-1"), Grants::Off, bases).unwrap().usd;
    let (first, there) = (at(Bases::First), at(Bases::AlreadyThere(0.0)));
    assert_cents(first - there, 16.43 + 7.30);
    assert!((at(Bases::AlreadyThere(0.5)) - f64::midpoint(first, there)).abs() < 1e-9);
}

#[test]
fn what_is_free_is_deducted_once_from_the_whole_of_a_key() {
    let prices = Prices::embedded();
    let profile = Profile::parse(br#"{"kind": "function", "requests": 500000}"#).unwrap();
    let at = |grants| estimate(&prices, &profile, &place(Cloud::Aws, "us-east-1"), grants, Bases::First).unwrap();
    let line = |estimate: &Estimate, key: &str| estimate.lines.iter().find(|line| line.key == key).unwrap().usd.unwrap();
    assert!(line(&at(Grants::Off), "aws.lambda.request") > 0.0);
    assert!(line(&at(Grants::On), "aws.lambda.request").abs() < 1e-12);
}

#[test]
fn assumptions_say_where_they_come_from_and_what_more_would_cost() {
    let profile = Profile::parse(br#"{"requests": 2000000}"#).unwrap();
    let estimate = estimate(&Prices::embedded(), &profile, &place(Cloud::Aws, "us-east-1"), Grants::Off, Bases::First).unwrap();
    let named = |name: &str| estimate.assumptions.iter().find(|assumption| assumption.name == name).unwrap();
    assert_eq!((named("requests").source, named("busy").source), (Origin::Given, Origin::Assumed));
    // 100,000 requests of 40 KiB: 3.81 GiB by 0.085, and 0.10 for the requests; the load balancer's capacity is that of the traffic.
    assert!((named("requests").effect_usd - (3.8147 * (0.085 + 0.008) + 0.1)).abs() < 1e-3, "{:?}", named("requests"));
}

#[test]
fn a_profile_that_cannot_be_is_refused() {
    let refusal = |text: &str| Profile::parse(text.as_bytes()).unwrap_err().to_string();
    assert!(refusal("[]").contains("a profile is a JSON object"));
    assert!(refusal("{").contains("EOF"));
    assert!(refusal(r#"{"cpu": 1}"#).contains("unknown field `cpu`"));
    assert!(refusal(r#"{"busy": 1.5}"#).contains("busy: 1.5 is no share between 0 and 1"));
    assert!(refusal(r#"{"requests": -1}"#).contains("requests: -1 is no number of 0 or more"));
    assert!(refusal(r#"{"databases": [{"engine": "mysql", "cpu": 1, "memoryGib": 1, "storageGib": 1}]}"#).contains("mysql"));
}

#[test]
fn neutral_names_of_regions_are_understood() {
    let prices = Prices::embedded();
    let names = |region| prices.places(Some(region)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names("eu-west"), ["aws/eu-west-1", "azure/northeurope", "gcp/europe-west1"]);
    assert_eq!(names("eastus"), ["azure/eastus"]);
    assert!(names("nowhere").is_empty());
    assert_eq!(prices.places(None).len(), 20);
}

#[test]
fn doubtful_sums_say_so() {
    let profile =
        Profile::parse(br#"{"databases": [{"engine": "postgresql", "cpu": 2, "memoryGib": 4, "storageGib": 1}], "requests": 1}"#)
            .unwrap();
    let at =
        |cloud, region: &str| estimate(&Prices::embedded(), &profile, &place(cloud, region), Grants::Off, Bases::First).unwrap();
    assert!(at(Cloud::Gcp, "asia-southeast1").is_doubtful());
    assert!(!at(Cloud::Azure, "eastus").is_doubtful());
}

fn any_profile() -> impl Strategy<Value = Profile> {
    let kind = prop_oneof![Just(Kind::Container), Just(Kind::Static), Just(Kind::Function)];
    let database = (0.5..40.0_f64, 0.5..200.0_f64, 0.0..500.0_f64).prop_map(|(cpu, memory_gib, storage_gib)| Database {
        engine: profile::Engine::Postgresql,
        cpu,
        memory_gib,
        storage_gib,
    });
    let sizes = (1.0..20_000.0_f64, 1.0..70_000.0_f64, 0.0..9.0_f64, 0.0..3.0_f64, 0.0..1.0_f64, any::<bool>());
    let traffic = (0.0..1e10_f64, 0.0..2000.0_f64, 0.0..1.0_f64, 1.0..5000.0_f64);
    let others = (0.0..1000.0_f64, 0.0..5000.0_f64, 0.0..500.0_f64, 0.0..40.0_f64, 0.0..60.0_f64, 0.0..300.0_f64);
    (kind, sizes, traffic, others, prop::collection::vec(database, 0..3)).prop_map(|(kind, sizes, traffic, others, databases)| {
        Profile {
            kind,
            cpu_milli: sizes.0,
            memory_mib: sizes.1,
            replicas: sizes.2,
            min_replicas: sizes.3,
            busy: sizes.4,
            by_instance: sizes.5,
            requests: traffic.0,
            response_kib: traffic.1,
            cached: traffic.2,
            call_milliseconds: traffic.3,
            objects_gib: others.0,
            files: others.1,
            log_gib: others.2,
            variables: others.3,
            domains: others.4,
            deployments: others.5,
            databases,
            ..Profile::default()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn comparing_equals_estimating(profile in any_profile(), first: bool) {
        let prices = Prices::embedded();
        let bases = if first { Bases::First } else { Bases::AlreadyThere(0.25) };
        let places = prices.places(None);
        let compared = compare(&prices, std::slice::from_ref(&profile), &places, bases);
        let costs = &compared.profiles[0];
        for (index, place) in compared.places.iter().enumerate() {
            let estimate = estimate(&prices, &profile, place, Grants::Off, bases).unwrap();
            prop_assert!((estimate.usd - costs.usd[index]).abs() <= 1e-9 * estimate.usd.max(1.0), "{}: {} {}", place, estimate.usd, costs.usd[index]);
            prop_assert_eq!(!estimate.not_priced.is_empty(), costs.not_priced[index], "{}", place);
            prop_assert_eq!(estimate.has_hole(), costs.holes[index], "{}", place);
        }
        if let Some(best) = costs.best {
            prop_assert!(!costs.holes[best]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn more_requests_never_cost_less(profile in any_profile(), more in 1.0..1e9_f64) {
        let prices = Prices::embedded();
        let larger = profile.with("requests", profile.requests + more);
        for place in prices.places(None) {
            let cost = |profile: &Profile| estimate(&prices, profile, &place, Grants::On, Bases::First).unwrap().usd;
            // Idle time of a replica that is kept is cheaper than its time in use, so that the sum of both only grows.
            prop_assert!(cost(&larger) >= cost(&profile) * (1.0 - 1e-9), "{}", place);
        }
    }
}

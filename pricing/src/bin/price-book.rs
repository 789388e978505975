//! Makes and checks price books. For maintainers.

use std::path::Path;
use std::process::ExitCode;

use pricing::Book;
use pricing::import::import;

const USAGE: &str = "usage: price-book import DIRECTORY    make aws.json, azure.json and gcp.json from prices.csv, import.csv and notes.json there
       price-book check FILE...        say what is wrong with books";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["import", directory] => import_into(Path::new(directory)),
        ["check", files @ ..] if !files.is_empty() => files.iter().try_for_each(|file| check(Path::new(file))),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn import_into(directory: &Path) -> Result<(), String> {
    let file = |name: &str| read(&directory.join(name));
    let made = import(&file("prices.csv")?, &file("import.csv")?, &file("notes.json")?).map_err(|error| error.to_string())?;
    for book in &made.books {
        let path = directory.join(format!("{}.json", book.cloud));
        let text = serde_json::to_string_pretty(book).map_err(|error| error.to_string())?;
        std::fs::write(&path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}: {} prices", path.display(), book.prices.len());
    }
    println!(
        "{} rows are prices, {} sizes, {} left out, {} without a price",
        made.mapped, made.shapes, made.ignored, made.without_price
    );
    Ok(())
}

fn check(path: &Path) -> Result<(), String> {
    let book = Book::parse(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}: {} prices of {}", path.display(), book.prices.len(), book.as_of);
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

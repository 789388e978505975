//! Writing the log into a file.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::arguments::{AuditFormat, AuditTime, Output};
use crate::client::api::Api;
use crate::client::output;
use server::Failure;

/// Writes the log into a file, page after page. A file is there whole or not at all.
pub async fn run(file: &Path, format: AuditFormat, time: AuditTime, output: Output) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    if file == Path::new("-") {
        let mut out = BufWriter::new(io::stdout());
        write(&api, format, time, &mut out).await?;
        return Ok(out.flush().context("standard output could not be written")?);
    }
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let whole =
        NamedTempFile::new_in(directory).with_context(|| format!("{}: no file can be made there", directory.display()))?;
    let mut out = BufWriter::new(whole);
    let exported = write(&api, format, time, &mut out).await?;
    let whole = out.into_inner().map_err(io::IntoInnerError::into_error).context("the file could not be written")?;
    whole.as_file().sync_all().context("the file could not be written")?;
    whole.persist(file).with_context(|| format!("{}: the file could not be written", file.display()))?;
    if output.json {
        output::json(&json!({"file": file, "lines": exported}));
    } else {
        println!("Wrote {exported} lines to {}.", file.display());
        if format == AuditFormat::Jsonl {
            println!("Check it anywhere with `mikrocloud audit verify {}`.", file.display());
        }
    }
    Ok(())
}

/// Writes the lines of an export; how many there were.
async fn write(api: &Api, format: AuditFormat, time: AuditTime, out: &mut impl Write) -> Result<u64, Failure> {
    let format = if format == AuditFormat::Ocsf { "OCSF" } else { "JSON_LINES" };
    let input = json!({"format": format, "since": time.since, "until": time.until});
    let begun = api.mutate("beginAuditExport", "BeginAuditExportInput", input, "head after to").await?;
    let mut lines = 0;
    if let Some(head) = begun["head"].as_str() {
        line(out, head)?;
        lines += 1;
    }
    let query = "query($format: AuditFormat!, $after: Int!, $to: Int!) { auditExport(format: $format, after: $after, to: $to) {
        lines next } }";
    let mut after = begun["after"].clone();
    while !after.is_null() {
        let data = api.run(query, json!({"format": format, "after": after, "to": begun["to"]})).await?;
        for text in data["auditExport"]["lines"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            line(out, text)?;
            lines += 1;
        }
        after = data["auditExport"]["next"].clone();
    }
    Ok(lines)
}

fn line(out: &mut impl Write, text: &str) -> Result<(), Failure> {
    Ok(writeln!(out, "{text}").context("the export could not be written")?)
}

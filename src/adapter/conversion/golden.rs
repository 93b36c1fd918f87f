//! Golden samples of conversions: `samples/NAME.<lower>.xml` and `samples/NAME.<higher>.xml`, and each direction must give exactly
//! the other. Where the lower version carries less, `samples/NAME.back.xml` holds what comes back.

use std::collections::BTreeMap;

use super::{Conversion, ConversionSet, Converted, Parts, Step};
use crate::adapter::golden::{compare, failed, plain, xml_lines};
use crate::adapter::{GoldenOutcome, GoldenResult, HeaderView, checks};
use crate::bundle::Files;
use crate::schema::Catalogue;

/// Runs every golden sample of every conversion in both directions. A folder without samples fails, and so does a direction that no
/// sample tries.
pub fn check(set: &ConversionSet, files: &Files, catalogue: &Catalogue) -> Vec<GoldenResult> {
    set.conversions.iter().flat_map(|conversion| of_one(conversion, files, catalogue)).collect()
}

fn of_one(conversion: &Conversion, files: &Files, catalogue: &Catalogue) -> Vec<GoldenResult> {
    let (low, high) = (&conversion.lower, &conversion.higher);
    let folder = format!("conversions/{}/{}-{}", low.name, low.version, high.version);
    let result = |way: String, case: &str, outcome| GoldenResult {
        adapter: folder.clone(),
        message_type: way,
        case: case.to_owned(),
        direction: None,
        outcome,
    };
    let cases = cases(&format!("{folder}/samples/"), files);
    if cases.is_empty() {
        return vec![result(String::new(), "", failed("there are no golden samples in `samples/`"))];
    }
    let mut results = Vec::new();
    for (case, parts) in cases {
        let (lower, higher) = (format!("{}.xml", low.version), format!("{}.xml", high.version));
        let known = [lower.as_str(), higher.as_str(), "back.xml"];
        let bodies = parts.get(lower.as_str()).zip(parts.get(higher.as_str()));
        let Some((lower, higher)) = bodies.filter(|_| parts.keys().all(|part| known.contains(part))) else {
            let reason = format!("a sample is `….{lower}` and `….{higher}`, and `….back.xml` where less comes back");
            results.push(result(String::new(), &case, failed(reason)));
            continue;
        };
        let back = parts.get("back.xml").unwrap_or(higher);
        let steps = [
            conversion.up.as_ref().map(|half| (Step { half, from: low, to: high }, *lower, *back)),
            conversion.down.as_ref().map(|half| (Step { half, from: high, to: low }, *higher, *lower)),
        ];
        for (step, body, golden) in steps.into_iter().flatten() {
            let way = format!("{} to {}", step.from, step.to);
            results.push(result(way, &case, run(step, body, golden, catalogue)));
        }
    }
    results
}

fn run(step: Step<'_>, body: &[u8], golden: &[u8], catalogue: &Catalogue) -> GoldenOutcome {
    let body = plain(body);
    if let Err(reason) = checks::canonical(catalogue, step.from, &body) {
        return failed(format!("the sample of version {} is not valid: {reason}", step.from.version));
    }
    let mut converted = Converted { message_type: step.from.clone(), body, not_carried: Vec::new() };
    match step.take(&mut converted, &HeaderView::sample(step.from), catalogue) {
        Ok(()) => compare(golden, &converted.body, xml_lines),
        Err(error) => failed(error.to_string()),
    }
}

fn cases<'f>(prefix: &str, files: &'f Files) -> BTreeMap<String, Parts<'f>> {
    let mut cases: BTreeMap<String, Parts<'f>> = BTreeMap::new();
    for (path, bytes) in files.range(prefix.to_owned()..) {
        let Some(file) = path.strip_prefix(prefix) else { break };
        let (case, part) = file.split_once('.').unwrap_or((file, ""));
        cases.entry(case.to_owned()).or_default().insert(part, bytes.as_slice());
    }
    cases
}

//! The check of a regulation's grounds against the code list of the messages.

use super::{Finding, Regulation, Severity};
use crate::bundle::Files;

/// The list of all grounds.
const LIST: &str = "schemas/common/3/code-lists/termination-reasons.csv";

/// Grounds that no message can name, for they are in no code list. A bundle without the list is not checked.
pub(super) fn check(regulation: &Regulation, files: &Files) -> Vec<Finding> {
    let Some(bytes) = files.get(LIST) else { return Vec::new() };
    let rows = csv::Reader::from_reader(bytes.as_slice()).into_records();
    let known: Vec<String> = rows.flatten().filter_map(|row| row.get(0).map(str::to_owned)).collect();
    let grounds = regulation.case.iter().flat_map(|case| &case.grounds);
    let unknown = grounds.filter(|ground| !known.contains(&ground.code));
    unknown
        .map(|ground| Finding {
            severity: Severity::Error,
            file: regulation.file.clone(),
            line: ground.line,
            column: 0,
            ru: format!(
                "основания `{}` нет в справочнике termination-reasons; можно {}",
                ground.code,
                known.join(", ")
            ),
            en: format!(
                "the ground `{}` is not in the list termination-reasons; allowed are {}",
                ground.code,
                known.join(", ")
            ),
        })
        .collect()
}

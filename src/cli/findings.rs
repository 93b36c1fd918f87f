//! How checks of the configuration tell what they found.

use std::process::ExitCode;

use serde_json::json;

use super::Failure;
use crate::deadline::{Finding, Severity};

/// Prints the findings and how many there are; the exit status is 1 when any is an error.
pub(crate) fn report(findings: &[Finding], as_json: bool) -> Result<ExitCode, Failure> {
    let errors = findings.iter().filter(|f| f.severity == Severity::Error).count();
    if as_json {
        say!("{}", json!({ "ok": errors == 0, "findings": findings }))?;
    } else {
        tell(findings)?;
        let warnings = findings.len().saturating_sub(errors);
        say!("ошибок / errors: {errors}, замечаний / warnings: {warnings}")?;
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the findings, a line each.
pub(crate) fn tell(findings: &[Finding]) -> std::io::Result<()> {
    for finding in findings {
        let word = match finding.severity {
            Severity::Error => "ошибка / error",
            Severity::Warning => "замечание / warning",
        };
        say!("{word}: {finding}")?;
    }
    Ok(())
}

/// Findings as the reason why a command could not do its work.
pub(crate) fn refused(findings: &[Finding]) -> Failure {
    Failure::new(findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

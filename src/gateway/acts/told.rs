//! What was kept with an obligation when it was counted: the count that the gateway goes by, whatever the regulation says by now.

use serde_json::Value;

use crate::deadline::obligations::StartOn;
use crate::domain::{ObligationState, Zone};
use crate::store::ObligationRow;

/// What the rule said when the obligation was opened: the head of its explanation, or of the plan while it waits.
pub fn about(row: &ObligationRow) -> Option<&Value> {
    row.explanation.as_ref().or_else(|| row.plan.as_ref()?.pointer("/start/plan/about"))
}

/// What a pending obligation waits for.
pub fn waits_for(row: &ObligationRow) -> Option<StartOn> {
    if row.state != ObligationState::Pending {
        return None;
    }
    let on = row.plan.as_ref()?.pointer("/start/on")?;
    serde_json::from_value(on.clone()).ok()
}

/// The text at a pointer; empty when there is none.
pub fn text<'v>(value: Option<&'v Value>, pointer: &str) -> &'v str {
    value.and_then(|v| v.pointer(pointer)).and_then(Value::as_str).unwrap_or_default()
}

/// What the debtor was asked for by; empty: nobody wished.
pub fn wish(row: &ObligationRow) -> &str {
    text(row.explanation.as_ref().or(row.plan.as_ref()), "/wish")
}

/// The zone in which it was counted.
pub fn zone(row: &ObligationRow) -> Option<Zone> {
    Zone::parse(text(about(row), "/zone"))
}

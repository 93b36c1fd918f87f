//! A case ends on a ground that its regulation knows.

use crate::deadline::BodyPath;
use crate::deadline::obligations::MessageEvent;
use crate::deadline::regulation::Regulation;
use crate::domain::{Fault, FaultCode};

/// Where a closing message says its ground.
const GROUND: &str = "ground";

/// Refuses a closing message whose ground is not in the regulation's list. Where there is no list every ground is taken.
///
/// # Errors
/// `content-invalid` with the list.
pub(super) fn check(regulation: &Regulation, event: &MessageEvent<'_>) -> Result<(), Fault> {
    let Some(case) = &regulation.case else { return Ok(()) };
    if case.grounds.is_empty() || case.closes.as_deref() != Some(event.header.message_type.name.as_str()) {
        return Ok(());
    }
    let said = BodyPath::parse(GROUND).and_then(|path| path.text(event.body));
    if said.is_some_and(|said| case.grounds.iter().any(|ground| ground.code == said)) {
        return Ok(());
    }
    let told = |ground: &crate::deadline::CaseGround| {
        let (document, paragraph) = regulation.written(&ground.source);
        format!("{} ({document}, {paragraph})", ground.code)
    };
    let known = case.grounds.iter().map(told).collect::<Vec<_>>().join("; ");
    let detail =
        format!("Body/{GROUND}: by the regulation `{}` a case ends on one of these grounds: {known}", regulation.id);
    Err(Fault::new(FaultCode::ContentInvalid, detail))
}

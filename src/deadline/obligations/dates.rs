//! The dates that a body gives.

use super::{AHEAD_MAX_SECONDS, MessageEvent, Period};
use crate::deadline::regulation::{DATED_FIELDS, Matching};
use crate::deadline::{BodyPath, Start, start_of_day};
use crate::domain::{Fault, FaultCode, Timestamp};

pub(super) fn content(detail: impl Into<String>) -> Fault {
    Fault::new(FaultCode::ContentInvalid, detail)
}

/// Refuses a body whose dated acts lie in the future.
pub(super) fn no_date_ahead(event: &MessageEvent<'_>) -> Result<(), Fault> {
    for field in DATED_FIELDS {
        if BodyPath::parse(field).is_some_and(|path| path.text(event.body).is_some()) {
            dated(event, field)?;
        }
    }
    Ok(())
}

/// A dated field at the top of the body.
pub(super) fn dated(event: &MessageEvent<'_>, field: &str) -> Result<Start, Fault> {
    let text = BodyPath::parse(field).and_then(|path| path.text(event.body));
    let text = text.ok_or_else(|| content(format!("`{field}` is missing; the term is counted from it")))?;
    let text = if text.contains('T') { text } else { text.get(..10).unwrap_or(text) };
    let start = Start::parse(text).filter(|s| matches!(s, Start::Instant(_) | Start::Date(_)));
    let start = start.ok_or_else(|| {
        content(format!("`{field}` must be a date, or a time with its zone, such as 2026-05-06T10:00:00+05:00"))
    })?;
    if start.instant(event.sender.zone) > event.accepted_at.plus_seconds(AHEAD_MAX_SECONDS) {
        return Err(content(format!("`{field}` lies in the future")));
    }
    Ok(start)
}

/// An act dated by a day alone was done by the end of that day, but not after it arrived.
pub(super) fn settled_by(act: &Start, event: &MessageEvent<'_>) -> Timestamp {
    let zone = event.sender.zone;
    let last = match act {
        Start::Instant(at) => *at,
        Start::Date(_) | Start::Month(_) | Start::Quarter(_) | Start::Year(_) => {
            let next = act.local_date(zone).succ_opt().map(|day| start_of_day(day, zone));
            Timestamp::from_micros(next.unwrap_or(event.accepted_at).micros().saturating_sub(1))
        }
    };
    last.min(event.accepted_at)
}

/// The period that the body names, if the rule looks for one. A period that has not begun is a date in the future.
pub(super) fn period(matching: &Matching, event: &MessageEvent<'_>) -> Result<String, Fault> {
    let Some(path) = &matching.period else { return Ok(String::new()) };
    let text = path.text(event.body).map(|text| text.get(..7).unwrap_or(text));
    let period = text.and_then(Period::parse);
    let period =
        period.ok_or_else(|| content(format!("`{path}` must be a period, such as 2026-05, 2026-Q2 or 2026")))?;
    if period.begins(event.sender.zone) > event.accepted_at.plus_seconds(AHEAD_MAX_SECONDS) {
        return Err(content(format!("`{path}` lies in the future")));
    }
    Ok(period.to_string())
}

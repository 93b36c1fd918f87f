//! The page's section of what people and participants did to obligations.

use super::obligations::{name, rule_title, subject};
use super::words;
use crate::domain::{ActKind, Timestamp, Zone};
use crate::gateway::Snapshot;
use crate::store::{ActRow, ObligationRow};

/// One act as the page shows it. What people worded themselves (remarks, a document's name) may name a citizen and is not for the page.
pub(super) struct Acted {
    pub(super) at: String,
    pub(super) at_iso: String,
    pub(super) kind: &'static str,
    /// How it was met outside, or why it is waived or extended.
    pub(super) why: &'static str,
    pub(super) document: String,
    pub(super) debtor_name: String,
    pub(super) rule_title: String,
    pub(super) subject: String,
    pub(super) state: &'static str,
    pub(super) due: String,
    /// The due before an extension.
    pub(super) due_before: String,
    pub(super) entered_by: String,
}

pub(super) fn acted((act, row): &(ActRow, ObligationRow), snapshot: &Snapshot, region: Zone) -> Acted {
    let zone = snapshot.participant(&row.debtor).map_or(region, |p| p.zone);
    let due = |at: Option<Timestamp>| at.map_or_else(String::new, |at| words::due(at, zone));
    let document = act.document.as_ref().map(|d| format!("№ {} от {}", d.number, d.date.format("%d.%m.%Y")));
    let number = act.number.as_ref().map(|number| format!("№ {number}"));
    let why = act.way.map(|way| way.ru()).or(act.ground.map(|ground| ground.ru()));
    Acted {
        at: words::instant(act.at, zone),
        at_iso: act.at.in_zone(zone),
        kind: act.kind.ru(),
        why: why.unwrap_or_default(),
        document: document.or(number).unwrap_or_default(),
        debtor_name: name(snapshot, &row.debtor),
        rule_title: rule_title(row, snapshot),
        subject: subject(row, snapshot),
        state: act.state_after.ru(),
        due: due(act.due_after),
        due_before: due(act.due_before.filter(|_| act.kind == ActKind::Extend)),
        entered_by: act.actor.as_ref().map_or_else(|| act.author.clone(), |actor| name(snapshot, actor)),
    }
}

//! Obligations that become void: which, and how.

use serde_json::json;

use crate::domain::{ActKind, ObligationState, SettleKind};

use super::act_rows;
use super::case_work::{By, act};
use super::error::Failure;
use super::obligations::{self, key};
use super::rows::Rows;
use super::sql::{Select, Tx, Vals, text};
use super::{Cancelling, ObligationRow};

/// What can still become void.
pub(super) const STILL_OPEN: &str = "state IN ('pending', 'open', 'warned', 'overdue')";

/// What becomes void, and the word for why.
pub(super) fn to_cancel(cancelling: &Cancelling) -> (Select<'_>, &'static str) {
    let open = Select::new(obligations::SELECT).and(STILL_OPEN, vec![]);
    match cancelling {
        Cancelling::Key { regulation, rule, subject, period } => {
            (open.and("obligation_key = ?", vec![text(key(regulation, rule, subject, period))]), "voided")
        }
        Cancelling::OpenedBy { rule, sender, message } => {
            // A message opened few, a rule opened many: the empty text keeps every engine from going by the rule.
            let of_message = "record_id = (SELECT record_id FROM messages WHERE sender = ? AND message_id = ?)";
            let of_message = open.and(of_message, vec![text(sender), text(message)]);
            (of_message.and("rule || '' = ?", vec![text(rule)]), "withdrawn")
        }
        Cancelling::Others { rule, case, keep } => {
            let of_rule = open.and("case_id = ?", vec![text(case)]).and("rule = ?", vec![text(rule)]);
            (but_for(of_rule, "subject", keep.iter().map(text).collect()), "no-longer-named")
        }
        Cancelling::Closed { case, outlive } => {
            let of_case = open.and("case_id = ?", vec![text(case)]);
            (but_for(of_case, "rule", outlive.iter().map(text).collect()), "case-closed")
        }
    }
}

/// Makes void what is found, for the reason that the word says.
pub(super) async fn void(
    tx: &mut Tx<'_>,
    rows: &mut Rows<'_>,
    select: Select<'_>,
    why: &str,
    by: By,
) -> Result<(), Failure> {
    let (sql, values) = select.push(tx.engine.pick("", " FOR UPDATE"), vec![]).into_parts();
    let mut acts = Vec::new();
    for row in tx.built(sql, values).await? {
        let before = obligations::row(&row)?;
        let after = ObligationRow {
            state: ObligationState::Cancelled,
            next_at: None,
            settled_at: Some(by.at),
            settle_kind: Some(SettleKind::Cancellation),
            ..before.clone()
        };
        act_rows::change(tx, &after).await?;
        acts.push(act(rows, ActKind::Cancel, (&before, &after), by));
        rows.of_obligation("obligation-cancelled", before.id, json!({ "why": why }));
    }
    act_rows::insert(tx, &acts).await
}

fn but_for<'a>(select: Select<'a>, column: &str, values: Vals<'a>) -> Select<'a> {
    if values.is_empty() {
        return select;
    }
    select.and(&format!("{column} NOT IN ("), vec![]).list(values).push(")", vec![])
}

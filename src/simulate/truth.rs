//! Whether what stands in the store can be: a state with its due and its end.

use crate::domain::{ObligationState, Timestamp};
use crate::store::ObligationRow;

/// Whether a state says what the due and the end say.
pub(super) fn is_true(row: &ObligationRow, end: Timestamp) -> bool {
    let in_time = row.settled_at.map(|at| row.due_at.is_none_or(|due| at < due));
    match row.state {
        ObligationState::Met => in_time == Some(true),
        ObligationState::MetLate => in_time == Some(false),
        ObligationState::Overdue => in_time.is_none() && row.due_at.is_some_and(|due| due <= end),
        ObligationState::Pending | ObligationState::Open | ObligationState::Warned => in_time.is_none(),
        ObligationState::Cancelled | ObligationState::Waived => in_time.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ObligationId, ParticipantId, RuleId, SettleKind};

    /// An obligation that was due at 100 and in this state, settled at an instant or not.
    fn row(state: ObligationState, due: Option<i64>, settled: Option<i64>) -> ObligationRow {
        let at = Timestamp::from_micros;
        ObligationRow {
            id: ObligationId::from_uuid(uuid::Uuid::nil()),
            regulation: "yugra".to_owned(),
            rule: RuleId::parse("contract").unwrap(),
            subject: String::new(),
            period: String::new(),
            case_id: None,
            conversation_id: None,
            record_id: None,
            debtor: ParticipantId::parse("health").unwrap(),
            creditor: ParticipantId::citizen(),
            state,
            plan: None,
            started_at: Some(at(0)),
            due_at: due.map(at),
            original_due: None,
            counted_due: None,
            next_at: None,
            warns: Vec::new(),
            term: String::new(),
            explanation: None,
            opened_at: at(0),
            revision: 1,
            warned_at: None,
            overdue_at: None,
            settled_at: settled.map(at),
            settled_record: None,
            settle_kind: settled.map(|_| SettleKind::Message),
        }
    }

    #[test]
    fn a_state_that_its_due_contradicts_is_seen() {
        use ObligationState::{Cancelled, Met, MetLate, Open, Overdue};
        let table = [
            (Met, Some(100), Some(99), true),
            (Met, None, Some(99), true),
            (Met, Some(100), Some(100), false),
            (Met, Some(100), None, false),
            (MetLate, Some(100), Some(100), true),
            (MetLate, Some(100), Some(99), false),
            (MetLate, None, Some(99), false),
            (Overdue, Some(100), None, true),
            (Overdue, Some(201), None, false),
            (Overdue, None, None, false),
            (Open, Some(201), None, true),
            (Open, Some(201), Some(50), false),
            (Cancelled, Some(100), Some(150), true),
            (Cancelled, Some(100), None, false),
        ];
        for (state, due, settled, expected) in table {
            let found = is_true(&row(state, due, settled), Timestamp::from_micros(200));
            assert_eq!(found, expected, "{state} {due:?} {settled:?}");
        }
    }
}

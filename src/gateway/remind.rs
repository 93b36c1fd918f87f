//! The envelope that reminds a participant of what it owes, so that its own system can act.

use std::collections::BTreeMap;

use tracing::warn;

use crate::domain::{MessageId, NotificationStage, ParticipantId, RecordId, Technical};
use crate::envelope::SignError;
use crate::envelope::technical::{DeadlineReminder, ReminderStage};
use crate::store::{NewDelivery, NewMessage, ObligationRow, Revisions};

use super::answer::Addressee;
use super::ladder::{Ladder, Step};
use super::{Gateway, Snapshot, ids};

impl Gateway {
    /// Makes the reminders of these steps and puts each into its mark, so that both are written or neither. Blocks: signs.
    pub(super) fn add_reminders(
        &self,
        snapshot: &Snapshot,
        steps: &mut [(ObligationRow, Step)],
        requests: &BTreeMap<RecordId, MessageId>,
    ) {
        for (row, step) in steps {
            let Some((stage, number)) = step.reminder else { continue };
            let request = row.record_id.and_then(|record| requests.get(&record).copied());
            match self.reminder(snapshot, row, (stage, number), request) {
                Ok(message) => step.mark.made.extend(message),
                // The state and the notifications matter more than the reminder.
                Err(error) => warn!(obligation = %row.id, %error, "the reminder could not be made"),
            }
        }
    }

    /// `None` when nobody is to be reminded: the participant has left the configuration, or its rule has, or it has no envelopes and names
    /// no path for reminders.
    pub(super) fn reminder(
        &self,
        snapshot: &Snapshot,
        row: &ObligationRow,
        (stage, step): (NotificationStage, u32),
        request: Option<MessageId>,
    ) -> Result<Option<NewMessage>, SignError> {
        let ladder = Ladder::of(row, snapshot);
        let rule = ladder.regulation.and_then(|r| r.rule(&row.rule));
        let expected = rule.and_then(|rule| rule.met.first()).map(|met| met.matching.message.clone());
        let (Some(debtor), Some(message), Some(due)) = (snapshot.participant(&row.debtor), expected, row.due_at) else {
            return Ok(None);
        };
        if !debtor.framing.takes(&Technical::DeadlineReminder.message_type()) {
            return Ok(None);
        }
        let body = DeadlineReminder {
            obligation: row.id,
            rule: row.rule.clone(),
            regulation: row.regulation.clone(),
            stage: match stage {
                NotificationStage::Warning => ReminderStage::Warning,
                NotificationStage::Overdue => ReminderStage::Overdue,
                NotificationStage::Escalation => ReminderStage::Escalation,
            },
            case: row.case_id,
            conversation: row.conversation_id,
            request,
            period: Some(row.period.clone()).filter(|period| !period.is_empty()),
            creditor: Some(row.creditor.clone()).filter(|creditor| *creditor != ParticipantId::citizen()),
            message,
            due,
            term: row.term.clone(),
            source: ladder.source(),
            step: Some(step),
        };
        let to = Addressee { recipient: &debtor.id, conversation: row.conversation_id, in_reply_to: None };
        let made = self.make(&to, &body)?;
        let delivery = NewDelivery {
            id: ids::delivery(self.clock()),
            recipient: debtor.id.clone(),
            ordered: false,
            next_attempt_at: self.clock().now(),
            expires: None,
            on_consent: None,
            outgoing: None,
        };
        let revisions = Revisions { participants: snapshot.participants_revision, bundle: snapshot.bundle_revision };
        Ok(Some(self.own_message(made, ids::record(self.clock()), revisions, vec![delivery])))
    }
}

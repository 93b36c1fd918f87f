//! The account at the end: the systems' own records against the gateway's store.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::{DeliveryState, MessageId, ObligationState, ParticipantId, RecordId};
use crate::store::{
    Channel, DeliveryRow, DueCursor, MessageFilter, MessageRow, ObligationFilter, ObligationRow, Store,
};
use crate::system::protocol::SILENT;
use crate::system::{self, Received, Sent};

use super::DemoError;

/// Rows read at once.
const PAGE: u32 = 500;
/// The least that a scenario delivers.
const DELIVERED_MIN: u64 = 10;

/// The numbers of a demonstration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Messages of participants that the gateway recorded.
    pub accepted: u64,
    /// Of them, handed over and receipted by the recipient.
    pub delivered: u64,
    /// Requests for documents that were answered.
    pub answered: u64,
    /// Messages for which the sender holds a verified receipt and the gateway a record of the same content.
    pub receipts_verified: u64,
    /// Obligations.
    pub opened: u64,
    /// Of them, met in time.
    pub met: u64,
    /// Of them, overdue.
    pub overdue: u64,
    /// Messages that somebody was told are safe, and are not where they must be exactly once.
    pub lost: u64,
}

/// The numbers, and what is not as it must be.
pub(super) struct Verdict {
    pub(super) tally: Tally,
    pub(super) problems: Vec<String>,
}

type Key = (ParticipantId, MessageId);

/// A system's own view, read from its files.
#[derive(Default)]
struct Records {
    sent: BTreeMap<MessageId, Sent>,
    received: BTreeMap<Key, Vec<Received>>,
}

/// The gateway's view: every message with its deliveries.
type Book = BTreeMap<Key, (MessageRow, Vec<DeliveryRow>)>;

/// Compares and counts.
pub(super) async fn count(store: &Store, homes: &[(ParticipantId, PathBuf)]) -> Result<Verdict, DemoError> {
    let mut systems = BTreeMap::new();
    for (id, home) in homes {
        let records = read_records(home).map_err(|source| DemoError::File { path: home.clone(), source })?;
        systems.insert(id.clone(), records);
    }
    Ok(judge(&read_book(store).await?, &systems, &read_obligations(store).await?))
}

fn judge(book: &Book, systems: &BTreeMap<ParticipantId, Records>, obligations: &[ObligationRow]) -> Verdict {
    let mut verdict = Verdict { tally: Tally::default(), problems: Vec::new() };
    let mut lost: BTreeSet<Key> = BTreeSet::new();
    verdict.senders(book, systems, &mut lost);
    verdict.deliveries(book, systems, &mut lost);
    for (sender, id) in &lost {
        verdict.problems.push(format!("потеряно / lost: {sender} {id}"));
    }
    verdict.tally.lost = lost.len().try_into().unwrap_or(u64::MAX);
    verdict.messages(book);
    verdict.obligations(obligations);
    verdict
}

fn read_records(home: &Path) -> io::Result<Records> {
    let mut records = Records { sent: system::sent(home)?, received: BTreeMap::new() };
    for received in system::received(home)? {
        records.received.entry((received.sender.clone(), received.id)).or_default().push(received);
    }
    Ok(records)
}

impl Verdict {
    /// Every message with a verified receipt is in the gateway's store with the same content.
    fn senders(&mut self, book: &Book, systems: &BTreeMap<ParticipantId, Records>, lost: &mut BTreeSet<Key>) {
        let sent = systems.iter().flat_map(|(id, records)| records.sent.values().map(move |sent| (id, sent)));
        for (id, sent) in sent {
            let key = (id.clone(), sent.id);
            let same = book.get(&key).is_some_and(|(row, _)| row.digest.to_string() == sent.digest);
            match (sent.receipted, same) {
                (true, true) => self.tally.receipts_verified += 1,
                (true, false) => drop(lost.insert(key)),
                (false, _) => self.problems.push(format!("без квитанции / without a receipt: {id} {}", sent.id)),
            }
        }
    }

    /// Every delivery stands in the recipient's records exactly once, with the content that went out.
    fn deliveries(&mut self, book: &Book, systems: &BTreeMap<ParticipantId, Records>, lost: &mut BTreeSet<Key>) {
        for (key, (row, deliveries)) in book {
            let social = row.message_type.technical().is_none();
            if row.sender != row.recipient && deliveries.is_empty() {
                lost.insert(key.clone());
            }
            for delivery in deliveries {
                let records = systems.get(&delivery.recipient);
                let got = records.and_then(|r| r.received.get(key)).map_or(&[][..], Vec::as_slice);
                let sent = delivery.out_digest.map(|digest| digest.to_string());
                let once = matches!(got, [one] if Some(&one.digest) == sent.as_ref());
                let delivered = delivery.state == DeliveryState::Delivered;
                self.tally.delivered += u64::from(social && delivered);
                if !once {
                    lost.insert(key.clone());
                } else if !delivered {
                    let (state, to) = (delivery.state, &delivery.recipient);
                    self.problems.push(format!("не доставлено / not delivered: {} {} → {to}: {state}", key.0, key.1));
                }
            }
        }
    }

    fn messages(&mut self, book: &Book) {
        let social = || book.values().map(|(row, _)| row).filter(|row| row.channel != Channel::Internal);
        self.tally.accepted = social().count().try_into().unwrap_or(u64::MAX);
        let answered: BTreeSet<Key> = social()
            .filter(|row| row.message_type.name == "document-response")
            .filter_map(|row| row.in_reply_to.map(|id| (row.recipient.clone(), id)))
            .filter(|key| book.contains_key(key))
            .collect();
        self.tally.answered = answered.len().try_into().unwrap_or(u64::MAX);
        if self.tally.accepted != self.tally.receipts_verified {
            let (accepted, verified) = (self.tally.accepted, self.tally.receipts_verified);
            let text = "сообщений и проверенных квитанций не поровну / messages and verified receipts differ";
            self.problems.push(format!("{text}: {accepted}, {verified}"));
        }
        if self.tally.delivered < DELIVERED_MIN {
            let text = "доставлено слишком мало / too few were delivered";
            self.problems.push(format!("{text}: {}", self.tally.delivered));
        }
    }

    /// Exactly the silent agency's answer is overdue; everything else is met in time.
    fn obligations(&mut self, rows: &[ObligationRow]) {
        let expected = |row: &ObligationRow| row.rule.as_str() == "document-answer" && row.debtor.as_str() == SILENT;
        self.tally.opened = rows.len().try_into().unwrap_or(u64::MAX);
        for row in rows {
            let is_overdue = row.state == ObligationState::Overdue;
            self.tally.overdue += u64::from(is_overdue);
            self.tally.met += u64::from(row.state == ObligationState::Met);
            let right = if expected(row) { is_overdue } else { row.state == ObligationState::Met };
            if !right {
                self.problems.push(format!("{} {} {}: {}", row.rule, row.debtor, row.subject, row.state));
            }
        }
        if self.tally.overdue != 1 {
            let text = "просрочено должно быть ровно одно / exactly one must be overdue";
            self.problems.push(format!("{text}: {}", self.tally.overdue));
        }
    }
}

async fn read_book(store: &Store) -> Result<Book, DemoError> {
    let mut book = Book::new();
    let mut before: Option<RecordId> = None;
    loop {
        let page = store.list_messages(&MessageFilter::default(), before, PAGE).await?;
        let Some(last) = page.last() else { return Ok(book) };
        before = Some(last.record_id);
        for row in page {
            let deliveries = store.deliveries_of(row.record_id).await?;
            book.insert((row.sender.clone(), row.message_id), (row, deliveries));
        }
    }
}

async fn read_obligations(store: &Store) -> Result<Vec<ObligationRow>, DemoError> {
    let mut rows: Vec<ObligationRow> = Vec::new();
    loop {
        let after = rows.last().map(DueCursor::after);
        let page = store.list_obligations(&ObligationFilter::default(), after, PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ConversationId, DeliveryId, Digest, MessageType, Priority, Timestamp};
    use crate::store::Revisions;

    const SENT: Digest = Digest::from_bytes([1; 32]);
    const OUT: Digest = Digest::from_bytes([2; 32]);
    const OTHER: Digest = Digest::from_bytes([3; 32]);

    fn key() -> Key {
        let id = MessageId::parse("01931f6e-7a00-7000-8000-000000000001").unwrap();
        (ParticipantId::parse("register").unwrap(), id)
    }

    fn health() -> ParticipantId {
        ParticipantId::parse("health").unwrap()
    }

    fn row() -> MessageRow {
        let at = Timestamp::from_micros(0);
        MessageRow {
            record_id: RecordId::from_uuid(key().1.uuid()),
            message_id: key().1,
            sender: key().0,
            recipient: health(),
            conversation_id: ConversationId::from_uuid(key().1.uuid()),
            case_id: None,
            in_reply_to: None,
            derived_from: None,
            message_type: MessageType::new("document-request", 1).unwrap(),
            created: at,
            expires: None,
            priority: Priority::Normal,
            test: false,
            accepted_at: at,
            business_at: at,
            digest: SENT,
            certificate: None,
            revisions: Revisions { participants: 1, bundle: 1 },
            channel: Channel::Http,
            trace: None,
        }
    }

    fn delivery() -> DeliveryRow {
        DeliveryRow {
            id: DeliveryId::from_uuid(key().1.uuid()),
            record_id: row().record_id,
            recipient: health(),
            state: DeliveryState::Delivered,
            attempts: 1,
            next_at: None,
            lease_owner: None,
            epoch: 1,
            reason: None,
            fault_code: None,
            detail: None,
            sent_at: None,
            settled_at: None,
            expires: None,
            on_consent: None,
            stopped_by: None,
            mailbox: false,
            out_digest: Some(OUT),
            out_certificate: None,
        }
    }

    /// The views after one message: what the sender holds, what the gateway stored, what the recipient got.
    struct Views {
        receipted: bool,
        stored: Option<(Digest, Vec<DeliveryRow>)>,
        got: Vec<Digest>,
    }

    fn lost_and_verified(views: Views) -> (u64, u64) {
        let (sender, id) = key();
        let kind = "document-request".to_owned();
        let sent = Sent { id, to: health(), kind: kind.clone(), digest: SENT.to_string(), receipted: views.receipted };
        let got = views.got.iter().map(|digest| Received {
            sender: sender.clone(),
            id,
            kind: kind.clone(),
            digest: digest.to_string(),
        });
        let received = BTreeMap::from([(key(), got.collect())]);
        let systems = BTreeMap::from([
            (sender, Records { sent: BTreeMap::from([(id, sent)]), received: BTreeMap::new() }),
            (health(), Records { sent: BTreeMap::new(), received }),
        ]);
        let book = views.stored.map(|(digest, deliveries)| (key(), (MessageRow { digest, ..row() }, deliveries)));
        let verdict = judge(&book.into_iter().collect(), &systems, &[]);
        (verdict.tally.lost, verdict.tally.receipts_verified)
    }

    #[test]
    fn a_message_counts_as_lost_wherever_it_is_missing_doubled_or_other() {
        let stored = |digest| Some((digest, vec![delivery()]));
        let table = [
            ("all as it must be", true, stored(SENT), vec![OUT], (0, 1)),
            ("receipted, but the gateway has none", true, None, vec![], (1, 0)),
            ("receipted, but the gateway has other content", true, stored(OTHER), vec![OUT], (1, 0)),
            ("the recipient has none", true, stored(SENT), vec![], (1, 1)),
            ("the recipient has it twice", true, stored(SENT), vec![OUT, OUT], (1, 1)),
            ("the recipient has other content", true, stored(SENT), vec![OTHER], (1, 1)),
            ("stored, and nobody delivers it", true, Some((SENT, vec![])), vec![], (1, 1)),
            ("not receipted, so nothing was promised", false, None, vec![], (0, 0)),
        ];
        for (what, receipted, stored, got, expected) in table {
            assert_eq!(lost_and_verified(Views { receipted, stored, got }), expected, "{what}");
        }
    }
}

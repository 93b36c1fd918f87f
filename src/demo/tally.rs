//! The account at the end: the systems' own records against the gateway's store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use crate::domain::{DeliveryState, MessageId, ObligationState, ParticipantId, RecordId};
use crate::store::{
    Channel, DeliveryRow, DueCursor, MessageFilter, MessageRow, ObligationFilter, ObligationRow, Store,
};

use super::DemoError;
use super::home::SILENT;
use super::system::{self, Received};

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

/// What a system received under one key.
type Inbox = BTreeMap<Key, Vec<Received>>;

/// The gateway's view: every message with its deliveries.
type Book = BTreeMap<Key, (MessageRow, Vec<DeliveryRow>)>;

/// Compares and counts.
pub(super) async fn count(store: &Store, homes: &[(ParticipantId, PathBuf)]) -> Result<Verdict, DemoError> {
    let book = read_book(store).await?;
    let mut inboxes: BTreeMap<ParticipantId, Inbox> = BTreeMap::new();
    for (id, home) in homes {
        let mut inbox = Inbox::new();
        for received in system::received(home).map_err(|source| DemoError::File { path: home.clone(), source })? {
            inbox.entry((received.sender.clone(), received.id)).or_default().push(received);
        }
        inboxes.insert(id.clone(), inbox);
    }
    let mut verdict = Verdict { tally: Tally::default(), problems: Vec::new() };
    let mut lost: BTreeSet<Key> = BTreeSet::new();
    verdict.senders(homes, &book, &mut lost)?;
    verdict.deliveries(&book, &inboxes, &mut lost);
    for (sender, id) in &lost {
        verdict.problems.push(format!("потеряно / lost: {sender} {id}"));
    }
    verdict.tally.lost = lost.len().try_into().unwrap_or(u64::MAX);
    verdict.messages(&book);
    verdict.obligations(&read_obligations(store).await?);
    Ok(verdict)
}

impl Verdict {
    /// Every message with a verified receipt is in the gateway's store with the same content.
    fn senders(
        &mut self,
        homes: &[(ParticipantId, PathBuf)],
        book: &Book,
        lost: &mut BTreeSet<Key>,
    ) -> Result<(), DemoError> {
        for (id, home) in homes {
            let sent = system::sent(home).map_err(|source| DemoError::File { path: home.clone(), source })?;
            for sent in sent.into_values() {
                let key = (id.clone(), sent.id);
                let same = book.get(&key).is_some_and(|(row, _)| row.digest.to_string() == sent.digest);
                match (sent.receipted, same) {
                    (true, true) => self.tally.receipts_verified += 1,
                    (true, false) => drop(lost.insert(key)),
                    (false, _) => self.problems.push(format!("без квитанции / without a receipt: {id} {}", sent.id)),
                }
            }
        }
        Ok(())
    }

    /// Every delivery stands in the recipient's records exactly once, with the content that went out.
    fn deliveries(&mut self, book: &Book, inboxes: &BTreeMap<ParticipantId, Inbox>, lost: &mut BTreeSet<Key>) {
        for (key, (row, deliveries)) in book {
            let social = row.message_type.technical().is_none();
            if row.sender != row.recipient && deliveries.is_empty() {
                lost.insert(key.clone());
            }
            for delivery in deliveries {
                let got =
                    inboxes.get(&delivery.recipient).and_then(|inbox| inbox.get(key)).map_or(&[][..], Vec::as_slice);
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

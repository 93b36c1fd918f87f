//! What a batch writes, gathered from all its jobs, and flushed with one multi-row statement a table.

use rand::Rng as _;
use serde_json::Value;

use crate::domain::{DeliveryId, ObligationId, Timestamp};

use super::error::Failure;
use super::obligations::{self, key};
use super::sql::{Columns as _, Stmt, Tx, Val, Vals, opt_text, text};
use super::{
    JournalEntry, NewMessage, NewNotification, NewObligation, NewSettlement, ObligationStart, Running,
    StartedObligation, attachments, case_work, consent, delivery_rows, finding, messages, notifications,
};

/// Makes ids that grow with the given time, and never go back within one process.
#[derive(Debug, Default)]
pub(super) struct Ids {
    last_ms: u64,
    count: u32,
}

impl Ids {
    /// The next id, a UUID of version 7 as text.
    pub(super) fn next(&mut self, at: Timestamp) -> String {
        let ms = u64::try_from(at.micros() / 1_000).unwrap_or(0);
        if ms > self.last_ms {
            self.last_ms = ms;
            self.count = 0;
        } else {
            self.count = self.count.wrapping_add(1);
        }
        // 26 bits of counter and 48 random ones after the 48 bits of time.
        let [_, a, b, c] = ((self.count & 0x3ff_ffff) << 2).to_be_bytes();
        let [high, low] = [(u16::from(a) << 4) | (u16::from(b) >> 4), (u16::from(b & 0x0f) << 8) | u16::from(c)];
        let [r0, r1, r2, r3, r4, r5] = rand::rng().random::<[u8; 6]>();
        let [h0, h1] = high.to_be_bytes();
        let [l0, l1] = (low | 0x4000).to_be_bytes();
        let bytes = [h0, h1, l0, l1, r0, r1, r2, r3, r4, r5];
        uuid::Builder::from_unix_timestamp_millis(self.last_ms, &bytes).into_uuid().to_string()
    }
}

/// What changed, so that those who wait for it wake after the commit.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Touched {
    pub(super) deliveries: bool,
    pub(super) obligations: bool,
    pub(super) journal: bool,
    pub(super) notifications: bool,
}

/// Rows gathered for the flush.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    ids: &'a mut Ids,
    /// The latest machine time of the batch's jobs.
    now: Timestamp,
    pub(super) touched: Touched,
    messages: Vec<Vals<'a>>,
    contents: Vec<Vals<'a>>,
    numbers: Vec<Vals<'a>>,
    people: Vec<Vals<'a>>,
    deliveries: Vec<Vals<'a>>,
    outgoing: Vec<Vals<'a>>,
    listing: Vec<&'a NewMessage>,
    obligations: Vec<(ObligationId, Vals<'a>)>,
    started: Vec<Vals<'a>>,
    retimes: Vec<(&'a NewObligation, &'a Running)>,
    settlements: Vec<Vals<'a>>,
    keys: Vec<String>,
    attempts: Vec<Vals<'a>>,
    answers: Vec<Vals<'a>>,
    notifications: Vec<Vals<'a>>,
    journal: Vec<Vals<'a>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(ids: &'a mut Ids) -> Self {
        Self {
            ids,
            now: Timestamp::from_micros(0),
            touched: Touched::default(),
            messages: Vec::new(),
            contents: Vec::new(),
            numbers: Vec::new(),
            people: Vec::new(),
            deliveries: Vec::new(),
            outgoing: Vec::new(),
            listing: Vec::new(),
            obligations: Vec::new(),
            started: Vec::new(),
            retimes: Vec::new(),
            settlements: Vec::new(),
            keys: Vec::new(),
            attempts: Vec::new(),
            answers: Vec::new(),
            notifications: Vec::new(),
            journal: Vec::new(),
        }
    }

    /// Notes a job's machine time.
    pub(super) fn at(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// Everything of an accepted message but its row in `messages`.
    pub(super) fn children(&mut self, message: &'a NewMessage) {
        self.at(message.accepted_at);
        self.contents.push(vec![
            text(message.record_id),
            message.bytes.as_slice().into(),
            message.canonical.as_deref().into(),
            message.receipt.as_deref().into(),
        ]);
        self.numbers.extend(finding::number_rows(message.record_id, &message.marks));
        self.people.extend(finding::person_rows(message.record_id, &message.marks));
        if message.header.attachments.iter().any(|a| a.inline.is_none()) {
            self.listing.push(message);
        }
        for delivery in &message.deliveries {
            self.touched.deliveries = true;
            self.deliveries.push(vec![
                text(delivery.id),
                text(message.record_id),
                text(&delivery.recipient),
                text(message.header.conversation_id),
                message.header.priority.rank().into(),
                delivery.ordered.into(),
                Val::Word("queued"),
                delivery.next_attempt_at.into(),
                0.into(),
                0.into(),
                delivery.expires.into(),
                false.into(),
                opt_text(delivery.on_consent.as_ref().map(consent::words)),
                delivery.outgoing.as_ref().map(|o| &o.digest).into(),
                delivery.outgoing.as_ref().map(|o| &o.certificate).into(),
            ]);
            self.outgoing.extend(delivery.outgoing.as_ref().map(|o| delivery_rows::outgoing_values(delivery.id, o)));
        }
    }

    /// A message that the gateway makes itself.
    pub(super) fn made(&mut self, message: &'a NewMessage) {
        self.messages.push(messages::values(message));
        self.children(message);
        self.entry(&messages::entry(message, "message-made"), message.accepted_at);
    }

    /// Messages that the gateway makes itself, written at once: a task's own do not live as long as these rows.
    pub(super) async fn made_apart(&mut self, tx: &mut Tx<'_>, made: &[NewMessage]) -> Result<(), Failure> {
        let mut own = Rows::new(&mut *self.ids);
        made.iter().for_each(|message| own.made(message));
        own.flush(tx).await?;
        let touched = own.touched;
        self.touched.deliveries |= touched.deliveries;
        self.touched.journal |= touched.journal;
        Ok(())
    }

    /// An obligation to open.
    pub(super) fn obligation(&mut self, new: &'a NewObligation) {
        self.obligations.push((new.id, obligations::values(new)));
        if let (true, ObligationStart::Running(running)) = (new.retime, &new.start) {
            self.retimes.push((new, running));
        }
    }

    /// A pending obligation to start.
    pub(super) fn start(&mut self, started: &'a StartedObligation) {
        self.started.push(obligations::started_values(started));
    }

    /// A settlement to keep and apply.
    pub(super) fn settlement(&mut self, new: &'a NewSettlement) {
        let key = key(&new.regulation, &new.rule, &new.subject, &new.period);
        let (at, until) = (new.at.into(), new.grace_until.into());
        self.settlements.push(vec![text(&key), text(&new.debtor), at, text(new.record_id), until]);
        self.keys.push(key);
    }

    /// The end of an attempt.
    pub(super) fn attempt(&mut self, row: Vals<'a>) {
        self.attempts.push(row);
    }

    /// A partner's signed answer.
    pub(super) fn answer(&mut self, delivery: DeliveryId, bytes: &'a [u8]) {
        self.answers.push(vec![text(delivery), bytes.into()]);
    }

    /// Somebody to be told; a second one of the same step and address is left out.
    pub(super) fn notification(&mut self, new: &'a NewNotification) {
        self.touched.notifications = true;
        self.notifications.push(notifications::values(new));
    }

    /// A journal entry of the given machine time.
    pub(super) fn entry(&mut self, entry: &JournalEntry, now: Timestamp) {
        self.at(now);
        let at = entry.at.unwrap_or(now);
        self.touched.journal = true;
        let id = self.ids.next(at);
        self.journal.push(vec![
            text(id),
            at.into(),
            text(&entry.kind),
            text(&entry.actor),
            opt_text(entry.record_id),
            opt_text(entry.delivery_id),
            opt_text(entry.obligation_id),
            opt_text(entry.participant.as_ref()),
            opt_text((!entry.detail.is_null()).then(|| entry.detail.to_string())),
        ]);
    }

    /// An id of the store's own making.
    pub(super) fn next_id(&mut self, at: Timestamp) -> String {
        self.ids.next(at)
    }

    /// An obligation that runs again: what settled it before it was opened anew is looked for once more.
    pub(super) fn met_again(&mut self, key: String) {
        self.keys.push(key);
    }

    /// A journal entry about an obligation that the store itself touched.
    pub(super) fn of_obligation(&mut self, kind: &str, id: ObligationId, detail: serde_json::Value) {
        self.touched.obligations = true;
        let entry = JournalEntry {
            kind: kind.to_owned(),
            actor: "store".to_owned(),
            obligation_id: Some(id),
            detail,
            ..JournalEntry::default()
        };
        self.entry(&entry, self.now);
    }

    /// Writes everything gathered so far. Returns the obligations that were opened (not there before).
    pub(super) async fn flush(&mut self, tx: &mut Tx<'_>) -> Result<Vec<ObligationId>, Failure> {
        tx.many(&messages::INSERT_MADE, &std::mem::take(&mut self.messages)).await?;
        tx.many(&INSERT_CONTENTS, &std::mem::take(&mut self.contents)).await?;
        tx.many(&finding::INSERT_NUMBERS, &std::mem::take(&mut self.numbers)).await?;
        tx.many(&finding::INSERT_PEOPLE, &std::mem::take(&mut self.people)).await?;
        tx.many(&INSERT_DELIVERIES, &std::mem::take(&mut self.deliveries)).await?;
        tx.many(&delivery_rows::INSERT_OUTGOING, &std::mem::take(&mut self.outgoing)).await?;
        attachments::list(tx, &std::mem::take(&mut self.listing)).await?;
        let opened = self.flush_obligations(tx).await?;
        self.flush_attempts(tx).await?;
        tx.many(&INSERT_ANSWERS, &std::mem::take(&mut self.answers)).await?;
        tx.many(&notifications::INSERT, &std::mem::take(&mut self.notifications)).await?;
        tx.many(&INSERT_JOURNAL, &std::mem::take(&mut self.journal)).await?;
        Ok(opened)
    }

    /// Writes the attempts that ended: before anything of the same batch can take their deliveries again, so that each stands there while its
    /// lease's number is still the delivery's.
    pub(super) async fn flush_attempts(&mut self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        tx.many(&INSERT_ATTEMPTS, &std::mem::take(&mut self.attempts)).await?;
        Ok(())
    }

    async fn flush_obligations(&mut self, tx: &mut Tx<'_>) -> Result<Vec<ObligationId>, Failure> {
        let (ids, rows): (Vec<_>, Vec<_>) = std::mem::take(&mut self.obligations).into_iter().unzip();
        let mut opened = Vec::new();
        if !ids.is_empty() {
            for row in tx.many(&obligations::INSERT, &rows).await? {
                let id = row.parsed("id", |t| ObligationId::parse(t).ok())?;
                self.keys.push(row.text("obligation_key")?);
                self.of_obligation("obligation-opened", id, Value::Null);
                opened.push(id);
            }
        }
        let retimes = std::mem::take(&mut self.retimes);
        let now = self.now;
        case_work::retime(tx, self, &retimes, now).await?;
        for row in tx.many(&obligations::START, &std::mem::take(&mut self.started)).await? {
            let id = row.parsed("id", |t| ObligationId::parse(t).ok())?;
            self.keys.push(row.text("obligation_key")?);
            self.of_obligation("obligation-started", id, Value::Null);
        }
        tx.many(&obligations::INSERT_SETTLEMENTS, &std::mem::take(&mut self.settlements)).await?;
        let keys = std::mem::take(&mut self.keys);
        self.meet(tx, keys).await?;
        Ok(opened)
    }

    /// Applies what settlements there are to the obligations with these keys.
    pub(super) async fn meet(&mut self, tx: &mut Tx<'_>, mut keys: Vec<String>) -> Result<(), Failure> {
        keys.sort();
        keys.dedup();
        let keys: Vec<_> = keys.into_iter().map(|k| vec![text(k)]).collect();
        for row in tx.many(&obligations::MEET, &keys).await? {
            let id = row.parsed("id", |t| ObligationId::parse(t).ok())?;
            let state = row.text("state")?;
            self.of_obligation(&format!("obligation-{state}"), id, Value::Null);
        }
        Ok(())
    }
}

const INSERT_CONTENTS: Stmt =
    Stmt { head: "INSERT INTO contents (record_id, bytes, canonical, receipt) VALUES ", tail: "" };

const INSERT_DELIVERIES: Stmt = Stmt {
    head: "INSERT INTO deliveries (id, record_id, recipient, conversation_id, priority, in_order, state, next_at, attempts, \
           lease_epoch, expires_at, mailbox, on_consent, out_digest, out_certificate) VALUES ",
    tail: "",
};

const INSERT_ATTEMPTS: Stmt = Stmt {
    head: "INSERT INTO delivery_attempts (delivery_id, epoch, ended_at, state, reason, detail, node) VALUES ",
    tail: "",
};

const INSERT_ANSWERS: Stmt = Stmt {
    head: "INSERT INTO partner_answers (delivery_id, bytes) VALUES ",
    tail: " ON CONFLICT (delivery_id) DO UPDATE SET bytes = excluded.bytes",
};

const INSERT_JOURNAL: Stmt = Stmt {
    head: "INSERT INTO journal (id, happened_at, kind, actor, record_id, delivery_id, obligation_id, participant, detail) VALUES ",
    tail: "",
};

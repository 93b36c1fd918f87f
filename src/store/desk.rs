//! What operators look at: messages by what they know of them, and figures that each lead to a list.

use crate::access::Scope;
use crate::domain::{DeliveryState, ObligationState, ParkReason, ParticipantId, RecordId, Timestamp};

use super::sql::{Columns as _, Select, Val, text};
use super::views::{NOT_HANDED_OVER, within};
use super::{MessageFilter, Store, StoreError, messages, obligations};

/// Record ids follow the instant of acceptance, but those of an ordered conversation may run ahead of it by a node's clock.
const DRIFT_SECONDS: i64 = 120;

/// The figures of the summary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeskFigures {
    /// Overdue obligations by debtor.
    pub overdue: Vec<(ParticipantId, u64)>,
    /// Obligations whose term ends within the asked span, by debtor.
    pub due: Vec<(ParticipantId, u64)>,
    /// Deliveries that are not handed over.
    pub held: Vec<Held>,
}

/// Deliveries that are not handed over, of one state and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Their state.
    pub state: DeliveryState,
    /// Their last reason; `None`: there was no attempt yet.
    pub reason: Option<ParkReason>,
    /// How many.
    pub count: u64,
}

/// Obligations whose terms ended within a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InTime {
    /// Met in time.
    pub met: u64,
    /// Met late, or overdue still.
    pub late: u64,
}

/// What came for a participant lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// For whom.
    pub recipient: ParticipantId,
    /// Deliveries that were begun.
    pub begun: u64,
    /// Of them those that were handed over.
    pub handed: u64,
}

/// The smallest record id of an instant.
fn first_record(at: Timestamp) -> RecordId {
    let ms = u64::try_from(at.micros() / 1_000).unwrap_or(0);
    RecordId::from_uuid(uuid::Builder::from_unix_timestamp_millis(ms, &[0; 10]).into_uuid())
}

/// The index that holds the few of a state, if there is one.
fn few(state: DeliveryState) -> Option<&'static str> {
    match state {
        DeliveryState::Queued | DeliveryState::Leased | DeliveryState::Parked | DeliveryState::Expired => {
            Some("d.state IN ('queued', 'leased', 'parked', 'expired')")
        }
        DeliveryState::Refused => Some("d.state IN ('parked', 'refused', 'expired')"),
        DeliveryState::Stopped | DeliveryState::Discarded => Some("d.state IN ('stopped', 'discarded')"),
        DeliveryState::Sent | DeliveryState::Delivered => None,
    }
}

/// Only messages with a delivery in one of the states: by the indexes of the few where each state has one.
fn in_states<'f>(mut select: Select<'f>, states: &[DeliveryState]) -> Select<'f> {
    let indexes: Vec<_> = states.iter().filter_map(|state| Some((few(*state)?, *state))).collect();
    if indexes.len() < states.len() {
        let words = states.iter().map(|state| Val::Word(state.as_str())).collect();
        let any = "EXISTS (SELECT 1 FROM deliveries d WHERE d.record_id = m.record_id AND d.state IN (";
        return select.and(any, vec![]).list(words).push("))", vec![]);
    }
    select = select.and("m.record_id IN (", vec![]);
    for (n, (index, state)) in indexes.into_iter().enumerate() {
        let all = if n == 0 { "" } else { " UNION ALL " };
        let part = format!("{all}SELECT d.record_id FROM deliveries d WHERE {index} AND d.state = ?");
        select = select.push(&part, vec![Val::Word(state.as_str())]);
    }
    select.push(")", vec![])
}

/// The statements of a listing of messages, one for each side of a party.
pub(super) fn message_listings(filter: &MessageFilter, before: Option<RecordId>, limit: u32) -> Vec<Select<'_>> {
    let mut party = filter.party.as_ref();
    let names_nobody = party.is_none() && filter.sender.is_none() && filter.recipient.is_none();
    if names_nobody && filter.within.participants.len() == 1 {
        party = filter.within.participants.first();
    }
    let sides = if party.is_some() { &["m.sender = ?", "m.recipient = ?"][..] } else { &["m.sender = ?"] };
    let one = |side: &&str| {
        let from = filter.accepted_from.map(|at| first_record(at.plus_seconds(-DRIFT_SECONDS)));
        let to = filter.accepted_before.map(|at| first_record(at.plus_seconds(DRIFT_SECONDS)));
        let mut select = Select::new(&messages::select())
            .and_some(side, party.map(text))
            .and_some("m.sender = ?", filter.sender.as_ref().map(text))
            .and_some("m.recipient = ?", filter.recipient.as_ref().map(text))
            .and_some("m.conversation_id = ?", filter.conversation_id.map(text))
            .and_some("m.case_id = ?", filter.case_id.map(text))
            .and_some("m.message_id = ?", filter.message_id.map(text))
            .and_some("m.type_name = ?", filter.type_name.as_ref().map(text))
            .and_some("m.record_id >= ?", from.map(text))
            .and_some("m.record_id < ?", to.map(text))
            .and_some("m.accepted_at >= ?", filter.accepted_from.map(Val::from))
            .and_some("m.accepted_at < ?", filter.accepted_before.map(Val::from))
            .and_some("m.record_id < ?", before.map(text));
        if !filter.states.is_empty() {
            select = in_states(select, &filter.states);
        }
        within(select, &filter.within, ["m.sender", "m.recipient"], "m.case_id")
            .push(" ORDER BY m.record_id DESC LIMIT ?", vec![i64::from(limit).into()])
    };
    sides.iter().map(one).collect()
}

impl Store {
    /// The figures of the summary, of this part of the region. `until` is the first instant (business time) after the span whose ends of
    /// terms are counted; it begins with what is not overdue.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn desk_figures(&self, scope: &Scope, until: Timestamp) -> Result<DeskFigures, StoreError> {
        let by_debtor = |phase: ObligationState, until: Option<Timestamp>| {
            let select = Select::new("SELECT debtor, COUNT(*) AS n FROM obligations")
                .and("phase = ?", vec![obligations::phase(phase).into()])
                .and_some("sort_due <= ?", until.map(Val::from));
            within(select, scope, ["debtor", "creditor"], "obligations.case_id")
                .push(" GROUP BY debtor ORDER BY n DESC, debtor", vec![])
        };
        let mut figures = DeskFigures::default();
        let overdue = by_debtor(ObligationState::Overdue, None).fetch(self.readers()).await?;
        let due = by_debtor(ObligationState::Open, Some(until)).fetch(self.readers()).await?;
        for (rows, into) in [(&overdue, &mut figures.overdue), (&due, &mut figures.due)] {
            for row in rows {
                let id = row.parsed("debtor", |t| ParticipantId::parse(t).ok())?;
                into.push((id, row.int("n")?.unsigned_abs()));
            }
        }
        let held =
            "SELECT d.state, d.reason, COUNT(*) AS n FROM deliveries d JOIN messages m ON m.record_id = d.record_id";
        let held =
            within(Select::new(held).and(NOT_HANDED_OVER, vec![]), scope, ["m.sender", "d.recipient"], "m.case_id");
        for row in &held.push(" GROUP BY d.state, d.reason ORDER BY n DESC", vec![]).fetch(self.readers()).await? {
            figures.held.push(Held {
                state: row.parsed("state", DeliveryState::parse)?,
                reason: row.opt_parsed("reason", ParkReason::parse)?,
                count: row.int("n")?.unsigned_abs(),
            });
        }
        Ok(figures)
    }

    /// How many obligations whose terms ended within the span were met in time, and how many were not.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn met_in_time(
        &self,
        scope: &Scope,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<InTime, StoreError> {
        let mut counted = InTime::default();
        for phase in [ObligationState::Overdue, ObligationState::Met] {
            let select = Select::new("SELECT state, COUNT(*) AS n FROM obligations")
                .and("phase = ?", vec![obligations::phase(phase).into()])
                .and("sort_due > ?", vec![from.into()])
                .and("sort_due <= ?", vec![until.into()]);
            let select = within(select, scope, ["debtor", "creditor"], "obligations.case_id");
            for row in &select.push(" GROUP BY state", vec![]).fetch(self.readers()).await? {
                let count = row.int("n")?.unsigned_abs();
                match row.parsed("state", ObligationState::parse)? {
                    ObligationState::Met => counted.met = count,
                    ObligationState::MetLate | ObligationState::Overdue => {
                        counted.late = counted.late.saturating_add(count);
                    }
                    ObligationState::Pending
                    | ObligationState::Open
                    | ObligationState::Warned
                    | ObligationState::Cancelled
                    | ObligationState::Waived => {}
                }
            }
        }
        Ok(counted)
    }

    /// What came for each participant since an instant, and how much of it was handed over.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn pace_since(&self, since: Timestamp) -> Result<Vec<Pace>, StoreError> {
        let handed = "SUM(CASE WHEN state IN ('sent', 'delivered', 'refused') THEN 1 ELSE 0 END)";
        let sql = format!("SELECT recipient, COUNT(*) AS n, CAST({handed} AS BIGINT) AS handed FROM deliveries");
        let found = Select::new(&sql)
            .and("record_id >= ?", vec![text(first_record(since))])
            .push(" GROUP BY recipient", vec![])
            .fetch(self.readers())
            .await?;
        let row = |row: &sqlx::any::AnyRow| {
            Ok(Pace {
                recipient: row.parsed("recipient", |t| ParticipantId::parse(t).ok())?,
                begun: row.int("n")?.unsigned_abs(),
                handed: row.int("handed")?.unsigned_abs(),
            })
        };
        found.iter().map(row).collect()
    }
}

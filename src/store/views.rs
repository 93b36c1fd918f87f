//! What pages and listings read.

use std::collections::BTreeMap;

use crate::access::Scope;
use crate::domain::{
    CaseId, ConversationId, DeliveryId, DeliveryState, ObligationId, ObligationState, ParticipantId, RecordId, RuleId,
    SettleKind, Timestamp,
};

use super::sql::{Columns, Select, Val, text};
use super::{
    DeliveryRow, MessageRow, ObligationRow, Store, StoreError, delivery_rows as deliveries, messages, obligations,
};

/// The groups of obligations that a person thinks in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObligationGroup {
    /// Overdue.
    Overdue,
    /// Open or warned.
    Running,
    /// Not yet started.
    Pending,
    /// Met, met late, cancelled.
    Done,
}

impl ObligationGroup {
    fn phase(self) -> i64 {
        obligations::phase(match self {
            Self::Overdue => ObligationState::Overdue,
            Self::Running => ObligationState::Open,
            Self::Pending => ObligationState::Pending,
            Self::Done => ObligationState::Met,
        })
    }
}

/// Which obligations to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct ObligationFilter {
    /// In this group.
    pub group: Option<ObligationGroup>,
    /// In one of these states; empty: any.
    pub states: Vec<ObligationState>,
    /// Settled in this way.
    pub settled_by: Option<SettleKind>,
    /// Of this regulation.
    pub regulation: Option<String>,
    /// Owed by or to.
    pub party: Option<ParticipantId>,
    /// Owed by.
    pub debtor: Option<ParticipantId>,
    /// Owed to.
    pub creditor: Option<ParticipantId>,
    /// Of this rule.
    pub rule: Option<RuleId>,
    /// Of this case.
    pub case_id: Option<CaseId>,
    /// Of this conversation.
    pub conversation_id: Option<ConversationId>,
    /// Due before (exclusive).
    pub due_before: Option<Timestamp>,
    /// Due at or after.
    pub due_from: Option<Timestamp>,
    /// Within this part of the region: whoever asks sees no other.
    pub within: Scope,
    /// The latest end first instead of the earliest.
    pub latest_first: bool,
}

impl ObligationFilter {
    /// The same, with a part of one participant read by that participant's own indexes.
    fn by_way_in(&self) -> Self {
        let mut filter = self.clone();
        let names_nobody = self.party.is_none() && self.debtor.is_none() && self.creditor.is_none();
        if names_nobody && filter.within.participants.len() == 1 {
            filter.party = filter.within.participants.pop_first();
        }
        filter
    }
}

/// Narrows a listing to a part of the region. The columns say who takes part in a row and to which case it belongs; no table of the listing
/// may be called `own_case`.
pub(super) fn within<'f>(mut select: Select<'f>, scope: &'f Scope, parties: [&str; 2], case_id: &str) -> Select<'f> {
    if !scope.participants.is_empty() {
        let [one, other] = parties;
        let ids = || scope.participants.iter().map(text).collect();
        select = select.and(&format!("({one} IN ("), vec![]).list(ids()).push(&format!(") OR {other} IN ("), vec![]);
        select = select.list(ids()).push("))", vec![]);
    }
    if !scope.territories.is_empty() {
        select =
            select.and(&format!("EXISTS (SELECT 1 FROM cases own_case WHERE own_case.id = {case_id} AND ("), vec![]);
        for (i, territory) in scope.territories.iter().enumerate() {
            let length = i64::try_from(territory.as_str().len()).unwrap_or(i64::MAX);
            let or = if i == 0 { "" } else { " OR " };
            let condition = format!("{or}substr(own_case.territory, 1, CAST(? AS INTEGER)) = ?");
            select = select.push(&condition, vec![length.into(), text(territory)]);
        }
        select = select.push("))", vec![]);
    }
    select
}

/// Where the last page of obligations ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueCursor {
    /// The last one's due instant; `None`: it had none.
    pub due_at: Option<Timestamp>,
    /// The last one's id.
    pub id: ObligationId,
}

impl DueCursor {
    /// The cursor after this row.
    pub fn after(row: &ObligationRow) -> Self {
        Self { due_at: row.due_at, id: row.id }
    }
}

/// Where the last page of what is not handed over ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandoverCursor {
    /// The last one's message.
    pub record_id: RecordId,
    /// The last one's delivery.
    pub id: DeliveryId,
}

/// Accepted, but not handed over: nobody's fault must not be the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHandedOver {
    /// The delivery with its state, reason and attempts.
    pub delivery: DeliveryRow,
    /// The message.
    pub message: MessageRow,
}

/// Counters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages accepted over a channel (not those made by the gateway).
    pub accepted: u64,
    /// Deliveries by state; states without one are 0.
    pub deliveries: BTreeMap<DeliveryState, u64>,
    /// Obligations by state; states without one are 0.
    pub obligations: BTreeMap<ObligationState, u64>,
    /// Obligations by what settled them; kinds without one are 0.
    pub settled: BTreeMap<SettleKind, u64>,
    /// Kept refusals.
    pub refusals: u64,
}

/// What was handed over once and waits to be sent again is the recipient's to receipt, not ours to hand over.
pub(super) const NOT_HANDED_OVER: &str =
    "d.state IN ('queued', 'leased', 'parked', 'expired') AND (d.sent_at IS NULL OR d.state = 'parked')";

/// One part of a listing that an index gives in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WayIn {
    /// All in this group; `None`: the filter names few (a case, a conversation, what was waived), and they have an index.
    phase: Option<i64>,
    /// Those that the filter's party owes, or those owed to it.
    owed_by_party: bool,
}

/// The groups in the order in which they are read. An obligation that waits begins to run, then is overdue, and is done at any time: so
/// whichever moves on while a listing is read is found still, in the group that it came from or in the one that it went to.
const PHASES: [i64; 4] = [2, 1, 0, 3];

pub(super) fn ways_in(filter: &ObligationFilter) -> Vec<WayIn> {
    let states =
        |phase: &i64| filter.states.is_empty() || filter.states.iter().any(|s| obligations::phase(*s) == *phase);
    let settled = |phase: &i64| filter.settled_by.is_none() || *phase == obligations::phase(ObligationState::Met);
    let group = |phase: &i64| filter.group.is_none_or(|group| group.phase() == *phase);
    let mut phases: Vec<Option<i64>> =
        PHASES.into_iter().filter(|phase| states(phase) && settled(phase) && group(phase)).map(Some).collect();
    if !phases.is_empty() && (filter.case_id.is_some() || filter.conversation_id.is_some() || few(filter).is_some()) {
        // Without the group in the text no engine takes the group's index instead of that of the few.
        phases = vec![None];
    }
    let sides = if filter.party.is_some() { &[true, false][..] } else { &[true] };
    phases.iter().flat_map(|phase| sides.iter().map(|side| WayIn { phase: *phase, owed_by_party: *side })).collect()
}

/// The condition of a partial index, where the filter asks for no more than it holds. The word stands in the text, for so the engines find
/// the index.
fn few(filter: &ObligationFilter) -> Option<&'static str> {
    let waived = filter.states.as_slice() == [ObligationState::Waived];
    match filter.settled_by {
        Some(SettleKind::Outside) => Some("settle_kind = 'outside'"),
        Some(SettleKind::Waiver) => Some("settle_kind = 'waiver'"),
        None if waived => Some("settle_kind = 'waiver'"),
        None | Some(SettleKind::Message | SettleKind::Cancellation) => None,
    }
}

impl WayIn {
    /// `head` is [`obligations::SELECT`], or that after a word that asks for its plan.
    pub(super) fn select<'f>(
        self,
        head: &str,
        filter: &'f ObligationFilter,
        after: Option<DueCursor>,
        limit: u32,
    ) -> Select<'f> {
        let party = if self.owed_by_party { "debtor = ?" } else { "creditor = ?" };
        let mut select = Select::new(head);
        if let Some(settled) = few(filter) {
            select = select.and(settled, vec![]);
        } else if let Some(kind) = filter.settled_by {
            select = select.and("settle_kind = ?", vec![Val::Word(kind.as_str())]);
        }
        let select = select
            .and_some("phase = ?", self.phase.map(Val::from))
            .and_some(party, filter.party.as_ref().map(text))
            .and_some("debtor = ?", filter.debtor.as_ref().map(text))
            .and_some("creditor = ?", filter.creditor.as_ref().map(text))
            .and_some("regulation = ?", filter.regulation.as_ref().map(text))
            .and_some("rule = ?", filter.rule.as_ref().map(text))
            .and_some("case_id = ?", filter.case_id.map(text))
            .and_some("conversation_id = ?", filter.conversation_id.map(text))
            .and_some("sort_due < ?", filter.due_before.map(Val::from))
            .and_some("sort_due >= ?", filter.due_from.map(Val::from));
        let mut select = within(select, &filter.within, ["debtor", "creditor"], "obligations.case_id");
        let mut states = filter.states.clone();
        if let (None, Some(group)) = (self.phase, filter.group) {
            states = ObligationState::ALL.iter().copied().filter(|s| obligations::phase(*s) == group.phase()).collect();
            states.retain(|state| filter.states.is_empty() || filter.states.contains(state));
        }
        if !states.is_empty() {
            let words = states.iter().map(|state| Val::Word(state.as_str())).collect();
            select = select.and("state IN (", vec![]).list(words).push(")", vec![]);
        }
        if let Some(after) = after {
            let due = after.due_at.map_or(i64::MAX, Timestamp::micros);
            let further = if filter.latest_first { "(sort_due, id) < (?, ?)" } else { "(sort_due, id) > (?, ?)" };
            select = select.and(further, vec![due.into(), text(after.id)]);
        }
        let order = if filter.latest_first {
            " ORDER BY sort_due DESC, id DESC LIMIT ?"
        } else {
            " ORDER BY sort_due, id LIMIT ?"
        };
        select.push(order, vec![i64::from(limit).into()])
    }
}

impl Store {
    /// Obligations by due instant, earliest first (those without one last).
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn list_obligations(
        &self,
        filter: &ObligationFilter,
        after: Option<DueCursor>,
        limit: u32,
    ) -> Result<Vec<ObligationRow>, StoreError> {
        // Each way in reads at most one page of an index that is in the order of the listing; the pages are merged.
        let mut seen = BTreeMap::new();
        let filter = filter.by_way_in();
        for select in listings(&filter, after, limit) {
            for row in &select.fetch(self.readers()).await? {
                let row = obligations::row(row)?;
                // One that moved on meanwhile was read twice: as it is now.
                seen.insert(row.id, row);
            }
        }
        let place = |row: &ObligationRow| (row.due_at.map_or(i64::MAX, Timestamp::micros), row.id.to_string());
        let found: BTreeMap<_, _> = seen.into_values().map(|row| (place(&row), row)).collect();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(if filter.latest_first {
            found.into_values().rev().take(limit).collect()
        } else {
            found.into_values().take(limit).collect()
        })
    }

    /// Deliveries that are queued, leased, parked or expired, oldest message first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn not_handed_over(
        &self,
        after: Option<HandoverCursor>,
        limit: u32,
    ) -> Result<Vec<NotHandedOver>, StoreError> {
        self.not_handed_over_within(&Scope::whole(), after, limit).await
    }

    /// The same of a part of the region.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn not_handed_over_within(
        &self,
        scope: &Scope,
        after: Option<HandoverCursor>,
        limit: u32,
    ) -> Result<Vec<NotHandedOver>, StoreError> {
        let mut select = Select::new(&deliveries::select_both()).and(NOT_HANDED_OVER, vec![]);
        select = within(select, scope, ["m.sender", "d.recipient"], "m.case_id");
        if let Some(after) = after {
            select = select.and("(d.record_id, d.id) > (?, ?)", vec![text(after.record_id), text(after.id)]);
        }
        let found = select
            .push(" ORDER BY d.record_id, d.id LIMIT ?", vec![i64::from(limit).into()])
            .fetch(self.readers())
            .await?;
        found.iter().map(|r| Ok(NotHandedOver { delivery: deliveries::row(r)?, message: messages::row(r)? })).collect()
    }

    /// The counters. Reads all rows' states: for the demo and tests, not for a page that is shown every second.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let readers = self.readers();
        let mut counts = Counts::default();
        let accepted =
            Select::new("SELECT COUNT(*) AS n FROM messages WHERE channel <> 'internal'").fetch(readers).await?;
        counts.accepted = accepted.first().map_or(Ok(0), |row| row.int("n"))?.unsigned_abs();
        let refusals = Select::new("SELECT COUNT(*) AS n FROM refusals").fetch(readers).await?;
        counts.refusals = refusals.first().map_or(Ok(0), |row| row.int("n"))?.unsigned_abs();
        counts.deliveries = DeliveryState::ALL.iter().map(|s| (*s, 0)).collect();
        for row in &Select::new("SELECT state, COUNT(*) AS n FROM deliveries GROUP BY state").fetch(readers).await? {
            counts.deliveries.insert(row.parsed("state", DeliveryState::parse)?, row.int("n")?.unsigned_abs());
        }
        counts.obligations = ObligationState::ALL.iter().map(|s| (*s, 0)).collect();
        for row in &Select::new("SELECT state, COUNT(*) AS n FROM obligations GROUP BY state").fetch(readers).await? {
            counts.obligations.insert(row.parsed("state", ObligationState::parse)?, row.int("n")?.unsigned_abs());
        }
        counts.settled = SettleKind::ALL.iter().map(|k| (*k, 0)).collect();
        let settled =
            "SELECT settle_kind, COUNT(*) AS n FROM obligations WHERE settle_kind IS NOT NULL GROUP BY settle_kind";
        for row in &Select::new(settled).fetch(readers).await? {
            counts.settled.insert(row.parsed("settle_kind", SettleKind::parse)?, row.int("n")?.unsigned_abs());
        }
        Ok(counts)
    }
}

/// The statements of one page of a listing, whose pages are merged.
pub(super) fn listings(filter: &ObligationFilter, after: Option<DueCursor>, limit: u32) -> Vec<Select<'_>> {
    ways_in(filter).into_iter().map(|way| way.select(obligations::SELECT, filter, after, limit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_against_the_way_that_obligations_go() {
        let states = [ObligationState::Pending, ObligationState::Open, ObligationState::Overdue, ObligationState::Met];
        let read: Vec<_> = ways_in(&ObligationFilter::default()).into_iter().map(|way| way.phase).collect();
        assert_eq!(read, states.map(|state| Some(obligations::phase(state))));
    }
}

//! What became of everything: counts out of the store, and the invariants that must hold.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use crate::deadline::obligations::periodic;
use crate::domain::{CaseId, DeliveryState, ObligationState, ParticipantId, RuleId, Timestamp};
use crate::gateway::Gateway;
use crate::store::{CaseFilter, DueCursor, ObligationFilter, ObligationRow, Store};

use super::life::{Scene, case_id};
use super::region::Temper;
use super::stage::Tally;
use super::truth::is_true;
use super::{Options, SimulateError};

/// Rows read at once.
const PAGE: u32 = 1_000;
/// The longest delays that are shown.
const WORST_MAX: usize = 10;
/// Broken invariants and refusals that are shown one by one.
const SHOWN_MAX: usize = 20;

/// The whole report. Its JSON form and its text hold the same figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// The regulation.
    pub regulation: String,
    /// The regulation's name: in Russian and in English.
    pub title: (String, String),
    /// The first day.
    pub from: chrono::NaiveDate,
    /// The last day.
    pub to: chrono::NaiveDate,
    /// The zone of the instants shown.
    pub zone: String,
    /// The cases asked for.
    pub cases: usize,
    /// The seed.
    pub seed: u64,
    /// Messages by type.
    pub messages: Vec<Messages>,
    /// Deliveries by state, notices of the gateway among them.
    pub deliveries: BTreeMap<&'static str, u64>,
    /// Obligations by rule, in the regulation's order.
    pub rules: Vec<OfRule>,
    /// All rules together.
    pub total: OfRule,
    /// Participants by id.
    pub participants: Vec<OfParticipant>,
    /// The longest delays, the longest first.
    pub worst: Vec<Delay>,
    /// Why messages were refused; none should be.
    pub refusals: Vec<String>,
    /// Invariants that do not hold; none should be here.
    pub broken: Vec<Broken>,
}

/// Messages of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Messages {
    /// The type.
    pub kind: &'static str,
    /// Sent by the agencies.
    pub sent: u64,
    /// Accepted by the gateway.
    pub accepted: u64,
    /// Refused by it.
    pub refused: u64,
}

/// Obligations of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfRule {
    /// The rule.
    pub rule: String,
    /// Whether it is off: then it opens nothing.
    pub off: bool,
    /// All that were opened.
    pub opened: u64,
    /// By state; every state is there.
    pub states: BTreeMap<&'static str, u64>,
    /// How those whose term is over stand.
    pub kept: Kept,
}

/// How terms that are over were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Kept {
    /// Done in time.
    pub in_time: u64,
    /// Done late.
    pub late: u64,
    /// Not done by the end of the time.
    pub undone: u64,
}

impl Kept {
    /// The share of what was done in time, in tenths of a percent; `None` when no term is over.
    pub fn share_permille(&self) -> Option<u64> {
        let all = self.in_time + self.late + self.undone;
        (self.in_time * 1_000 + all / 2).checked_div(all)
    }

    fn add(&mut self, state: ObligationState) {
        match state {
            ObligationState::Met => self.in_time += 1,
            ObligationState::MetLate => self.late += 1,
            ObligationState::Overdue => self.undone += 1,
            ObligationState::Pending
            | ObligationState::Open
            | ObligationState::Warned
            | ObligationState::Cancelled
            | ObligationState::Waived => {}
        }
    }
}

/// How one participant kept its terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfParticipant {
    /// Who.
    pub id: ParticipantId,
    /// How the simulation made it behave.
    pub temper: Temper,
    /// All that it owed.
    pub owed: u64,
    /// How those whose term is over stand.
    pub kept: Kept,
    /// The share in time, in tenths of a percent.
    pub in_time_permille: Option<u64>,
}

/// One delay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delay {
    /// How long, in minutes: up to the act, or to the end of the time.
    pub minutes: i64,
    /// The rule.
    pub rule: String,
    /// Who was late.
    pub debtor: ParticipantId,
    /// The number of the case in the simulation.
    pub case: Option<usize>,
    /// The period of a periodic one.
    pub period: String,
    /// The last second in time.
    pub due: String,
    /// When it was done; `None`: it was not.
    pub settled: Option<String>,
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// In Russian.
    pub ru: String,
    /// In English.
    pub en: String,
}

impl Broken {
    fn new(ru: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ru: ru.into(), en: en.into() }
    }
}

/// Reads the store after the time is over.
pub(super) async fn gather(
    gateway: &Gateway,
    scene: &Scene<'_>,
    options: &Options,
    tally: Tally,
) -> Result<Figures, SimulateError> {
    let store = gateway.store();
    let mut sums = Sums::new(scene, options);
    sums.closed = closed(store).await?;
    let mut after: Option<DueCursor> = None;
    loop {
        let page = store.list_obligations(&ObligationFilter::default(), after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(DueCursor::after(last));
        page.iter().for_each(|row| sums.take(row));
    }
    let counts = store.counts().await?;
    let accepted: u64 = tally.kinds.values().map(|c| c.accepted).sum();
    if counts.accepted != accepted {
        let (stored, told) = (counts.accepted, accepted);
        sums.broken.push(Broken::new(
            format!("принято шлюзом {stored}, а квитанций {told}"),
            format!("the gateway accepted {stored} and receipted {told}"),
        ));
    }
    let open: u64 =
        counts.deliveries.iter().filter(|(state, _)| **state != DeliveryState::Delivered).map(|(_, n)| n).sum();
    if open > 0 {
        sums.broken.push(Broken::new(format!("не доставлено: {open}"), format!("not delivered: {open}")));
    }
    if !tally.refusals.is_empty() {
        let refused = tally.kinds.values().map(|c| c.refused).sum::<u64>();
        sums.broken
            .push(Broken::new(format!("отказов шлюза: {refused}"), format!("refused by the gateway: {refused}")));
    }
    sums.broken.extend(journal(store).await?);
    sums.broken.extend(periods(gateway, scene));
    let messages =
        tally.kinds.iter().map(|(kind, c)| Messages { kind, sent: c.sent, accepted: c.accepted, refused: c.refused });
    let deliveries = counts.deliveries.iter().map(|(state, count)| (state.as_str(), *count)).collect();
    let refusals = tally.refusals.iter().take(SHOWN_MAX).cloned().collect();
    Ok(sums.figures(messages.collect(), deliveries, refusals))
}

/// The cases that were closed.
async fn closed(store: &Store) -> Result<HashSet<CaseId>, SimulateError> {
    let (mut closed, mut before) = (HashSet::new(), None);
    loop {
        let page = store.list_cases(&CaseFilter::default(), before, PAGE).await?;
        let Some(last) = page.last() else { return Ok(closed) };
        before = Some(last.id);
        closed.extend(page.iter().filter(|case| case.facts.is_closed()).map(|case| case.id));
    }
}

/// The chain of the journal, whole and up to the last entry.
async fn journal(store: &Store) -> Result<Vec<Broken>, SimulateError> {
    let checked = store.verify_journal(1).await?;
    let mut broken = Vec::new();
    if let Some(problem) = checked.problem {
        broken.push(Broken::new(format!("цепочка журнала порвана: {problem}"), problem.to_string()));
    }
    if checked.unsealed > 0 {
        let count = checked.unsealed;
        broken.push(Broken::new(
            format!("в журнале не занумеровано {count}"),
            format!("{count} journal rows are not sealed"),
        ));
    }
    Ok(broken)
}

/// What the calendar should have opened and could not.
fn periods(gateway: &Gateway, scene: &Scene<'_>) -> Vec<Broken> {
    let (snapshot, days) = (gateway.snapshot(), scene.days);
    let (from, to) = (days.begins_at(), days.ends_at());
    let (_, errors) = periodic(scene.regulation, &snapshot.calendars, snapshot.as_ref(), Some(from), to);
    errors.iter().map(|error| Broken::new(format!("не открыто: {error}"), "was not opened")).collect()
}

struct Sums<'a> {
    scene: &'a Scene<'a>,
    options: &'a Options,
    end: Timestamp,
    cases: HashMap<CaseId, usize>,
    rules: BTreeMap<RuleId, (BTreeMap<&'static str, u64>, Kept)>,
    debtors: BTreeMap<ParticipantId, (u64, Kept)>,
    keys: BTreeSet<(RuleId, String, String)>,
    worst: Vec<Delay>,
    broken: Vec<Broken>,
    opened_twice: u64,
    open_past_due: u64,
    stuck: u64,
    closed: HashSet<CaseId>,
    outlived: u64,
    untrue: u64,
}

impl<'a> Sums<'a> {
    fn new(scene: &'a Scene<'a>, options: &'a Options) -> Self {
        Self {
            scene,
            options,
            end: scene.days.ends_at(),
            cases: (1..=options.cases).map(|number| (case_id(scene, number), number)).collect(),
            rules: BTreeMap::new(),
            debtors: BTreeMap::new(),
            keys: BTreeSet::new(),
            worst: Vec::new(),
            broken: Vec::new(),
            opened_twice: 0,
            open_past_due: 0,
            stuck: 0,
            closed: HashSet::new(),
            outlived: 0,
            untrue: 0,
        }
    }

    fn take(&mut self, row: &ObligationRow) {
        let (states, kept) = self.rules.entry(row.rule.clone()).or_default();
        *states.entry(row.state.as_str()).or_default() += 1;
        kept.add(row.state);
        let (owed, kept) = self.debtors.entry(row.debtor.clone()).or_default();
        *owed += 1;
        kept.add(row.state);
        if !self.keys.insert((row.rule.clone(), row.subject.clone(), row.period.clone())) {
            self.opened_twice += 1;
        }
        let is_running = matches!(row.state, ObligationState::Open | ObligationState::Warned);
        if is_running && row.due_at.is_some_and(|due| due <= self.end) {
            self.open_past_due += 1;
        }
        // Everything was handed over, so whatever waits for that has begun.
        if row.state == ObligationState::Pending {
            self.stuck += 1;
        }
        let outlives = || self.scene.regulation.rule(&row.rule).is_some_and(|rule| rule.outlives_case);
        if row.state.is_open() && row.case_id.is_some_and(|id| self.closed.contains(&id)) && !outlives() {
            self.outlived += 1;
        }
        if !is_true(row, self.end) {
            self.untrue += 1;
        }
        self.delay(row);
    }

    fn delay(&mut self, row: &ObligationRow) {
        let Some(due) = row.due_at else { return };
        let until = match row.state {
            ObligationState::MetLate => row.settled_at.unwrap_or(self.end),
            ObligationState::Overdue => self.end,
            ObligationState::Pending
            | ObligationState::Open
            | ObligationState::Warned
            | ObligationState::Met
            | ObligationState::Cancelled
            | ObligationState::Waived => return,
        };
        let zone = self.scene.regulation.zone;
        let delay = Delay {
            minutes: until.since(due).max(0) / 60_000_000,
            rule: row.rule.to_string(),
            debtor: row.debtor.clone(),
            case: row.case_id.and_then(|id| self.cases.get(&id)).copied(),
            period: row.period.clone(),
            due: due.plus_seconds(-1).in_zone(zone),
            settled: row.settled_at.filter(|_| row.state == ObligationState::MetLate).map(|at| at.in_zone(zone)),
        };
        self.worst.push(delay);
        // Sorted now and then, so that only the longest are held.
        if self.worst.len() >= WORST_MAX * 100 {
            self.sort_worst();
        }
    }

    fn sort_worst(&mut self) {
        let key = |d: &Delay| {
            (std::cmp::Reverse(d.minutes), d.rule.clone(), d.debtor.clone(), d.case, d.period.clone(), d.due.clone())
        };
        self.worst.sort_by_cached_key(key);
        self.worst.truncate(WORST_MAX);
    }

    fn invariants(&mut self) {
        let table = [
            (self.opened_twice, "обязательств открыто дважды", "obligations opened twice"),
            (self.open_past_due, "срок прошёл, а не просрочено", "past their due and not overdue"),
            (self.outlived, "открыто в закрытых делах", "open in cases that were closed"),
            (
                self.untrue,
                "состояние не сходится со сроком и исполнением",
                "in a state that its due and its end contradict",
            ),
            (self.stuck, "ждут отправки, хотя всё отправлено", "wait to begin although everything was handed over"),
        ];
        for (count, ru, en) in table {
            if count > 0 {
                self.broken.push(Broken::new(format!("{ru}: {count}"), format!("{en}: {count}")));
            }
        }
    }

    fn figures(
        mut self,
        messages: Vec<Messages>,
        deliveries: BTreeMap<&'static str, u64>,
        refusals: Vec<String>,
    ) -> Figures {
        self.sort_worst();
        self.invariants();
        let regulation = self.scene.regulation;
        let known = regulation.rules.iter().map(|rule| (rule.id.clone(), rule.off.is_some()));
        let mut rules: Vec<OfRule> = Vec::new();
        let mut total = of_rule("", false, &BTreeMap::new(), Kept::default());
        for (id, off) in known {
            let (states, kept) = self.rules.remove(&id).unwrap_or_default();
            let rule = of_rule(id.as_str(), off, &states, kept);
            total.opened += rule.opened;
            for (state, count) in &rule.states {
                *total.states.entry(state).or_default() += count;
            }
            total.kept.in_time += kept.in_time;
            total.kept.late += kept.late;
            total.kept.undone += kept.undone;
            rules.push(rule);
        }
        for id in self.rules.keys() {
            self.broken.push(Broken::new(
                format!("обязательства неизвестного правила {id}"),
                format!("obligations of an unknown rule {id}"),
            ));
        }
        let participants = self.scene.region.agencies.iter().map(|agency| {
            let (owed, kept) = self.debtors.get(&agency.id).copied().unwrap_or_default();
            let in_time_permille = kept.share_permille();
            OfParticipant { id: agency.id.clone(), temper: agency.temper, owed, kept, in_time_permille }
        });
        Figures {
            regulation: regulation.id.clone(),
            title: (regulation.title.ru.clone(), regulation.title.en.clone()),
            from: self.options.from,
            to: self.options.to,
            zone: regulation.zone.to_string(),
            cases: self.options.cases,
            seed: self.options.seed,
            messages,
            deliveries,
            rules,
            total,
            participants: participants.collect(),
            worst: self.worst,
            refusals,
            broken: self.broken,
        }
    }
}

fn of_rule(id: &str, off: bool, found: &BTreeMap<&'static str, u64>, kept: Kept) -> OfRule {
    let count = |state: &ObligationState| (state.as_str(), found.get(state.as_str()).copied().unwrap_or(0));
    let states: BTreeMap<&'static str, u64> = ObligationState::ALL.iter().map(count).collect();
    OfRule { rule: id.to_owned(), off, opened: states.values().sum(), states, kept }
}

//! How terms were kept.
//!
//! An obligation belongs to the period in which its term ends: its last second in time lies there. It stands as it is when the report is
//! made, so what was late then and has been met since is met late. Of an extended one the new term counts.

use std::collections::BTreeMap;

use super::table::{About, Cell, Column, Report, Table, words};
use super::work_days::WorkDays;
use crate::deadline::{Regulation, Title};
use crate::domain::{ObligationState, ParticipantId, RuleId, SettleKind, Timestamp};

/// How many obligations whose terms end in the period are alike in all this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The rule.
    pub rule: RuleId,
    /// Who owes.
    pub debtor: ParticipantId,
    /// Where they stand.
    pub state: ObligationState,
    /// What settled them.
    pub settled_by: Option<SettleKind>,
    /// Whether a decision extends their term.
    pub extended: bool,
    /// How many.
    pub count: u64,
}

/// One that was met late or is overdue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// The rule.
    pub rule: RuleId,
    /// Who owes.
    pub debtor: ParticipantId,
    /// The first instant that is too late.
    pub due_at: Timestamp,
    /// When it was met; `None`: it is not.
    pub settled_at: Option<Timestamp>,
}

/// How many were opened in the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The rule.
    pub rule: RuleId,
    /// Who owes.
    pub debtor: ParticipantId,
    /// How many.
    pub count: u64,
}

/// All that is counted of one period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// By the end of their terms.
    pub due: Vec<Due>,
    /// Those among them that are late.
    pub late: Vec<Late>,
    /// By their opening.
    pub opened: Vec<Opened>,
}

/// The counts of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) opened: u64,
    pub(super) due: u64,
    pub(super) in_time: u64,
    pub(super) late: u64,
    pub(super) outside: u64,
    pub(super) overdue: u64,
    running: u64,
    waived: u64,
    void: u64,
    extended: u64,
    late_days: u64,
    late_counted: u64,
    pub(super) late_max: u32,
}

impl Kept {
    fn add(&mut self, due: &Due) {
        self.due += due.count;
        self.extended += if due.extended { due.count } else { 0 };
        let met = matches!(due.state, ObligationState::Met | ObligationState::MetLate);
        self.outside += if met && due.settled_by == Some(SettleKind::Outside) { due.count } else { 0 };
        *match due.state {
            ObligationState::Met => &mut self.in_time,
            ObligationState::MetLate => &mut self.late,
            ObligationState::Overdue => &mut self.overdue,
            ObligationState::Pending | ObligationState::Open | ObligationState::Warned => &mut self.running,
            ObligationState::Waived => &mut self.waived,
            ObligationState::Cancelled => &mut self.void,
        } += due.count;
    }

    fn add_late(&mut self, days: Option<u32>) {
        if let Some(days) = days {
            self.late_days += u64::from(days);
            self.late_counted += 1;
            self.late_max = self.late_max.max(days);
        }
    }

    /// Of those that were to be met by now, in thousandths; `None`: there are none. Waived and void ones are nobody's fault, and running
    /// ones are open.
    pub(super) fn share(&self) -> Option<u32> {
        let all = self.in_time + self.late + self.overdue;
        (all > 0).then(|| u32::try_from((self.in_time * 2000 + all) / (2 * all)).unwrap_or(u32::MAX))
    }

    fn cells(&self, before: &Self) -> Vec<Cell> {
        self.row(Some(before))
    }

    /// The cells of [`kept_columns`]; without a period before, its cells are empty.
    pub(super) fn row(&self, before: Option<&Self>) -> Vec<Cell> {
        let counts = [self.opened, self.due, self.in_time, self.late, self.outside, self.overdue, self.running];
        let more = [self.waived, self.void, self.extended];
        let mut cells: Vec<Cell> = counts.into_iter().chain(more).map(Cell::Count).collect();
        cells.push(self.share().map_or(Cell::Empty, Cell::Share));
        let counted = self.late_counted;
        let mean = (counted > 0).then(|| (self.late_days * 20 + counted) / (2 * counted));
        cells.push(mean.map_or(Cell::Empty, Cell::Tenths));
        cells.push(if counted > 0 { Cell::Count(u64::from(self.late_max)) } else { Cell::Empty });
        let share_before = before.and_then(Self::share);
        cells.push(share_before.map_or(Cell::Empty, Cell::Share));
        let change = self.share().zip(share_before).map(|(now, then)| i64::from(now) - i64::from(then));
        cells.push(change.map_or(Cell::Empty, Cell::Points));
        cells
    }
}

pub(super) fn kept_columns() -> Vec<Column> {
    vec![
        Column::number("opened", "Открыто", "Opened").noted(
            "обязательства, открытые в этом периоде, каков бы ни был их срок",
            "obligations opened in this period, whenever their terms end",
        ),
        Column::number("due", "Срок в периоде", "Due").noted(
            "последняя секунда срока лежит в периоде; у продлённых — нового срока. По ним считаются все следующие столбцы",
            "the term's last second lies in the period, of extended ones that of the new term; all further columns are of these",
        ),
        Column::number("inTime", "В срок", "In time")
            .noted("исполнены в срок, сообщением или вне шлюза", "met in time, by a message or outside of the gateway"),
        Column::number("late", "С опозданием", "Late").noted("исполнены после срока", "met after the term"),
        Column::number("outside", "Из них вне шлюза", "Of them outside").noted(
            "из исполненных (в срок и с опозданием): на бумаге, по телефону, в другой системе",
            "of those met, in time or late: on paper, by telephone, in another system",
        ),
        Column::number("overdue", "Просрочено", "Overdue")
            .noted("не исполнены и сейчас, срок прошёл", "not met even now, and the term is over"),
        Column::number("running", "Срок идёт", "Running")
            .noted("срок в этом периоде, но ещё не прошёл", "the term ends in this period and is not over yet"),
        Column::number("waived", "Не требуется", "Waived")
            .noted("решено не требовать, по документу", "waived by a document"),
        Column::number("void", "Снято", "Void")
            .noted("того, на чём стояло, больше нет", "what they stood on has ended"),
        Column::number("extended", "Из них продлено", "Of them extended")
            .noted("срок продлён решением", "a decision extends the term"),
        Column::number("share", "Доля в срок", "On-time share").noted(
            "«в срок» к сумме «в срок», «с опозданием» и «просрочено»",
            "in time, of in time, late and overdue together",
        ),
        Column::number("lateMean", "Опоздание, среднее (раб. дн.)", "Lateness, mean (working days)").noted(
            "рабочие дни после последнего дня срока по день исполнения; у просроченных — по день отчёта. Ноль: исполнено в тот же день или \
             до ближайшего рабочего",
            "working days after the term's last day up to the day it was met, of overdue ones up to the day of the report; zero: met on the \
             same day or before the next working one",
        ),
        Column::number("lateMax", "Опоздание, наибольшее (раб. дн.)", "Lateness, longest (working days)"),
        Column::number("shareBefore", "Доля в срок раньше", "Share before")
            .noted("за предыдущий такой же период", "in the period of the same kind before"),
        Column::number("change", "Изменение, п. п.", "Change, points"),
    ]
}

/// A period folded.
#[derive(Debug, Default)]
pub(super) struct Folded {
    pub(super) total: Kept,
    pub(super) by_debtor: BTreeMap<ParticipantId, Kept>,
    pub(super) by_rule: BTreeMap<RuleId, Kept>,
    by_both: BTreeMap<(ParticipantId, RuleId), Kept>,
}

impl Folded {
    pub(super) fn new(span: &Span, work_days: &WorkDays, made_at: Timestamp) -> Self {
        let mut folded = Self::default();
        for due in &span.due {
            folded.each(&due.rule, &due.debtor, |kept| kept.add(due));
        }
        for late in &span.late {
            let days = work_days.late(late.due_at, late.settled_at.unwrap_or(made_at));
            folded.each(&late.rule, &late.debtor, |kept| kept.add_late(days));
        }
        for opened in &span.opened {
            folded.each(&opened.rule, &opened.debtor, |kept| kept.opened += opened.count);
        }
        folded
    }

    fn each(&mut self, rule: &RuleId, debtor: &ParticipantId, change: impl Fn(&mut Kept)) {
        change(&mut self.total);
        change(kept_of(&mut self.by_debtor, debtor));
        change(kept_of(&mut self.by_rule, rule));
        change(self.by_both.entry((debtor.clone(), rule.clone())).or_default());
    }
}

/// Keys are cloned once, not once a row.
fn kept_of<'k, K: Ord + Clone>(kept: &'k mut BTreeMap<K, Kept>, key: &K) -> &'k mut Kept {
    if !kept.contains_key(key) {
        kept.insert(key.clone(), Kept::default());
    }
    kept.entry(key.clone()).or_default()
}

/// How people call participants and rules.
pub(super) struct Names<'n> {
    pub(super) regulation: &'n Regulation,
    pub(super) participants: &'n BTreeMap<ParticipantId, String>,
}

impl Names<'_> {
    pub(super) fn participant(&self, id: &ParticipantId) -> Vec<Cell> {
        let name = self.participants.get(id).map_or(id.as_str(), String::as_str);
        vec![Cell::text(id.as_str()), Cell::text(name)]
    }

    fn rule(&self, id: &RuleId) -> Vec<Cell> {
        let title = self.regulation.rule(id).map_or_else(|| words(id.as_str(), id.as_str()), |rule| rule.title.clone());
        vec![Cell::text(id.as_str()), Cell::Words(title)]
    }
}

pub(super) fn participant_columns() -> Vec<Column> {
    vec![Column::new("participant", "Участник", "Participant"), Column::new("name", "Название", "Name")]
}

fn rule_columns() -> Vec<Column> {
    vec![Column::new("rule", "Правило", "Rule"), Column::new("ruleTitle", "Обязанность", "Duty")]
}

fn total_row(heads: usize, kept: &Kept, before: &Kept) -> Vec<Cell> {
    let mut cells = vec![Cell::Words(words("Всего", "Total"))];
    cells.resize(heads, Cell::Empty);
    cells.extend(kept.cells(before));
    cells
}

fn table(
    key: &'static str,
    title: Title,
    heads: Vec<Column>,
    rows: Vec<(Vec<Cell>, Kept, Kept)>,
    totals: (&Kept, &Kept),
) -> Table {
    let total = Some(total_row(heads.len(), totals.0, totals.1));
    let columns = heads.into_iter().chain(kept_columns()).collect();
    let rows = rows.into_iter().map(|(heads, kept, before)| heads.into_iter().chain(kept.cells(&before)).collect());
    Table { key, title, columns, rows: rows.collect(), total }
}

/// By participant, compared with the period before.
pub(super) fn by_participant(now: &Folded, before: &Folded, names: &Names<'_>) -> Table {
    let rows = merged(&now.by_debtor, &before.by_debtor).map(|(id, kept, then)| (names.participant(id), kept, then));
    let title = words("По участникам", "By participant");
    table("participants", title, participant_columns(), rows.collect(), (&now.total, &before.total))
}

/// By rule, compared with the period before.
pub(super) fn by_rule(now: &Folded, before: &Folded, names: &Names<'_>) -> Table {
    let rows = merged(&now.by_rule, &before.by_rule).map(|(id, kept, then)| (names.rule(id), kept, then));
    table("rules", words("По правилам", "By rule"), rule_columns(), rows.collect(), (&now.total, &before.total))
}

/// Keys of either period, with the counts of both.
fn merged<'m, K: Ord>(
    now: &'m BTreeMap<K, Kept>,
    before: &'m BTreeMap<K, Kept>,
) -> impl Iterator<Item = (&'m K, Kept, Kept)> {
    let of = |map: &BTreeMap<K, Kept>, key: &K| map.get(key).copied().unwrap_or_default();
    let keys: std::collections::BTreeSet<&K> = now.keys().chain(before.keys()).collect();
    keys.into_iter().map(move |key| (key, of(now, key), of(before, key)))
}

/// The report on how terms were kept. `span` and `before` are counted over the period and the one before it.
pub fn discipline(
    about: About,
    regulation: &Regulation,
    participants: &BTreeMap<ParticipantId, String>,
    work_days: &WorkDays,
    spans: (&Span, &Span),
) -> Report {
    let names = Names { regulation, participants };
    let now = Folded::new(spans.0, work_days, about.made_at);
    let before = Folded::new(spans.1, work_days, about.made_at);
    let heads: Vec<Column> = participant_columns().into_iter().chain(rule_columns()).collect();
    let of_both = merged(&now.by_both, &before.by_both).map(|((debtor, rule), kept, then)| {
        (names.participant(debtor).into_iter().chain(names.rule(rule)).collect(), kept, then)
    });
    let both = table(
        "participantsAndRules",
        words("По участникам и правилам", "By participant and rule"),
        heads,
        of_both.collect(),
        (&now.total, &before.total),
    );
    Report {
        key: "discipline",
        title: words("Исполнительская дисциплина", "Execution discipline"),
        notes: notes(),
        tables: vec![by_participant(&now, &before, &names), by_rule(&now, &before, &names), both],
        about,
    }
}

pub(super) fn notes() -> Vec<Title> {
    vec![
        words(
            "Обязательство относится к периоду, в котором кончается его срок; состояние — на момент составления отчёта, а не на конец \
             периода.",
            "An obligation belongs to the period in which its term ends; its state is that of the moment the report was made, not of the \
             period's end.",
        ),
        words(
            "Задачи без даты и то, чей срок ещё не пошёл (запрос не вручён), срока не имеют и есть только в столбце «Открыто».",
            "Tasks without a date, and what has not begun to run (a request that is not handed over), have no term and are in the column \
             `Opened` only.",
        ),
    ]
}

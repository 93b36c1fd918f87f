//! Reports out of what is in force and what is stored: counts from the store, folded into tables by `report`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Days;
use serde_json::json;

use crate::deadline::{Calendar, Regulation, Start, Title};
use crate::domain::{Participant, ParticipantId, Timestamp, Zone};
use crate::envelope::{self, Body};
use crate::report::{About, Entry, Figures, Period, PeriodKind, RegisterKind, Report, Span, WorkDays, words};
use crate::schema::codes::CodeLists;
use crate::store::{JournalEntry, REGISTER_READ, RegisterRow, ReportFilter, Store, StoreError};
use crate::{report, xml};

/// The most messages that one register reads.
pub const REGISTER_ROWS_MAX: u32 = 5_000;

/// Which report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// How terms were kept.
    Discipline,
    /// The summary of a month, a quarter or a year.
    Summary,
    /// The indicators of section XV of the model programme.
    Indicators,
    /// A register.
    Register(RegisterKind),
}

impl ReportKind {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::Discipline,
        Self::Summary,
        Self::Indicators,
        Self::Register(RegisterKind::Applications),
        Self::Register(RegisterKind::Families),
    ];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discipline => "discipline",
            Self::Summary => "summary",
            Self::Indicators => "indicators",
            Self::Register(RegisterKind::Applications) => "register-applications",
            Self::Register(RegisterKind::Families) => "register-families",
        }
    }

    /// Parses the stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// Its name for people.
    pub fn title(self) -> Title {
        match self {
            Self::Discipline => words("Исполнительская дисциплина", "Execution discipline"),
            Self::Summary => words("Сводный отчёт", "Summary"),
            Self::Indicators => words("Показатели раздела XV", "Indicators of section XV"),
            Self::Register(kind) => kind.title(),
        }
    }

    /// What it is, for people.
    pub fn purpose(self) -> Title {
        match self {
            Self::Discipline => words(
                "Как соблюдены сроки: по участникам, по правилам, в сравнении с прошлым периодом",
                "How terms were kept: by participant, by rule, compared with the period before",
            ),
            Self::Summary => words(
                "За месяц, квартал, год: кто о чём отчитывается, дела, обмен, сроки (Югра, п. 3.1; модельная программа, п. 6.3; \
                 Смоленская область, п. 6.2)",
                "Of a month, a quarter, a year: who reports on what, cases, exchange, terms (Yugra, 3.1; model programme, 6.3; Smolensk \
                 region, 6.2)",
            ),
            Self::Indicators => words(
                "Показатели модельной программы; чего шлюз не знает, названо",
                "The model programme's indicators; what the gateway does not know is named",
            ),
            Self::Register(RegisterKind::Applications) => words(
                "Обращения за сопровождением: заявления и извещения (Югра)",
                "Applications for accompaniment, and notices (Yugra)",
            ),
            Self::Register(RegisterKind::Families) => words(
                "Семьи при постановке на учёт (модельная программа, п. 9.3)",
                "Families at their first record (model programme, 9.3)",
            ),
        }
    }
}

/// What is in force, as reports need it.
#[derive(Debug, Clone, Copy)]
pub struct ReportBase<'a> {
    /// The regulation that is reported on.
    pub regulation: &'a Regulation,
    /// Its calendar; `None`: not loaded, and then lateness is not counted.
    pub calendar: Option<&'a Calendar>,
    /// The participants.
    pub participants: &'a [Participant],
    /// The code lists.
    pub codes: &'a CodeLists,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct ReportRequest {
    /// Which report.
    pub kind: ReportKind,
    /// Of which days.
    pub period: Period,
    /// What it is narrowed to; its regulation is set by [`make_report`].
    pub filter: ReportFilter,
    /// Whether a register shows personal data.
    pub personal: bool,
    /// Who asks, as the journal names it; only registers are journaled.
    pub actor: String,
    /// Business time.
    pub at: Timestamp,
    /// The machine's time.
    pub now: Timestamp,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A register is too long.
    #[error(
        "в периоде больше {REGISTER_ROWS_MAX} обращений; возьмите период короче / more than {REGISTER_ROWS_MAX} applications in the \
         period; take a shorter one"
    )]
    TooMany,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a report. A register is written to the journal before it is given out: who asked, of which period, with personal data or without.
///
/// # Errors
/// When the database is away, or a register is too long.
pub async fn make_report(store: &Store, base: ReportBase<'_>, request: &ReportRequest) -> Result<Report, ReportError> {
    let filter = ReportFilter { regulation: base.regulation.id.clone(), ..request.filter.clone() };
    let about = about(base.regulation, request);
    let names: BTreeMap<ParticipantId, String> =
        base.participants.iter().map(|p| (p.id.clone(), p.name.clone())).collect();
    let work_days = work_days(base, request);
    match request.kind {
        ReportKind::Discipline => {
            let (now, before) = tokio::try_join!(
                span(store, &filter, request.period, about.zone),
                span(store, &filter, request.period.before(), about.zone)
            )?;
            Ok(report::discipline(about, base.regulation, &names, &work_days, (&now, &before)))
        }
        ReportKind::Summary => {
            let figures = figures(store, &filter, request.period, about.zone).await?;
            Ok(report::summary(about, base.regulation, &names, &work_days, &figures))
        }
        ReportKind::Indicators => {
            let figures = counts(store, &filter, request.period, about.zone).await?;
            let provider = |p: &&Participant| p.roles.iter().any(|held| held.role.as_str() == "provider");
            let providers: BTreeSet<ParticipantId> =
                base.participants.iter().filter(provider).map(|p| p.id.clone()).collect();
            Ok(report::indicators(about, &names, &providers, &figures))
        }
        ReportKind::Register(kind) => {
            let entries = entries(store, &filter, request, about.zone).await?;
            let report = report::register(about, kind, &entries, base.codes, request.personal);
            journal(store, request, kind, &report).await?;
            Ok(report)
        }
    }
}

fn about(regulation: &Regulation, request: &ReportRequest) -> About {
    let filter = &request.filter;
    let mut narrowed = Vec::new();
    let mut tell = |ru: &str, en: &str, what: String| {
        if !what.is_empty() {
            narrowed.push(words(&format!("{ru}: {what}"), &format!("{en}: {what}")));
        }
    };
    let list = |items: Vec<&str>| items.join(", ");
    tell(
        "Только участник",
        "Only the participant",
        filter.debtor.as_ref().map(ToString::to_string).unwrap_or_default(),
    );
    tell("Только правило", "Only the rule", filter.rule.as_ref().map(ToString::to_string).unwrap_or_default());
    tell(
        "Только то, в чём участвуют",
        "Only what these take part in",
        list(filter.within.participants.iter().map(ParticipantId::as_str).collect()),
    );
    tell(
        "Только дела территорий (ОКТМО)",
        "Only cases of the territories (OKTMO)",
        list(filter.within.territories.iter().map(|t| t.as_str()).collect()),
    );
    About {
        regulation: regulation.id.clone(),
        regulation_title: regulation.title.clone(),
        period: request.period,
        zone: regulation.zone,
        made_at: request.at,
        narrowed,
    }
}

/// Counted from before the earliest term to the day of the report.
fn work_days(base: ReportBase<'_>, request: &ReportRequest) -> WorkDays {
    let zone = base.regulation.zone;
    let first = request.period.before().first();
    let first = first.checked_sub_days(Days::new(1)).unwrap_or(first);
    let last = Start::Instant(request.at).local_date(zone).max(request.period.last());
    WorkDays::new(base.calendar, zone, first, last)
}

async fn span(store: &Store, filter: &ReportFilter, period: Period, zone: Zone) -> Result<Span, StoreError> {
    store.report_span(filter, period.instants(zone)).await
}

/// What was sent, and how the cases went; no obligations.
async fn counts(store: &Store, filter: &ReportFilter, period: Period, zone: Zone) -> Result<Figures, StoreError> {
    let exchange = store.report_exchange(filter, period.instants(zone)).await?;
    let before = store.report_exchange(filter, period.before().instants(zone)).await?;
    let cases = cases(store, filter, period, zone).await?;
    Ok(Figures { months: vec![(period, Span::default(), exchange)], before: (Span::default(), before), cases })
}

async fn figures(store: &Store, filter: &ReportFilter, period: Period, zone: Zone) -> Result<Figures, StoreError> {
    let mut months = Vec::new();
    // A month is one row whatever its length; a longer time is told month by month.
    let parts = if period.kind() == PeriodKind::Month { vec![period] } else { period.months() };
    for month in parts {
        let instants = month.instants(zone);
        let span = store.report_span(filter, instants).await?;
        months.push((month, span, store.report_exchange(filter, instants).await?));
    }
    let before = period.before().instants(zone);
    let before = (store.report_span(filter, before).await?, store.report_exchange(filter, before).await?);
    Ok(Figures { months, before, cases: cases(store, filter, period, zone).await? })
}

/// A case belongs to no single participant or rule: of a part of the exchange it is not counted.
async fn cases(
    store: &Store,
    filter: &ReportFilter,
    period: Period,
    zone: Zone,
) -> Result<Option<(report::CaseCount, report::CaseCount)>, StoreError> {
    if !filter.within.participants.is_empty() || filter.debtor.is_some() || filter.rule.is_some() {
        return Ok(None);
    }
    let before = period.before();
    let now = store.report_cases(filter, period.instants(zone), (period.first(), period.last())).await?;
    let then = store.report_cases(filter, before.instants(zone), (before.first(), before.last())).await?;
    Ok(Some((now, then)))
}

async fn entries(
    store: &Store,
    filter: &ReportFilter,
    request: &ReportRequest,
    zone: Zone,
) -> Result<Vec<Entry>, ReportError> {
    let rows = store.report_register(filter, request.period.instants(zone), REGISTER_ROWS_MAX + 1).await?;
    if u32::try_from(rows.len()).is_ok_and(|n| n > REGISTER_ROWS_MAX) {
        return Err(ReportError::TooMany);
    }
    Ok(rows.into_iter().map(entry).collect())
}

/// With its canonical body: the translated one, or that of the envelope.
fn entry(row: RegisterRow) -> Entry {
    let RegisterRow { mut entry, envelope } = row;
    if entry.body.is_none() {
        entry.body = envelope.as_deref().and_then(body);
    }
    entry
}

fn body(bytes: &[u8]) -> Option<Vec<u8>> {
    let document = xml::read(bytes, &xml::Limits::stored()).ok()?;
    let stored = envelope::read(&document).ok()?;
    match stored.claimed_body() {
        Body::Xml(node) => Some(xml::canonical_bytes(*node, None)),
        Body::Payload { .. } => None,
    }
}

async fn journal(
    store: &Store,
    request: &ReportRequest,
    kind: RegisterKind,
    report: &Report,
) -> Result<(), StoreError> {
    let rows = report.tables.iter().map(|table| table.rows.len()).sum::<usize>();
    let entry = JournalEntry {
        kind: REGISTER_READ.to_owned(),
        actor: request.actor.clone(),
        detail: json!({
            "register": kind.as_str(), "regulation": report.about.regulation, "period": request.period.to_string(),
            "personal": request.personal, "rows": rows, "participants": request.filter.within.participants,
            "territories": request.filter.within.territories.iter().map(|t| t.as_str()).collect::<Vec<_>>(),
        }),
        ..JournalEntry::default()
    };
    store.append_journal(vec![entry], request.now).await
}

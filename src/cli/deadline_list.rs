//! `mezhved deadline list`: obligations by their due instant.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use super::deadline_explain::found;
use super::deadline_zone::{Zones, when};
use super::{ConfigDir, Failure, findings, table};
use crate::app::open_store;
use crate::deadline::{Regulations, start_of_day};
use crate::domain::{CaseId, ObligationId, ObligationState, ParticipantId, RuleId, SettleKind, Timestamp, Zone};
use crate::gateway::acts::When;
use crate::settings::{Settings, folder};
use crate::store::{DueCursor, ObligationFilter, ObligationGroup, ObligationRow, RevisionKind, Store};

const HELP: &str = "\
Условия складываются: показано то, что отвечает всем. Обязательства, чей срок ещё не пошёл (pending), стоят последними и под \
--due-before не попадают.

Conditions add up: what meets all of them is shown. Obligations that have not begun to run (pending) come last and never match \
--due-before.

Примеры / examples:
  mezhved deadline list --overdue
  mezhved deadline list --debtor health --state warned,overdue
  mezhved deadline list --participant health --state waived
  mezhved deadline list --settled-by outside       # исполнено на бумаге, по телефону / met on paper, by telephone
  mezhved deadline list --regulation yugra --due-before 2026-05-13    # по 12.05 включительно / up to and with 12 May
  mezhved deadline list --due-before 2026-05-12T12:00:00+05:00
  mezhved deadline list --case 01931f6e-7a00-7000-8000-00000000ca5e --json
  mezhved deadline list --limit 50 --after ID      # следующая страница / the next page

Почему срок таков / why a term ends when it ends: mezhved deadline explain ID";

/// Перечислить обязательства по сроку, ближайшие первыми / list obligations by their due instant, earliest first
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    dir: ConfigDir,
    /// Только просроченные / only what is overdue (the same as --state overdue)
    #[arg(long, conflicts_with = "state")]
    overdue: bool,
    /// Только те, где участник должен или должны ему / only those owed by or to this participant
    #[arg(long, value_name = "ID")]
    participant: Option<ParticipantId>,
    /// Только этого должника / only those owed by this participant
    #[arg(long, value_name = "ID")]
    debtor: Option<ParticipantId>,
    /// Только те, что должны этому участнику / only those owed to this participant
    #[arg(long, value_name = "ID")]
    creditor: Option<ParticipantId>,
    /// Только этого регламента / only of this regulation
    #[arg(long, value_name = "ID")]
    regulation: Option<String>,
    /// Только по этому правилу / only of this rule (`mezhved regulation show ID` lists them)
    #[arg(long, value_name = "RULE")]
    rule: Option<RuleId>,
    /// Только этого дела / only of this case
    #[arg(long, value_name = "CASE-ID")]
    case: Option<CaseId>,
    /// Только в этих состояниях, через запятую / only in these states, parted by commas
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = states())]
    state: Vec<ObligationState>,
    /// Только закрытые так / only those that were settled so
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    settled_by: Option<SettleKind>,
    /// Только те, чей срок кончается раньше: момент RFC 3339 или дата в поясе региона / only those whose last second lies before: an
    /// RFC 3339 instant, or a date in the region's zone
    #[arg(long, value_name = "WHEN", value_parser = when)]
    due_before: Option<When>,
    /// Не больше / at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Дальше этого: номер последнего на прошлой странице / what comes after this one: the last id of the page before
    #[arg(long, value_name = "OBLIGATION-ID")]
    after: Option<ObligationId>,
    /// Machine-readable
    #[arg(long)]
    json: bool,
}

fn states() -> impl TypedValueParser<Value = ObligationState> {
    let words = ObligationState::ALL.iter().map(|s| PossibleValue::new(s.as_str()).help(s.ru()));
    PossibleValuesParser::new(words).try_map(|word| ObligationState::parse(&word).ok_or("no such state"))
}

fn kinds() -> impl TypedValueParser<Value = SettleKind> {
    let words = SettleKind::ALL.iter().map(|k| PossibleValue::new(k.as_str()).help(k.ru()));
    PossibleValuesParser::new(words).try_map(|word| SettleKind::parse(&word).ok_or("no such kind"))
}

/// The store keeps the first instant that is too late; what people name is the last one in time. A term that ends with the 12th lies
/// before the 13th although both are the same instant, hence the microsecond.
fn exclusive(point: Timestamp) -> Timestamp {
    Timestamp::from_micros(point.micros().saturating_add(1))
}

pub(crate) async fn run(args: Args) -> Result<ExitCode, Failure> {
    let store = open_store(&Settings::load(&args.dir.config)?).await?;
    let listed = list(&store, args).await;
    store.close().await;
    listed.map(|()| ExitCode::SUCCESS)
}

async fn list(store: &Store, args: Args) -> Result<(), Failure> {
    let due_before = match args.due_before {
        None => None,
        Some(When::Instant(at)) => Some(exclusive(at)),
        Some(When::Day(day)) => {
            Some(exclusive(start_of_day(day, region_zone(store, &args.dir, args.regulation.as_deref()).await?)))
        }
    };
    let filter = ObligationFilter {
        group: args.overdue.then_some(ObligationGroup::Overdue),
        states: args.state,
        settled_by: args.settled_by,
        regulation: args.regulation,
        party: args.participant,
        debtor: args.debtor,
        creditor: args.creditor,
        rule: args.rule,
        case_id: args.case,
        due_before,
        ..ObligationFilter::default()
    };
    let after = match args.after {
        Some(id) => Some(DueCursor::after(&found(store, id).await?)),
        None => None,
    };
    let rows = store.list_obligations(&filter, after, args.limit).await?;
    let zones = Zones::read(store).await?;
    if args.json {
        say!("{}", Value::from(rows.iter().map(|row| as_json(row, &zones)).collect::<Vec<_>>()))?;
    } else {
        let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row, &zones)).collect();
        table::print(&HEADS, &cells)?;
    }
    if let Some(last) = rows.last().filter(|_| u32::try_from(rows.len()).is_ok_and(|n| n == args.limit)) {
        // Not on standard output: that is the listing.
        eprintln!("дальше / further: --after {}", last.id);
    }
    Ok(())
}

const HEADS: [&str; 7] = [
    "состояние / state",
    "срок / due",
    "первый срок / original due",
    "кто / debtor",
    "правило / rule",
    "чем закрыто / settled by",
    "id",
];

fn as_json(row: &ObligationRow, zones: &Zones) -> Value {
    json!({
        "id": row.id, "regulation": row.regulation, "rule": row.rule, "subject": row.subject, "period": row.period,
        "debtor": row.debtor, "creditor": row.creditor, "state": row.state, "due": zones.due(row),
        "originalDue": zones.original_due(row), "term": row.term, "caseId": row.case_id,
        "conversationId": row.conversation_id, "startedAt": row.started_at, "settledAt": row.settled_at,
        "settleKind": row.settle_kind,
    })
}

fn cells(row: &ObligationRow, zones: &Zones) -> Vec<String> {
    let what = format!("{} {}", row.rule, row.period);
    vec![
        row.state.ru().to_owned(),
        zones.due(row).unwrap_or_default(),
        zones.original_due(row).unwrap_or_default(),
        row.debtor.to_string(),
        what.trim_end().to_owned(),
        row.settle_kind.map_or_else(String::new, |kind| kind.ru().to_owned()),
        row.id.to_string(),
    ]
}

/// The zone in which a date on the command line is meant: that of the regulations in force (or of the folder's when none is yet), or of
/// the one that is listed.
async fn region_zone(store: &Store, dir: &ConfigDir, regulation: Option<&str>) -> Result<Zone, Failure> {
    let latest = store.revisions().await?;
    let files = match store.revision(RevisionKind::Bundle, latest.bundle).await? {
        Some(revision) => revision.files,
        None => folder::bundle(&dir.config)?,
    };
    let regulations = Regulations::from_files(&files).map_err(|found| findings::refused(&found))?;
    one_zone(regulations.iter().filter(|r| regulation.is_none_or(|id| r.id == id)).map(|r| r.zone))
}

fn one_zone(zones: impl Iterator<Item = Zone>) -> Result<Zone, Failure> {
    let names: BTreeSet<&str> = zones.map(Zone::name).collect();
    let mut found = names.iter().copied();
    match (found.next().and_then(Zone::parse), found.next()) {
        (Some(zone), None) => Ok(zone),
        (Some(_), Some(_)) => {
            let names = names.iter().copied().collect::<Vec<_>>().join(", ");
            Err(Failure::new(format!(
                "--due-before: у регламентов разные пояса ({names}); назовите момент с поясом или регламент (--regulation) / the \
                 regulations have several zones; give an instant with its zone, such as 2026-05-13T00:00:00+05:00, or the \
                 regulation"
            )))
        }
        (None, _) => Err(Failure::new(
            "--due-before: нет ни одного регламента, пояс неизвестен; назовите момент с поясом / there is no regulation and so no \
             zone; give an instant with its zone",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    #[test]
    fn what_ends_with_a_day_lies_before_the_next() {
        let yekaterinburg = zone("Asia/Yekaterinburg");
        let day = |text: &str| match when(text).unwrap() {
            When::Day(day) => exclusive(start_of_day(day, yekaterinburg)),
            When::Instant(at) => exclusive(at),
        };
        // Stored exclusively: until the end of 12 May; and by the clock until 17:40 inclusive.
        let by_day = Timestamp::parse("2026-05-13T00:00:00+05:00").unwrap();
        let by_clock = exclusive(Timestamp::parse("2026-05-12T17:40:00+05:00").unwrap());
        for (point, of_day, of_clock) in [
            ("2026-05-12", false, false),
            ("2026-05-13", true, true),
            ("2026-05-12T17:40:00+05:00", false, false),
            ("2026-05-12T17:40:01+05:00", false, true),
            ("2026-05-12T19:00:00Z", true, true),
        ] {
            assert_eq!((by_day < day(point), by_clock < day(point)), (of_day, of_clock), "{point}");
        }
        for bad in ["2026-05", "2026-Q2", "2026-05-12T17:40:00", "завтра"] {
            assert!(when(bad).unwrap_err().contains("2026-05-13"), "{bad}");
        }
    }

    #[test]
    fn a_date_needs_one_region() {
        let (yekaterinburg, moscow) = (zone("Asia/Yekaterinburg"), zone("Europe/Moscow"));
        assert_eq!(one_zone([yekaterinburg, yekaterinburg].into_iter()).unwrap(), yekaterinburg);
        let several = one_zone([yekaterinburg, moscow].into_iter()).unwrap_err().to_string();
        assert!(several.contains("Asia/Yekaterinburg, Europe/Moscow"), "{several}");
        assert!(one_zone(std::iter::empty()).is_err());
    }
}

//! `mezhved deadline list`: obligations by their due instant.

use std::collections::BTreeSet;
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use super::{ConfigDir, Failure, findings, table};
use crate::app::open_store;
use crate::deadline::{Regulations, Start, show_due, start_of_day};
use crate::domain::{CaseId, ObligationState, ParticipantId, RuleId, Timestamp, Zone};
use crate::settings::{Settings, folder, participants};
use crate::store::{ObligationFilter, ObligationGroup, ObligationRow, RevisionKind, Store};

const HELP: &str = "\
Условия складываются: показано то, что отвечает всем. Обязательства, чей срок ещё не пошёл (pending), стоят последними и под \
--due-before не попадают.

Conditions add up: what meets all of them is shown. Obligations that have not begun to run (pending) come last and never match \
--due-before.

Примеры / examples:
  mezhved deadline list --overdue
  mezhved deadline list --debtor health --state warned
  mezhved deadline list --due-before 2026-05-13    # по 12.05 включительно / up to and with 12 May
  mezhved deadline list --due-before 2026-05-12T12:00:00+05:00
  mezhved deadline list --case 01931f6e-7a00-7000-8000-00000000ca5e --json

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
    /// Только этого должника / only those owed by this participant
    #[arg(long, value_name = "ID")]
    debtor: Option<ParticipantId>,
    /// Только по этому правилу / only of this rule (`mezhved regulation show ID` lists them)
    #[arg(long, value_name = "RULE")]
    rule: Option<RuleId>,
    /// Только этого дела / only of this case
    #[arg(long, value_name = "CASE-ID")]
    case: Option<CaseId>,
    /// Только в этом состоянии / only in this state
    #[arg(long, value_name = "STATE", value_parser = states())]
    state: Option<ObligationState>,
    /// Только те, чей срок кончается раньше: момент RFC 3339 или дата в поясе региона / only those whose last second lies before: an
    /// RFC 3339 instant, or a date in the region's zone
    #[arg(long, value_name = "WHEN", value_parser = before)]
    due_before: Option<Before>,
    /// Не больше / at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Machine-readable
    #[arg(long)]
    json: bool,
}

/// A point in time as a person names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Instant(Timestamp),
    Day(NaiveDate),
}

fn states() -> impl TypedValueParser<Value = ObligationState> {
    let words = ObligationState::ALL.iter().map(|s| PossibleValue::new(s.as_str()).help(s.ru()));
    PossibleValuesParser::new(words).try_map(|word| ObligationState::parse(&word).ok_or("no such state"))
}

fn before(text: &str) -> Result<Before, String> {
    match Start::parse(text) {
        Some(Start::Instant(at)) => Ok(Before::Instant(at)),
        Some(Start::Date(day)) => Ok(Before::Day(day)),
        Some(Start::Month(_) | Start::Quarter(_) | Start::Year(_)) | None => {
            let forms = "2026-05-12T12:00:00+05:00, 2026-05-13";
            Err(format!("нужен момент с поясом или дата / an instant with its zone or a date is needed: {forms}"))
        }
    }
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
        Some(Before::Instant(at)) => Some(exclusive(at)),
        Some(Before::Day(day)) => Some(exclusive(start_of_day(day, region_zone(store, &args.dir).await?))),
    };
    let filter = ObligationFilter {
        group: args.overdue.then_some(ObligationGroup::Overdue),
        state: args.state,
        debtor: args.debtor,
        rule: args.rule,
        case_id: args.case,
        due_before,
        ..ObligationFilter::default()
    };
    let rows = store.list_obligations(&filter, None, args.limit).await?;
    let latest = store.revisions().await?;
    let people = store.revision(RevisionKind::Participants, latest.participants).await?;
    let people = people.and_then(|r| participants::parse(&r.files).ok()).unwrap_or_default();
    let zone_of = |id: &ParticipantId| people.iter().find(|p| p.id == *id).map(|p| p.zone);
    let utc = Zone::parse("UTC").ok_or_else(|| Failure::new("no zone UTC"))?;
    let due = |row: &ObligationRow| {
        let zone = counted_in(row).or_else(|| zone_of(&row.debtor)).unwrap_or(utc);
        row.due_at.map(|due| show_due(due, zone))
    };
    if args.json {
        say!("{}", Value::from(rows.iter().map(|row| as_json(row, due(row))).collect::<Vec<_>>()))?;
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row, due(row))).collect();
    table::print(&["состояние / state", "срок / due", "кто / debtor", "правило / rule", "id"], &cells)?;
    Ok(())
}

/// The zone in which the term was counted, whatever the debtor's is by now.
fn counted_in(row: &ObligationRow) -> Option<Zone> {
    row.explanation.as_ref()?.get("zone")?.as_str().and_then(Zone::parse)
}

fn as_json(row: &ObligationRow, due: Option<String>) -> Value {
    json!({
        "id": row.id, "regulation": row.regulation, "rule": row.rule, "subject": row.subject, "period": row.period,
        "debtor": row.debtor, "creditor": row.creditor, "state": row.state, "due": due, "term": row.term,
        "caseId": row.case_id, "conversationId": row.conversation_id, "startedAt": row.started_at,
        "settledAt": row.settled_at,
    })
}

fn cells(row: &ObligationRow, due: Option<String>) -> Vec<String> {
    let what = format!("{} {}", row.rule, row.period);
    let (state, due) = (row.state.ru().to_owned(), due.unwrap_or_default());
    vec![state, due, row.debtor.to_string(), what.trim_end().to_owned(), row.id.to_string()]
}

/// The zone in which a date on the command line is meant: that of the regulations in force, or of the folder's when none is yet.
async fn region_zone(store: &Store, dir: &ConfigDir) -> Result<Zone, Failure> {
    let latest = store.revisions().await?;
    let files = match store.revision(RevisionKind::Bundle, latest.bundle).await? {
        Some(revision) => revision.files,
        None => folder::bundle(&dir.config)?,
    };
    let regulations = Regulations::from_files(&files).map_err(|found| findings::refused(&found))?;
    one_zone(regulations.iter().map(|r| r.zone))
}

fn one_zone(zones: impl Iterator<Item = Zone>) -> Result<Zone, Failure> {
    let names: BTreeSet<&str> = zones.map(Zone::name).collect();
    let mut found = names.iter().copied();
    match (found.next().and_then(Zone::parse), found.next()) {
        (Some(zone), None) => Ok(zone),
        (Some(_), Some(_)) => {
            let names = names.iter().copied().collect::<Vec<_>>().join(", ");
            Err(Failure::new(format!(
                "--due-before: у регламентов разные пояса ({names}); назовите момент с поясом / the regulations have several zones; \
                 give an instant with its zone, such as 2026-05-13T00:00:00+05:00"
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
        let day = |text: &str| match before(text).unwrap() {
            Before::Day(day) => exclusive(start_of_day(day, yekaterinburg)),
            Before::Instant(at) => exclusive(at),
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
            assert!(before(bad).unwrap_err().contains("2026-05-13"), "{bad}");
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

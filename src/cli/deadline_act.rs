//! `mezhved deadline fulfil | waive | extend | note`: what an operator does to one obligation. One at a time, each with its reason.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::json;

use super::deadline_acts_text;
use super::deadline_explain::{absent, found};
use super::deadline_zone::{Zones, when};
use super::{ConfigDir, Failure};
use crate::app::open_store;
use crate::crypto::sha256;
use crate::deadline::{show_due, start_of_day};
use crate::domain::{ActGround, Digest, Line, ObligationId, OutsideWay, Remark, Timestamp, Zone};
use crate::gateway::Clock;
use crate::gateway::acts::limit::{self, TooFar};
use crate::gateway::acts::{self, When, acted_at, new_due};
use crate::settings::Settings;
use crate::store::{Act, ActDocument, ActRefusal, Acted, NewAct, ObligationRow, Store};

const FULFIL_HELP: &str = "\
В срок ли исполнено, решает --at, а не время ввода. Исполненное вне шлюза считается отдельно. Внесённое не отменяется и позднейшим \
сообщением не меняется.

Whether it was in time is decided by --at, not by when it is entered. What was met outside of the gateway is counted apart. What was \
entered is not taken back, and a later message does not change it.

Примеры / examples:
  mezhved deadline fulfil ID --by paper --at 2026-05-12T16:15:00+05:00 --number 01-17/412
  mezhved deadline fulfil ID --by paper --at 2026-05-12 --number 01-17/412 --scan letter.pdf --whom 'УСЗН, приёмная'
  mezhved deadline fulfil ID --by phone --at 2026-05-12T09:40:00+05:00 --who 'Дежурная часть' --number 88
  mezhved deadline fulfil ID --by other --at 2026-05-12 --note 'Внесено в ГИС «Соцзащита»'";

const WAIVE_HELP: &str = "\
Срок остаётся, каким был, и показывается рядом. / The due stays as it was and is shown beside.

Пример / example:
  mezhved deadline waive ID --ground citizen-refused --document 'Заявление об отказе' --number 17 --date 2026-05-12";

const EXTEND_HELP: &str = "\
Новый срок — позже нынешнего; первый срок сохраняется и показывается рядом. Дата — по конец этого дня в поясе обязательства, момент — \
последняя секунда в срок. Просроченное снова открыто, предупреждения пересчитываются по правилу. За конец дела, которому регламент \
ставит предел ([case.limit]), срок не продлевается: сначала продлевают само дело.

The new due is later than the present one; the first due is kept and shown beside. A date means to the end of that day in the \
obligation's zone, an instant is the last second in time. What was overdue is open again, and its warnings are counted anew by the rule. \
Nothing is extended beyond the end of a case that the regulation limits ([case.limit]): the case itself is extended first.

Пример / example:
  mezhved deadline extend ID --to 2026-05-20 --ground agreed-extension --document Соглашение --number 5 --date 2026-05-12";

/// Что общего у всех.
#[derive(Debug, Clone, clap::Args)]
struct Common {
    /// Номер обязательства из `deadline list` / the obligation's id, as `deadline list` shows it
    #[arg(value_name = "ID")]
    id: ObligationId,
    #[command(flatten)]
    dir: ConfigDir,
    /// Кто вносит, для журнала; без него — пользователь системы / who enters it, for the journal; the user of the system when left out
    #[arg(long, env = "USER", hide_env_values = true, default_value = "operator", value_name = "WHO")]
    author: Line,
    /// Machine-readable
    #[arg(long)]
    json: bool,
}

/// Исполнено вне шлюза: на бумаге, по телефону, в другой системе / met outside of the gateway: on paper, by telephone, in another
/// system
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = FULFIL_HELP)]
pub(crate) struct FulfilArgs {
    #[command(flatten)]
    common: Common,
    /// Как / how
    #[arg(long, value_name = "WAY", value_parser = ways())]
    by: OutsideWay,
    /// Когда исполнено: момент RFC 3339 или дата (её конец) / when it was done: an RFC 3339 instant, or a date (its end)
    #[arg(long, value_name = "WHEN", value_parser = when)]
    at: When,
    /// Номер письма или записи в журнале звонков; для бумаги обязателен / the number of the letter or of the entry in the call log;
    /// needed for paper
    #[arg(long, value_name = "N", required_if_eq("by", "paper"))]
    number: Option<Line>,
    /// Пояснение; обязательно, если `--by other` / a remark; needed with `--by other`
    #[arg(long, value_name = "TEXT", required_if_eq("by", "other"))]
    note: Option<Remark>,
    /// Кто исполнил, если не сам должник / who did it, if not the debtor at large
    #[arg(long, value_name = "WHO")]
    who: Option<Line>,
    /// Кому / towards whom
    #[arg(long, value_name = "WHOM")]
    whom: Option<Line>,
    /// Скан: сохраняется его SHA-256, не сам файл / the scan: its SHA-256 is kept, not the file
    #[arg(long, value_name = "FILE")]
    scan: Option<PathBuf>,
}

/// Документ-основание.
#[derive(Debug, Clone, clap::Args)]
struct DocumentArgs {
    /// Документ / the document
    #[arg(long, value_name = "NAME")]
    document: Line,
    /// Его номер / its number
    #[arg(long, value_name = "N")]
    number: Line,
    /// Его дата / its date
    #[arg(long, value_name = "DATE")]
    date: NaiveDate,
    /// Пояснение / a remark
    #[arg(long, value_name = "TEXT")]
    note: Option<Remark>,
}

/// Решено не требовать исполнения; срок остаётся, каким был / it need not be met any more; the due stays as it was
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = WAIVE_HELP)]
pub(crate) struct WaiveArgs {
    #[command(flatten)]
    common: Common,
    /// Основание / the ground
    #[arg(long, value_name = "GROUND", value_parser = grounds(ActGround::waives))]
    ground: ActGround,
    #[command(flatten)]
    document: DocumentArgs,
}

/// Продлить срок / move the due later
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXTEND_HELP)]
pub(crate) struct ExtendArgs {
    #[command(flatten)]
    common: Common,
    /// До: дата (по её конец) или момент RFC 3339 / to: a date (to its end) or an RFC 3339 instant
    #[arg(long, value_name = "WHEN", value_parser = when)]
    to: When,
    /// Основание / the ground
    #[arg(long, value_name = "GROUND", value_parser = grounds(ActGround::extends))]
    ground: ActGround,
    #[command(flatten)]
    document: DocumentArgs,
}

/// Сделать пометку; ничего не меняется / make a remark; nothing changes
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct NoteArgs {
    #[command(flatten)]
    common: Common,
    /// Текст / the text
    #[arg(long, value_name = "TEXT")]
    text: Remark,
}

fn ways() -> impl TypedValueParser<Value = OutsideWay> {
    let words = OutsideWay::ALL.iter().map(|way| PossibleValue::new(way.as_str()).help(way.ru()));
    PossibleValuesParser::new(words).try_map(|word| OutsideWay::parse(&word).ok_or("no such way"))
}

fn grounds(fits: fn(ActGround) -> bool) -> impl TypedValueParser<Value = ActGround> {
    let fitting = ActGround::ALL.iter().copied().filter(move |ground| fits(*ground));
    let words = fitting.map(|g| PossibleValue::new(g.as_str()).help(format!("{} / {}", g.ru(), g.en())));
    PossibleValuesParser::new(words).try_map(|word| ActGround::parse(&word).ok_or("no such ground"))
}

/// An obligation on which something is about to be done.
struct Subject<'s> {
    store: &'s Store,
    row: ObligationRow,
    zone: Zone,
    /// Business time and machine time: one and the same outside of a demonstration.
    at: Timestamp,
    now: Timestamp,
}

pub(crate) async fn fulfil(args: FulfilArgs) -> Result<ExitCode, Failure> {
    let scan = args.scan.as_deref().map(scan_of).transpose()?;
    done(args.common.clone(), async |subject| {
        let act = Act::Outside {
            way: args.by,
            acted_at: acted_at(args.at, subject.zone, subject.at),
            by: args.who,
            to: args.whom,
            number: args.number,
            scan,
        };
        Ok((act, args.note))
    })
    .await
}

pub(crate) async fn waive(args: WaiveArgs) -> Result<ExitCode, Failure> {
    done(args.common.clone(), async |subject| {
        let (document, note) = subject.document(args.document)?;
        Ok((Act::Waive { ground: args.ground, document }, note))
    })
    .await
}

pub(crate) async fn extend(args: ExtendArgs) -> Result<ExitCode, Failure> {
    done(args.common.clone(), async |subject| {
        let (document, note) = subject.document(args.document)?;
        let due_at = new_due(args.to, subject.zone);
        let present = subject.row.due_at;
        let expected_due = present.ok_or_else(|| subject.refused(ActRefusal::NotBegun))?;
        match limit::check(subject.store, &subject.row, subject.zone, due_at).await? {
            Ok(()) => {}
            Err(TooFar::Beyond(why)) => return Err(Failure::new(format!("{}: --to {why}", subject.row.id))),
            Err(TooFar::Uncounted(why)) => return Err(Failure::new(format!("{}: --to: {why}", subject.row.id))),
        }
        let warns = subject.warns(due_at).await?;
        Ok((Act::Extend { ground: args.ground, document, expected_due, due_at, warns }, note))
    })
    .await
}

pub(crate) async fn note(args: NoteArgs) -> Result<ExitCode, Failure> {
    done(args.common, async |_| Ok((Act::Note, Some(args.text)))).await
}

/// Opens the store, makes the act of what is there, enters it and says what became of it.
async fn done(
    common: Common,
    make: impl AsyncFnOnce(&Subject<'_>) -> Result<(Act, Option<Remark>), Failure>,
) -> Result<ExitCode, Failure> {
    let store = open_store(&Settings::load(&common.dir.config)?).await?;
    let entered = enter(&store, &common, make).await;
    store.close().await;
    entered.map(|()| ExitCode::SUCCESS)
}

async fn enter(
    store: &Store,
    common: &Common,
    make: impl AsyncFnOnce(&Subject<'_>) -> Result<(Act, Option<Remark>), Failure>,
) -> Result<(), Failure> {
    let zones = Zones::read(store).await?;
    let row = found(store, common.id).await?;
    let clock = Clock::default();
    let subject = Subject { store, zone: zones.of(&row), row, at: clock.business_now(), now: clock.now() };
    let (act, note) = make(&subject).await?;
    let new = NewAct {
        obligation_id: common.id,
        act,
        note,
        author: common.author.to_string(),
        message: None,
        at: subject.at,
        now: subject.now,
    };
    let (act, row, already) = match store.act(new).await? {
        Acted::Done(act, row) => (act, row, false),
        Acted::Already(act, row) => (act, row, true),
        Acted::NotFound => return Err(absent(common.id)),
        Acted::Refused(refusal) => return Err(subject.refused(refusal)),
    };
    let zone = Some(subject.zone);
    if common.json {
        let obligation = json!({
            "id": row.id, "state": row.state, "due": zones.due(&row), "originalDue": zones.original_due(&row),
            "settledAt": row.settled_at, "settleKind": row.settle_kind,
        });
        let act = deadline_acts_text::as_json(&act, zone);
        say!("{}", json!({ "already": already, "act": act, "obligation": obligation }))?;
        return Ok(());
    }
    let head = if already {
        "уже внесено раньше / entered before already"
    } else {
        "внесено / entered"
    };
    say!("{} {}: {head}", row.rule, row.id)?;
    for line in deadline_acts_text::lines(&act, zone) {
        say!("{line}")?;
    }
    Ok(())
}

fn scan_of(file: &std::path::Path) -> Result<Digest, Failure> {
    let bytes = std::fs::read(file).map_err(|error| {
        let shown = file.display();
        Failure::of(&format!("--scan: {shown} не читается / cannot be read"), &error)
    })?;
    Ok(sha256(&bytes))
}

impl Subject<'_> {
    fn refused(&self, refusal: ActRefusal) -> Failure {
        let when = match refusal {
            ActRefusal::Ended(_, Some(at)) => format!(" ({})", at.in_zone(self.zone)),
            ActRefusal::BeforeStart(at) => format!("; начало / it began: {}", at.in_zone(self.zone)),
            ActRefusal::NotLater(due) | ActRefusal::DueMoved(Some(due)) => {
                format!("; нынешний срок / the present due: {}", show_due(due, self.zone))
            }
            ActRefusal::Ended(_, None)
            | ActRefusal::NotBegun
            | ActRefusal::Ahead
            | ActRefusal::DueMoved(None)
            | ActRefusal::IdReused => String::new(),
        };
        Failure::new(format!("{}: {refusal}{when}", self.row.id))
    }

    fn document(&self, args: DocumentArgs) -> Result<(ActDocument, Option<Remark>), Failure> {
        if start_of_day(args.date, self.zone) > self.at {
            return Err(Failure::new(format!(
                "--date: дата документа в будущем / the document's date lies ahead of today: {}",
                args.date
            )));
        }
        Ok((ActDocument { name: args.document, number: args.number, date: args.date }, args.note))
    }

    /// The warnings for another due. Where they cannot be counted, the operator is told why.
    async fn warns(&self, due: Timestamp) -> Result<Vec<Timestamp>, Failure> {
        let (warns, why) = acts::warns(self.store, &self.row, self.zone, due).await?;
        if let Some(why) = why {
            eprintln!(
                "предупреждения не пересчитаны, остаются прежние / the warnings are not counted anew, those before stay: {why}"
            );
        }
        Ok(warns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_day_is_done_at_its_end_but_not_after_now() {
        let zone = Zone::parse("Asia/Yekaterinburg").unwrap();
        let now = at("2026-05-12T10:00:00+05:00");
        for (text, done) in [
            ("2026-05-11", "2026-05-11T23:59:59.999999+05:00"),
            ("2026-05-12", "2026-05-12T10:00:00+05:00"),
            ("2026-05-13", "2026-05-13T23:59:59.999999+05:00"),
            ("2026-05-12T09:00:00+05:00", "2026-05-12T09:00:00+05:00"),
            ("2026-05-12T11:00:00+05:00", "2026-05-12T11:00:00+05:00"),
        ] {
            assert_eq!(acted_at(when(text).unwrap(), zone, now), at(done), "{text}");
        }
    }

    #[test]
    fn a_new_due_ends_with_what_is_named() {
        let zone = Zone::parse("Asia/Yekaterinburg").unwrap();
        for text in ["2026-05-20", "2026-05-20T23:59:59+05:00", "2026-05-20T18:59:59Z"] {
            assert_eq!(show_due(new_due(when(text).unwrap(), zone), zone), "2026-05-20T23:59:59+05:00", "{text}");
        }
    }
}

//! `mezhved case`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{ConfigDir, Failure, case_show, runtime, table};
use crate::app::open_store;
use crate::deadline::Regulations;
use crate::deadline::cases::Consent;
use crate::domain::{CaseId, Oktmo, Timestamp};
use crate::settings::Settings;
use crate::settings::folder;
use crate::store::{CaseFilter, CaseRow, MessageFilter, ObligationFilter, RevisionKind, Store};

/// How many messages and obligations of one case are shown.
const SHOWN_MAX: u32 = 1_000;

/// Дела: что известно шлюзу о сопровождении / cases: what the gateway knows of an accompaniment
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Перечислить, новые первыми / list, newest first
    List {
        #[command(flatten)]
        dir: ConfigDir,
        /// Только на этой территории (начало кода ОКТМО) / only in this territory (the beginning of an OKTMO code)
        #[arg(long, value_name = "OKTMO")]
        territory: Option<Oktmo>,
        /// Только этого куратора / only of this curator
        #[arg(long, value_name = "CODE")]
        curator: Option<String>,
        /// Только открытые / only open ones
        #[arg(long)]
        open: bool,
        /// Следующая страница: дела после этого / the next page: cases after this one
        #[arg(long, value_name = "ID")]
        after: Option<CaseId>,
        /// Не больше / at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Показать одно: шаги, срок, мероприятия, сроки, сообщения; без тел и имён / show one: steps, dates, measures, obligations,
    /// messages; no bodies and no names
    Show {
        #[command(flatten)]
        dir: ConfigDir,
        /// Id of the case
        id: CaseId,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async move {
        match args.command {
            Command::List { dir, territory, curator, open, after, limit, json } => {
                let store = open_store(&Settings::load(&dir.config)?).await?;
                let filter = CaseFilter { territory, curator, open, ..CaseFilter::default() };
                let done = list(&store, &filter, after, limit, json).await;
                store.close().await;
                done
            }
            Command::Show { dir, id, json } => {
                let store = open_store(&Settings::load(&dir.config)?).await?;
                let done = show(&store, &dir, id, json).await;
                store.close().await;
                done
            }
        }
    })
}

async fn list(
    store: &Store,
    filter: &CaseFilter,
    after: Option<CaseId>,
    limit: u32,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let rows = store.list_cases(filter, after, limit).await?;
    if as_json {
        say!("{}", Value::from(rows.iter().map(case_json).collect::<Vec<_>>()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let heads = [
        "дело / case",
        "территория / territory",
        "состояние / state",
        "уровень / level",
        "начало / begins",
        "конец / ends",
        "внимание / flags",
    ];
    table::print(&heads, &cells)?;
    Ok(ExitCode::SUCCESS)
}

fn cells(row: &CaseRow) -> Vec<String> {
    let facts = &row.facts;
    let date = |date: Option<chrono::NaiveDate>| date.map(|d| d.to_string()).unwrap_or_default();
    let mut flags: Vec<&str> = facts.flags.iter().map(|f| f.code.as_str()).collect();
    if !facts.unseen.is_empty() {
        flags.push("step-unseen");
    }
    vec![
        row.id.to_string(),
        row.territory.to_string(),
        if facts.is_closed() { "закрыто / closed" } else { "открыто / open" }.to_owned(),
        facts.level.clone().unwrap_or_default(),
        date(facts.begins_on),
        date(facts.ends_on),
        flags.join(" "),
    ]
}

/// Stable keys, as scripts read them.
fn case_json(row: &CaseRow) -> Value {
    let facts = &row.facts;
    json!({
        "id": row.id, "regulation": row.regulation, "territory": row.territory, "kind": row.kind,
        "openedAt": row.opened_at, "closedAt": facts.closed_at.map(Timestamp::from_micros),
        "beginsOn": facts.begins_on, "endsOn": facts.ends_on, "statedEndsOn": facts.stated_ends_on,
        "level": facts.level, "levelSince": facts.level_since, "curator": facts.curator,
        "steps": facts.steps.iter().map(|(id, at)| (id.clone(), json!(Timestamp::from_micros(*at))))
            .collect::<serde_json::Map<_, _>>(),
        "consents": facts.consents.iter().map(consent_json).collect::<Vec<_>>(),
        "unseen": facts.unseen, "flags": facts.flags,
        "measures": facts.programme.iter().flat_map(|p| &p.measures).collect::<Vec<_>>(),
    })
}

fn consent_json(said: &Consent) -> Value {
    json!({
        "state": said.state, "at": Timestamp::from_micros(said.at), "ofAnother": said.of_another, "recipients": said.recipients,
        "dataClasses": said.data_classes, "validUntil": said.valid_until,
    })
}

async fn show(store: &Store, dir: &ConfigDir, id: CaseId, as_json: bool) -> Result<ExitCode, Failure> {
    let Some(row) = store.case(id).await? else {
        return Err(Failure::new(format!("дела {id} шлюз не знает / the gateway knows no case {id}")));
    };
    let filter = ObligationFilter { case_id: Some(id), ..ObligationFilter::default() };
    let obligations = store.list_obligations(&filter, None, SHOWN_MAX).await?;
    let filter = MessageFilter { case_id: Some(id), ..MessageFilter::default() };
    let messages = store.list_messages(&filter, None, SHOWN_MAX).await?;
    if as_json {
        let mut case = case_json(&row);
        if let Some(object) = case.as_object_mut() {
            let ids = obligations.iter().map(
                |o| json!({ "id": o.id, "rule": o.rule, "period": o.period, "state": o.state, "debtor": o.debtor }),
            );
            object.insert("obligations".to_owned(), ids.collect());
            let ids = messages.iter().map(|m| {
                json!({ "messageId": m.message_id, "type": m.message_type.name, "sender": m.sender,
                        "recipient": m.recipient, "acceptedAt": m.accepted_at })
            });
            object.insert("messages".to_owned(), ids.collect());
        }
        say!("{case}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let latest = store.revisions().await?;
    let files = match store.revision(RevisionKind::Bundle, latest.bundle).await? {
        Some(revision) => revision.files,
        None => folder::bundle(&dir.config)?,
    };
    let regulations = Regulations::from_files(&files).map_err(|found| super::findings::refused(&found))?;
    let regulation = regulations.get(&row.regulation);
    say!("{}", case_show::as_text(&row, regulation, &obligations, &messages))?;
    Ok(ExitCode::SUCCESS)
}

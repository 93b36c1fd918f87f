//! `mezhved notify`: what people were told, and whether they can be.

use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use super::{ConfigDir, Failure, runtime, table};
use crate::app::{open_store, voices};
use crate::domain::{MailingId, NotificationState};
use crate::gateway::{Clock, Voices};
use crate::settings::{Settings, SmtpTls};
use crate::store::NotificationRow;

/// Уведомления о сроках: почта и вебхуки / notifications of deadlines: e-mail and webhooks
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Перечислить уведомления, последние первыми / list notifications, latest first
    List {
        #[command(flatten)]
        dir: ConfigDir,
        /// Только в этом состоянии / only in this state
        #[arg(long, value_name = "STATE", value_parser = states())]
        state: Option<NotificationState>,
        /// Не больше / at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Попробовать снова то, что не отправлено, с теми же номерами / try again what was given up, with the same ids
    Retry {
        #[command(flatten)]
        dir: ConfigDir,
        /// Только эти (`mailing` из `notify list --json`); без них всё отложенное / only these; without any, all that was given up
        #[arg(value_name = "MAILING-ID")]
        ids: Vec<MailingId>,
        /// Кто / who, for the journal
        #[arg(long, default_value = "operator")]
        actor: String,
    },
    /// Послать группе настоящее пробное письмо и вызов, называя каждый шаг / send a group a real test mail and call, saying each step.
    /// Exit status 1 when any of them fails
    Test {
        #[command(flatten)]
        dir: ConfigDir,
        /// Группа из [notify.groups] / a group of [notify.groups]
        #[arg(long, value_name = "GROUP")]
        group: String,
    },
}

fn states() -> impl TypedValueParser<Value = NotificationState> {
    let words = NotificationState::ALL.iter().map(|s| PossibleValue::new(s.as_str()).help(s.ru()));
    PossibleValuesParser::new(words).try_map(|word| NotificationState::parse(&word).ok_or("no such state"))
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async move {
        match args.command {
            Command::List { dir, state, limit, json } => list(&dir, state, limit, json).await,
            Command::Retry { dir, ids, actor } => retry(&dir, ids, &actor).await,
            Command::Test { dir, group } => test(&dir, &group).await,
        }
    })
}

async fn list(
    dir: &ConfigDir,
    state: Option<NotificationState>,
    limit: u32,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let store = open_store(&Settings::load(&dir.config)?).await?;
    let found = store.list_notifications(state, limit).await;
    store.close().await;
    let rows = found?;
    if as_json {
        say!("{}", Value::from(rows.iter().map(row_json).collect::<Vec<_>>()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let heads = [
        "состояние / state",
        "ступень / step",
        "как / how",
        "кому / to",
        "не раньше / not before",
        "обязательство / obligation",
        "причина / reason",
    ];
    table::print(&heads, &rows.iter().map(cells).collect::<Vec<_>>())?;
    Ok(ExitCode::SUCCESS)
}

async fn retry(dir: &ConfigDir, ids: Vec<MailingId>, actor: &str) -> Result<ExitCode, Failure> {
    let (named, store) = (ids.len(), open_store(&Settings::load(&dir.config)?).await?);
    let put_back = store.retry_mailings(ids, actor, Clock::default().now()).await;
    store.close().await;
    let count = put_back?;
    if count < named {
        let text = format!(
            "снова в очереди {count} из {named}: остальные не отложены / queued again {count} of {named}: the others are not parked"
        );
        return Err(Failure::new(text));
    }
    say!("снова в очереди / queued again: {count}")?;
    Ok(ExitCode::SUCCESS)
}

fn row_json(row: &NotificationRow) -> Value {
    let n = &row.notification;
    json!({
        "id": n.id, "obligation": n.obligation_id, "state": row.state, "stage": n.stage, "step": n.rung,
        "channel": n.channel, "target": n.target, "group": n.group, "eventAt": n.event_at, "sendAt": n.send_at,
        "mailing": row.mailing, "digest": row.in_digest, "attempts": row.attempts, "reason": row.reason,
        "detail": row.detail, "settledAt": row.settled_at,
    })
}

fn cells(row: &NotificationRow) -> Vec<String> {
    let n = &row.notification;
    let why = [row.reason.as_deref(), row.detail.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let how =
        if row.in_digest { format!("{}, сводка / digest", n.channel.ru()) } else { n.channel.ru().to_owned() };
    let state = row.state.ru().to_owned();
    vec![state, n.rung.clone(), how, n.target.clone(), n.send_at.to_string(), n.obligation_id.to_string(), why]
}

async fn test(dir: &ConfigDir, name: &str) -> Result<ExitCode, Failure> {
    let settings = Settings::load(&dir.config)?;
    let Some(group) = settings.notify.groups.get(name) else {
        let known: Vec<&str> = settings.notify.groups.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "-".to_owned() } else { known.join(", ") };
        return Err(Failure::new(format!(
            "--group {name}: такой группы в [notify.groups] нет; есть: {known} / no such group in [notify.groups]; there are: {known}"
        )));
    };
    if group.mail.is_empty() && group.webhook.is_empty() {
        return Err(Failure::new(format!("--group {name}: в группе нет адресов / the group has no addresses")));
    }
    let voices = voices(&settings)?;
    let mut good = true;
    if !group.mail.is_empty() {
        good &= test_mails(&settings, &voices, &group.mail).await?;
    }
    for url in &group.webhook {
        say!("вебхук / webhook {url}: подписываю и вызываю / signing and calling")?;
        let called = voices.test_call(url, settings.notify.webhook.key().as_deref(), Clock::default().now()).await;
        good &= tell(called, "принято, webhook-id / taken, webhook-id")?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn test_mails(settings: &Settings, voices: &Voices, addresses: &[String]) -> Result<bool, Failure> {
    let smtp = &settings.notify.smtp;
    let protection = match smtp.tls {
        SmtpTls::None => "без TLS / without TLS",
        SmtpTls::Starttls => "STARTTLS",
        SmtpTls::Tls => "TLS",
    };
    let login = if smtp.user.is_empty() { "без входа / no login" } else { "со входом / with login" };
    say!("почта / mail {}:{}, {protection}, {login}: соединяюсь / connecting", smtp.host, smtp.port)?;
    let Some(mailer) = &voices.mail else { return Ok(false) };
    if !tell(mailer.try_connection().await.map(|()| String::new()), "сервер отвечает / the server answers")?
    {
        return Ok(false);
    }
    let mut good = true;
    for address in addresses {
        say!("письмо / mail {address}: посылаю / sending")?;
        let sent = voices.test_mail(settings.gateway.id.as_str(), address, Clock::default().now()).await;
        good &= tell(sent, "сервер принял, Message-ID / the server has taken it, Message-ID")?;
    }
    Ok(good)
}

fn tell(done: Result<String, String>, words: &str) -> Result<bool, Failure> {
    match &done {
        Ok(id) if id.is_empty() => say!("  {words}")?,
        Ok(id) => say!("  {words} {id}")?,
        Err(why) => say!("  не вышло / failed: {why}")?,
    }
    Ok(done.is_ok())
}

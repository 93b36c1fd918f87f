//! `mezhved message`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{ConfigDir, Failure, message_index, runtime, table};
use crate::app::open_store;
use crate::domain::{MessageId, ParticipantId};
use crate::gateway::{Clock, is_signed_on_behalf};
use crate::settings::Settings;
use crate::store::{Channel, DeliveryRow, LateSettlement, ListedAttachment, MessageFilter, MessageRow, Replay, Store};

/// Сообщения и их доставка / messages and their deliveries
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
        /// Только отправленные или полученные этим участником / only those sent by or to this participant
        #[arg(long, value_name = "ID")]
        party: Option<ParticipantId>,
        /// Только этого типа / only of this type
        #[arg(long = "type", value_name = "TYPE")]
        message_type: Option<String>,
        /// Только не вручённые: в очереди, отложенные, с истёкшим сроком / only those not handed over, oldest first
        #[arg(long)]
        undelivered: bool,
        /// Не больше / at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Показать одно: состояние, доставки, попытки; тело не показывается / show one: state, deliveries, attempts; never the body
    Show {
        #[command(flatten)]
        dir: ConfigDir,
        /// MessageId
        id: MessageId,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Отправить ещё раз отложенное, отвергнутое или просроченное / send again what is parked, refused or expired; harmless to
    /// repeat. A running node takes it up within its poll interval
    Replay {
        #[command(flatten)]
        dir: ConfigDir,
        /// MessageId
        #[arg(required = true)]
        ids: Vec<MessageId>,
        /// Перевести и подписать заново (после исправления адаптера) / translate and sign anew, after mending the adapter
        #[arg(long)]
        retranslate: bool,
        /// Кто / who, for the journal
        #[arg(long, default_value = "operator")]
        actor: String,
    },
    /// Составить указатель сообщений, принятых до него (номера документов, люди под ключом) / index the messages that were accepted before
    /// the index was there: numbers of documents, people under a key. A run goes on where the last one ended; nodes may run meanwhile
    Index {
        #[command(flatten)]
        dir: ConfigDir,
        /// Сначала, а не с того места, где остановились / from the first message, not from where the last run ended
        #[arg(long)]
        from_start: bool,
    },
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async move {
        match args.command {
            Command::List { dir, party, message_type, undelivered, limit, json } => {
                let store = open_store(&Settings::load(&dir.config)?).await?;
                let filter = MessageFilter { party, type_name: message_type, ..MessageFilter::default() };
                let done = if undelivered {
                    list_undelivered(&store, limit, json).await
                } else {
                    list(&store, &filter, limit, json).await
                };
                store.close().await;
                done
            }
            Command::Show { dir, id, json } => {
                let store = open_store(&Settings::load(&dir.config)?).await?;
                let done = show(&store, id, json).await;
                store.close().await;
                done
            }
            Command::Replay { dir, ids, retranslate, actor } => {
                let store = open_store(&Settings::load(&dir.config)?).await?;
                let done = replay(&store, &ids, retranslate, &actor).await;
                store.close().await;
                done
            }
            Command::Index { dir, from_start } => {
                let store = open_store(&Settings::load(&dir.config)?).await?;
                let done = message_index::run(&store, from_start).await;
                store.close().await;
                done
            }
        }
    })
}

pub(super) fn message_json(row: &MessageRow) -> Value {
    json!({
        "messageId": row.message_id, "recordId": row.record_id, "type": row.message_type.name,
        "version": row.message_type.version, "sender": row.sender, "recipient": row.recipient,
        "conversationId": row.conversation_id, "caseId": row.case_id, "inReplyTo": row.in_reply_to,
        "acceptedAt": row.accepted_at, "digest": row.digest, "certificate": row.certificate, "revisions": row.revisions,
        "channel": row.channel.as_str(), "signedOnBehalf": row.channel == Channel::Plain,
        "traceId": row.trace.as_ref().map(|trace| format!("{:032x}", trace.trace())),
    })
}

pub(super) fn delivery_json(row: &DeliveryRow) -> Value {
    json!({
        "deliveryId": row.id, "recipient": row.recipient, "state": row.state, "reason": row.reason,
        "faultCode": row.fault_code, "detail": row.detail, "attempts": row.attempts, "nextAt": row.next_at,
        "sentAt": row.sent_at, "settledAt": row.settled_at, "onConsent": row.on_consent, "stoppedBy": row.stopped_by,
    })
}

fn attachment_json(row: &ListedAttachment) -> Value {
    json!({ "digest": row.digest, "sizeBytes": row.size_bytes, "state": row.state.as_str() })
}

/// What a message settles whose files came after it: as of which instant, or until when they may come.
fn late_json(late: &LateSettlement) -> Value {
    json!({
        "rule": late.rule, "subject": late.subject, "period": late.period, "acceptedAs": late.claimed_at,
        "graceUntil": late.grace_until, "wholeAt": late.whole_at, "countsAt": late.counts_at,
    })
}

async fn list(store: &Store, filter: &MessageFilter, limit: u32, as_json: bool) -> Result<ExitCode, Failure> {
    let rows = store.list_messages(filter, None, limit).await?;
    if as_json {
        say!("{}", Value::from(rows.iter().map(message_json).collect::<Vec<_>>()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|r| {
            let route = format!("{} → {}", r.sender, r.recipient);
            vec![r.message_id.to_string(), r.message_type.to_string(), route, r.accepted_at.to_string()]
        })
        .collect();
    table::print(&["id", "тип / type", "путь / route", "принято / accepted"], &cells)?;
    Ok(ExitCode::SUCCESS)
}

async fn list_undelivered(store: &Store, limit: u32, as_json: bool) -> Result<ExitCode, Failure> {
    let rows = store.not_handed_over(None, limit).await?;
    if as_json {
        let rows =
            rows.iter().map(|r| json!({ "message": message_json(&r.message), "delivery": delivery_json(&r.delivery) }));
        say!("{}", Value::from(rows.collect::<Vec<_>>()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|r| {
            let reason = r.delivery.reason.map_or(String::new(), |p| format!("{p} ({})", p.ru()));
            let to = r.delivery.recipient.to_string();
            vec![
                r.message.message_id.to_string(),
                to,
                r.delivery.state.ru().to_owned(),
                r.delivery.attempts.to_string(),
                reason,
            ]
        })
        .collect();
    table::print(&["id", "кому / to", "состояние / state", "попыток / attempts", "причина / reason"], &cells)?;
    Ok(ExitCode::SUCCESS)
}

async fn with_id(store: &Store, id: MessageId) -> Result<Vec<MessageRow>, Failure> {
    let filter = MessageFilter { message_id: Some(id), ..MessageFilter::default() };
    let rows = store.list_messages(&filter, None, 100).await?;
    if rows.is_empty() {
        return Err(Failure::new(format!("сообщения {id} нет / no message {id}; `mezhved message list` lists them")));
    }
    Ok(rows)
}

async fn show(store: &Store, id: MessageId, as_json: bool) -> Result<ExitCode, Failure> {
    let mut shown = Vec::new();
    for row in with_id(store, id).await? {
        let mut deliveries = Vec::new();
        for delivery in store.deliveries_of(row.record_id).await? {
            let attempts = store.attempts(delivery.id).await?;
            let attempts: Vec<Value> = attempts
                .iter()
                .map(
                    |a| json!({ "at": a.at, "state": a.state, "reason": a.reason, "detail": a.detail, "node": a.node }),
                )
                .collect();
            let mut one = delivery_json(&delivery);
            if let Value::Object(map) = &mut one {
                map.insert("tries".to_owned(), Value::from(attempts));
                let answer = store.partner_answer(delivery.id).await?;
                let behalf = answer.is_some_and(|bytes| is_signed_on_behalf(&bytes));
                map.insert("answerOnBehalf".to_owned(), Value::from(behalf));
            }
            deliveries.push(one);
        }
        let mut one = message_json(&row);
        if let Value::Object(map) = &mut one {
            let listed = store.listed_attachments(row.record_id).await?;
            if !listed.is_empty() {
                map.insert("attachments".to_owned(), listed.iter().map(attachment_json).collect());
            }
            let late = store.late_settlements_of(row.record_id).await?;
            if !late.is_empty() {
                map.insert("settles".to_owned(), late.iter().map(late_json).collect());
            }
            map.insert("deliveries".to_owned(), Value::from(deliveries));
        }
        shown.push(one);
    }
    let shown = Value::from(shown);
    say!("{}", if as_json { shown.to_string() } else { serde_json::to_string_pretty(&shown)? })?;
    Ok(ExitCode::SUCCESS)
}

async fn replay(store: &Store, ids: &[MessageId], retranslate: bool, actor: &str) -> Result<ExitCode, Failure> {
    let mut delivery_ids = Vec::new();
    for id in ids {
        for row in with_id(store, *id).await? {
            delivery_ids.extend(store.deliveries_of(row.record_id).await?.iter().map(|d| d.id));
        }
    }
    let now = Clock::default().now();
    let back = store.replay(Replay { delivery_ids, now, actor: actor.to_owned(), why: None, retranslate }).await?;
    say!("снова в очереди / queued again: {}", back.len())?;
    Ok(ExitCode::SUCCESS)
}

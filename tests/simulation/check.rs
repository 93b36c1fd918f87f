//! What must hold when a world has come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mezhved::crypto::sha256;
use mezhved::domain::{MessageId, Timestamp};
use mezhved::envelope::technical::{Notice, NoticeState};
use sqlx::{Connection as _, Row as _};

use crate::ground::{GATEWAY, ORDERED, participant};
use crate::net::{Net, Outside};

/// The first column of a query, as text.
pub(crate) async fn column(file: &Path, sql: &'static str) -> Vec<String> {
    rows(file, sql).await.into_iter().map(|mut row| row.swap_remove(0)).collect()
}

/// The rows of a query whose columns are all text.
pub(crate) async fn rows(file: &Path, sql: &'static str) -> Vec<Vec<String>> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut conn = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let found = sqlx::query(sql).fetch_all(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let text = |row: &sqlx::sqlite::SqliteRow, n: usize| row.get::<Option<String>, _>(n).unwrap_or_default();
    found.iter().map(|row| (0..row.len()).map(|n| text(row, n)).collect()).collect()
}

/// Changes what stands in a world's database.
pub(crate) async fn change(file: &Path, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut conn = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

const MESSAGES: &str = "SELECT m.record_id, m.sender, m.message_id, m.recipient, m.type_name, m.conversation_id, \
    COALESCE(m.in_reply_to, ''), lower(hex(m.digest)), lower(hex(c.receipt)), COALESCE(d.state, ''), \
    CAST((SELECT COUNT(*) FROM deliveries e WHERE e.record_id = m.record_id) AS TEXT), \
    CAST((SELECT COUNT(*) FROM journal j WHERE j.record_id = m.record_id AND j.kind = 'message-accepted') AS TEXT), \
    CAST(EXISTS (SELECT 1 FROM partner_answers p WHERE p.delivery_id = d.id) AS TEXT), COALESCE(d.id, ''), \
    CAST(COALESCE(d.sent_at, '') AS TEXT), COALESCE(m.case_id, '') \
    FROM messages m JOIN contents c ON c.record_id = m.record_id LEFT JOIN deliveries d ON d.record_id = m.record_id ORDER BY m.record_id";

const OBLIGATIONS: &str = "SELECT COALESCE(record_id, ''), rule, state, COALESCE(settled_record, ''), CAST(COALESCE(due_at, '') AS TEXT), \
    CAST(COALESCE(settled_at, '') AS TEXT), id, COALESCE(subject, '') FROM obligations ORDER BY record_id, rule, subject, period";

const TWICE: &str = "SELECT kind || ' ' || COALESCE(delivery_id, obligation_id, record_id) FROM journal \
    WHERE kind IN ('message-accepted', 'delivery-delivered', 'delivery-refused', 'obligation-opened', 'obligation-overdue') \
    GROUP BY kind, COALESCE(delivery_id, obligation_id, record_id) HAVING COUNT(*) > 1 ORDER BY 1";

/// What each message opens under the regulation of Yugra: rules, one line for each obligation.
const OPENS: [(&str, &str, &[&str]); 3] = [
    ("document-request", "", &["document-answer"]),
    ("application", "uszn", &["decision", "decision-notice", "programme", "referral"]),
    ("application", "provider", &["assessment"]),
];
/// What the calendar opens.
const PERIODIC: &str = "yearly-summary";

struct Recorded {
    record: String,
    sender: String,
    id: String,
    recipient: String,
    kind: String,
    conversation: String,
    in_reply_to: String,
    digest: String,
    receipt: String,
    state: String,
    deliveries: String,
    accepted: String,
    answered: bool,
    sent: bool,
    case: String,
}

/// Everything that does not hold.
pub(crate) async fn check(file: &Path, net: &Net, now: Timestamp) -> Vec<String> {
    let mut broken = column(file, "SELECT what FROM broken ORDER BY 1").await;
    broken.extend(column(file, TWICE).await.into_iter().map(|what| format!("told twice: {what}")));
    let recorded: Vec<Recorded> = rows(file, MESSAGES).await.into_iter().map(recorded).collect();
    let obligations = rows(file, OBLIGATIONS).await;
    let outside = net.outside();
    acknowledged(&outside, &recorded, &mut broken);
    delivered(&outside, &recorded, &mut broken);
    notices(&outside, &recorded, &mut broken);
    order(&outside, &recorded, &mut broken);
    owed(&recorded, &obligations, now, &mut broken);
    broken
}

fn recorded(row: Vec<String>) -> Recorded {
    let [
        record,
        sender,
        id,
        recipient,
        kind,
        conversation,
        in_reply_to,
        digest,
        receipt,
        state,
        deliveries,
        accepted,
        answered,
        _,
        sent,
        case,
    ] = <[String; 16]>::try_from(row).unwrap();
    let (answered, sent) = (answered == "1", !sent.is_empty());
    Recorded {
        record,
        sender,
        id,
        recipient,
        kind,
        conversation,
        in_reply_to,
        digest,
        receipt,
        state,
        deliveries,
        accepted,
        answered,
        sent,
        case,
    }
}

/// What was acknowledged is there, with the receipt and the bytes that the sender has.
fn acknowledged(outside: &Outside, recorded: &[Recorded], broken: &mut Vec<String>) {
    let by_key: BTreeMap<(&str, &str), &Recorded> =
        recorded.iter().map(|r| ((r.sender.as_str(), r.id.as_str()), r)).collect();
    for item in outside.items.iter() {
        let Some(written) = &item.written else {
            if item.letter.as_ref().is_some_and(|l| l.after.is_none()) {
                broken.push(format!("a letter of {} was never sent", item.from));
            }
            continue;
        };
        let Some(receipt) = &item.acknowledged else {
            if item.given_up {
                continue;
            }
            broken.push(format!("{} of {} was never acknowledged", written.id, item.from));
            continue;
        };
        if item.letter.is_none() {
            continue;
        }
        match by_key.get(&(item.from, written.id.to_string().as_str())) {
            None => broken.push(format!("lost: {} of {} was acknowledged and is not recorded", written.id, item.from)),
            Some(row) if row.receipt != hex(receipt) => {
                broken.push(format!("the receipt that {} has for {} is not the stored one", item.from, written.id));
            }
            Some(row) if row.digest != written.digest.to_string() => {
                broken.push(format!("{} was recorded with another digest than it was signed with", written.id));
            }
            Some(_) => {}
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// What was recorded was delivered, and only that; the bytes are those that the sender signed.
fn delivered(outside: &Outside, recorded: &[Recorded], broken: &mut Vec<String>) {
    let signed: BTreeMap<String, _> = outside
        .items
        .iter()
        .filter_map(|item| item.written.as_ref())
        .map(|w| (w.id.to_string(), sha256(&w.bytes)))
        .collect();
    let mut known = BTreeSet::new();
    for row in recorded {
        let id = MessageId::parse(&row.id).unwrap();
        known.insert((row.sender.clone(), id));
        if row.accepted != "1" && row.sender != GATEWAY {
            broken.push(format!("{} was accepted {} times by the journal", row.id, row.accepted));
        }
        let wanted = if row.sender == row.recipient { "0" } else { "1" };
        if row.deliveries != wanted {
            broken.push(format!("{} has {} deliveries", row.id, row.deliveries));
            continue;
        }
        if wanted == "0" {
            continue;
        }
        let got = outside.parties[row.recipient.as_str()].got.get(&(participant(&row.sender), id));
        let is_answer = got.is_some_and(|got| !got.opened.wants_receipt());
        match (row.state.as_str(), got) {
            ("delivered", Some(_)) if row.answered => {}
            // Nobody waits for the receipt of a notice.
            ("sent", Some(_)) if is_answer => {}
            ("expired", None) => {}
            // A copy that came late, after the network had said that nothing had gone out.
            ("expired", Some(_)) => {}
            (state, got) => {
                let came = if got.is_some() { "came" } else { "did not come" };
                broken.push(format!("{} {} to {} is {state}, and it {came}", row.kind, row.id, row.recipient));
            }
        }
        let via = got.and_then(|got| got.opened.header.via.as_ref());
        if let (Some(via), Some(signed)) = (via, signed.get(&row.id))
            && via.digest != *signed
        {
            broken.push(format!("{} names other bytes than its sender signed", row.id));
        }
    }
    for (name, party) in &outside.parties {
        for (sender, id) in party.got.keys() {
            if !known.contains(&(sender.to_string(), *id)) {
                broken.push(format!("{name} got {id} of {sender}, which is not recorded"));
            }
        }
    }
}

/// A sender that wants it is told once that its message was delivered.
fn notices(outside: &Outside, recorded: &[Recorded], broken: &mut Vec<String>) {
    let mut told: BTreeMap<(String, String), usize> = BTreeMap::new();
    for got in outside.parties.values().flat_map(|party| party.got.values()) {
        if got.opened.kind() != "notice" {
            continue;
        }
        let notice: Notice = got.opened.technical().unwrap();
        if notice.state == NoticeState::Delivered {
            *told.entry((got.opened.header.recipient.to_string(), notice.message_id.to_string())).or_default() += 1;
        }
    }
    for row in recorded.iter().filter(|row| row.sender != GATEWAY && row.state == "delivered") {
        let count = told.get(&(row.sender.clone(), row.id.clone())).copied().unwrap_or(0);
        let wanted = usize::from(!["police", "provider"].contains(&row.sender.as_str()));
        if count != wanted {
            broken.push(format!("{} was told {count} times that {} was delivered", row.sender, row.id));
        }
    }
}

/// Where it is asked for, a conversation comes in the order in which it was sent. What may expire is left out: it holds nobody up then, and a
/// copy of it that a node had in its hands when it stood still may come behind the others, and be answered.
fn order(outside: &Outside, recorded: &[Recorded], broken: &mut Vec<String>) {
    let place: BTreeMap<String, usize> = outside
        .items
        .iter()
        .enumerate()
        .filter_map(|(n, item)| item.written.as_ref().map(|w| (w.id.to_string(), n)))
        .collect();
    for name in ORDERED {
        let mut sent: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
        let lasts = |row: &Recorded| {
            let letter = outside.items[place[&row.id]].letter.as_ref();
            letter.is_none_or(|letter| letter.expires_seconds.is_none())
        };
        let counts = |r: &&Recorded| r.recipient == name && r.sender != GATEWAY && lasts(r);
        for row in recorded.iter().filter(counts) {
            sent.entry(&row.conversation).or_default().push((place[&row.id], &row.id));
        }
        for (conversation, mut letters) in sent {
            letters.sort_unstable();
            let came: Vec<String> = outside.parties[name].order.iter().map(|(_, id)| id.to_string()).collect();
            let places: Vec<usize> = letters.iter().filter_map(|(_, id)| came.iter().position(|c| c == id)).collect();
            if !places.is_sorted() {
                broken.push(format!("conversation {conversation} came to {name} out of its order"));
            }
        }
    }
}

/// No obligation is lost, doubled, left waiting or in a state that contradicts what happened.
fn owed(recorded: &[Recorded], obligations: &[Vec<String>], now: Timestamp, broken: &mut Vec<String>) {
    // By what they are about: of two messages on one case whichever comes first opens what both would.
    let mut subjects: BTreeMap<(&str, &str), (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for row in recorded.iter().filter(|row| row.sender != GATEWAY) {
        let kind = if row.case.is_empty() { row.id.as_str() } else { row.case.as_str() };
        let (opened, wanted) = subjects.entry((&row.kind, kind)).or_default();
        opened.extend(obligations.iter().filter(|o| o[0] == row.record).map(|o| o[1].as_str()));
        let opens = OPENS.iter().find(|(kind, to, _)| *kind == row.kind && (to.is_empty() || *to == row.recipient));
        wanted.extend(opens.map_or(&[][..], |(.., rules)| rules));
    }
    for ((kind, about), (mut opened, mut wanted)) in subjects {
        opened.sort_unstable();
        wanted.sort_unstable();
        if opened != wanted {
            broken.push(format!("{kind} about {about} opened {opened:?}, not {wanted:?}"));
        }
    }
    for one in obligations {
        let [record, rule, state, settled_by, due, settled, id, _] = one.as_slice() else { unreachable!() };
        let row = recorded.iter().find(|row| row.record == *record);
        if row.is_none() && rule != PERIODIC {
            broken.push(format!("obligation {id} by {rule} was opened by nothing"));
        }
        let sent = row.is_some_and(|row| row.sent);
        let instant = |text: &str| text.parse::<i64>().ok();
        let in_time = instant(settled).map(|at| instant(due).is_none_or(|due| at < due));
        let is_true = match state.as_str() {
            "met" => in_time == Some(true),
            "met-late" => in_time == Some(false),
            "overdue" => in_time.is_none() && instant(due).is_some_and(|due| due <= now.micros()),
            "open" | "warned" => in_time.is_none() && instant(due).is_none_or(|due| due > now.micros()),
            "pending" => in_time.is_none() && !sent,
            "cancelled" => in_time.is_some(),
            _ => false,
        };
        if !is_true {
            broken.push(format!("obligation {id} by {rule} is {state}: due {due}, settled {settled}, sent {sent}"));
        }
        let Some(row) = row.filter(|_| rule == "document-answer") else { continue };
        let answers: Vec<&Recorded> =
            recorded.iter().filter(|r| r.kind == "document-response" && r.in_reply_to == row.id).collect();
        let withdrawn = recorded.iter().any(|r| r.kind == "request-withdrawal" && r.conversation == row.conversation);
        let fits = match (answers.is_empty(), withdrawn) {
            (true, false) => settled_by.is_empty() && state != "met" && state != "met-late" && state != "cancelled",
            (true, true) => state == "cancelled",
            (false, false) => state.starts_with("met") && answers.iter().any(|a| a.record == *settled_by),
            (false, true) => state.starts_with("met") || state == "cancelled",
        };
        if !fits {
            broken.push(format!("obligation {id} is {state}, answered {}, withdrawn {withdrawn}", !answers.is_empty()));
        }
    }
}

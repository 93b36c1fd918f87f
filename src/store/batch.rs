//! One batch inside its transaction: jobs of one kind together, in an order in which each sees what it must.

use std::collections::{HashMap, HashSet};

use sqlx::AnyConnection;

use crate::domain::{DeliveryId, DeliveryState, ObligationState, ParticipantId, RecordId};

use super::case_work::By;
use super::delivery_rows::{self as deliveries, StoreOutgoing};
use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns as _, Tx, Val, text};
use super::writer::{Answer, Job, Work};
use super::{
    Accept, Accepted, Answered, AnsweredResult, CaseChange, CaseWork, JournalEntry, Mark, Outcome, Settle, StoreError,
    case_work, cases, consent, late, messages, obligations,
};

/// The answer while it is not yet known.
fn nothing() -> Answer {
    Answer::Flag(false)
}

/// Runs all jobs; the answers are in their order. Nothing is committed here.
pub(super) async fn run<'j>(tx: &mut Tx<'_>, rows: &mut Rows<'j>, jobs: &'j [Job]) -> Result<Vec<Answer>, Failure> {
    let mut answers: Vec<Answer> = jobs.iter().map(|_| nothing()).collect();
    let mut kinds = Kinds::default();
    for (at, job) in jobs.iter().enumerate() {
        match &job.work {
            Work::Settle(settle) => kinds.settles.push((at, settle)),
            Work::Answered(answered) => kinds.answered.push((at, answered)),
            Work::Outgoing(outgoing) => kinds.outgoing.push((at, outgoing)),
            Work::Accept(accept) => kinds.accepts.push((at, accept)),
            Work::Mark(marks) => kinds.marks.push((at, marks)),
            Work::Open(new, now) => {
                rows.at(*now);
                new.iter().for_each(|n| rows.obligation(n));
            }
            Work::Task(_) => {}
        }
    }
    let mut put = |at: usize, answer: Answer| {
        if let Some(place) = answers.get_mut(at) {
            *place = answer;
        }
    };
    settle(tx, rows, &kinds.settles, &mut put).await?;
    answer(tx, rows, &kinds.answered, &mut put).await?;
    outgoing(tx, rows, &kinds.outgoing, &mut put).await?;
    let case_works = accept(tx, rows, &kinds.accepts, &mut put).await?;
    for (at, job) in jobs.iter().enumerate() {
        if let Work::Task(task) = &job.work {
            put(at, Answer::Other(task.run_boxed(tx, rows).await?));
            rows.flush_attempts(tx).await?;
        }
    }
    let opened: HashSet<_> = rows.flush(tx).await?.into_iter().collect();
    for (work, by) in case_works {
        case_work::run(tx, rows, work, by).await?;
    }
    // What was made void is told in the journal too.
    rows.flush(tx).await?;
    for (at, job) in jobs.iter().enumerate() {
        if let Work::Open(new, _) = &job.work {
            put(at, Answer::Obligations(new.iter().map(|n| n.id).filter(|id| opened.contains(id)).collect()));
        }
    }
    if !kinds.marks.is_empty() {
        mark(tx, rows, &kinds.marks, &mut put).await?;
        rows.flush(tx).await?;
    }
    Ok(answers)
}

#[derive(Default)]
struct Kinds<'j> {
    settles: Vec<(usize, &'j Settle)>,
    answered: Vec<(usize, &'j Answered)>,
    outgoing: Vec<(usize, &'j StoreOutgoing)>,
    accepts: Vec<(usize, &'j Accept)>,
    marks: Vec<(usize, &'j Vec<Mark>)>,
}

/// Ends attempts, where the lease is still the caller's.
async fn settle<'j>(
    tx: &mut Tx<'_>,
    rows: &mut Rows<'j>,
    settles: &[(usize, &'j Settle)],
    put: &mut impl FnMut(usize, Answer),
) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    let values: Vec<_> =
        settles.iter().filter(|(_, s)| seen.insert(s.delivery_id)).map(|(_, s)| deliveries::settle_values(s)).collect();
    let mut settled: HashMap<DeliveryId, Option<String>> = HashMap::new();
    for row in tx.many(&deliveries::SETTLE, &values).await? {
        // The next of its conversation may go now.
        rows.touched.deliveries |= row.flag("in_order")? || row.opt_text("stopped_by")?.is_some();
        settled.insert(delivery_id(&row)?, row.opt_text("lease_owner")?);
    }
    for (at, settle) in settles {
        // Of two for one delivery in a batch the first is it.
        let Some(node) = settled.remove(&settle.delivery_id) else { continue };
        rows.at(settle.now);
        rows.attempt(deliveries::attempt_values(settle, node.as_deref()));
        if let Some(bytes) = deliveries::answer_bytes(&settle.outcome) {
            rows.answer(settle.delivery_id, bytes);
        }
        settle.started.iter().for_each(|s| rows.start(s));
        settle.made.iter().for_each(|m| rows.made(m));
        rows.entry(&deliveries::settle_entry(settle, node), settle.now);
        settle.journal.iter().for_each(|e| rows.entry(e, settle.now));
        if settle.outcome == Outcome::Stopped {
            consent::settled(tx, rows, settle.delivery_id, settle.now).await?;
        }
        put(*at, Answer::Flag(true));
    }
    rows.flush_attempts(tx).await
}

/// Settles by the partner's own word, whatever lease there is.
async fn answer<'j>(
    tx: &mut Tx<'_>,
    rows: &mut Rows<'j>,
    answered: &[(usize, &'j Answered)],
    put: &mut impl FnMut(usize, Answer),
) -> Result<(), Failure> {
    if answered.is_empty() {
        return Ok(());
    }
    let mut seen = HashSet::new();
    let values: Vec<_> = answered
        .iter()
        .filter(|(_, a)| seen.insert(a.delivery_id))
        .map(|(_, a)| deliveries::answered_values(a))
        .collect();
    let mut settled = HashSet::new();
    for row in tx.many(&deliveries::ANSWERED, &values).await? {
        rows.touched.deliveries |= row.flag("in_order")?;
        settled.insert(delivery_id(&row)?);
    }
    let mut lost = Vec::new();
    for (at, answered) in answered {
        if !settled.remove(&answered.delivery_id) {
            lost.push((*at, *answered));
            continue;
        }
        rows.answer(answered.delivery_id, &answered.bytes);
        answered.started.iter().for_each(|s| rows.start(s));
        answered.made.iter().for_each(|m| rows.made(m));
        rows.entry(&deliveries::answered_entry(answered), answered.at);
        answered.journal.iter().for_each(|e| rows.entry(e, answered.at));
        put(*at, Answer::Answered(AnsweredResult::Settled));
    }
    let ids: Vec<_> = lost.iter().map(|(_, a)| vec![text(a.delivery_id)]).collect();
    let mut states = HashMap::new();
    for row in tx.many(&deliveries::STATES, &ids).await? {
        let recipient = row.parsed("recipient", |t| ParticipantId::parse(t).ok())?;
        states.insert((delivery_id(&row)?, recipient), row.parsed("state", DeliveryState::parse)?);
    }
    for (at, answered) in lost {
        let state = states.get(&(answered.delivery_id, answered.participant.clone()));
        put(at, Answer::Answered(state.map_or(AnsweredResult::NotFound, |s| AnsweredResult::Already(*s))));
    }
    Ok(())
}

/// Stores what goes out, where the lease is still the caller's (the update takes the row, so that no other node claims it meanwhile).
async fn outgoing<'j>(
    tx: &mut Tx<'_>,
    rows: &mut Rows<'j>,
    outgoing: &[(usize, &'j StoreOutgoing)],
    put: &mut impl FnMut(usize, Answer),
) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    let values: Vec<_> = outgoing
        .iter()
        .filter(|(_, o)| seen.insert(o.delivery_id))
        .map(|(_, o)| {
            vec![text(o.delivery_id), o.epoch.into(), o.outgoing.digest.into(), o.outgoing.certificate.into()]
        })
        .collect();
    let mut ours = HashSet::new();
    for row in tx.many(&deliveries::OUTGOING_FENCE, &values).await? {
        ours.insert(delivery_id(&row)?);
    }
    let mut stored = Vec::new();
    for (at, o) in outgoing {
        if ours.remove(&o.delivery_id) {
            stored.push(deliveries::outgoing_values(o.delivery_id, &o.outgoing));
            o.journal.iter().for_each(|e| e.at.into_iter().for_each(|at| rows.entry(e, at)));
            put(*at, Answer::Flag(true));
        }
    }
    tx.many(&deliveries::INSERT_OUTGOING, &stored).await?;
    Ok(())
}

/// Ids first; what belongs to a message only for winners.
async fn accept<'j>(
    tx: &mut Tx<'_>,
    rows: &mut Rows<'j>,
    accepts: &[(usize, &'j Accept)],
    put: &mut impl FnMut(usize, Answer),
) -> Result<Vec<(&'j CaseWork, By)>, Failure> {
    let mut case_works = Vec::new();
    // In one order on all nodes, so that two of them do not wait for each other crosswise.
    let mut in_order: Vec<_> = accepts.iter().map(|(_, a)| &a.message).collect();
    in_order.sort_by(|a, b| (&a.header.sender, a.header.message_id).cmp(&(&b.header.sender, b.header.message_id)));
    let values: Vec<_> = in_order.into_iter().map(messages::values).collect();
    let mut won = HashSet::new();
    for row in tx.many(&messages::INSERT, &values).await? {
        won.insert(row.parsed("record_id", |t| RecordId::parse(t).ok())?);
    }
    for (at, accept) in accepts {
        let message = &accept.message;
        if !won.remove(&message.record_id) {
            // Filled in after the commit, from the stored row.
            let record_id = message.record_id;
            put(*at, Answer::Accepted(Accepted::Duplicate { record_id, digest: message.digest, receipt: None }));
            continue;
        }
        if let Some(change) = &accept.case
            && !change_case(tx, change).await?
        {
            tx.one("DELETE FROM messages WHERE record_id = $1", vec![text(message.record_id)]).await?;
            put(*at, Answer::Accepted(Accepted::CaseChanged));
            continue;
        }
        rows.children(message);
        rows.entry(&messages::entry(message, "message-accepted"), message.accepted_at);
        accept.made.iter().for_each(|m| rows.made(m));
        accept.obligations.iter().for_each(|o| rows.obligation(o));
        accept.settlements.iter().for_each(|s| rows.settlement(s));
        accept.journal.iter().for_each(|e| rows.entry(e, message.accepted_at));
        let by = By { record_id: Some(message.record_id), at: message.business_at, now: message.accepted_at };
        case_works.push((&accept.case_work, by));
        put(*at, Answer::Accepted(Accepted::Recorded));
    }
    Ok(case_works)
}

async fn change_case(tx: &mut Tx<'_>, change: &CaseChange) -> Result<bool, Failure> {
    let found = match change {
        CaseChange::Open(row) => tx.one(cases::INSERT, cases::values(row)).await?,
        CaseChange::Update(row) => tx.one(cases::UPDATE, cases::values(row)).await?,
        CaseChange::Holds(id, version) => tx.one(cases::holding(tx.engine), vec![text(id), (*version).into()]).await?,
    };
    Ok(!found.is_empty())
}

/// Looks for settlements once more (another node may have missed the obligation), puts off what may still be met in time, then marks.
async fn mark<'j>(
    tx: &mut Tx<'_>,
    rows: &mut Rows<'j>,
    marks: &[(usize, &'j Vec<Mark>)],
    put: &mut impl FnMut(usize, Answer),
) -> Result<(), Failure> {
    let ids: Vec<_> = marks.iter().flat_map(|(_, m)| m.iter()).map(|m| vec![text(m.id)]).collect();
    let mut keys = Vec::new();
    for row in tx.many(&obligations::KEYS, &ids).await? {
        keys.push(row.text("obligation_key")?);
    }
    marks.iter().flat_map(|(_, m)| m.iter()).for_each(|m| rows.at(m.now));
    rows.meet(tx, keys).await?;
    let mut seen = HashSet::new();
    let values: Vec<_> = marks
        .iter()
        .flat_map(|(_, m)| m.iter())
        .filter(|m| seen.insert(m.id))
        .map(mark_values)
        .collect::<Result<_, _>>()?;
    let deferred = |m: &&Mark| m.state == ObligationState::Overdue && !m.stays;
    let overdue: Vec<_> = marks
        .iter()
        .flat_map(|(_, m)| m.iter())
        .filter(deferred)
        .map(|m| vec![text(m.id), m.expected_next_at.into(), m.at.into()])
        .collect();
    late::defer(tx, rows, &overdue).await?;
    let mut marked = HashSet::new();
    for row in tx.many(&obligations::MARK, &values).await? {
        marked.insert(row.parsed("id", |t| crate::domain::ObligationId::parse(t).ok())?);
    }
    for (at, marks) in marks {
        let mut ours = Vec::new();
        for mark in *marks {
            if !marked.remove(&mark.id) {
                continue;
            }
            ours.push(mark.id);
            let kind = format!("obligation-{}", mark.state);
            let entry = JournalEntry {
                kind,
                actor: "watcher".to_owned(),
                obligation_id: Some(mark.id),
                ..JournalEntry::default()
            };
            if !mark.stays {
                rows.entry(&entry, mark.now);
            }
            mark.made.iter().for_each(|m| rows.made(m));
            mark.notifications.iter().for_each(|n| rows.notification(n));
            mark.journal.iter().for_each(|e| rows.entry(e, mark.now));
        }
        put(*at, Answer::Obligations(ours));
    }
    Ok(())
}

fn mark_values(mark: &Mark) -> Result<Vec<Val<'_>>, Failure> {
    let at = |yes: bool| Val::from(yes.then_some(mark.at));
    if !matches!(mark.state, ObligationState::Open | ObligationState::Warned | ObligationState::Overdue) {
        return Err(Failure::Rows(format!("a watcher does not mark an obligation {}", mark.state)));
    }
    Ok(vec![
        text(mark.id),
        mark.expected_next_at.into(),
        Val::Word(mark.state.as_str()),
        obligations::phase(mark.state).into(),
        mark.next_at.into(),
        at(mark.state == ObligationState::Warned),
        at(mark.state == ObligationState::Overdue),
    ])
}

fn delivery_id(row: &sqlx::any::AnyRow) -> Result<DeliveryId, StoreError> {
    row.parsed("id", |t| DeliveryId::parse(t).ok())
}

/// After the commit: answers losers from the stored rows.
pub(super) async fn fill_duplicates(
    conn: &mut AnyConnection,
    jobs: &[Job],
    answers: &mut [Answer],
) -> Result<(), Failure> {
    for (job, place) in jobs.iter().zip(answers) {
        let (Work::Accept(accept), Answer::Accepted(Accepted::Duplicate { .. })) = (&job.work, &*place) else {
            continue;
        };
        let header = &accept.message.header;
        let sql = "SELECT m.record_id, m.digest, c.receipt FROM messages m LEFT JOIN contents c ON c.record_id = m.record_id \
                   WHERE m.sender = $1 AND m.message_id = $2";
        let query = sqlx::query(sql).bind(header.sender.as_str()).bind(header.message_id.to_string());
        let Some(row) = query.fetch_optional(&mut *conn).await? else {
            return Err(Failure::Rows("a record id was used twice".to_owned()));
        };
        *place = Answer::Accepted(Accepted::Duplicate {
            record_id: row.parsed("record_id", |t| RecordId::parse(t).ok())?,
            digest: row.digest("digest")?,
            receipt: row.opt_bytes("receipt")?,
        });
    }
    Ok(())
}

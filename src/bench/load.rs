//! The load generator, a process of its own: signs beforehand, sends, and notes when each receipt came.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::door::Door;
use super::protocol::{Order, Said, Sent};
use super::{BenchError, home, now_micros};
use crate::crypto::sha256;
use crate::domain::{Attachment, MessageType, ParticipantId};
use crate::envelope::BodyDraft;
use crate::system::Identity;

/// Requests of a pace that may be under way: what is more waits and its wait is measured.
const UNDER_WAY_MAX: usize = 512;

/// What the load generator sends.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Cargo {
    /// Where the gateway listens.
    pub(super) gateway: String,
    /// To whom, in turn.
    pub(super) recipients: Vec<ParticipantId>,
    /// The type of the message.
    pub(super) kind: String,
    /// The body.
    pub(super) body: String,
    /// Bytes of a file inside the envelope; 0: none.
    pub(super) file_bytes: usize,
}

/// A message that is ready to be sent.
pub(super) struct Signed {
    pub(super) id: uuid::Uuid,
    pub(super) bytes: Vec<u8>,
}

struct Loader {
    identity: Identity,
    cargo: Cargo,
    door: Door,
    signed: Vec<Signed>,
}

/// Runs the load generator of a home until its input ends.
pub(super) async fn run(folder: &Path) -> Result<(), BenchError> {
    let cargo = std::fs::read(folder.join("cargo.json")).map_err(|e| BenchError::defect(&e))?;
    let cargo: Cargo = serde_json::from_slice(&cargo).map_err(|e| BenchError::defect(&e))?;
    let identity = home::load(folder)?;
    let door = match home::broker(folder)? {
        Some(url) => Door::broker(&url, &identity.profile.id).await?,
        None => Door::http(&cargo.gateway)?,
    };
    let mut loader = Loader { identity, cargo, door, signed: Vec::new() };
    say(&Said::Ready { address: None })?;
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(tokio::io::stdin()));
    while let Some(line) = lines.next_line().await.map_err(|e| BenchError::defect(&e))? {
        match serde_json::from_str(&line).map_err(|e| BenchError::defect(&e))? {
            Order::Sign { messages, to } => {
                loader.sign(messages, to)?;
                say(&Said::Signed)?;
            }
            Order::Push { at_once, seconds } => {
                let (sent, trouble) = loader.push(at_once, Duration::from_secs_f64(seconds)).await;
                say(&Said::Done { sent, trouble })?;
            }
            Order::Pace { rate, seconds } => {
                let (sent, trouble) = loader.pace(rate, Duration::from_secs_f64(seconds)).await;
                say(&Said::Done { sent, trouble })?;
            }
        }
    }
    Ok(())
}

/// One line to whoever started us.
pub(super) fn say(said: &Said) -> Result<(), BenchError> {
    let mut line = serde_json::to_vec(said).map_err(|e| BenchError::defect(&e))?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line).and_then(|()| out.flush()).map_err(|e| BenchError::defect(&e))
}

/// What one request came to.
struct Landed {
    sent: Sent,
    trouble: Option<String>,
}

impl Cargo {
    /// One signed message of this kind.
    pub(super) fn signed(&self, identity: &Identity, recipient: &ParticipantId) -> Result<Signed, BenchError> {
        let kind = MessageType { name: self.kind.clone(), version: 1 };
        let mut header = identity.header(kind, recipient);
        if self.file_bytes > 0 {
            let file = vec![b'x'; self.file_bytes];
            header.attachments.push(Attachment {
                digest: sha256(&file),
                size_bytes: u64::try_from(file.len()).unwrap_or_default(),
                media_type: "application/pdf".to_owned(),
                name: "bench.pdf".to_owned(),
                inline: Some(file),
                signs: None,
            });
        }
        let body = BodyDraft::Xml(self.body.clone().into_bytes());
        let signed = identity.sign(header, body).map_err(|e| BenchError::defect(&e))?;
        Ok(Signed { id: signed.header.message_id.uuid(), bytes: signed.bytes })
    }
}

impl Loader {
    fn sign(&mut self, messages: usize, to: std::ops::Range<usize>) -> Result<(), BenchError> {
        let recipients = self.cargo.recipients.get(to).unwrap_or_default();
        for recipient in recipients.iter().cycle().take(messages) {
            self.signed.push(self.cargo.signed(&self.identity, recipient)?);
        }
        Ok(())
    }

    fn take(&mut self, messages: usize) -> Vec<Signed> {
        let from = self.signed.len().saturating_sub(messages);
        self.signed.split_off(from)
    }

    async fn push(&mut self, at_once: usize, time: Duration) -> (Vec<Sent>, Option<String>) {
        let waiting = Arc::new(self.take(usize::MAX));
        let (next, ends) = (Arc::new(AtomicUsize::new(0)), Instant::now() + time);
        let workers = (0..at_once.max(1)).map(|_| {
            let (door, waiting, next) = (self.door.clone(), waiting.clone(), next.clone());
            tokio::spawn(async move {
                let mut landed = Vec::new();
                while Instant::now() < ends {
                    let Some(signed) = waiting.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    landed.push(send(&door, signed, now_micros()).await);
                }
                landed
            })
        });
        let mut all = Vec::new();
        for worker in workers.collect::<Vec<_>>() {
            all.extend(worker.await.unwrap_or_default());
        }
        split(all)
    }

    async fn pace(&mut self, rate: f64, time: Duration) -> (Vec<Sent>, Option<String>) {
        let wanted = (rate * time.as_secs_f64()).max(1.0).min(self.signed.len() as f64) as usize;
        let (began, began_micros, step) = (Instant::now(), now_micros(), 1.0 / rate.max(0.001));
        let places = Arc::new(tokio::sync::Semaphore::new(UNDER_WAY_MAX));
        let landed = Arc::new(Mutex::new(Vec::with_capacity(wanted)));
        let mut tasks = tokio::task::JoinSet::new();
        for (number, signed) in self.take(wanted).into_iter().enumerate() {
            let offset = Duration::from_secs_f64(step * number as f64);
            tokio::time::sleep_until(tokio::time::Instant::from_std(began + offset)).await;
            let Ok(place) = places.clone().acquire_owned().await else { break };
            // Counted from when it was due, so that a gateway that holds us up is not let off.
            let due = began_micros.saturating_add(i64::try_from(offset.as_micros()).unwrap_or(i64::MAX));
            let (door, landed) = (self.door.clone(), landed.clone());
            tasks.spawn(async move {
                let one = send(&door, &signed, due).await;
                landed.lock().await.push(one);
                drop(place);
            });
        }
        while tasks.join_next().await.is_some() {}
        split(std::mem::take(&mut *landed.lock().await))
    }
}

async fn send(door: &Door, signed: &Signed, at: i64) -> Landed {
    let answered = door.send(signed).await;
    let receipt_at = answered.is_ok().then(now_micros);
    Landed { sent: Sent { id: signed.id, at, receipt_at }, trouble: answered.err() }
}

fn split(landed: Vec<Landed>) -> (Vec<Sent>, Option<String>) {
    let trouble = landed.iter().find_map(|one| one.trouble.clone());
    (landed.into_iter().map(|one| one.sent).collect(), trouble)
}

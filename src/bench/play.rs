//! One scenario from its beginning to its figures.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::figures::{Figures, Quantiles};
use super::protocol::{Ask, Order, Said, Sent};
use super::scenario::Scenario;
use super::stage::{Places, Stage};
use super::{BenchError, floors};

/// For what was accepted to come to its recipient.
const DRAIN_MAX: Duration = Duration::from_secs(60);
/// For what follows an arrival: the settling of its receipt, the sealing of the journal. It is a part of a message's cost.
const SETTLING: Duration = Duration::from_millis(1_500);
/// Requests under way while the highest rate is looked for.
const AT_ONCE: usize = 32;
/// Messages that warm connections, plans and caches.
const WARM: usize = 400;
/// A queue is filled in pieces of so many messages, for they are signed beforehand.
const PIECE: usize = 10_000;
/// For one such piece.
const PIECE_SECONDS: f64 = 150.0;

/// What arrived, by message.
type Arrivals = BTreeMap<uuid::Uuid, i64>;

async fn send(stage: &mut Stage, order: &Order) -> Result<Vec<Sent>, BenchError> {
    let Said::Done { sent, trouble } = stage.load.ask(order).await? else {
        return Err(BenchError::Defect("the load generator said something else".to_owned()));
    };
    match trouble {
        Some(trouble) => Err(BenchError::Refused(trouble)),
        None => Ok(sent),
    }
}

async fn sign(stage: &mut Stage, messages: usize, to: std::ops::Range<usize>) -> Result<(), BenchError> {
    stage.load.ask(&Order::Sign { messages, to }).await.map(drop)
}

/// Waits until everything that was sent to a living partner has come; returns how many came more than once.
async fn drain(stage: &mut Stage, scenario: &Scenario, sent: &[Sent], come: &mut Arrivals) -> Result<u64, BenchError> {
    if !scenario.reaches() {
        return Ok(0);
    }
    let ends = Instant::now() + DRAIN_MAX;
    let wanted = scenario.living(sent.len());
    loop {
        let Said::Arrived { messages, repeated } = stage.sink.ask(&Ask::Come).await? else {
            return Err(BenchError::Defect("the sink said something else".to_owned()));
        };
        come.extend(messages);
        let there = sent.iter().filter(|one| come.contains_key(&one.id)).count();
        // A dead partner's part is not exact where the time ran out in the middle of a round.
        let is_round_open = wanted < sent.len() && there.saturating_add(scenario.partners) > wanted;
        if there == sent.len() || is_round_open {
            return Ok(repeated);
        }
        if Instant::now() > ends {
            return Err(BenchError::Lost { missing: wanted.saturating_sub(there), sent: sent.len() });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn span_seconds(from: impl Iterator<Item = i64>, to: impl Iterator<Item = i64>) -> f64 {
    let (from, to) = (from.min().unwrap_or_default(), to.max().unwrap_or_default());
    (to.saturating_sub(from) as f64 / 1e6).max(1e-6)
}

/// Sends a dead partner what it does not take; returns what the gateway holds then, in MiB.
async fn queue(stage: &mut Stage, messages: usize) -> Result<f64, BenchError> {
    let mut left = messages;
    while left > 0 {
        sign(stage, left.min(PIECE), 0..1).await?;
        let sent = send(stage, &Order::Push { at_once: AT_ONCE, seconds: PIECE_SECONDS }).await?.len();
        if sent == 0 {
            return Err(BenchError::Defect("nothing of the queue was accepted".to_owned()));
        }
        left = left.saturating_sub(sent);
    }
    Ok(stage.memory_mib()?.0)
}

/// Plays a scenario.
pub(super) async fn play(scenario: &Scenario, places: Places<'_>, seconds: f64) -> Result<Figures, BenchError> {
    let mut stage = Stage::set(scenario, places).await?;
    let mut come = Arrivals::new();
    let to = scenario.measured();
    let queued_mib = match scenario.queued {
        0 => None,
        messages => Some(queue(&mut stage, messages).await?),
    };
    sign(&mut stage, WARM, to.clone()).await?;
    let warm = send(&mut stage, &Order::Push { at_once: AT_ONCE, seconds: 30.0 }).await?;
    drain(&mut stage, scenario, &warm, &mut come).await?;
    let warm_rate =
        warm.len() as f64 / span_seconds(warm.iter().map(|s| s.at), warm.iter().filter_map(|s| s.receipt_at));

    // The highest rate, and what a message costs there.
    sign(&mut stage, (warm_rate * seconds * 2.5) as usize, to.clone()).await?;
    let commits = stage.commits().await?;
    let cpu_seconds = stage.cpu_seconds()?;
    let pushed = send(&mut stage, &Order::Push { at_once: AT_ONCE, seconds }).await?;
    let mut repeated = drain(&mut stage, scenario, &pushed, &mut come).await?;
    tokio::time::sleep(SETTLING).await;
    let cpu_seconds = stage.cpu_seconds()? - cpu_seconds;
    let commits = stage.commits().await? - commits;
    let count = pushed.len().max(1) as f64;
    let receipts = || pushed.iter().filter_map(|s| s.receipt_at);
    let accepted_per_second = count / span_seconds(pushed.iter().map(|s| s.at), receipts());
    let arrivals = || pushed.iter().filter_map(|s| come.get(&s.id).copied());
    let delivered_per_second =
        scenario.reaches().then(|| arrivals().count() as f64 / span_seconds(pushed.iter().map(|s| s.at), arrivals()));

    // The times at half of it.
    let sustained = match delivered_per_second {
        // Of a dead partner's part nothing is handed over, and it is accepted all the same.
        Some(delivered) => delivered * count / (scenario.living(pushed.len()).max(1) as f64),
        None => accepted_per_second,
    };
    let rate = sustained.min(accepted_per_second) / 2.0;
    sign(&mut stage, (rate * seconds) as usize, to).await?;
    let paced = send(&mut stage, &Order::Pace { rate, seconds }).await?;
    repeated = drain(&mut stage, scenario, &paced, &mut come).await?.max(repeated);
    let accept = paced.iter().filter_map(|s| Some(s.receipt_at?.saturating_sub(s.at))).collect();
    let end_to_end = paced.iter().filter_map(|s| Some(come.get(&s.id)?.saturating_sub(s.at))).collect();

    let floors = floors::measure(&stage.signer, &stage.certificate, &stage.sample, stage.folder.path())?;
    let figures = Figures {
        scenario: scenario.name.to_owned(),
        envelope_bytes: stage.sample.len(),
        messages: pushed.len(),
        accepted_per_second,
        delivered_per_second,
        accept_ms: Quantiles::of(accept),
        end_to_end_ms: scenario.reaches().then(|| Quantiles::of(end_to_end)),
        cpu_us: cpu_seconds * 1e6 / count,
        commits: commits / count,
        queued_mib,
        peak_mib: stage.memory_mib()?.1,
        floors,
        cryptography_us: cryptography_us(scenario, &floors),
        repeated,
    };
    stage.strike().await;
    Ok(figures)
}

/// The raw cryptography that a message needs: verify the sender, sign the receipt; where it is handed over, sign what goes out and verify
/// the recipient's receipt; where the sender is told of that, sign the notice.
fn cryptography_us(scenario: &Scenario, floors: &floors::Floors) -> f64 {
    let accepting = floors.verify_us + floors.sign_us;
    let delivering = if scenario.reaches() { floors.sign_us + floors.verify_us } else { 0.0 };
    let telling = if scenario.notices { floors.sign_us } else { 0.0 };
    accepting + delivering + telling
}

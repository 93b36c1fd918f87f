//! The time itself: business time jumps to the next instant at which a letter is sent, mailboxes are looked into, or a deadline comes;
//! there everything that is due is done, to its end, by the production code.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch as signal;

use crate::domain::Timestamp;
use crate::gateway::watch::{self, Asked, Looked};
use crate::gateway::{Gateway, dispatch, seal};

use super::SimulateError;
use super::days::Workdays;
use super::life::{Letter, Script};
use super::post::{self, Posted};
use super::region::Region;

/// Rounds over the mailboxes at the end: messages, the notices that their receipts cause, and one more that finds nothing.
const LAST_ROUNDS_MAX: usize = 10;

/// How many messages of a kind were sent, accepted, refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Count {
    pub(super) sent: u64,
    pub(super) accepted: u64,
    pub(super) refused: u64,
}

/// What was sent, and what the gateway said.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) kinds: BTreeMap<&'static str, Count>,
    /// Each refusal in words, in a stable order.
    pub(super) refusals: BTreeSet<String>,
}

/// The running simulation.
pub(super) struct Stage<'a> {
    gateway: &'a Gateway,
    ways: &'a dispatch::Ways,
    region: &'a Region,
    days: &'a Workdays,
    script: Script,
    mail: BTreeSet<Timestamp>,
    /// Tells whether anything waits to be handed over since it was last looked at.
    queued: signal::Receiver<u64>,
    asked: Asked,
    tally: Tally,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        gateway: &'a Gateway,
        ways: &'a dispatch::Ways,
        (region, days): (&'a Region, &'a Workdays),
        script: Script,
    ) -> Self {
        let (mail, queued) = (days.mail_times().collect(), gateway.store().deliveries_changed());
        let (asked, tally) = (Asked::default(), Tally::default());
        Self { gateway, ways, region, days, script, mail, queued, asked, tally }
    }

    /// Plays the script to the end of the time.
    pub(super) async fn play(mut self) -> Result<Tally, SimulateError> {
        self.until(self.days.ends_at()).await?;
        self.last_rounds().await?;
        Ok(self.tally)
    }

    /// Plays the script up to an instant; what is left of it.
    pub(super) async fn past(mut self, end: Timestamp) -> Result<Script, SimulateError> {
        self.until(end).await?;
        self.last_rounds().await?;
        match self.tally.refusals.first() {
            None => Ok(self.script),
            Some(refusal) => Err(SimulateError::Defect(refusal.clone())),
        }
    }

    async fn until(&mut self, end: Timestamp) -> Result<(), SimulateError> {
        let mut next_mark = self.look().await?;
        loop {
            let letters = self.script.keys().next().copied();
            let mail = self.mail.first().copied();
            let next = [letters, mail, next_mark].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at < end) else { break };
            self.gateway.clock().jump_to(at);
            let letters = self.script.remove(&at).unwrap_or_default();
            self.send(letters).await?;
            if self.mail.remove(&at) {
                self.fetch().await?;
            }
            next_mark = self.look().await?;
            if next_mark.is_some_and(|next| next <= at) {
                return Err(SimulateError::Defect(format!("the watcher does not go on from {at}")));
            }
        }
        self.gateway.clock().jump_to(end);
        self.look().await.map(drop)
    }

    /// Empties the mailboxes and seals the journal.
    async fn last_rounds(&mut self) -> Result<(), SimulateError> {
        for _ in 0..LAST_ROUNDS_MAX {
            if !self.fetch().await? {
                break;
            }
        }
        // What was handed over only now may have begun.
        self.look().await?;
        seal::seal_all(self.gateway).await?;
        Ok(())
    }

    /// Lets the watcher act on all that is due, and hands over what that causes; the next instant at which it has something to do.
    async fn look(&mut self) -> Result<Option<Timestamp>, SimulateError> {
        let looked = watch::round(self.gateway, &mut self.asked).await?;
        self.hand_over().await;
        match looked {
            Looked::Until(next) => Ok(next),
            Looked::NotOurs => Err(SimulateError::Defect("another node watches this database".to_owned())),
        }
    }

    /// Hands over what waits for it. Whoever queued it has waited for its commit, so the signal is there already.
    async fn hand_over(&mut self) {
        while self.queued.has_changed().unwrap_or(false) {
            self.queued.mark_unchanged();
            dispatch::drain(self.gateway, self.ways).await;
        }
    }

    /// Sends all letters of an instant: those of different cases at once, so that they share commits as they do in a busy region.
    async fn send(&mut self, letters: Vec<Letter>) -> Result<(), SimulateError> {
        if letters.is_empty() {
            return Ok(());
        }
        for posted in send(self.gateway, self.region, letters).await? {
            self.count(posted);
        }
        self.hand_over().await;
        Ok(())
    }

    fn count(&mut self, posted: Posted) {
        let count = self.tally.kinds.entry(posted.kind).or_default();
        count.sent += 1;
        match posted.refused {
            None => count.accepted += 1,
            Some((code, detail)) => {
                count.refused += 1;
                let case = posted.case.map_or_else(String::new, |case| format!(" дело / case {case}:"));
                self.tally.refusals.insert(format!("{}:{case} {code}: {detail}", posted.kind));
            }
        }
    }

    /// Lets every agency with something in its mailbox fetch it, and hands over what that causes. Returns whether there was anything.
    async fn fetch(&mut self) -> Result<bool, SimulateError> {
        let had_mail = fetch(self.gateway, self.region).await?;
        self.hand_over().await;
        Ok(had_mail)
    }
}

/// Sends letters, those of one case one after the other; what became of them.
pub(super) async fn send(
    gateway: &Gateway,
    region: &Region,
    letters: Vec<Letter>,
) -> Result<Vec<Posted>, SimulateError> {
    let mut chains: BTreeMap<(Option<usize>, usize), Vec<_>> = BTreeMap::new();
    for (place, letter) in letters.into_iter().enumerate() {
        // What is about no single case waits for nothing.
        let key = (letter.case, if letter.case.is_some() { 0 } else { place });
        let addressed = post::addressed(region, letter);
        let addressed = addressed.ok_or_else(|| SimulateError::Defect("an unknown agency".to_owned()))?;
        chains.entry(key).or_default().push(addressed);
    }
    let tasks: Vec<_> = chains.into_values().map(|chain| tokio::spawn(post::send(gateway.clone(), chain))).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(done(task.await)?);
    }
    Ok(all)
}

/// Every agency with something in its mailbox fetches it. Returns whether there was anything.
pub(super) async fn fetch(gateway: &Gateway, region: &Region) -> Result<bool, SimulateError> {
    let waiting = gateway.store().waiting_mailboxes().await?;
    let systems = region.agencies.iter().filter(|agency| waiting.contains(&agency.id));
    let tasks: Vec<_> =
        systems.map(|agency| tokio::spawn(post::fetch(gateway.clone(), agency.system.clone()))).collect();
    let had_mail = !tasks.is_empty();
    for task in tasks {
        done(task.await)?;
    }
    Ok(had_mail)
}

fn done<T>(joined: Result<Result<T, String>, tokio::task::JoinError>) -> Result<T, SimulateError> {
    match joined {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(problem)) => Err(SimulateError::Exchange(problem)),
        Err(panic) => Err(SimulateError::Defect(panic.to_string())),
    }
}

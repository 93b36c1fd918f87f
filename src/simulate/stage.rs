//! The time itself: business time jumps to the next instant at which a letter is sent, mailboxes are looked into, or a deadline comes;
//! there everything that is due is done, to its end, by the production code.

use std::collections::{BTreeMap, BTreeSet};

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
    /// For each agency, how many messages lie in its mailbox.
    lying: Vec<usize>,
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
        let mail = days.mail_times().collect();
        let lying = vec![0; region.agencies.len()];
        Self { gateway, ways, region, days, script, mail, lying, asked: Asked::default(), tally: Tally::default() }
    }

    /// Plays the script to the end of the time.
    pub(super) async fn play(mut self) -> Result<Tally, SimulateError> {
        let end = self.days.ends_at();
        let mut next_mark = self.look().await?;
        loop {
            let letters = self.script.keys().next().copied();
            let mail = self.mail.first().copied();
            let Some(at) = [letters, mail, next_mark].into_iter().flatten().min().filter(|at| *at < end) else { break };
            self.gateway.clock().jump_to(at);
            let letters = self.script.remove(&at).unwrap_or_default();
            let is_mail = self.mail.remove(&at);
            if letters.is_empty() && next_mark != Some(at) && self.lying.iter().all(|count| *count == 0) {
                continue;
            }
            self.send(letters).await?;
            if is_mail {
                self.fetch().await?;
            }
            next_mark = self.look().await?;
            if next_mark.is_some_and(|next| next <= at) {
                return Err(SimulateError::Defect(format!("the watcher does not go on from {at}")));
            }
        }
        self.gateway.clock().jump_to(end);
        for _ in 0..LAST_ROUNDS_MAX {
            if self.lying.iter().all(|count| *count == 0) {
                break;
            }
            self.fetch().await?;
        }
        self.look().await?;
        seal::seal_all(self.gateway).await?;
        Ok(self.tally)
    }

    /// Lets the watcher act on all that is due; the next instant at which it has something to do.
    async fn look(&mut self) -> Result<Option<Timestamp>, SimulateError> {
        match watch::round(self.gateway, &mut self.asked).await? {
            Looked::Until(next) => Ok(next),
            Looked::NotOurs => Err(SimulateError::Defect("another node watches this database".to_owned())),
        }
    }

    /// Sends all letters of an instant: those of different cases at once, so that they share commits as they do in a busy region.
    async fn send(&mut self, letters: Vec<Letter>) -> Result<(), SimulateError> {
        if letters.is_empty() {
            return Ok(());
        }
        let mut chains: BTreeMap<(Option<usize>, usize), Vec<_>> = BTreeMap::new();
        for (place, letter) in letters.into_iter().enumerate() {
            // What is about no single case waits for nothing.
            let key = (letter.case, if letter.case.is_some() { 0 } else { place });
            let addressed = post::addressed(self.region, letter);
            chains
                .entry(key)
                .or_default()
                .push(addressed.ok_or_else(|| SimulateError::Defect("an unknown agency".to_owned()))?);
        }
        let tasks: Vec<_> =
            chains.into_values().map(|chain| tokio::spawn(post::send(self.gateway.clone(), chain))).collect();
        for task in tasks {
            for posted in done(task.await)? {
                self.count(posted);
            }
        }
        dispatch::drain(self.gateway, self.ways).await;
        Ok(())
    }

    fn count(&mut self, posted: Posted) {
        let count = self.tally.kinds.entry(posted.kind).or_default();
        count.sent += 1;
        match posted.refused {
            None => {
                count.accepted += 1;
                if posted.sender != posted.recipient
                    && let Some(lying) = self.lying.get_mut(posted.recipient)
                {
                    *lying += 1;
                }
            }
            Some((code, detail)) => {
                count.refused += 1;
                let case = posted.case.map_or_else(String::new, |case| format!(" дело / case {case}:"));
                self.tally.refusals.insert(format!("{}:{case} {code}: {detail}", posted.kind));
            }
        }
    }

    /// Lets every agency with something in its mailbox fetch it, and hands over what that causes.
    async fn fetch(&mut self) -> Result<(), SimulateError> {
        let systems = self.region.agencies.iter().zip(&self.lying).filter(|(_, lying)| **lying > 0);
        let tasks: Vec<_> =
            systems.map(|(agency, _)| tokio::spawn(post::fetch(self.gateway.clone(), agency.system.clone()))).collect();
        if tasks.is_empty() {
            return Ok(());
        }
        self.lying.fill(0);
        for task in tasks {
            for sender in done(task.await)?.to_be_told {
                let place = self.region.agencies.iter().position(|a| a.id == sender);
                if let Some(lying) = place.and_then(|place| self.lying.get_mut(place)) {
                    *lying += 1;
                }
            }
        }
        dispatch::drain(self.gateway, self.ways).await;
        Ok(())
    }
}

fn done<T>(joined: Result<Result<T, String>, tokio::task::JoinError>) -> Result<T, SimulateError> {
    match joined {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(problem)) => Err(SimulateError::Exchange(problem)),
        Err(panic) => Err(SimulateError::Defect(panic.to_string())),
    }
}

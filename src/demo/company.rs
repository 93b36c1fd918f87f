//! The simulated systems as child processes: starting them, telling them what to do, hearing what they did, ending them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::domain::ParticipantId;
use crate::system::protocol::{Command, Event};

use super::DemoError;
use super::home;

/// For all of them to read their keys and forms.
const START_MAX: Duration = Duration::from_secs(20);
/// For a child to end by itself once its input has ended.
const END_MAX: Duration = Duration::from_secs(3);
/// Events that wait to be looked at.
const EVENTS_MAX: usize = 1024;

/// A line of a child, or its end.
type Line = (ParticipantId, Option<Event>);

/// All simulated systems.
pub(super) struct Company {
    seats: BTreeMap<ParticipantId, Seat>,
    events: mpsc::Receiver<Line>,
}

struct Seat {
    child: Child,
    input: ChildStdin,
}

impl Company {
    /// Starts `mezhved partner simulate` for each system, with the gateway's configuration folder.
    pub(super) fn start(config: &Path, systems: Vec<home::Seat>) -> Result<Self, DemoError> {
        let program = std::env::current_exe().map_err(|e| DemoError::Defect(format!("the program's own path: {e}")))?;
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let mut seats = BTreeMap::new();
        for home::Seat { id, home, key, certificate, behaviour } in systems {
            let started = tokio::process::Command::new(&program)
                .args(["partner", "simulate", id.as_str(), "--told", "--listen", "127.0.0.1:0"])
                .args(["--behaviour", behaviour.name()])
                .arg("--config")
                .arg(config)
                .arg("--home")
                .arg(home)
                .arg("--key")
                .arg(key)
                .arg("--cert")
                .arg(certificate)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .kill_on_drop(true)
                // Ctrl-C is for the demonstration: it ends the systems itself.
                .process_group(0)
                .spawn();
            let mut child = started.map_err(|source| DemoError::Spawn { id: id.clone(), source })?;
            let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
                return Err(DemoError::Defect("a child without pipes".to_owned()));
            };
            tokio::spawn(listen(id.clone(), output, sender.clone()));
            seats.insert(id, Seat { child, input });
        }
        Ok(Self { seats, events })
    }

    /// The ids of all systems.
    pub(super) fn ids(&self) -> Vec<ParticipantId> {
        self.seats.keys().cloned().collect()
    }

    /// Tells a system to do something.
    pub(super) async fn tell(&mut self, id: &ParticipantId, command: &Command) -> Result<(), DemoError> {
        let seat = self.seats.get_mut(id).ok_or_else(|| DemoError::Defect(format!("there is no system `{id}`")))?;
        let mut line = serde_json::to_vec(command).map_err(|e| DemoError::Defect(e.to_string()))?;
        line.push(b'\n');
        let told = async { seat.input.write_all(&line).await.and(seat.input.flush().await) };
        told.await.map_err(|_| DemoError::SystemEnded(id.clone()))
    }

    /// Tells all of them.
    pub(super) async fn tell_all(&mut self, command: &Command) -> Result<(), DemoError> {
        for id in self.ids() {
            self.tell(&id, command).await?;
        }
        Ok(())
    }

    /// The next event; waits for it. May be dropped while it waits.
    pub(super) async fn hear(&mut self) -> Result<(ParticipantId, Event), DemoError> {
        match self.events.recv().await {
            Some((id, Some(event))) => Ok((id, event)),
            Some((id, None)) => Err(DemoError::SystemEnded(id)),
            None => Err(DemoError::Defect("no system is left".to_owned())),
        }
    }

    /// Waits until every system runs; returns the addresses of those that are pushed to.
    pub(super) async fn addresses(&mut self) -> Result<BTreeMap<ParticipantId, SocketAddr>, DemoError> {
        let mut waiting: BTreeSet<ParticipantId> = self.seats.keys().cloned().collect();
        let (mut addresses, deadline) = (BTreeMap::new(), Instant::now() + START_MAX);
        while !waiting.is_empty() {
            let heard = timeout_at(deadline, self.hear()).await;
            let (id, event) = heard.map_err(|_| DemoError::not_connected(&waiting))??;
            if let Event::Started { address } = event {
                waiting.remove(&id);
                addresses.extend(address.map(|address| (id, address)));
            }
        }
        Ok(addresses)
    }

    /// Ends all of them and waits for it.
    pub(super) async fn end(self) {
        let children: Vec<Child> = self
            .seats
            .into_values()
            .map(|seat| {
                drop(seat.input);
                seat.child
            })
            .collect();
        for mut child in children {
            if !matches!(tokio::time::timeout(END_MAX, child.wait()).await, Ok(Ok(_))) {
                // It is gone already, or dies now; either is an end.
                drop(child.kill().await);
            }
        }
    }
}

async fn listen(id: ParticipantId, output: ChildStdout, sender: mpsc::Sender<Line>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let event =
            serde_json::from_str(&line).unwrap_or_else(|_| Event::Trouble { text: "a strange line".to_owned() });
        if sender.send((id.clone(), Some(event))).await.is_err() {
            return;
        }
    }
    drop(sender.send((id, None)).await);
}

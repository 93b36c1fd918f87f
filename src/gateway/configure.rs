//! Configuration revisions: the first ones from the folder, and following what other nodes and administrators append.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::bundle::Files;
use crate::deadline::{Finding, Severity};
use crate::store::{RevisionKind, Revisions, Store, StoreError};

use super::snapshot::{Compiled, compile};
use super::{Clock, Gateway, Snapshot};
use crate::domain::ParticipantId;

/// How often a node looks for new revisions: all work by a new number within 2 s.
const LOOK_EVERY: Duration = Duration::from_millis(1_000);

/// Why there is no configuration to work by.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration has errors.
    #[error("ошибка в конфигурации / the configuration has errors:{}", .0.iter().map(|f| format!("\n  {f}")).collect::<String>())]
    Findings(Vec<Finding>),
    /// A revision that the database names is not there.
    #[error("revision {number} of the {kind} is not in the database")]
    Missing {
        /// `participants` or `bundle`.
        kind: &'static str,
        /// Its number.
        number: i64,
    },
}

/// A file that differs between the folder and the revision in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file.
    pub path: String,
    /// Its bytes in force; `None`: not there.
    pub in_force: Option<Vec<u8>>,
    /// Its bytes in the folder; `None`: not there.
    pub in_folder: Option<Vec<u8>>,
}

/// The files that differ, by path.
pub fn differences(in_force: &Files, in_folder: &Files) -> Vec<Difference> {
    let paths: std::collections::BTreeSet<&String> = in_force.keys().chain(in_folder.keys()).collect();
    paths
        .into_iter()
        .filter(|path| in_force.get(*path) != in_folder.get(*path))
        .map(|path| Difference {
            path: path.clone(),
            in_force: in_force.get(path).cloned(),
            in_folder: in_folder.get(path).cloned(),
        })
        .collect()
}

/// The snapshot to start with: the latest revisions, or, on an empty database, the folder as revision 1 of each kind. Where the folder
/// differs from what is in force this is told and nothing else.
///
/// # Errors
/// When the store is away or the configuration has errors.
pub async fn first_revisions(
    store: &Store,
    people: &Files,
    bundle: &Files,
    gateway: &ParticipantId,
    clock: &Clock,
) -> Result<Snapshot, ConfigureError> {
    let latest = store.revisions().await?;
    let first = "первая редакция из папки / the first revision, from the folder";
    if latest.participants == 0 || latest.bundle == 0 {
        // Only a configuration that can be worked by becomes a revision.
        let compiled = compile((1, people), (1, bundle), gateway, clock.business_now());
        if compiled.snapshot.is_none() {
            return finish(compiled);
        }
    }
    let mut missing =
        vec![(RevisionKind::Participants, latest.participants, people), (RevisionKind::Bundle, latest.bundle, bundle)];
    missing.retain(|(_, number, _)| *number == 0);
    match store.append_revisions(&missing, "serve", first, clock.now()).await {
        // Another node was first; its revisions are the ones.
        Ok(_) | Err(StoreError::RevisionConflict { .. }) => {}
        Err(other) => return Err(other.into()),
    }
    let latest = store.revisions().await?;
    let (in_force_people, in_force_bundle) = load(store, latest).await?;
    for (what, in_force, folder) in [("participants", &in_force_people, people), ("bundle", &in_force_bundle, bundle)] {
        let count = differences(in_force, folder).len();
        if count > 0 {
            warn!(what, files = count, "the folder differs from the revision in force; see `mezhved partner diff`");
        }
    }
    let compiled = compile(
        (latest.participants, &in_force_people),
        (latest.bundle, &in_force_bundle),
        gateway,
        clock.business_now(),
    );
    finish(compiled)
}

fn finish(compiled: Compiled) -> Result<Snapshot, ConfigureError> {
    match compiled.snapshot {
        Some(snapshot) => {
            for finding in &compiled.findings {
                warn!(%finding, "configuration");
            }
            Ok(snapshot)
        }
        None => {
            let errors = compiled.findings.into_iter().filter(|f| f.severity == Severity::Error).collect();
            Err(ConfigureError::Findings(errors))
        }
    }
}

async fn load(store: &Store, numbers: Revisions) -> Result<(Files, Files), ConfigureError> {
    let people = store.revision(RevisionKind::Participants, numbers.participants).await?;
    let people = people.ok_or(ConfigureError::Missing { kind: "participants", number: numbers.participants })?;
    let bundle = store.revision(RevisionKind::Bundle, numbers.bundle).await?;
    let bundle = bundle.ok_or(ConfigureError::Missing { kind: "bundle", number: numbers.bundle })?;
    Ok((people.files, bundle.files))
}

/// Follows the latest revisions until cancelled. A revision that cannot be compiled leaves the old one in force, and the node is not
/// ready (see [`Gateway::behind`]).
pub async fn follow_revisions(gateway: Gateway, stop: CancellationToken) {
    let mut refused = None;
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if let Err(problem) = follow(&gateway, &mut refused).await {
            error!(%problem, "the latest configuration cannot be worked by");
        }
        let revisions = gateway.revisions();
        if let Err(problem) = gateway.store().heartbeat(gateway.node(), gateway.clock().now(), revisions).await {
            warn!(%problem, "no sign of life could be left");
        }
    }
}

/// `refused` are the revisions that could not be compiled: told once, and not tried again until others come.
async fn follow(gateway: &Gateway, refused: &mut Option<Revisions>) -> Result<(), ConfigureError> {
    let latest = gateway.store().revisions().await?;
    if latest == gateway.revisions() {
        gateway.set_behind(None);
        return Ok(());
    }
    gateway.set_behind(Some(latest));
    if *refused == Some(latest) {
        return Ok(());
    }
    let (people, bundle) = load(gateway.store(), latest).await?;
    let (id, business_now) = (gateway.id().clone(), gateway.clock().business_now());
    let compiled = tokio::task::spawn_blocking(move || {
        finish(compile((latest.participants, &people), (latest.bundle, &bundle), &id, business_now))
    });
    *refused = Some(latest);
    let snapshot = match compiled.await {
        Ok(snapshot) => snapshot?,
        Err(panic) => {
            error!(%panic, "compiling the configuration panicked");
            return Ok(());
        }
    };
    gateway.replace_snapshot(snapshot);
    gateway.set_behind(None);
    info!(participants = latest.participants, bundle = latest.bundle, "working by new revisions");
    Ok(())
}

impl Gateway {
    /// The revisions this node works by.
    pub fn revisions(&self) -> Revisions {
        let snapshot = self.snapshot();
        Revisions { participants: snapshot.participants_revision, bundle: snapshot.bundle_revision }
    }

    /// The latest revisions, when this node cannot work by them (yet).
    pub fn behind(&self) -> Option<Revisions> {
        *self.inner.behind.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn set_behind(&self, latest: Option<Revisions>) {
        *self.inner.behind.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = latest;
    }
}

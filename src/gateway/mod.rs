//! Floor 6: the pipeline. A message's way in ([`receive`](Gateway::receive)), its way out ([`dispatch`]), deadlines
//! ([`watch`]), the journal's sealer and the operators' acts.
//!
//! The decision about a message is one pure function ([`judge`](mod@judge)); the loops here claim, act and settle, and each of
//! them takes no input, wakes on a signal and on a period, and can be repeated at any point.

pub mod acts;
pub mod administer;
mod ahead;
mod answer;
pub mod attachments;
mod carriers;
mod clock;
mod configure;
pub mod dispatch;
mod effects;
mod fan_out;
mod find_again;
mod ids;
pub mod judge;
mod ladder;
mod listed;
mod lookup;
mod mailbox;
mod meters;
pub mod notify;
mod outgoing;
mod outside;
mod peer;
pub mod people;
mod plain;
pub mod pulse;
pub mod queue_desk;
mod queues;
mod rate;
mod receive;
mod remind;
mod reports;
pub mod seal;
pub mod snapshot;
mod take;
mod technical;
mod traces;
mod versions;
pub mod watch;
mod work;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::{Semaphore, watch as signal};

pub use attachments::{Begun, Readable, Upload};
pub use clock::Clock;
pub use configure::{ConfigureError, Difference, differences, first_revisions, follow_revisions};
pub use find_again::{FindError, FoundAgain, find_again};
pub use meters::Meters;
pub use notify::Voices;
pub use peer::Peer;
pub use plain::{Posted, Taken, is_signed_on_behalf};
pub use queues::{DiscardError, follow_queues};
pub use receive::Reply;
pub use reports::{REGISTER_ROWS_MAX, ReportBase, ReportError, ReportKind, ReportRequest, make_report};
pub use snapshot::Snapshot;
pub use technical::TicketUse;
pub use traces::Traces;

use crate::crypto::{Certificate, Signer};
use crate::domain::ParticipantId;
use crate::settings::Settings;
use crate::store::{Channel, Revisions, Store};
use crate::vault::Vault;
use crate::xml::Limits;

/// One gateway node's working parts, shared by its faces and loops. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    id: ParticipantId,
    node: String,
    settings: Settings,
    store: Store,
    signer: Arc<dyn Signer>,
    clock: Arc<Clock>,
    limits: Limits,
    snapshot: RwLock<Arc<Snapshot>>,
    snapshot_changed: signal::Sender<u64>,
    ways: std::sync::OnceLock<dispatch::Ways>,
    rate: rate::RefusalRate,
    judging: Semaphore,
    behind: Mutex<Option<Revisions>>,
    vault: Vault,
    uploads: Arc<attachments::Uploads>,
    meters: Meters,
    traces: Traces,
    queues: queues::Queues,
    hasher: people::Hasher,
    pulse: pulse::Pulse,
}

impl Gateway {
    /// Puts the parts together.
    pub fn new(
        settings: Settings,
        node: String,
        store: Store,
        signer: Arc<dyn Signer>,
        clock: Arc<Clock>,
        snapshot: impl Into<Arc<Snapshot>>,
        vault: Vault,
    ) -> Self {
        let limits = Limits { bytes_max: settings.limits.envelope_bytes_max, ..Limits::default() };
        let inner = Inner {
            id: settings.gateway.id.clone(),
            node,
            rate: rate::RefusalRate::new(settings.limits.refusals_per_minute_max),
            judging: Semaphore::new(settings.limits.judging_max),
            behind: Mutex::new(None),
            vault,
            uploads: Arc::default(),
            meters: Meters::new(),
            traces: Traces::default(),
            queues: queues::Queues::new(),
            hasher: people::Hasher::default(),
            pulse: pulse::Pulse::default(),
            settings,
            store,
            signer,
            clock,
            limits,
            snapshot: RwLock::new(snapshot.into()),
            snapshot_changed: signal::Sender::new(0),
            ways: std::sync::OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Tells of each message's way to where these traces go. Only before anything else holds the gateway.
    #[must_use]
    pub fn with_traces(mut self, traces: Traces) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.traces = traces;
        }
        self
    }

    /// The gateway's own participant id.
    pub fn id(&self) -> &ParticipantId {
        &self.inner.id
    }

    /// This node's name.
    pub fn node(&self) -> &str {
        &self.inner.node
    }

    /// The node's settings.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<Clock> {
        &self.inner.clock
    }

    /// What this node has counted.
    pub fn meters(&self) -> &Meters {
        &self.inner.meters
    }

    fn beats(&self) -> &pulse::Pulse {
        &self.inner.pulse
    }

    fn hasher(&self) -> &people::Hasher {
        &self.inner.hasher
    }

    /// The gateway's own certificate.
    pub fn certificate(&self) -> &Certificate {
        self.inner.signer.certificate()
    }

    /// Whether partners will believe what the gateway signs now.
    pub fn has_valid_certificate(&self) -> bool {
        self.inner.signer.certificate().is_valid_at(self.inner.clock.now())
    }

    /// The configuration in force.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another configuration in force.
    pub fn replace_snapshot(&self, snapshot: Snapshot) {
        *self.inner.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        self.inner.snapshot_changed.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// The ways out, once deliveries go out from this process.
    pub fn ways(&self) -> Option<&dispatch::Ways> {
        self.inner.ways.get()
    }

    /// Bumped whenever another configuration is in force.
    pub fn snapshot_changed(&self) -> signal::Receiver<u64> {
        self.inner.snapshot_changed.subscribe()
    }

    fn channel_word(channel: Channel) -> &'static str {
        match channel {
            Channel::Http => "http",
            Channel::Amqp => "amqp",
            Channel::Internal => "internal",
            Channel::Plain => "plain",
        }
    }
}

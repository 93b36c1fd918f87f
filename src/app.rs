//! Floor 8: wires the parts of one gateway node, starts them, and stops them cleanly.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{self, Face};
use crate::bundle::Files;
use crate::console;
use crate::crypto::{CryptoError, FileSigner};
use crate::domain::{ParticipantId, TransportKind};
use crate::gateway::dispatch::{self, Ways};
use crate::gateway::{
    Clock, ConfigureError, Gateway, Traces, Voices, attachments, first_revisions, follow_queues, follow_revisions,
    notify, pulse, seal, watch as watcher,
};
use crate::settings::folder::{self, FolderError};
use crate::settings::{Secret, Settings, SmtpTls};
use crate::store::{Store, StoreError, StoreOptions};
use crate::transport::ToQueue;
use crate::transport::amqp::{Amqp, AmqpError, AmqpOptions, Disposition, Incoming};
use crate::transport::http::{HttpError, HttpOptions, ListenError, ListenOptions, Listener, Push, TlsIdentity, listen};
use crate::transport::mail::{MailError, MailOptions, Mailer, Protection};
use crate::transport::otlp::{Export, ExportError, ExportOptions};
use crate::vault::{S3Error, S3Options, Vault};

/// How long requests, deliveries and handlers may take to end once the node stops.
const GRACE: Duration = Duration::from_secs(10);

/// How long one message from the broker may take before its place in the queue's window is given to another.
const TAKING_TIME_MAX: Duration = Duration::from_secs(60);

/// Why a node could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file could not be read.
    #[error("{path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The gateway's key or certificate is not there.
    #[error(
        "{path}: нет ключа или сертификата шлюза; их делает `mezhved key generate --out {folder} --name gateway` / the gateway's key \
         or certificate is missing; that command makes them",
        folder = path.parent().unwrap_or(path).display()
    )]
    KeyFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The gateway's key or certificate cannot be used.
    #[error("ключ шлюза / the gateway's key ({path}); `mezhved key generate` makes one")]
    Key {
        /// Which.
        path: PathBuf,
        /// Why.
        source: CryptoError,
    },
    /// Files cannot be put where attachments lie.
    #[error(
        "{place}: вложения нельзя записать; проверьте права и attachments.folder или attachments.s3 / attachments cannot be written there; \
         check the rights, and attachments.folder or attachments.s3"
    )]
    Attachments {
        /// Where.
        place: String,
        /// Why.
        source: std::io::Error,
    },
    /// The bucket of attachments.
    #[error("attachments.s3")]
    Bucket(#[from] S3Error),
    /// The configuration folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The configuration itself.
    #[error(transparent)]
    Configure(#[from] ConfigureError),
    /// The database.
    #[error("база данных / the database")]
    Store(#[from] StoreError),
    /// An address.
    #[error("адрес / address {0}")]
    Listen(&'static str, #[source] ListenError),
    /// HTTP to partners.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The broker.
    #[error(transparent)]
    Amqp(#[from] AmqpError),
    /// E-mail.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The collector of traces.
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// A node that runs.
pub struct Node {
    gateway: Gateway,
    agencies: Listener,
    console: Listener,
    metrics: Option<Listener>,
    amqp: Option<Amqp>,
    export: Option<Export>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// The sealer ends after all others: it numbers what they wrote last.
    seal_stop: CancellationToken,
    sealer: TaskTracker,
}

/// The configuration of a folder, as text.
pub struct Folder {
    /// `participants/…`.
    pub participants: Files,
    /// Everything else that is the same on all nodes.
    pub bundle: Files,
}

/// Reads the folder's participants and bundle.
///
/// # Errors
/// When a file cannot be read.
pub fn read_folder(dir: &Path) -> Result<Folder, FolderError> {
    Ok(Folder { participants: folder::participants(dir)?, bundle: folder::bundle(dir)? })
}

fn read_file(path: &Path) -> Result<Vec<u8>, StartError> {
    std::fs::read(path).map_err(|source| StartError::File { path: path.to_path_buf(), source })
}

/// The gateway's own key.
///
/// # Errors
/// When it cannot be read or does not fit its certificate.
pub fn signer(settings: &Settings) -> Result<FileSigner, StartError> {
    let (key, certificate) = (settings.path(&settings.gateway.key), settings.path(&settings.gateway.certificate));
    let read =
        |path: &Path| std::fs::read(path).map_err(|source| StartError::KeyFile { path: path.to_path_buf(), source });
    FileSigner::from_pem(&read(&key)?, &read(&certificate)?).map_err(|source| StartError::Key { path: key, source })
}

/// Opens the store of the settings, making the folder of an embedded database.
///
/// # Errors
/// When it cannot be opened.
pub async fn open_store(settings: &Settings) -> Result<Store, StartError> {
    open_store_with(settings, true).await
}

/// The same; a database that is thrown away need not be `durable`.
///
/// # Errors
/// When it cannot be opened.
pub async fn open_store_with(settings: &Settings, durable: bool) -> Result<Store, StartError> {
    let url = settings.database_url();
    if let Some(file) = url.strip_prefix("sqlite:")
        && let Some(parent) = Path::new(file).parent()
    {
        std::fs::create_dir_all(parent).map_err(|source| StartError::File { path: parent.to_path_buf(), source })?;
    }
    let options = StoreOptions {
        refusals_max: settings.limits.refusals_kept_max,
        durable,
        bytes_max: settings.database.bytes_max,
        ..StoreOptions::new(url)
    };
    Ok(Store::open(options).await?)
}

impl Node {
    /// Checks everything, then opens the ports and starts the loops.
    ///
    /// # Errors
    /// When anything is not as it must be; then no port was opened.
    pub async fn start(settings: Settings, name: String, clock: Arc<Clock>) -> Result<Self, StartError> {
        let signer = signer(&settings)?;
        let own = read_folder(&settings.folder)?;
        let voices = voices(&settings)?;
        let vault = vault(&settings)?;
        let push = voices.push.clone();
        let tls = identity(&settings, &settings.agencies.tls_certificate, &settings.agencies.tls_key)?;
        let export = ExportOptions::of(&settings.traces, &name, authorities(&settings, &settings.traces.ca_file)?);
        let export = export.map(Export::start).transpose()?;
        let console_tls = identity(&settings, &settings.console.tls_certificate, &settings.console.tls_key)?;
        let store = open_store(&settings).await?;
        let snapshot = first_revisions(&store, &own.participants, &own.bundle, &settings.gateway.id, &clock).await?;
        vault.prepare().await.map_err(|source| StartError::Attachments { place: vault.place(), source })?;
        let gateway = Gateway::new(settings, name, store, Arc::new(signer), clock, snapshot, vault);
        let gateway = gateway.with_traces(export.as_ref().map(|to| Traces::to(to.tracer())).unwrap_or_default());
        let amqp = start_broker(&gateway)?;
        let face = Face::new(gateway.clone(), amqp.clone());
        let settings = gateway.settings();
        let options = ListenOptions {
            tls,
            insecure_allowed: settings.agencies.insecure,
            connections_max: settings.agencies.connections_max,
            connections_per_peer_max: settings.agencies.connections_max,
            streaming_below: api::ATTACHMENTS,
            ..ListenOptions::plain(settings.agencies.listen)
        };
        let agencies =
            listen(options, api::router(face.clone())).await.map_err(|e| StartError::Listen("agencies.listen", e))?;
        let pages = console::router(gateway.clone());
        // Nobody signs in to the metrics: they stand here only where nobody else can come.
        let pages = if settings.console.is_local() { pages.merge(api::metrics(face.clone())) } else { pages };
        let options = ListenOptions {
            tls: console_tls,
            insecure_allowed: settings.console.insecure,
            // People behind one address, each with open pages that listen.
            connections_per_peer_max: ListenOptions::plain(settings.console.listen).connections_max,
            ..ListenOptions::plain(settings.console.listen)
        };
        let console = listen(options, pages).await.map_err(|e| StartError::Listen("console.listen", e))?;
        let metrics = listen_for_metrics(settings, face).await?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let to_queues = amqp.clone().map(|amqp| Arc::new(amqp) as Arc<dyn ToQueue>);
        let ways = Ways { push: Arc::new(push), amqp: to_queues };
        tasks.spawn(dispatch::run(gateway.clone(), ways, stop.clone()));
        tasks.spawn(watcher::run(gateway.clone(), stop.clone()));
        tasks.spawn(notify::run(gateway.clone(), voices, stop.clone()));
        tasks.spawn(attachments::run(gateway.clone(), stop.clone()));
        tasks.spawn(follow_revisions(gateway.clone(), stop.clone()));
        tasks.spawn(follow_queues(gateway.clone(), stop.clone()));
        let own = gateway.clone();
        tasks.spawn(async move { own.warm_people().await });
        tasks.spawn(pulse::run(gateway.clone(), stop.clone()));
        let (seal_stop, sealer) = (CancellationToken::new(), TaskTracker::new());
        sealer.spawn(seal::run(gateway.clone(), seal_stop.clone()));
        Ok(Self { gateway, agencies, console, metrics, amqp, export, stop, tasks, seal_stop, sealer })
    }

    /// The pipeline, for the demonstration and for tests inside the process.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Where agencies connect, as bound.
    pub fn agencies(&self) -> SocketAddr {
        self.agencies.address()
    }

    /// Where people look, as bound.
    pub fn console(&self) -> SocketAddr {
        self.console.address()
    }

    /// The address of the pages: the one that the settings name, else as bound.
    pub fn pages(&self) -> String {
        let own = &self.gateway.settings().console;
        let scheme = if own.is_https() { "https" } else { "http" };
        let bound = format!("{scheme}://{}", self.console());
        if own.public_url.is_empty() { bound } else { own.public_url.trim_end_matches('/').to_owned() }
    }

    /// Where Prometheus asks, as bound, if not on the console's address only.
    pub fn metrics(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(Listener::address)
    }

    /// Whether agencies connect with TLS.
    pub fn has_tls(&self) -> bool {
        !self.gateway.settings().agencies.tls_certificate.as_os_str().is_empty()
    }

    /// Takes no more, ends what runs, seals the journal and closes the store.
    pub async fn stop(self) {
        // Nothing more is claimed; what is on its way out still has the broker's connection.
        self.stop.cancel();
        self.tasks.close();
        let settings = &self.gateway.settings().delivery;
        let time = GRACE.saturating_add(Duration::from_secs(u64::from(settings.stop_seconds)));
        // What else does not end in time loses its lease and is done again by the next node.
        let (_, ended) = tokio::join!(self.agencies.stop(GRACE), tokio::time::timeout(time, self.tasks.wait()));
        if ended.is_err() {
            tracing::warn!("something did not end in time; its lease ends by itself");
        }
        if let Some(amqp) = &self.amqp {
            amqp.stop(GRACE).await;
        }
        if let Some(export) = self.export {
            export.stop().await;
        }
        self.console.stop(Duration::from_secs(1)).await;
        if let Some(metrics) = self.metrics {
            metrics.stop(Duration::from_secs(1)).await;
        }
        // Last, for all before it writes to the journal.
        self.seal_stop.cancel();
        self.sealer.close();
        drop(tokio::time::timeout(GRACE, self.sealer.wait()).await);
        if let Err(error) = self.gateway.store().release_leases(self.gateway.node()).await {
            tracing::warn!(%error, "the jobs of this node are taken over when their leases end");
        }
        self.gateway.store().close().await;
    }
}

/// The address for Prometheus, if the settings name one.
async fn listen_for_metrics(settings: &Settings, face: Face) -> Result<Option<Listener>, StartError> {
    let Some(address) = settings.metrics.listen else { return Ok(None) };
    let options = ListenOptions { insecure_allowed: settings.metrics.insecure, ..ListenOptions::plain(address) };
    let listener = listen(options, api::metrics(face)).await.map_err(|e| StartError::Listen("metrics.listen", e))?;
    Ok(Some(listener))
}

/// The certificates of a file of authorities; none when no file is named.
fn authorities(settings: &Settings, file: &Path) -> Result<Vec<Vec<u8>>, StartError> {
    if file.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![read_file(&settings.path(file))?])
}

/// The ways to people: the mail server and HTTP, as the settings say.
///
/// # Errors
/// When a file cannot be read or an option is unusable.
pub fn voices(settings: &Settings) -> Result<Voices, StartError> {
    let smtp = &settings.notify.smtp;
    let login = (smtp.user.clone(), smtp.password.reveal().to_owned());
    let options = MailOptions {
        host: smtp.host.clone(),
        port: smtp.port,
        protection: match smtp.tls {
            SmtpTls::None => Protection::None,
            SmtpTls::Starttls => Protection::StartTls,
            SmtpTls::Tls => Protection::Tls,
        },
        extra_roots_pem: authorities(settings, &smtp.ca_file)?,
        login: (!smtp.user.is_empty()).then_some(login),
        from: smtp.from.clone(),
        timeout: Duration::from_millis(smtp.timeout_ms),
    };
    let mail = if smtp.host.is_empty() { None } else { Some(Mailer::new(options)?) };
    Ok(Voices { mail, push: Push::new(http_options(settings)?)? })
}

/// Where attachments lie, as the settings say; nothing is touched or asked yet.
///
/// # Errors
/// When a file cannot be read or an option is unusable.
pub fn vault(settings: &Settings) -> Result<Vault, StartError> {
    let own = &settings.attachments;
    if !own.s3.is_on() {
        return Ok(Vault::folder(settings.path(&own.folder)));
    }
    let secret = if own.s3.secret_key_file.as_os_str().is_empty() {
        own.s3.secret_key.clone()
    } else {
        let path = settings.path(&own.s3.secret_key_file);
        let text = std::fs::read_to_string(&path).map_err(|source| StartError::File { path, source })?;
        Secret::from(text.trim().to_owned())
    };
    let roots = authorities(settings, &own.s3.ca_file)?;
    Ok(Vault::bucket(S3Options::of(&own.s3, &secret, roots)?)?)
}

fn http_options(settings: &Settings) -> Result<HttpOptions, StartError> {
    let push = &settings.push;
    let extra_roots_pem =
        if push.ca_file.as_os_str().is_empty() { Vec::new() } else { vec![read_file(&settings.path(&push.ca_file))?] };
    Ok(HttpOptions {
        call_timeout: Duration::from_millis(push.timeout_ms),
        answer_bytes_max: push.answer_bytes_max,
        insecure_allowed: push.insecure,
        extra_roots_pem,
        identity: identity(settings, &push.tls_certificate, &push.tls_key)?,
        ..HttpOptions::default()
    })
}

/// A certificate with its key; none when no file is named.
fn identity(settings: &Settings, certificate: &Path, key: &Path) -> Result<Option<TlsIdentity>, StartError> {
    if certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let chain_pem = read_file(&settings.path(certificate))?;
    Ok(Some(TlsIdentity { chain_pem, key_pem: read_file(&settings.path(key))? }))
}

/// Every participant that the broker serves: those whose transport it is.
fn broker_participants(gateway: &Gateway) -> Vec<ParticipantId> {
    let snapshot = gateway.snapshot();
    let own = snapshot.participants().filter(|k| k.participant.transport == TransportKind::Amqp);
    own.map(|k| k.participant.id.clone()).collect()
}

/// The ways out for a command of its own: it consumes nothing.
///
/// # Errors
/// When a file cannot be read or an option is unusable.
pub fn ways(settings: &Settings) -> Result<Ways, StartError> {
    let push = Arc::new(Push::new(http_options(settings)?)?);
    if settings.broker.url.is_empty() {
        return Ok(Ways { push, amqp: None });
    }
    let options = amqp_options(settings, "command")?;
    let (_, nobody) = watch::channel(Vec::new());
    let handler = Arc::new(|_: Incoming| async { Disposition::RequeueLater }.boxed());
    let amqp = Amqp::start(options, nobody, handler)?;
    Ok(Ways { push, amqp: Some(Arc::new(amqp)) })
}

fn amqp_options(settings: &Settings, name: &str) -> Result<AmqpOptions, StartError> {
    let broker = &settings.broker;
    Ok(AmqpOptions {
        insecure_allowed: broker.insecure,
        extra_roots_pem: authorities(settings, &broker.ca_file)?,
        prefetch: broker.prefetch,
        message_bytes_max: settings.limits.envelope_bytes_max,
        connection_name: format!("mezhved {name}"),
        ..AmqpOptions::new(broker.url.clone())
    })
}

fn start_broker(gateway: &Gateway) -> Result<Option<Amqp>, StartError> {
    if gateway.settings().broker.url.is_empty() {
        return Ok(None);
    }
    let (sender, participants) = watch::channel(broker_participants(gateway));
    let (own, mut changed) = (gateway.clone(), gateway.snapshot_changed());
    let (taker, answering) = (gateway.clone(), Arc::new(std::sync::OnceLock::<Amqp>::new()));
    let answers = answering.clone();
    let handler = Arc::new(move |incoming: Incoming| {
        let (gateway, answers) = (taker.clone(), answers.clone());
        let taken = tokio::spawn(async move {
            // Set right after the start; a message that comes even before that comes again.
            let Some(amqp) = answers.get() else { return Disposition::RequeueLater };
            gateway.take(incoming, amqp).await
        });
        // What takes longer goes on in its task; the message comes again and is then found recorded.
        async move {
            match tokio::time::timeout(TAKING_TIME_MAX, taken).await {
                Ok(Ok(disposition)) => disposition,
                Ok(Err(_)) | Err(_) => Disposition::RequeueLater,
            }
        }
        .boxed()
    });
    let options = amqp_options(gateway.settings(), gateway.node())?;
    let amqp = Amqp::start(options, participants, handler)?;
    drop(answering.set(amqp.clone()));
    tokio::spawn(async move {
        while changed.changed().await.is_ok() {
            if sender.send(broker_participants(&own)).is_err() {
                return;
            }
        }
    });
    Ok(Some(amqp))
}

//! One connection from its start to its end, and the task that keeps having one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lapin::{
    Channel, Connection, ConnectionProperties, DefaultConnectionBuilder, options::ConfirmSelectOptions,
    tcp::OwnedTLSConfig, uri::AMQPUri,
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{Phase, Shared, topology};

/// How often a connection is looked at. Whoever uses it learns of its end at once; only the new one waits for this.
const LOOK: Duration = Duration::from_millis(100);
/// A broker that takes a connection and then says nothing holds a thread of the client library until the connection
/// ends. So many such attempts are kept, and no more are begun.
const ATTEMPTS_MAX: usize = 4;
/// For saying goodbye to the broker.
const CLOSE: Duration = Duration::from_secs(2);

/// A connection with its idle publishing channels.
pub(super) struct Session {
    pub(super) connection: Connection,
    idle: Mutex<Vec<Channel>>,
}

impl Session {
    /// A channel for one message; whoever has no trouble with it puts it back.
    pub(super) async fn take_channel(&self) -> lapin::Result<Channel> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(channel) = idle.filter(|channel| channel.status().connected()) {
            return Ok(channel);
        }
        let channel = self.connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    /// Keeps the channel for the next message.
    pub(super) fn put_back(&self, channel: Channel) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(channel);
    }
}

/// Where the broker is and how to speak to it.
pub(super) struct Target {
    pub(super) uri: AMQPUri,
    pub(super) tls: OwnedTLSConfig,
}

/// Keeps a connection until the phase is `Closing`.
pub(super) async fn keep(shared: Arc<Shared>, target: Target, mut phase: watch::Receiver<Phase>) {
    let mut attempts = JoinSet::new();
    let mut failures = 0;
    while *phase.borrow() != Phase::Closing {
        let begun = Instant::now();
        let outcome = tokio::select! {
            outcome = open(&shared, &target, &mut attempts) => outcome,
            () = closing(&mut phase) => break,
        };
        let trouble = match outcome {
            Ok(session) => {
                tracing::info!(broker = %target.uri.authority.host, "connected to the broker");
                shared.status.send_modify(|status| (status.connected, status.trouble) = (true, None));
                shared.session.send_replace(Some(session.clone()));
                tokio::select! {
                    () = ended(&session, &mut attempts) => {}
                    () = closing(&mut phase) => {}
                }
                shared.session.send_replace(None);
                if begun.elapsed() > shared.options.reconnect_pause_max {
                    failures = 0;
                }
                close(&session).await;
                "the connection has ended".to_owned()
            }
            Err(trouble) => trouble,
        };
        shared.status.send_modify(|status| (status.connected, status.trouble) = (false, Some(trouble.clone())));
        if *phase.borrow() == Phase::Closing {
            break;
        }
        let pause = super::pause(shared.options.reconnect_pause_min, shared.options.reconnect_pause_max, failures);
        failures = failures.saturating_add(1);
        tracing::warn!(broker = %target.uri.authority.host, %trouble, ?pause, "no connection to the broker");
        tokio::select! {
            () = sleep(pause) => {}
            () = closing(&mut phase) => {}
        }
    }
}

/// Waits until the phase is `Closing`, or nobody can say so any more.
async fn closing(phase: &mut watch::Receiver<Phase>) {
    // An error means that the sender is gone, which is the same wish.
    drop(phase.wait_for(|phase| *phase == Phase::Closing).await);
}

async fn ended(session: &Session, attempts: &mut JoinSet<lapin::Result<Connection>>) {
    while session.connection.status().connected() {
        // A late success of an abandoned attempt is a second connection: dropped, it closes.
        while let Some(late) = attempts.try_join_next() {
            drop(late);
        }
        sleep(LOOK).await;
    }
}

async fn close(session: &Session) {
    if session.connection.status().connected() {
        // Whatever comes of it, the connection is dropped next.
        drop(timeout(CLOSE, session.connection.close(200, "bye".into())).await);
    }
}

/// Connects and declares what all share.
async fn open(
    shared: &Shared,
    target: &Target,
    attempts: &mut JoinSet<lapin::Result<Connection>>,
) -> Result<Arc<Session>, String> {
    let limit = shared.options.connect_timeout;
    let deadline = Instant::now() + limit;
    let connection = connect(shared, target, attempts, deadline).await?;
    let declare = async {
        let channel = connection.create_channel().await?;
        topology::declare_common(&channel).await?;
        channel.close(200, "done".into()).await
    };
    match timeout_at(deadline, declare).await {
        Ok(Ok(())) => Ok(Arc::new(Session { connection, idle: Mutex::default() })),
        Ok(Err(error)) => Err(format!("cannot declare {}: {error}", topology::DEAD)),
        Err(_) => Err(format!("the broker did not declare {} within {limit:?}", topology::DEAD)),
    }
}

async fn connect(
    shared: &Shared,
    target: &Target,
    attempts: &mut JoinSet<lapin::Result<Connection>>,
    deadline: Instant,
) -> Result<Connection, String> {
    if attempts.len() < ATTEMPTS_MAX {
        let builder = DefaultConnectionBuilder::new()
            .map_err(|error| error.to_string())?
            .with_uri(target.uri.clone())
            .with_tls_config(target.tls.clone())
            .with_properties(
                ConnectionProperties::default().with_connection_name(shared.options.connection_name.as_str().into()),
            );
        attempts.spawn(async move { builder.connect().await });
    }
    let mut trouble = "no attempt was made".to_owned();
    loop {
        match timeout_at(deadline, attempts.join_next()).await {
            Ok(Some(Ok(Ok(connection)))) => return Ok(connection),
            Ok(Some(Ok(Err(error)))) => trouble = error.to_string(),
            Ok(Some(Err(panic))) => trouble = panic.to_string(),
            Ok(None) => return Err(trouble),
            Err(_) => return Err(format!("no answer within {:?}", shared.options.connect_timeout)),
        }
    }
}

//! Serving a router on an address.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    middleware::{self, Next},
    response::IntoResponse,
};
use axum_server::{
    Handle,
    tls_openssl::{OpenSSLAcceptor, OpenSSLConfig},
};
use hyper_util::rt::TokioTimer;
use openssl::{
    pkey::PKey,
    ssl::{SslAcceptor, SslMethod},
    x509::X509,
};
use tokio::{task::JoinHandle, time::timeout};

use super::gate::{Gate, Places};

/// A certificate chain with its key.
#[derive(Clone)]
pub struct TlsIdentity {
    /// PEM: the certificate, then the intermediate ones.
    pub chain_pem: Vec<u8>,
    /// PEM, PKCS#8, not encrypted.
    pub key_pem: Vec<u8>,
}

impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsIdentity(..)")
    }
}

/// Where and how to serve.
#[derive(Debug, Clone)]
pub struct ListenOptions {
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// `None`: plain HTTP.
    pub tls: Option<TlsIdentity>,
    /// Whether plain HTTP may listen on an address that is not loopback.
    pub insecure_allowed: bool,
    /// Open connections in all; one more is closed at once.
    pub connections_max: usize,
    /// Open connections from one address; one more is closed at once.
    pub connections_per_peer_max: usize,
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// For a request's head to arrive, the wait on an idle connection included.
    pub header_timeout: Duration,
    /// The largest head of a request.
    pub header_bytes_max: usize,
    /// From the head's arrival to the answer's head: reading the body and doing the work. Later: 408.
    pub request_timeout: Duration,
    /// Requests below this path keep times of their own instead, for they stream large bodies; empty: none.
    pub streaming_below: &'static str,
    /// How long the peer may take no byte of an answer.
    pub write_timeout: Duration,
}

/// The address cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Plain HTTP on an address that other machines reach.
    #[error("{0} is not a loopback address and no TLS certificate is set: set one, or say insecure = true")]
    PlainNotLoopback(SocketAddr),
    /// The system refused the address.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The certificate or its key is unusable.
    #[error("the TLS certificate or its key is unusable")]
    Tls(#[source] openssl::error::ErrorStack),
    /// A certificate for a listener without TLS.
    #[error("{0} is served without TLS")]
    Plain(SocketAddr),
}

/// A running server. Dropping it stops it at once; [`Listener::stop`] lets requests end.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    tls: Option<OpenSSLConfig>,
    task: JoinHandle<()>,
}

impl ListenOptions {
    /// Plain HTTP on the address with the usual limits.
    pub fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            tls: None,
            insecure_allowed: false,
            connections_max: 1024,
            connections_per_peer_max: 128,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(15),
            header_bytes_max: 32 * 1024,
            request_timeout: Duration::from_secs(30),
            streaming_below: "",
            write_timeout: Duration::from_secs(30),
        }
    }

    /// HTTPS on the address with the usual limits.
    pub fn tls(address: SocketAddr, identity: TlsIdentity) -> Self {
        Self { tls: Some(identity), ..Self::plain(address) }
    }
}

/// Binds the address and serves the router in the background. Handlers find the peer's address as
/// `axum::extract::ConnectInfo<SocketAddr>`; the router sets its own body limit.
///
/// A handler's future is dropped when the peer hangs up or `request_timeout` passes: what must not be left half done
/// belongs in a task of its own.
///
/// # Errors
/// When the address is taken or not allowed, or the certificate is unusable.
pub async fn listen(options: ListenOptions, router: Router) -> Result<Listener, ListenError> {
    let address = options.address;
    if options.tls.is_none() && !options.insecure_allowed && !address.ip().to_canonical().is_loopback() {
        return Err(ListenError::PlainNotLoopback(address));
    }
    let tls = options.tls.as_ref().map(acceptor).transpose()?.map(OpenSSLConfig::from_acceptor);
    let bind_error = |source| ListenError::Bind { address, source };
    let socket = std::net::TcpListener::bind(address).map_err(bind_error)?;
    socket.set_nonblocking(true).map_err(bind_error)?;
    let bound = socket.local_addr().map_err(bind_error)?;

    let gate = Gate {
        places: Places::new(options.connections_max, options.connections_per_peer_max),
        tls: tls.clone().map(|tls| OpenSSLAcceptor::new(tls).handshake_timeout(options.handshake_timeout)),
        write_timeout: options.write_timeout,
    };
    let handle = Handle::new();
    let mut server =
        axum_server::from_tcp(socket).map_err(bind_error)?.acceptor(gate).handle(handle.clone()).http1_only();
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size(options.header_bytes_max);
    let app = within(router, options.request_timeout, options.streaming_below)
        .into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async move {
        if let Err(error) = server.serve(app).await {
            tracing::error!(address = %bound, %error, "the listener has stopped");
        }
    });
    Ok(Listener { address: bound, handle, tls, task })
}

/// The router with a time-out over every request: reading the body and doing the work.
fn within(router: Router, request_timeout: Duration, streaming_below: &'static str) -> Router {
    router.layer(middleware::from_fn(move |request: Request, next: Next| async move {
        if !streaming_below.is_empty() && request.uri().path().starts_with(streaming_below) {
            return next.run(request).await;
        }
        match timeout(request_timeout, next.run(request)).await {
            Ok(response) => response,
            // The rest of the body may still be under way: the connection is of no more use.
            Err(_) => (StatusCode::REQUEST_TIMEOUT, [(header::CONNECTION, "close")]).into_response(),
        }
    }))
}

/// TLS 1.2 and 1.3 with Mozilla's intermediate list, HTTP/1.1 only.
fn acceptor(identity: &TlsIdentity) -> Result<Arc<SslAcceptor>, ListenError> {
    let build = || {
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        let mut chain = X509::stack_from_pem(&identity.chain_pem)?.into_iter();
        if let Some(own) = chain.next() {
            builder.set_certificate(&own)?;
        }
        for intermediate in chain {
            builder.add_extra_chain_cert(intermediate)?;
        }
        let key = PKey::private_key_from_pem(&identity.key_pem)?;
        builder.set_private_key(&key)?;
        builder.check_private_key()?;
        Ok(Arc::new(builder.build()))
    };
    build().map_err(ListenError::Tls)
}

impl Listener {
    /// The address that was really bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes a new certificate for the connections to come.
    ///
    /// # Errors
    /// When it is unusable (the old one stays) or the listener is plain.
    pub fn renew_tls(&self, identity: &TlsIdentity) -> Result<(), ListenError> {
        let tls = self.tls.as_ref().ok_or(ListenError::Plain(self.address))?;
        tls.reload_from_acceptor(acceptor(identity)?);
        Ok(())
    }

    /// Takes no more connections, lets running requests end for at most `grace`, then cuts them.
    pub async fn stop(mut self, grace: Duration) {
        self.handle.graceful_shutdown(Some(grace));
        if (&mut self.task).await.is_err() {
            tracing::error!(address = %self.address, "the listener's task ended in a panic");
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

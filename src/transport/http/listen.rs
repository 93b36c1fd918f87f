//! Serving a router on an address.

use std::{net::SocketAddr, time::Duration};

use axum::Router;

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
}

/// A running server. Dropping it stops it at once; [`Listener::stop`] lets requests end.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
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
/// # Errors
/// When the address is taken or not allowed, or the certificate is unusable.
pub async fn listen(_options: ListenOptions, _router: Router) -> Result<Listener, ListenError> {
    todo!()
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
    pub fn renew_tls(&self, _identity: &TlsIdentity) -> Result<(), ListenError> {
        todo!()
    }

    /// Takes no more connections, lets running requests end for at most `grace`, then cuts them.
    pub async fn stop(self, _grace: Duration) {
        todo!()
    }
}

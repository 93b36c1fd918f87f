//! Looking at a partner's address step by step: its name, the connection, TLS. Nothing is sent.

use std::net::{SocketAddr, TcpStream as Blocking};
use std::time::Duration;

use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{HandshakeError, SslConnector, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::{X509, X509NameRef, X509VerifyResult};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::Push;
use super::push::{Trust, usable};

/// Where an address leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name or the address in the URL.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether it is https.
    pub tls: bool,
}

/// What a TLS handshake showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSeen {
    /// Such as `TLSv1.3`.
    pub version: String,
    /// The peer's certificate: whose it is.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Until when it is valid, as the certificate writes it.
    pub until: String,
    /// The names that it is for.
    pub names: Vec<String>,
    /// Why it is not to be trusted; `None`: it is.
    pub problem: Option<String>,
}

impl Push {
    /// Where a URL leads, if it may be used at all.
    ///
    /// # Errors
    /// Why not, for the operator.
    pub fn target(&self, url: &str) -> Result<Target, String> {
        let url = usable(url, self.insecure_allowed)?;
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = url.scheme() == "https";
        Ok(Target { host, port: url.port_or_known_default().unwrap_or(if tls { 443 } else { 80 }), tls })
    }

    /// The addresses of the name.
    ///
    /// # Errors
    /// Why there are none, for the operator.
    pub async fn resolve(&self, target: &Target) -> Result<Vec<SocketAddr>, String> {
        let limit = self.trust.connect_timeout;
        let found = timeout(limit, lookup_host((target.host.as_str(), target.port))).await;
        let found = found.map_err(|_| format!("no answer within {limit:?}"))?.map_err(|error| error.to_string())?;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() { Err("the name has no address".to_owned()) } else { Ok(found) }
    }

    /// Connects to the first address that takes a connection.
    ///
    /// # Errors
    /// What the last one said, for the operator.
    pub async fn reach(&self, addresses: &[SocketAddr]) -> Result<TcpStream, String> {
        let limit = self.trust.connect_timeout;
        let mut trouble = "no address".to_owned();
        for address in addresses {
            match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => trouble = format!("{address}: {error}"),
                Err(_) => trouble = format!("{address}: no answer within {limit:?}"),
            }
        }
        Err(trouble)
    }

    /// Shakes hands over a connection, trusting whom deliveries trust, and tells what was seen.
    ///
    /// # Errors
    /// Why no handshake came about, for the operator.
    pub async fn shake_hands(&self, target: &Target, stream: TcpStream) -> Result<TlsSeen, String> {
        let (trust, host) = (self.trust.clone(), target.host.clone());
        let stream = stream.into_std().map_err(|error| error.to_string())?;
        let seen = tokio::task::spawn_blocking(move || shake_hands(&trust, &host, stream));
        seen.await.map_err(|error| error.to_string())?
    }
}

fn shake_hands(trust: &Trust, host: &str, stream: Blocking) -> Result<TlsSeen, String> {
    let limit: Option<Duration> = Some(trust.connect_timeout);
    stream.set_nonblocking(false).map_err(|e| e.to_string())?;
    stream.set_read_timeout(limit).and_then(|()| stream.set_write_timeout(limit)).map_err(|e| e.to_string())?;
    let connector = connector(trust).map_err(|e| e.to_string())?;
    let configured = connector.configure().map_err(|e| e.to_string())?;
    let stream = configured.connect(host, stream).map_err(|error| match error {
        HandshakeError::SetupFailure(error) => error.to_string(),
        HandshakeError::Failure(middle) => middle.error().to_string(),
        HandshakeError::WouldBlock(_) => format!("no answer within {:?}", trust.connect_timeout),
    })?;
    let ssl = stream.ssl();
    let peer = ssl.peer_certificate().ok_or("the peer showed no certificate")?;
    let result = ssl.verify_result();
    Ok(TlsSeen {
        version: ssl.version_str().to_owned(),
        subject: name(peer.subject_name()),
        issuer: name(peer.issuer_name()),
        until: peer.not_after().to_string(),
        names: names(&peer),
        problem: (result != X509VerifyResult::OK).then(|| result.error_string().to_owned()),
    })
}

/// As the client of deliveries is made; but the handshake goes on with who is not trusted, so that it can be told who that is.
fn connector(trust: &Trust) -> Result<SslConnector, openssl::error::ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_verify(SslVerifyMode::NONE);
    for pem in &trust.extra_roots_pem {
        for root in X509::stack_from_pem(pem)? {
            builder.cert_store_mut().add_cert(root)?;
        }
    }
    if let Some(identity) = &trust.identity {
        let chain = X509::stack_from_pem(&identity.chain_pem)?;
        let mut chain = chain.into_iter();
        if let Some(own) = chain.next() {
            builder.set_certificate(&own)?;
        }
        for above in chain {
            builder.add_extra_chain_cert(above)?;
        }
        let key = PKey::private_key_from_pem(&identity.key_pem)?;
        builder.set_private_key(&key)?;
    }
    Ok(builder.build())
}

fn name(name: &X509NameRef) -> String {
    let part = |entry: &openssl::x509::X509NameEntryRef| {
        let value = entry.data().to_string().unwrap_or_else(|_| "?".to_owned());
        let key: Nid = entry.object().nid();
        format!("{}={value}", key.short_name().unwrap_or("?"))
    };
    name.entries().map(part).collect::<Vec<_>>().join(", ")
}

fn names(certificate: &X509) -> Vec<String> {
    let found = certificate.subject_alt_names();
    let name = |name: &openssl::x509::GeneralNameRef| match (name.dnsname(), name.ipaddress()) {
        (Some(name), _) => Some(name.to_owned()),
        (None, Some([a, b, c, d])) => Some(format!("{a}.{b}.{c}.{d}")),
        (None, Some(_)) => Some("IPv6".to_owned()),
        (None, None) => None,
    };
    found.iter().flatten().filter_map(name).collect()
}

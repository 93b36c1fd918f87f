//! What every accepted connection passes: the count of connections, the TLS handshake, and a guard against peers that
//! do not read.

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum_server::{accept::Accept, tls_openssl::OpenSSLAcceptor};
use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

/// The acceptor that `axum-server` runs for each connection.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) places: Arc<Places>,
    pub(super) tls: Option<OpenSSLAcceptor>,
    pub(super) write_timeout: Duration,
}

impl<S: Send + 'static> Accept<TcpStream, S> for Gate {
    type Stream = Guarded;
    type Service = S;
    type Future = BoxFuture<'static, io::Result<(Guarded, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let gate = self.clone();
        Box::pin(async move {
            let place = gate.places.take(stream.peer_addr()?.ip())?;
            stream.set_nodelay(true)?;
            let (io, service): (Box<dyn Io>, S) = match gate.tls {
                Some(tls) => {
                    let (stream, service) = tls.accept(stream, service).await?;
                    (Box::new(stream), service)
                }
                None => (Box::new(stream), service),
            };
            Ok((Guarded { io, stall: None, write_timeout: gate.write_timeout, _place: place }, service))
        })
    }
}

/// Counts open connections, in all and by peer.
pub(super) struct Places {
    all_max: usize,
    peer_max: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// One connection's place; given back when dropped.
struct Place {
    places: Arc<Places>,
    peer: IpAddr,
}

impl Places {
    pub(super) fn new(all_max: usize, peer_max: usize) -> Arc<Self> {
        Arc::new(Self { all_max, peer_max, open: Mutex::default() })
    }

    fn take(self: &Arc<Self>, peer: IpAddr) -> io::Result<Place> {
        let peer = network(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = open.by_peer.get(&peer).copied().unwrap_or(0);
        if open.all >= self.all_max || of_peer >= self.peer_max {
            tracing::warn!(%peer, of_peer, all = open.all, "connection refused: too many are open");
            return Err(io::Error::other("too many connections"));
        }
        open.all += 1;
        open.by_peer.insert(peer, of_peer + 1);
        Ok(Place { places: self.clone(), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        match open.by_peer.get(&self.peer).copied() {
            Some(count) if count > 1 => open.by_peer.insert(self.peer, count - 1),
            Some(_) | None => open.by_peer.remove(&self.peer),
        };
    }
}

/// One peer: an IPv4 address, or an IPv6 network of 64 bits, for whoever has one address there has them all.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

/// What a connection is made of, plain or TLS.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection that fails when its peer takes no byte for `write_timeout`. (A peer that sends nothing is held by the
/// time-outs of the head and of the request.)
pub(super) struct Guarded {
    io: Box<dyn Io>,
    stall: Option<Pin<Box<Sleep>>>,
    write_timeout: Duration,
    _place: Place,
}

impl Guarded {
    fn watch<T>(&mut self, cx: &mut Context<'_>, step: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if step.is_ready() {
            self.stall = None;
            return step;
        }
        let write_timeout = self.write_timeout;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(write_timeout)));
        stall.as_mut().poll(cx).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let step = Pin::new(&mut self.io).poll_write(cx, buf);
        self.watch(cx, step)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let step = Pin::new(&mut self.io).poll_flush(cx);
        self.watch(cx, step)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let step = Pin::new(&mut self.io).poll_shutdown(cx);
        self.watch(cx, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back() {
        let places = Places::new(3, 2);
        let [a, b]: [IpAddr; 2] = ["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()];
        let first = places.take(a).unwrap();
        let _second = places.take(a).unwrap();
        assert!(places.take(a).is_err(), "a third of one peer");
        let _other = places.take(b).unwrap();
        assert!(places.take(b).is_err(), "a fourth in all");
        drop(first);
        assert!(places.take(a).is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_peer() {
        let places = Places::new(9, 1);
        let _one = places.take("2001:db8::1".parse().unwrap()).unwrap();
        assert!(places.take("2001:db8::ffff:2".parse().unwrap()).is_err());
        assert!(places.take("2001:db8:0:1::1".parse().unwrap()).is_ok());
        let _four = places.take("::ffff:192.0.2.7".parse().unwrap()).unwrap();
        assert!(places.take("192.0.2.7".parse().unwrap()).is_err());
    }
}

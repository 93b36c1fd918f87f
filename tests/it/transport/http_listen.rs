//! Serving: addresses, limits, slow peers, stopping.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    routing::{get, post},
};
use futures_util::stream;
use mezhved::transport::http::{ListenError, ListenOptions, Listener, listen};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Notify, mpsc},
};

use super::{tls::Authority, until, within};

const SHORT: Duration = Duration::from_millis(300);

fn loopback() -> ListenOptions {
    ListenOptions::plain(SocketAddr::from(([127, 0, 0, 1], 0)))
}

async fn connect(listener: &Listener) -> TcpStream {
    TcpStream::connect(listener.address()).await.unwrap()
}

async fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let size = within("an answer", stream.read(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer[..size]).into_owned()
}

/// Reads until the server closes.
async fn closed(mut stream: TcpStream, what: &str) -> String {
    let mut rest = Vec::new();
    // A reset is a close too.
    drop(within(what, stream.read_to_end(&mut rest)).await);
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn plain_http_stays_on_loopback() {
    let all = SocketAddr::from(([0, 0, 0, 0], 0));
    let router = Router::new;
    let refused = listen(ListenOptions::plain(all), router()).await.unwrap_err();
    assert!(matches!(refused, ListenError::PlainNotLoopback(address) if address == all), "{refused}");
    let v6: SocketAddr = "[::]:0".parse().unwrap();
    assert!(matches!(listen(ListenOptions::plain(v6), router()).await, Err(ListenError::PlainNotLoopback(_))));
    let insecure = ListenOptions { insecure_allowed: true, ..ListenOptions::plain(all) };
    assert_ne!(listen(insecure, router()).await.unwrap().address().port(), 0);
    let identity = Authority::new().server("localhost");
    assert_ne!(listen(ListenOptions::tls(all, identity), router()).await.unwrap().address().port(), 0);
}

#[tokio::test]
async fn a_bad_start_is_an_error() {
    let first = listen(loopback(), Router::new()).await.unwrap();
    let taken = listen(ListenOptions::plain(first.address()), Router::new()).await.unwrap_err();
    assert!(matches!(taken, ListenError::Bind { address, .. } if address == first.address()), "{taken}");
    let (one, other) = (Authority::new().server("localhost"), Authority::new().server("localhost"));
    for (name, chain_pem, key_pem) in [
        ("another key", one.chain_pem.clone(), other.key_pem),
        ("no certificate", Vec::new(), one.key_pem.clone()),
        ("no key", one.chain_pem.clone(), Vec::new()),
    ] {
        let identity = mezhved::transport::http::TlsIdentity { chain_pem, key_pem };
        let error = listen(ListenOptions::tls(loopback().address, identity), Router::new()).await.unwrap_err();
        assert!(matches!(error, ListenError::Tls(_)), "{name}: {error}");
    }
}

#[tokio::test]
async fn handlers_see_the_peer() {
    let peer = async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string();
    let listener = listen(loopback(), Router::new().route("/", get(peer))).await.unwrap();
    let mut stream = connect(&listener).await;
    let own = stream.local_addr().unwrap().to_string();
    let answer = ask(&mut stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.ends_with(&own), "{answer}");
}

#[tokio::test]
async fn slow_peers_are_let_go() {
    let options = ListenOptions { header_timeout: SHORT, request_timeout: SHORT, ..loopback() };
    let router = Router::new().route("/", post(async |_body: Bytes| "done"));
    let listener = listen(options, router).await.unwrap();

    assert_eq!(closed(connect(&listener).await, "the end of a silent connection").await, "");

    let mut head = connect(&listener).await;
    head.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-").await.unwrap();
    let answer = closed(head, "the end of a slow head").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");

    let mut body = connect(&listener).await;
    body.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc").await.unwrap();
    let answer = closed(body, "the end of a slow body").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");

    let mut idle = connect(&listener).await;
    let answer = ask(&mut idle, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(closed(idle, "the end of an idle connection").await, "");
}

#[tokio::test]
async fn what_streams_keeps_times_of_its_own() {
    let options = ListenOptions { request_timeout: SHORT, streaming_below: "/files/", ..loopback() };
    let take = async |_body: Bytes| "done";
    let listener =
        listen(options, Router::new().route("/", post(take)).route("/files/{name}", post(take))).await.unwrap();
    let mut streaming = connect(&listener).await;
    streaming.write_all(b"POST /files/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc").await.unwrap();
    for _ in 0..2 {
        let mut other = connect(&listener).await;
        other.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc").await.unwrap();
        assert!(closed(other, "the end of a slow body").await.starts_with("HTTP/1.1 408"));
    }
    let answer = ask(&mut streaming, "defghij").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_silent_handshake_is_let_go() {
    let identity = Authority::new().server("localhost");
    let options = ListenOptions { handshake_timeout: SHORT, tls: Some(identity), ..loopback() };
    let listener = listen(options, Router::new()).await.unwrap();
    assert_eq!(closed(connect(&listener).await, "the end of the handshake").await, "");
}

#[tokio::test]
async fn a_large_head_is_refused() {
    let listener = listen(loopback(), Router::new().route("/", get(async || "done"))).await.unwrap();
    let mut stream = connect(&listener).await;
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n", "x".repeat(64 * 1024));
    // The server may close before all is written.
    drop(stream.write_all(request.as_bytes()).await);
    let answer = closed(stream, "the refusal").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

/// Tells when it is dropped.
struct Tell(mpsc::UnboundedSender<()>);
impl Drop for Tell {
    fn drop(&mut self) {
        self.0.send(()).ok();
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_let_go() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let flood = async move || {
        let tell = Tell(tell.clone());
        Body::from_stream(stream::repeat_with(move || {
            let _alive = &tell;
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1 << 16]))
        }))
    };
    let options = ListenOptions { write_timeout: SHORT, ..loopback() };
    let listener = listen(options, Router::new().route("/", get(flood))).await.unwrap();
    let mut stream = connect(&listener).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    within("the end of the answer", told.recv()).await.unwrap();
    drop(stream);
}

#[tokio::test]
async fn one_peer_has_so_many_connections() {
    let options = ListenOptions { connections_per_peer_max: 2, ..loopback() };
    let listener = listen(options, Router::new().route("/", get(async || "done"))).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let (mut first, mut second) = (connect(&listener).await, connect(&listener).await);
    for stream in [&mut first, &mut second] {
        assert!(ask(stream, request).await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(closed(connect(&listener).await, "the refusal").await, "");
    assert!(ask(&mut first, request).await.starts_with("HTTP/1.1 200"), "an earlier connection was harmed");
    drop(first);
    until("a free place", async || {
        let mut stream = connect(&listener).await;
        let mut answer = [0; 12];
        stream.write_all(request.as_bytes()).await.is_ok() && stream.read_exact(&mut answer).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn stopping_lets_requests_end_for_a_while() {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let work = {
        let (begun, go) = (begun.clone(), go.clone());
        async move || {
            begun.notify_one();
            go.notified().await;
            "done"
        }
    };
    let router = Router::new().route("/", get(work)).route("/stuck", get(std::future::pending::<&str>));

    let listener = listen(loopback(), router.clone()).await.unwrap();
    let address = listener.address();
    let mut stream = connect(&listener).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    within("the request", begun.notified()).await;
    let stopping = tokio::spawn(listener.stop(Duration::from_secs(60)));
    until("a closed door", async || TcpStream::connect(address).await.is_err()).await;
    go.notify_one();
    let answer = closed(stream, "the answer").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
    within("the stop", stopping).await.unwrap();

    let listener = listen(loopback(), router).await.unwrap();
    let mut stream = connect(&listener).await;
    stream.write_all(b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    within("the stop", listener.stop(SHORT)).await;
    assert_eq!(closed(stream, "the cut").await, "");
}

//! Posting to partners.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect},
    routing::post,
};
use futures_util::{StreamExt as _, stream};
use mezhved::{
    client::RootError,
    domain::ParkReason,
    transport::{
        Answer, Outcome,
        http::{HttpError, HttpOptions, ListenOptions, Listener, Push, listen},
    },
};
use tokio::net::TcpListener;

use super::{message_id, tls::Authority, within};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

async fn serve(router: Router) -> Listener {
    listen(ListenOptions::plain(LOOPBACK), router).await.unwrap()
}

fn push_with(change: impl FnOnce(&mut HttpOptions)) -> Push {
    let mut options = HttpOptions { answer_bytes_max: 1000, ..HttpOptions::default() };
    change(&mut options);
    Push::new(options).unwrap()
}

fn failed(outcome: &Outcome) -> Option<(ParkReason, Option<u64>)> {
    match outcome {
        Outcome::Failed { reason, retry_after, .. } => Some((*reason, retry_after.map(|wait| wait.as_secs()))),
        Outcome::Sent { .. } | Outcome::Answered { .. } => None,
    }
}

#[tokio::test]
async fn each_answer_has_its_outcome() {
    let followed = Arc::new(AtomicUsize::new(0));
    let count = followed.clone();
    let xml = [("content-type", "application/xml; charset=utf-8")];
    let html = [("content-type", "text/html")];
    let retry = |status: StatusCode, wait: &'static str| async move { (status, [(header::RETRY_AFTER, wait)]) };
    let router = Router::new()
        .route("/receipt", post(async || "<Envelope/>"))
        .route("/empty", post(async || StatusCode::NO_CONTENT))
        .route("/largest", post(async || "x".repeat(1000)))
        .route("/too-large", post(async || "x".repeat(1001)))
        .route("/fault", post(async move || (StatusCode::CONFLICT, xml, "<Fault/>")))
        .route("/too-large-fault", post(async move || (StatusCode::CONFLICT, xml, "x".repeat(1001))))
        .route("/empty-fault", post(async move || (StatusCode::CONFLICT, xml, "")))
        .route("/page", post(async move || (StatusCode::FORBIDDEN, html, "<html/>")))
        .route("/broken", post(async move || (StatusCode::INTERNAL_SERVER_ERROR, xml, "<Fault/>")))
        .route("/busy", post(async move || retry(StatusCode::SERVICE_UNAVAILABLE, "120").await))
        .route("/fast", post(async move || retry(StatusCode::TOO_MANY_REQUESTS, "999999").await))
        .route("/other", post(async move || retry(StatusCode::BAD_GATEWAY, "120").await))
        .route("/moved", post(async || Redirect::temporary("/there")))
        .route("/there", post(async move || _ = count.fetch_add(1, Ordering::SeqCst)));
    let listener = serve(router).await;
    let push = push_with(|_| {});
    let partner_error = |wait| Err((ParkReason::PartnerError, wait));
    for (path, expected) in [
        ("receipt", Ok(Outcome::Sent { answer: Answer::Bytes(b"<Envelope/>".to_vec()) })),
        ("empty", Ok(Outcome::SENT)),
        ("largest", Ok(Outcome::Sent { answer: Answer::Bytes(vec![b'x'; 1000]) })),
        ("too-large", Ok(Outcome::Sent { answer: Answer::Unread { detail: "more than 1000 bytes".into() } })),
        ("fault", Ok(Outcome::Answered { status: 409, answer: b"<Fault/>".to_vec() })),
        ("too-large-fault", partner_error(None)),
        ("empty-fault", partner_error(None)),
        ("page", partner_error(None)),
        ("broken", partner_error(None)),
        ("busy", partner_error(Some(120))),
        ("fast", partner_error(Some(3600))),
        ("other", partner_error(None)),
        ("moved", partner_error(None)),
        ("nowhere", partner_error(None)),
    ] {
        let url = format!("http://{}/{path}", listener.address());
        let outcome = push.push(&url, b"<a/>".to_vec(), message_id(), None).await;
        match expected {
            Ok(expected) => assert_eq!(outcome, expected, "{path}"),
            Err(expected) => assert_eq!(failed(&outcome), Some(expected), "{path}: {outcome:?}"),
        }
    }
    assert_eq!(followed.load(Ordering::SeqCst), 0, "a redirect was followed");
}

#[tokio::test]
async fn the_bytes_arrive_as_they_are() {
    let (seen, mut sight) = tokio::sync::mpsc::channel(1);
    let router = Router::new().route(
        "/in",
        post(async move |headers: HeaderMap, body: Bytes| {
            seen.send((headers, body)).await.unwrap();
            StatusCode::OK
        }),
    );
    let listener = serve(router).await;
    let bytes = "<Конверт>\r\n\u{10348}</Конверт>".as_bytes().to_vec();
    let id = message_id();
    let url = format!("http://{}/in", listener.address());
    assert_eq!(push_with(|_| {}).push(&url, bytes.clone(), id, None).await, Outcome::SENT);
    let (headers, body) = within("the request", sight.recv()).await.unwrap();
    assert_eq!(body, bytes);
    assert_eq!(headers[header::CONTENT_TYPE], "application/xml; charset=utf-8");
    assert_eq!(headers["mezhved-message-id"], id.to_string());
    assert!(!headers.contains_key(header::ACCEPT_ENCODING), "a packed answer would escape the limit of its size");
}

#[tokio::test]
async fn a_partner_that_hangs_is_timed_out() {
    let router = Router::new()
        .route("/never", post(std::future::pending::<StatusCode>))
        .route("/midway", post(async || endless(0).into_response()))
        .route("/flood", post(async || endless(1 << 16).into_response()));
    let listener = serve(router).await;
    let push = push_with(|options| options.call_timeout = Duration::from_millis(300));
    let url = |path: &str| format!("http://{}/{path}", listener.address());
    let never = within("the time-out", push.push(&url("never"), vec![], message_id(), None)).await;
    assert_eq!(failed(&never), Some((ParkReason::TimedOut, None)), "{never:?}");
    for path in ["midway", "flood"] {
        // 200 was said: the message is handed over, whatever the body does.
        let midway = within("the time-out", push.push(&url(path), vec![], message_id(), None)).await;
        assert!(matches!(midway, Outcome::Sent { answer: Answer::Unread { .. } }), "{path}: {midway:?}");
    }
}

/// One chunk, and then nothing, or the same again and again.
fn endless(size: usize) -> Body {
    let chunk = Bytes::from(vec![b'x'; size.max(10)]);
    let first = stream::iter([Ok::<_, std::io::Error>(chunk.clone())]);
    if size == 0 {
        Body::from_stream(first.chain(stream::pending()))
    } else {
        Body::from_stream(stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())))
    }
}

#[tokio::test]
async fn a_partner_that_is_not_there() {
    let socket = TcpListener::bind(LOOPBACK).await.unwrap();
    let closed = socket.local_addr().unwrap();
    drop(socket);
    let hangs_up = TcpListener::bind(LOOPBACK).await.unwrap();
    let hangs_up_at = hangs_up.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = hangs_up.accept().await {
            drop(socket)
        }
    });
    let push = push_with(|_| {});
    for url in [format!("http://{closed}/"), format!("http://{hangs_up_at}/"), format!("https://{hangs_up_at}/")] {
        let outcome = push.push(&url, vec![], message_id(), None).await;
        assert_eq!(failed(&outcome), Some((ParkReason::Unreachable, None)), "{url}: {outcome:?}");
    }
    for url in ["http://192.0.2.1/", "https://user:secret@127.0.0.1/", "gopher://127.0.0.1/", "/in"] {
        let outcome = push.push(url, vec![], message_id(), None).await;
        assert_eq!(failed(&outcome), Some((ParkReason::RouteMissing, None)), "{url}: {outcome:?}");
        assert!(!format!("{outcome:?}").contains("secret"), "{outcome:?}");
    }
}

#[tokio::test]
async fn tls_is_checked() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let router = || Router::new().route("/in", post(async || "<Envelope/>"));
    let right = listen(ListenOptions::tls(LOOPBACK, ours.server("localhost")), router()).await.unwrap();
    let wrong_name = listen(ListenOptions::tls(LOOPBACK, ours.server("agency.example")), router()).await.unwrap();
    let trusting = push_with(|options| options.extra_roots_pem = vec![ours.pem()]);
    let strange = push_with(|options| options.extra_roots_pem = vec![theirs.pem()]);
    let url = |listener: &Listener| format!("https://localhost:{}/in", listener.address().port());
    let sent = Outcome::Sent { answer: Answer::Bytes(b"<Envelope/>".to_vec()) };
    assert_eq!(trusting.push(&url(&right), vec![], message_id(), None).await, sent);
    for (push, listener, what) in [
        (&strange, &right, "another authority"),
        (&push_with(|_| {}), &right, "no authority"),
        (&trusting, &wrong_name, "another name"),
    ] {
        let outcome = push.push(&url(listener), vec![], message_id(), None).await;
        assert_eq!(failed(&outcome), Some((ParkReason::Unreachable, None)), "{what}: {outcome:?}");
        assert!(format!("{outcome:?}").contains("certificate verify failed"), "{what}: {outcome:?}");
    }
    let plain = format!("http://localhost:{}/in", right.address().port());
    assert!(failed(&trusting.push(&plain, vec![], message_id(), None).await).is_some(), "plain HTTP on a TLS port");

    right.renew_tls(&theirs.server("localhost")).unwrap();
    assert_eq!(strange.push(&url(&right), vec![], message_id(), None).await, sent, "the new certificate is not shown");
}

#[test]
fn a_root_that_is_no_certificate_is_named() {
    let roots = vec![Authority::new().pem(), b"-----BEGIN NOTHING-----".to_vec()];
    let error = Push::new(HttpOptions { extra_roots_pem: roots, ..HttpOptions::default() }).unwrap_err();
    assert!(matches!(error, HttpError::Root(RootError { number: 2 })), "{error}");
}

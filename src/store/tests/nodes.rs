//! Nodes: opening at once, clocks, a database that goes away, URLs.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

on_both! {
    nodes_that_open_at_once_migrate_once
    a_node_leaves_a_sign_of_life
    the_database_has_a_clock
    a_lost_connection_is_made_anew
}

async fn nodes_that_open_at_once_migrate_once(bench: &Bench) {
    // A fresh database beside the bench's own.
    let url = match &bench.schema {
        None => bench.url.replace("store.db", "fresh.db"),
        Some((_, schema)) => {
            bench.sql(&format!("CREATE SCHEMA {schema}_fresh")).await;
            bench.url.replace(schema, &format!("{schema}_fresh"))
        }
    };
    let opened = futures_util::future::join_all((0..4).map(|_| Store::open(StoreOptions::new(&url)))).await;
    for store in opened {
        let store = store.unwrap();
        store.ping().await.unwrap();
        store.close().await;
    }
    let again = Store::open(StoreOptions::new(&url)).await.unwrap();
    assert_eq!(again.accept(accept(message(1))).await, Ok(Accepted::Recorded));
    again.close().await;
    if let Some((_, schema)) = &bench.schema {
        bench.sql(&format!("DROP SCHEMA {schema}_fresh CASCADE")).await;
    }
}

async fn a_node_leaves_a_sign_of_life(bench: &Bench) {
    let revisions = Revisions { participants: 3, bundle: 2 };
    bench.store.heartbeat("a", at(1), Revisions::default()).await.unwrap();
    bench.store.heartbeat("b", at(2), Revisions::default()).await.unwrap();
    bench.store.heartbeat("a", at(3), revisions).await.unwrap();
    let nodes = bench.store.nodes().await.unwrap();
    assert_eq!(nodes.iter().map(|n| n.node.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((nodes[0].seen_at, nodes[0].revisions), (at(3), revisions));
}

async fn the_database_has_a_clock(bench: &Bench) {
    #[allow(clippy::disallowed_methods, reason = "compared with the real clock")]
    let real = Timestamp::from(chrono::Utc::now());
    let theirs = bench.store.database_now().await.unwrap();
    assert!(theirs.since(real).abs() < 5_000_000, "{theirs} is not {real}");
}

async fn a_lost_connection_is_made_anew(bench: &Bench) {
    bench.store.accept(accept(message(1))).await.unwrap();
    if let Some((_, schema)) = &bench.schema {
        let gone = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{schema}' AND pid <> pg_backend_pid()"
        );
        bench.sql(&gone).await;
    }
    assert_eq!(bench.store.accept(accept(message(2))).await, Ok(Accepted::Recorded));
    assert!(bench.store.message(record(1)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_unknown_outcome_says_so_and_the_repeat_is_a_duplicate() {
    run(sql::Engine::Postgres, async |bench: &Bench| {
        let (through_proxy, cut) = proxy_that_cuts_at_commit(&bench.url).await;
        let store = Store::open(StoreOptions::new(&through_proxy)).await.unwrap();
        assert_eq!(store.accept(accept(message(1))).await, Ok(Accepted::Recorded));
        cut.store(true, Ordering::SeqCst);
        assert_eq!(store.accept(accept(message(2))).await, Err(StoreError::Unknown));
        cut.store(false, Ordering::SeqCst);
        // The outcome is not known to the caller; here the server did commit, and a repeat finds it.
        while bench.store.message(record(2)).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        let answer = store.accept(accept(message(2))).await;
        assert!(matches!(answer, Ok(Accepted::Duplicate { receipt: Some(_), .. })), "{answer:?}");
        store.close().await;
    })
    .await;
}

/// A proxy before the server; while the flag is up it passes a COMMIT on and hangs up before the answer.
async fn proxy_that_cuts_at_commit(url: &str) -> (String, Arc<AtomicBool>) {
    let (before, rest) = url.split_once('@').unwrap();
    let (server, rest) = rest.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxied = format!("{before}@{}/{rest}", listener.local_addr().unwrap());
    let (server, cut) = (server.to_owned(), Arc::new(AtomicBool::new(false)));
    let flag = Arc::clone(&cut);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (server, flag) = (server.clone(), Arc::clone(&flag));
            tokio::spawn(async move {
                let server = TcpStream::connect(server).await.unwrap();
                let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                    (client.into_split(), server.into_split());
                let down = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
                let mut bytes = [0; 65_536];
                while let Ok(n @ 1..) = from_client.read(&mut bytes).await {
                    let cutting = flag.load(Ordering::SeqCst) && bytes[..n].windows(6).any(|w| w == b"COMMIT");
                    if cutting {
                        down.abort();
                    }
                    if to_server.write_all(&bytes[..n]).await.is_err() || cutting {
                        break;
                    }
                }
            });
        }
    });
    (proxied, cut)
}

#[tokio::test]
async fn a_url_says_what_it_needs() {
    for bad in ["", "mysql://x/y", "sqlite:", "sqlite::memory:", "sqlite://x?mode=memory", "/var/lib/x.db"] {
        let error = Store::open(StoreOptions::new(bad)).await.unwrap_err();
        assert!(matches!(&error, StoreError::Url(why) if why.contains("sqlite:///path")), "{bad}: {error}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_away() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = Store::open(StoreOptions::new(format!("postgres://u@127.0.0.1:{port}/d"))).await.unwrap_err();
    assert!(matches!(error, StoreError::Away(_)), "{error}");
}

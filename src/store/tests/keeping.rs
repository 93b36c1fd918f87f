//! Keeping: the journal's chain, revisions, tickets, refusals.

use std::collections::BTreeMap;

use crate::domain::FaultCode;

use super::*;

on_both! {
    two_sealers_make_one_chain
    a_changed_a_missing_and_a_cut_row_are_found
    the_sealers_lease_passes_on
    revisions_are_numbered_and_never_lost
    revisions_of_two_kinds_come_together_or_not_at_all
    a_ticket_is_good_until_it_ends
    refusals_are_capped_and_aged
}

async fn journal(bench: &Bench, rows: i64) {
    let entry = |n| JournalEntry {
        kind: "tested".to_owned(),
        actor: "tester | с кавычкой \"".to_owned(),
        record_id: Some(record(1)),
        detail: serde_json::json!({ "n": n, "z": 1, "a": [true, null] }),
        ..JournalEntry::default()
    };
    for n in 0..rows {
        bench
            .store
            .append_journal(vec![entry(n), JournalEntry { participant: Some(who("health")), ..entry(n) }], at(n))
            .await
            .unwrap();
    }
}

async fn two_sealers_make_one_chain(bench: &Bench) {
    let other = bench.node().await;
    let sealer = |name: &'static str, store: Store| async move {
        let mut sealed = 0;
        for round in 0..60 {
            // Leases of no length: each may take over from the other at once.
            if let Sealed::Rows { count, .. } = store.seal(name, at(round), 0, 7).await.unwrap() {
                sealed += count;
            }
        }
        sealed
    };
    let tasks = [("a", &bench.store), ("b", &other)].map(|(name, store)| tokio::spawn(sealer(name, store.clone())));
    journal(bench, 60).await;
    let mut sealed = 0;
    for task in tasks {
        sealed += task.await.unwrap();
    }
    while let Sealed::Rows { count: 1.., head } = bench.store.seal("a", at(1_000), 0, 50).await.unwrap() {
        sealed = u32::try_from(head).unwrap();
    }
    assert_eq!(sealed, 120);
    let checked = bench.store.verify_journal(1).await.unwrap();
    assert_eq!((checked.rows, checked.unsealed, checked.problem), (120, 0, None));
    assert_eq!(bench.store.verify_journal(100).await.unwrap().rows, 21);
    other.close().await;
}

async fn a_changed_a_missing_and_a_cut_row_are_found(bench: &Bench) {
    journal(bench, 5).await;
    assert_eq!(bench.store.seal("a", at(10), 1_000, 100).await.unwrap(), Sealed::Rows { count: 10, head: 10 });
    let head = bench.store.verify_journal(1).await.unwrap().head;
    assert_eq!(head, bench.store.list_journal(None, 100).await.unwrap()[9].sealed.map(|s| s.1));
    let problem = async || bench.store.verify_journal(1).await.unwrap().problem;
    bench.sql("UPDATE journal SET actor = 'x' || actor WHERE seq = 4").await;
    assert_eq!(problem().await, Some(JournalProblem::Changed(4)));
    bench.sql("UPDATE journal SET actor = SUBSTR(actor, 2) WHERE seq = 4").await;
    assert_eq!(problem().await, None);
    bench.sql("DELETE FROM journal WHERE seq = 10").await;
    assert_eq!(problem().await, Some(JournalProblem::Missing(10)), "cut at the end");
    bench.sql("DELETE FROM journal WHERE seq = 7").await;
    assert_eq!(problem().await, Some(JournalProblem::Missing(7)));
}

async fn the_sealers_lease_passes_on(bench: &Bench) {
    journal(bench, 1).await;
    assert_eq!(bench.store.seal("a", at(0), 10_000, 1).await.unwrap(), Sealed::Rows { count: 1, head: 1 });
    assert_eq!(bench.store.seal("b", at(9), 10_000, 1).await.unwrap(), Sealed::NotOurs);
    assert_eq!(bench.store.seal("a", at(9), 10_000, 9).await.unwrap(), Sealed::Rows { count: 1, head: 2 });
    assert_eq!(bench.store.seal("b", at(19), 10_000, 9).await.unwrap(), Sealed::Rows { count: 0, head: 2 });
    assert_eq!(bench.store.seal("a", at(20), 10_000, 9).await.unwrap(), Sealed::NotOurs);
    assert_eq!(bench.store.take_lease("watcher", "a", at(0), 1_000).await, Ok(Some(1)));
    assert_eq!(bench.store.take_lease("watcher", "a", at(0), 1_000).await, Ok(Some(1)));
    assert_eq!(bench.store.take_lease("watcher", "b", at(0), 1_000).await, Ok(None));
    assert_eq!(bench.store.take_lease("watcher", "b", at(1), 1_000).await, Ok(Some(2)));
}

async fn revisions_are_numbered_and_never_lost(bench: &Bench) {
    let files =
        |text: &str| BTreeMap::from([("a/b.toml".to_owned(), text.as_bytes().to_vec()), ("пусто".to_owned(), vec![])]);
    assert_eq!(bench.store.revisions().await, Ok(Revisions::default()));
    let append = async |store: &Store, kind, previous, text: &str| {
        store.append_revision(kind, previous, &files(text), "admin", "why", at(1)).await
    };
    let first = append(&bench.store, RevisionKind::Participants, 0, "one").await.unwrap();
    assert_eq!((first.number, first.digest), (1, Store::files_digest(&files("one"))));
    let lost = append(&bench.store, RevisionKind::Participants, 0, "two").await;
    assert_eq!(lost, Err(StoreError::RevisionConflict { latest: 1 }));
    assert!(append(&bench.store, RevisionKind::Participants, 5, "six").await.is_err());
    append(&bench.store, RevisionKind::Bundle, 0, "bundle").await.unwrap();
    // Two nodes at once: one wins, the other is told.
    let other = bench.node().await;
    let (a, b) = tokio::join!(
        append(&bench.store, RevisionKind::Participants, 1, "a"),
        append(&other, RevisionKind::Participants, 1, "b")
    );
    assert_eq!((a.is_ok() as u8) + (b.is_ok() as u8), 1);
    assert_eq!(bench.store.revisions().await, Ok(Revisions { participants: 2, bundle: 1 }));
    let stored = bench.store.revision(RevisionKind::Participants, 1).await.unwrap().unwrap();
    assert_eq!((stored.files, stored.info), (files("one"), first));
    assert_eq!(bench.store.revision(RevisionKind::Bundle, 2).await, Ok(None));
    let numbers: Vec<_> = bench
        .store
        .list_revisions(RevisionKind::Participants, 9)
        .await
        .unwrap()
        .into_iter()
        .map(|i| i.number)
        .collect();
    assert_eq!(numbers, [2, 1]);
    other.close().await;
}

async fn revisions_of_two_kinds_come_together_or_not_at_all(bench: &Bench) {
    let files = BTreeMap::from([("a.toml".to_owned(), b"a".to_vec())]);
    let append = async |store: &Store, bundle, participants| {
        let changes = [(RevisionKind::Bundle, bundle, &files), (RevisionKind::Participants, participants, &files)];
        store.append_revisions(&changes, "admin", "why", at(1)).await
    };
    let made = append(&bench.store, 0, 0).await.unwrap();
    assert_eq!(
        made.iter().map(|i| (i.kind, i.number)).collect::<Vec<_>>(),
        [(RevisionKind::Bundle, 1), (RevisionKind::Participants, 1)]
    );
    assert_eq!(append(&bench.store, 1, 0).await, Err(StoreError::RevisionConflict { latest: 1 }));
    assert_eq!(bench.store.revisions().await, Ok(Revisions { participants: 1, bundle: 1 }), "nothing of it");
    // Two nodes at once, one of them with half of it already gone by.
    let other = bench.node().await;
    let one = [(RevisionKind::Participants, 1, &files)];
    let (both, half) = tokio::join!(append(&bench.store, 1, 1), other.append_revisions(&one, "admin", "why", at(1)));
    assert_ne!(both.is_ok(), half.is_ok(), "{both:?} {half:?}");
    let bundle = if both.is_ok() { 2 } else { 1 };
    assert_eq!(bench.store.revisions().await, Ok(Revisions { participants: 2, bundle }));
    assert_eq!(append(&bench.store, bundle, 2).await.map(|made| made.len()), Ok(2), "the next one finds no gap");
    other.close().await;
}

async fn a_ticket_is_good_until_it_ends(bench: &Bench) {
    let ticket = NewTicket {
        token_hash: digest(1),
        participant: who("health"),
        method: "GET".to_owned(),
        resource: "/v1/messages/x".to_owned(),
        expires: at(900),
    };
    bench.store.insert_ticket(ticket.clone()).await.unwrap();
    assert_eq!(bench.store.ticket(digest(1), at(899)).await, Ok(Some(ticket)));
    assert_eq!(bench.store.ticket(digest(1), at(900)).await, Ok(None));
    assert_eq!(bench.store.ticket(digest(2), at(0)).await, Ok(None));
    assert_eq!(bench.store.purge(at(900), at(0), at(0)).await, Ok(1));
}

async fn refusals_are_capped_and_aged(bench: &Bench) {
    let options = StoreOptions { refusals_max: 20, ..StoreOptions::new(&bench.url) };
    let store = Store::open(options).await.unwrap();
    let refusal = |n: i64| NewRefusal {
        at: at(n),
        peer: "127.0.0.1".to_owned(),
        code: FaultCode::DigestMismatch,
        digest: digest(n as u8),
        sender: (n == 256).then(|| who("health")),
        message_id: None,
        answer: (n == 256).then(|| b"<fault/>".to_vec()),
    };
    for n in 0..257 {
        store.insert_refusal(refusal(n)).await.unwrap();
    }
    let kept = store.list_refusals(1_000).await.unwrap();
    assert_eq!(kept.len(), 20, "the last insert trimmed");
    assert_eq!(kept[0], refusal(256));
    assert_eq!(store.purge(at(0), at(250), at(0)).await, Ok(13));
    assert_eq!(store.counts().await.unwrap().refusals, 7);
    store.close().await;
}

//! Attachments: what waits for them, who holds them, what is forgotten, and uploads that cross messages on other nodes.

use super::*;
use crate::domain::Attachment;

on_both! {
    a_message_waits_for_its_senders_own_upload
    an_upload_in_the_same_batch_is_seen
    a_message_and_an_upload_that_cross_each_other_do_not_miss_each_other
    forgetting_and_listing_that_cross_each_other_leave_no_lie
    a_replay_and_an_upload_that_cross_each_other_do_not_miss_each_other
    the_first_file_of_a_digest_stays_unless_it_is_lost
}

pub(super) fn listing(n: u64, files: &[(u8, u64)]) -> NewMessage {
    let mut message = message(n);
    let listed = |(file, size): &(u8, u64)| Attachment {
        digest: digest(*file),
        size_bytes: *size,
        media_type: "application/pdf".to_owned(),
        name: "a.pdf".to_owned(),
        inline: None,
        signs: None,
    };
    message.header.attachments = files.iter().map(listed).collect();
    message
}

pub(super) fn whole(file: u8, participant: &str, name: &str, seconds: i64) -> WholeAttachment {
    WholeAttachment {
        digest: digest(file),
        stored: StoredFile { file: name.to_owned(), size_bytes: 10 },
        participant: who(participant),
        lost: None,
        now: at(seconds),
        business_now: at(seconds),
    }
}

async fn stands(bench: &Bench, n: u64) -> (Option<Timestamp>, Option<ParkReason>) {
    let row = bench.store.delivery(delivery(n)).await.unwrap().unwrap().0;
    (row.next_at, row.reason)
}

async fn a_message_waits_for_its_senders_own_upload(bench: &Bench) {
    let store = &bench.store;
    let (awaited, expires) = (Some(ParkReason::AttachmentAwaited), Some(at(86_400)));
    // One digest under two names is one file.
    store.accept(accept(listing(1, &[(1, 10), (2, 10), (1, 10)]))).await.unwrap();
    assert_eq!(stands(bench, 1).await, (expires, awaited));
    assert!(store.claim(claim("a", 60, 10)).await.unwrap().is_empty(), "it is not to be had before it expires");
    let mut changed = store.deliveries_changed();
    changed.mark_unchanged();
    store.attachment_whole(whole(1, "police", "of-police", 5)).await.unwrap();
    store.attachment_whole(whole(2, "register", "second", 6)).await.unwrap();
    assert_eq!(stands(bench, 1).await, (expires, awaited), "another's upload is not the sender's");
    assert_eq!(store.attachment_for(&who("health"), digest(1)).await.unwrap(), None);
    assert!(!changed.has_changed().unwrap());
    assert_eq!(store.attachment_whole(whole(1, "register", "again", 7)).await.unwrap(), "of-police");
    assert_eq!(stands(bench, 1).await, (Some(at(7)), None));
    assert!(changed.has_changed().unwrap(), "dispatch wakes");
    for (party, reads) in [("health", true), ("register", true), ("police", false)] {
        let found = store.attachment_for(&who(party), digest(1)).await.unwrap();
        assert_eq!(found.is_some(), reads, "{party}");
    }
    let listed = store.listed_attachments(record(1)).await.unwrap();
    assert!(listed.len() == 2 && listed.iter().all(|l| l.state == ListedState::Whole), "{listed:?}");
    let claimed = store.claim(claim("a", 8, 10)).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].reason), (1, None));
    // Known files: nothing waits. A wrong size does not wait either, for nothing will mend it.
    store.accept(accept(listing(2, &[(1, 10)]))).await.unwrap();
    store.accept(accept(listing(3, &[(1, 11), (3, 10)]))).await.unwrap();
    assert_eq!(stands(bench, 2).await, (Some(at(0)), None));
    assert_eq!(stands(bench, 3).await, (Some(at(0)), Some(ParkReason::AttachmentInvalid)));
}

async fn an_upload_in_the_same_batch_is_seen(bench: &Bench) {
    let jobs: Vec<futures_util::future::BoxFuture<'_, ()>> = vec![
        async { assert_eq!(bench.store.accept(accept(listing(1, &[(1, 10)]))).await, Ok(Accepted::Recorded)) }.boxed(),
        async { drop(bench.store.attachment_whole(whole(1, "register", "file", 3)).await.unwrap()) }.boxed(),
        async { assert_eq!(bench.store.accept(accept(listing(2, &[(1, 10)]))).await, Ok(Accepted::Recorded)) }.boxed(),
    ];
    in_one_batch(bench, jobs).await;
    for n in [1, 2] {
        assert_eq!(stands(bench, n).await.1, None, "{n}");
    }
}

async fn a_message_and_an_upload_that_cross_each_other_do_not_miss_each_other(bench: &Bench) {
    let other = bench.node().await;
    for n in 1..=60_u8 {
        let (message, file) = (listing(u64::from(n), &[(n, 10)]), whole(n, "register", &format!("file-{n}"), 3));
        let (accepted, stored) = tokio::join!(bench.store.accept(accept(message)), other.attachment_whole(file));
        assert_eq!((accepted, stored), (Ok(Accepted::Recorded), Ok(format!("file-{n}"))));
        assert_eq!(stands(bench, u64::from(n)).await.1, None, "{n} waits for what is here");
    }
    assert_eq!(bench.number("SELECT COUNT(*) FROM attachment_holdings WHERE listed = 0").await, 0);
    other.close().await;
}

async fn forgetting_and_listing_that_cross_each_other_leave_no_lie(bench: &Bench) {
    let other = bench.node().await;
    let mut forgotten = 0;
    for n in 1..=60_u8 {
        bench.store.attachment_whole(whole(n, "register", &format!("file-{n}"), 3)).await.unwrap();
        let message = listing(u64::from(n), &[(n, 10)]);
        let (accepted, gone) =
            tokio::join!(bench.store.accept(accept(message)), other.forget_attachments(at(200), at(100), 10));
        let gone = gone.unwrap();
        assert_eq!(accepted, Ok(Accepted::Recorded));
        let is_gone = gone.files.contains(&format!("file-{n}"));
        forgotten += u32::from(is_gone);
        let here = bench.store.attachment_for(&who("health"), digest(n)).await.unwrap();
        assert_eq!(here.is_some(), !is_gone, "{n}: {gone:?}");
        let waits = stands(bench, u64::from(n)).await.1 == Some(ParkReason::AttachmentAwaited);
        assert_eq!(waits, is_gone, "{n}");
    }
    eprintln!("of 60 files {forgotten} were forgotten before they were listed");
    other.close().await;
}

async fn a_replay_and_an_upload_that_cross_each_other_do_not_miss_each_other(bench: &Bench) {
    let other = bench.node().await;
    for n in 1..=40_u8 {
        let id = u64::from(n);
        bench.store.accept(accept(listing(id, &[(n, 10)]))).await.unwrap();
        bench
            .sql("UPDATE deliveries SET state = 'expired', reason = NULL, next_at = NULL WHERE state = 'queued'")
            .await;
        let replay = Replay {
            delivery_ids: vec![delivery(id)],
            now: at(5),
            actor: "operator".to_owned(),
            why: None,
            retranslate: false,
        };
        let file = whole(n, "register", &format!("file-{n}"), 6);
        let (back, stored) = tokio::join!(bench.store.replay(replay), other.attachment_whole(file));
        assert_eq!((back.unwrap(), stored.is_ok()), (vec![delivery(id)], true));
        let (next_at, reason) = stands(bench, id).await;
        assert!(next_at.is_some() && reason.is_none(), "{n} waits for what is here: {next_at:?} {reason:?}");
    }
    other.close().await;
}

async fn the_first_file_of_a_digest_stays_unless_it_is_lost(bench: &Bench) {
    let store = &bench.store;
    assert_eq!(store.attachment_whole(whole(1, "register", "first", 1)).await.unwrap(), "first");
    assert_eq!(store.attachment_whole(whole(1, "register", "second", 2)).await.unwrap(), "first");
    let lost = Some("first".to_owned());
    let mended = WholeAttachment { lost: lost.clone(), ..whole(1, "register", "third", 3) };
    assert_eq!(store.attachment_whole(mended).await.unwrap(), "third");
    let late = WholeAttachment { lost, ..whole(1, "register", "fourth", 4) };
    assert_eq!(store.attachment_whole(late).await.unwrap(), "third", "what another mended is not lost");
    let names = ["first", "third", "other"].map(str::to_owned);
    assert_eq!(store.files_in_use(&names).await.unwrap(), ["third".to_owned()].into());
    assert_eq!(store.unlisted_bytes(&who("register")).await.unwrap(), 10);
    assert_eq!(store.forget_attachments(at(200), at(1), 10).await.unwrap(), Forgotten::default(), "too young");
    store.accept(accept(listing(1, &[(1, 10)]))).await.unwrap();
    assert_eq!(store.unlisted_bytes(&who("register")).await.unwrap(), 0);
    assert_eq!(
        store.forget_attachments(at(200), at(100), 10).await.unwrap(),
        Forgotten::default(),
        "a message lists it"
    );
    // Another's upload that no message of its lists is forgotten; the file stays for whoever needs it.
    store.attachment_whole(whole(1, "police", "fifth", 5)).await.unwrap();
    assert_eq!(store.forget_attachments(at(200), at(100), 10).await.unwrap(), Forgotten { holdings: 1, files: vec![] });
    assert!(store.attachment_for(&who("health"), digest(1)).await.unwrap().is_some());
}

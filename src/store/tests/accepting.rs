//! Accepting: the first wins, all or nothing, and a bad row is alone.

use super::*;

on_both! {
    a_message_is_recorded_with_all_that_belongs_to_it
    two_copies_in_one_instant_are_one_message
    two_copies_in_one_batch_are_one_message
    two_nodes_given_the_same_copies_record_each_once
    other_content_under_a_used_id_is_told_apart
    a_bad_row_harms_no_other_in_its_batch
    a_case_that_changed_meanwhile_writes_nothing
    listings_filter_and_page
    what_was_acknowledged_is_there_after_a_drop_in_the_middle
    a_full_queue_pushes_back
    a_closed_store_says_so
}

async fn a_message_is_recorded_with_all_that_belongs_to_it(bench: &Bench) {
    let mut new = message(1);
    new.canonical = Some(b"<canonical/>".to_vec());
    new.header.in_reply_to = Some(MessageId::from_uuid(uuid(77)));
    new.header.priority = Priority::Urgent;
    let mut made = message_to(2, "register");
    made.channel = Channel::Internal;
    made.receipt = None;
    let all = Accept { made: vec![made], obligations: vec![owed(1, 100)], ..accept(new.clone()) };
    assert_eq!(bench.store.accept(all).await, Ok(Accepted::Recorded));

    let row = bench.store.message_by_key(&who("register"), new.header.message_id).await.unwrap().unwrap();
    assert_eq!(Some(row.clone()), bench.store.message(record(1)).await.unwrap());
    assert_eq!((row.in_reply_to, row.priority, row.digest), (new.header.in_reply_to, Priority::Urgent, digest(1)));
    assert_eq!((row.certificate, row.channel, row.expires), (Some(digest(9)), Channel::Http, Some(at(86_400))));
    let content = bench.store.content(record(1)).await.unwrap().unwrap();
    assert_eq!((content.bytes, content.canonical, content.receipt), (new.bytes, new.canonical, new.receipt));
    assert_eq!(bench.store.content(record(2)).await.unwrap().unwrap().receipt, None);
    let delivery_row = &bench.store.deliveries_of(record(1)).await.unwrap()[0];
    assert_eq!((delivery_row.state, delivery_row.attempts), (crate::domain::DeliveryState::Queued, 0));
    let obligation = bench.store.obligation(owed(1, 100).id).await.unwrap().unwrap();
    assert_eq!((obligation.due_at, obligation.warns), (Some(at(100)), vec![at(90)]));
    assert_eq!(obligation.explanation, serde_json::from_str(&running(100).explanation).ok());
    let kinds: Vec<_> = bench.store.list_journal(None, 10).await.unwrap().into_iter().map(|r| r.entry.kind).collect();
    assert_eq!(kinds, ["message-accepted", "message-made", "obligation-opened"]);
}

async fn two_copies_in_one_instant_are_one_message(bench: &Bench) {
    let copies = (0..20).map(|n| {
        let mut copy = message(1);
        // Each copy would have a record and a receipt of its own.
        copy.record_id = record(100 + n);
        copy.receipt = Some(vec![n as u8]);
        copy.deliveries[0].id = delivery(100 + n);
        bench.store.accept(accept(copy))
    });
    let answers = futures_util::future::join_all(copies).await;
    one_is_recorded(bench, answers).await;
}

async fn two_copies_in_one_batch_are_one_message(bench: &Bench) {
    let copies = (0..2).map(|n| {
        let mut copy = message(1);
        copy.record_id = record(100 + n);
        copy.receipt = Some(vec![n as u8]);
        copy.deliveries[0].id = delivery(100 + n);
        bench.store.accept(accept(copy))
    });
    let answers = in_one_batch(bench, copies.collect()).await;
    one_is_recorded(bench, answers).await;
}

async fn one_is_recorded(bench: &Bench, answers: Vec<Result<Accepted, StoreError>>) {
    let winner = bench.store.message_by_key(&who("register"), message(1).header.message_id).await.unwrap().unwrap();
    let receipt = bench.store.content(winner.record_id).await.unwrap().unwrap().receipt;
    let duplicate = Accepted::Duplicate { record_id: winner.record_id, digest: digest(1), receipt };
    let recorded = answers.iter().filter(|a| **a == Ok(Accepted::Recorded)).count();
    let losers = answers.iter().filter(|a| **a == Ok(duplicate.clone())).count();
    assert_eq!((recorded, losers), (1, answers.len() - 1), "{answers:?}");
    assert_eq!(bench.number("SELECT COUNT(*) FROM deliveries").await, 1);
    assert_eq!(bench.number("SELECT COUNT(*) FROM contents").await, 1);
}

async fn two_nodes_given_the_same_copies_record_each_once(bench: &Bench) {
    let other = bench.node().await;
    let mut asked = Vec::new();
    for n in 0..100 {
        for (node, store) in [(0, &bench.store), (1, &other)] {
            let mut copy = message(n);
            copy.record_id = record(1_000 + 2 * n + node);
            copy.deliveries[0].id = delivery(1_000 + 2 * n + node);
            asked.push(store.accept(accept(copy)));
        }
    }
    let answers = futures_util::future::join_all(asked).await;
    for pair in answers.chunks(2) {
        let recorded = pair.iter().filter(|a| **a == Ok(Accepted::Recorded)).count();
        let duplicate = pair.iter().filter(|a| matches!(a, Ok(Accepted::Duplicate { receipt: Some(_), .. }))).count();
        assert_eq!((recorded, duplicate), (1, 1), "{pair:?}");
    }
    assert_eq!(bench.number("SELECT COUNT(*) FROM messages").await, 100);
    assert_eq!(bench.number("SELECT COUNT(*) FROM deliveries").await, 100);
    other.close().await;
}

async fn other_content_under_a_used_id_is_told_apart(bench: &Bench) {
    bench.store.accept(accept(message(1))).await.unwrap();
    let mut other = message(1);
    other.record_id = record(2);
    other.digest = digest(2);
    other.deliveries[0].id = delivery(2);
    let answer = bench.store.accept(accept(other)).await.unwrap();
    let receipt = message(1).receipt;
    assert_eq!(answer, Accepted::Duplicate { record_id: record(1), digest: digest(1), receipt });
}

async fn a_bad_row_harms_no_other_in_its_batch(bench: &Bench) {
    bench.store.accept(accept(message(0))).await.unwrap();
    let asked = (1..=40).map(|n| {
        let mut new = message(n);
        if n == 17 {
            // A delivery's id that is in use: the rows cannot be written.
            new.deliveries[0].id = delivery(0);
        }
        bench.store.accept(accept(new))
    });
    let answers = in_one_batch(bench, asked.collect()).await;
    for (n, answer) in (1..=40).zip(answers) {
        match n {
            17 => assert!(matches!(answer, Err(StoreError::Refused(_))), "{answer:?}"),
            _ => assert_eq!(answer, Ok(Accepted::Recorded), "{n}"),
        }
    }
    assert_eq!(bench.store.message(record(17)).await, Ok(None), "the bad one left nothing behind");
    assert_eq!(bench.number("SELECT COUNT(*) FROM contents").await, 40);
}

async fn a_case_that_changed_meanwhile_writes_nothing(bench: &Bench) {
    let case = CaseRow {
        id: crate::domain::CaseId::from_uuid(uuid(5)),
        regulation: "yugra".to_owned(),
        territory: crate::domain::Oktmo::parse("71876000").unwrap(),
        kind: "individual".to_owned(),
        opened_at: at(0),
        version: 1,
        facts: crate::deadline::cases::CaseFacts::default(),
    };
    let open = |n| Accept { case: Some(CaseChange::Open(case.clone())), ..accept(message(n)) };
    assert_eq!(bench.store.accept(open(1)).await, Ok(Accepted::Recorded));
    assert_eq!(bench.store.accept(open(2)).await, Ok(Accepted::CaseChanged));
    let change = |n, version| {
        let row = CaseRow { version, kind: "group".to_owned(), ..case.clone() };
        Accept { case: Some(CaseChange::Update(row)), ..accept(message(n)) }
    };
    assert_eq!(bench.store.accept(change(2, 1)).await, Ok(Accepted::Recorded), "the lost one left its id free");
    assert_eq!(bench.store.accept(change(3, 1)).await, Ok(Accepted::CaseChanged));
    // What a message opens was judged by the case as it was read; several may stand on one version.
    let holds = |n, version| Accept { case: Some(CaseChange::Holds(case.id, version)), ..accept(message(n)) };
    assert_eq!(bench.store.accept(holds(3, 1)).await, Ok(Accepted::CaseChanged));
    let stored = bench.store.case(case.id).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.kind.as_str(), stored.territory), (2, "group", case.territory));
    assert_eq!(bench.number("SELECT COUNT(*) FROM messages").await, 2);
    assert_eq!(bench.number("SELECT COUNT(*) FROM deliveries").await, 2);
}

async fn listings_filter_and_page(bench: &Bench) {
    // As the gateway makes them: an id begins with the instant at which the message was accepted.
    let record = |n: u64| {
        let ms = u64::try_from(at(i64::try_from(n).unwrap()).micros() / 1_000).unwrap();
        let place = [u8::try_from(n).unwrap(); 10];
        RecordId::from_uuid(uuid::Builder::from_unix_timestamp_millis(ms, &place).into_uuid())
    };
    for n in 0..10 {
        let mut new = message_to(n, if n % 2 == 0 { "health" } else { "police" });
        (new.record_id, new.accepted_at) = (record(n), at(n as i64));
        bench.store.accept(accept(new)).await.unwrap();
    }
    let all = MessageFilter::default();
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = bench.store.list_messages(&all, before, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.record_id);
        seen.extend(page.into_iter().map(|m| m.record_id));
    }
    assert_eq!(seen, (0..10).rev().map(record).collect::<Vec<_>>());
    let count = async |filter: MessageFilter| bench.store.list_messages(&filter, None, 100).await.unwrap().len();
    assert_eq!(count(MessageFilter { recipient: Some(who("police")), ..all.clone() }).await, 5);
    assert_eq!(count(MessageFilter { party: Some(who("register")), ..all.clone() }).await, 10);
    assert_eq!(count(MessageFilter { sender: Some(who("police")), ..all.clone() }).await, 0);
    assert_eq!(
        count(MessageFilter { conversation_id: Some(message(3).header.conversation_id), ..all.clone() }).await,
        1
    );
    assert_eq!(count(MessageFilter { message_id: Some(message(3).header.message_id), ..all.clone() }).await, 1);
    assert_eq!(count(MessageFilter { type_name: Some("receipt".to_owned()), ..all.clone() }).await, 0);
    let window = MessageFilter { accepted_from: Some(at(2)), accepted_before: Some(at(4)), ..all };
    assert_eq!(count(window).await, 2);
    let id = message(3).header.message_id;
    for (party, found) in [("register", 1), ("police", 1), ("health", 0)] {
        assert_eq!(bench.store.messages_of_party(id, &who(party)).await.unwrap().len(), found, "{party}");
    }
}

async fn what_was_acknowledged_is_there_after_a_drop_in_the_middle(bench: &Bench) {
    // A node of its own in a runtime that is torn down while it writes.
    let url = bench.url.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    let node = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let store = runtime.block_on(Store::open(StoreOptions::new(url))).unwrap();
        for n in 0..2_000 {
            let (store, sender) = (store.clone(), sender.clone());
            runtime.spawn(async move {
                if store.accept(accept(message(n))).await == Ok(Accepted::Recorded) {
                    sender.send(n).ok();
                }
            });
        }
        drop(sender);
        // Until a first batch is through; then nothing is finished, nothing is closed.
        let first = receiver.recv().unwrap();
        runtime.shutdown_background();
        std::iter::once(first).chain(receiver.iter()).collect::<Vec<u64>>()
    });
    let acknowledged = tokio::task::spawn_blocking(|| node.join()).await.unwrap().unwrap();
    let again = bench.node().await;
    assert!(!acknowledged.is_empty());
    for n in acknowledged {
        let content = again.content(record(n)).await.unwrap();
        assert_eq!(content.map(|c| c.bytes), Some(message(n).bytes), "{n}");
    }
    let torn = "SELECT COUNT(*) FROM messages m WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.record_id = m.record_id) \
                OR NOT EXISTS (SELECT 1 FROM contents c WHERE c.record_id = m.record_id)";
    assert_eq!(bench.number(torn).await, 0);
    assert_eq!(again.accept(accept(message(5_000))).await, Ok(Accepted::Recorded));
    again.close().await;
}

async fn a_full_queue_pushes_back(bench: &Bench) {
    let options = StoreOptions { queue_jobs_max: 1, batch_jobs_max: 1, ..StoreOptions::new(&bench.url) };
    let store = Store::open(options).await.unwrap();
    let answers = futures_util::future::join_all((0..50).map(|n| store.accept(accept(message(n))))).await;
    let recorded = answers.iter().filter(|a| **a == Ok(Accepted::Recorded)).count();
    let full = answers.iter().filter(|a| **a == Err(StoreError::Full)).count();
    assert!(recorded >= 1 && full >= 1 && recorded + full == 50, "{recorded} recorded, {full} full");
    assert_eq!(bench.number("SELECT COUNT(*) FROM messages").await, recorded as i64);
    store.close().await;
}

async fn a_closed_store_says_so(bench: &Bench) {
    let store = bench.node().await;
    store.close().await;
    assert_eq!(store.accept(accept(message(1))).await, Err(StoreError::Closed));
    assert_eq!(store.ping().await, Err(StoreError::Closed));
}

//! Messages are found by numbers and people, page by page by an index; the rows are of the contents, and go with them.

use crate::access::Scope;
use crate::search::{FoldedNumber, Marks, NumberKind, Person, PersonMark};

use super::*;

on_both! {
    messages_are_found_by_number_and_person
    one_key_is_made_for_all_nodes
    what_a_message_is_found_by_goes_with_its_contents
    messages_of_before_are_found_after_they_were_looked_at_again
    looking_for_somebody_costs_what_is_found
}

fn number(kind: NumberKind, text: &str) -> (NumberKind, FoldedNumber) {
    (kind, FoldedNumber::parse(text).unwrap())
}

fn somebody(bench: &Bench, family: &str) -> PersonMark {
    let person = Person::by_name(family, "Пётр", None, "1948-01-09".parse().unwrap()).unwrap();
    bench.store.search_key().mark(&person).unwrap()
}

fn marks(bench: &Bench, numbers: &[(NumberKind, &str)], families: &[&str]) -> Marks {
    Marks {
        numbers: numbers.iter().map(|(kind, text)| number(*kind, text)).collect(),
        people: families.iter().map(|family| somebody(bench, family)).collect(),
    }
}

async fn found(bench: &Bench, filter: MessageFilter, before: Option<RecordId>, limit: u32) -> Vec<RecordId> {
    let rows = bench.store.list_messages(&filter, before, limit).await.unwrap();
    rows.iter().map(|row| row.record_id).collect()
}

fn numbered(kinds: &[NumberKind], text: &str) -> MessageFilter {
    let sought = Some(Sought::Number(kinds.to_vec(), FoldedNumber::parse(text).unwrap()));
    MessageFilter { sought, ..MessageFilter::default() }
}

fn about(mark: PersonMark) -> MessageFilter {
    MessageFilter { sought: Some(Sought::Person(mark)), ..MessageFilter::default() }
}

async fn messages_are_found_by_number_and_person(bench: &Bench) {
    use NumberKind::{Incoming, Outgoing, Registration};
    let all = [
        (1, "health", marks(bench, &[(Outgoing, "452")], &["Образцов"])),
        (2, "police", marks(bench, &[(Incoming, "452"), (Registration, "12-П")], &["Образцов", "Иванов"])),
        (3, "health", marks(bench, &[(Outgoing, "452"), (Registration, "452")], &[])),
        (4, "health", Marks::default()),
    ];
    // In one batch, so that rows of several messages share a statement.
    let stored = all.map(|(n, to, marks)| {
        let message = NewMessage { marks, ..message_to(n, to) };
        bench.store.accept(accept(message))
    });
    assert_eq!(in_one_batch(bench, stored.into_iter().collect()).await, vec![Ok(Accepted::Recorded); 4]);

    let every = NumberKind::ALL;
    assert_eq!(found(bench, numbered(&every, "№ 452"), None, 9).await, [record(3), record(2), record(1)]);
    assert_eq!(found(bench, numbered(&every, "452"), None, 2).await, [record(3), record(2)]);
    assert_eq!(found(bench, numbered(&every, "452"), Some(record(2)), 2).await, [record(1)]);
    assert_eq!(found(bench, numbered(&[Incoming], "452"), None, 9).await, [record(2)]);
    assert_eq!(found(bench, numbered(&[Registration], "12-п"), None, 9).await, [record(2)]);
    assert_eq!(found(bench, numbered(&every, "45"), None, 9).await, []);
    let of_police = MessageFilter { party: Some(who("police")), ..numbered(&every, "452") };
    assert_eq!(found(bench, of_police, None, 9).await, [record(2)]);
    let within = Scope { participants: [who("health")].into(), ..Scope::whole() };
    let of_health = |filter| MessageFilter { within: within.clone(), ..filter };
    assert_eq!(found(bench, of_health(numbered(&every, "452")), None, 9).await, [record(3), record(1)]);

    let (known, other) = (somebody(bench, "образцов"), somebody(bench, "Образцова"));
    assert_eq!(found(bench, about(known.clone()), None, 9).await, [record(2), record(1)]);
    assert_eq!(found(bench, about(known.clone()), Some(record(2)), 9).await, [record(1)]);
    assert_eq!(found(bench, of_health(about(known)), None, 9).await, [record(1)]);
    assert_eq!(found(bench, about(other), None, 9).await, []);
}

async fn one_key_is_made_for_all_nodes(bench: &Bench) {
    let (one, other) = tokio::join!(bench.node(), bench.node());
    assert_eq!((one.search_key(), other.search_key()), (bench.store.search_key(), bench.store.search_key()));
    assert_eq!(bench.number("SELECT COUNT(*) FROM search_keys").await, 1);
    // Another installation has another.
    let elsewhere =
        Store::open(StoreOptions::new(format!("sqlite://{}/other.db", bench._folder.path().display()))).await.unwrap();
    assert_ne!(elsewhere.search_key(), bench.store.search_key());
    elsewhere.close().await;
    one.close().await;
    other.close().await;
}

async fn what_a_message_is_found_by_goes_with_its_contents(bench: &Bench) {
    for n in [1, 2] {
        let marks = marks(bench, &[(NumberKind::Outgoing, "452")], &["Образцов"]);
        bench.store.accept(accept(NewMessage { marks, ..message(n) })).await.unwrap();
    }
    bench.sql(&format!("DELETE FROM contents WHERE record_id = '{}'", record(1))).await;
    for table in ["message_numbers", "message_people"] {
        assert_eq!(bench.number(&format!("SELECT COUNT(*) FROM {table}")).await, 1, "{table}");
    }
    assert_eq!(found(bench, about(somebody(bench, "Образцов")), None, 9).await, [record(2)]);
}

async fn messages_of_before_are_found_after_they_were_looked_at_again(bench: &Bench) {
    for n in 1..=3 {
        bench.store.accept(accept(message(n))).await.unwrap();
    }
    let ids = async |limit| {
        let batch = bench.store.to_find_again(limit).await.unwrap();
        batch.iter().map(|message| message.record_id).collect::<Vec<_>>()
    };
    assert_eq!(ids(2).await, [record(1), record(2)]);
    let again = |n: u64| (record(n), marks(bench, &[(NumberKind::Incoming, "7")], &["Образцов"]));
    bench.store.find_again(vec![again(1), again(2)], record(2)).await.unwrap();
    assert_eq!(ids(2).await, [record(3)], "a run goes on where the last one ended");
    // What was destroyed between the look and the write is passed by.
    bench.sql(&format!("DELETE FROM contents WHERE record_id = '{}'", record(3))).await;
    bench.store.find_again(vec![again(3)], record(3)).await.unwrap();
    bench.store.find_from_the_first().await.unwrap();
    assert_eq!(ids(9).await, [record(1), record(2)]);
    bench.store.find_again(vec![again(1), again(2)], record(2)).await.unwrap();
    assert_eq!(found(bench, about(somebody(bench, "Образцов")), None, 9).await, [record(2), record(1)]);
    assert_eq!(found(bench, numbered(&[NumberKind::Incoming], "7"), None, 9).await, [record(2), record(1)]);
}

/// However many messages have one number: a page reads the index in its order, and sorts nothing.
async fn looking_for_somebody_costs_what_is_found(bench: &Bench) {
    let marks = marks(bench, &[(NumberKind::Outgoing, "1")], &["Образцов"]);
    bench.store.accept(accept(NewMessage { marks, ..message(1) })).await.unwrap();
    let party = |filter| MessageFilter { party: Some(who("health")), ..filter };
    let filters = [numbered(&[NumberKind::Outgoing], "1"), about(somebody(bench, "Образцов"))];
    for filter in filters.clone().into_iter().chain(filters.map(party)) {
        for select in crate::store::desk::message_listings(&filter, Some(record(9)), 50) {
            let plan = select.explain(bench.store.inner.engine, bench.store.readers()).await.unwrap().join("\n");
            assert!(plan.contains("message_numbers") || plan.contains("message_people"), "{plan}");
            if bench.schema.is_none() {
                let first = plan.lines().next().unwrap();
                assert!(first.contains("SEARCH f USING") && !plan.contains("TEMP B-TREE"), "{plan}");
            }
        }
    }
}

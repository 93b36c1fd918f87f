//! A database that is filled at once, and deliveries whose outgoing bytes are there from the beginning.

use super::*;

on_both! {
    a_stocked_database_goes_on_like_any_other
    what_goes_out_may_come_with_the_message
}

async fn a_stocked_database_goes_on_like_any_other(bench: &Bench) {
    let options = StoreOptions { durable: false, ..StoreOptions::new(&bench.url) };
    Store::stock(options, 3).await.unwrap();
    let tables = ["messages", "contents", "deliveries", "outgoing", "partner_answers", "delivery_attempts"];
    for table in tables {
        assert_eq!(bench.number(&format!("SELECT COUNT(*) FROM {table}")).await, 3, "{table}");
    }
    assert_eq!(bench.store.next_delivery_at(&[]).await, Ok(None));
    assert_eq!(bench.store.accept(accept(message(1))).await, Ok(Accepted::Recorded));
    assert_eq!(bench.store.seal("a", at(10), 1_000, 100).await, Ok(Sealed::Rows { count: 1, head: 7 }));
}

async fn what_goes_out_may_come_with_the_message(bench: &Bench) {
    let outgoing = Outgoing { signed: vec![1, 2], digest: digest(3), certificate: digest(4) };
    let mut new = message(1);
    new.deliveries.iter_mut().for_each(|delivery| delivery.outgoing = Some(outgoing.clone()));
    assert_eq!(bench.store.accept(accept(new.clone())).await, Ok(Accepted::Recorded));
    // A copy brings its own, and what is stored stays.
    let mut copy = new.clone();
    copy.record_id = record(100);
    for of in &mut copy.deliveries {
        of.id = delivery(100);
        of.outgoing = Some(Outgoing { signed: vec![9], ..outgoing.clone() });
    }
    assert!(matches!(bench.store.accept(accept(copy)).await, Ok(Accepted::Duplicate { .. })));
    let claimed = bench.store.claim(claim("a", 1, 10)).await.unwrap();
    let found: Vec<_> = claimed.iter().map(|c| (c.epoch, c.outgoing.clone())).collect();
    assert_eq!(found, [(1, Some(outgoing.clone()))]);
    assert_eq!(bench.store.outgoing(claimed[0].delivery_id).await, Ok(Some(outgoing.clone())));
    // Made anew under the lease, it takes the place of the first.
    let anew = Outgoing { signed: vec![5], ..outgoing };
    assert_eq!(bench.store.store_outgoing(claimed[0].delivery_id, 1, anew.clone()).await, Ok(true));
    assert_eq!(bench.store.outgoing(claimed[0].delivery_id).await, Ok(Some(anew)));
}

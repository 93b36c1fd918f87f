//! The gateway dies between the partner's answer and its own record of it.

use super::rest::Reply;
use super::{JSON_RESPONSE, KIND, bare, plan};
use crate::support::eventually;
use crate::world::{Backend, SOON};

#[test]
fn a_node_that_dies_while_the_partner_answers_asks_again_by_the_same_key() {
    let mut bare = bare(plan(Backend::Sqlite));
    bare.employment.reply([Reply::json(JSON_RESPONSE)]);
    bare.employment.shut();
    let asked = bare.ask("employment", KIND);
    bare.employment.until(1);
    // The partner has the request and its answer goes nowhere.
    bare.world.process().kill();
    bare.employment.open();
    bare.world.process().restart();
    bare.world.until(asked.message_id, "delivered");
    let requests = bare.employment.requests();
    assert_eq!((requests.len(), &requests[0].body), (2, &requests[1].body));
    assert_eq!(requests[0].header("idempotency-key"), requests[1].header("idempotency-key"));
    assert_eq!(bare.world.number("SELECT COUNT(*) FROM messages WHERE sender = 'employment'"), 1);
    assert_eq!(bare.owed("employment"), "met");
}

#[test]
fn a_node_that_dies_between_the_record_and_the_settling_records_the_answer_once() {
    let mut bare = bare(plan(Backend::Sqlite));
    bare.employment.reply([Reply::json(JSON_RESPONSE)]);
    let asked = bare.ask("employment", KIND);
    bare.world.until(asked.message_id, "delivered");
    eventually("the answer", SOON, || bare.world.partner("register").first("document-response"));
    bare.world.process().kill();
    // As if the answer had been recorded and the delivery not settled.
    bare.world.change(
        "UPDATE deliveries SET state = 'leased', next_at = 1, settled_at = NULL, sent_at = NULL WHERE recipient = 'employment'",
    );
    // And the partner words its answer anew: the first one stands.
    bare.employment.reply([Reply::json(JSON_RESPONSE.replace("\"number\": \"34\"", "\"number\": \"35\""))]);
    bare.world.process().restart();
    bare.employment.until(2);
    bare.world.until(asked.message_id, "delivered");
    assert_eq!(bare.world.number("SELECT COUNT(*) FROM messages WHERE sender = 'employment'"), 1);
    let copies = bare.world.partner("register").copies();
    assert_eq!(copies.iter().filter(|c| c.opened.kind() == "document-response").count(), 1);
}

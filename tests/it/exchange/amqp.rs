//! Over RabbitMQ, both ways, with each participant's own account.

use mezhved::envelope::technical::{FaultReport, Receipt};

use crate::support::{AmqpVhost, eventually};
use crate::world::{Backend, Opened, Queues, RUNTIME, SOON, World, bodies};

const KIND: &str = "criminal-record";
const POLICE_RESPONSE: &str = include_str!("../../../adapters/police/samples/document-response/minimal.partner.xml");

fn world(vhost: &AmqpVhost) -> World {
    let world = World::on(Backend::Sqlite).broker(vhost.url(), &["police", "guardianship"]).start();
    eventually("a gateway that is ready", SOON, || {
        let answer = RUNTIME.block_on(world.wire().get("/readyz", None)).unwrap();
        (answer.status == 200).then_some(())
    });
    world
}

#[test]
fn a_request_goes_to_a_queue_and_the_answer_comes_from_one() {
    let vhost = AmqpVhost::create();
    let world = world(&vhost);
    let police = world.agency("police");
    let queues = Queues::connect(&vhost, "police");
    let opened = |bytes: &[u8]| Opened::read(bytes, &world.gateway_certificate).unwrap();

    let register = world.agency("register");
    let request = register.draft("police", "document-request", bodies::request(KIND));
    world.post(register.sign(&request)).receipt();
    let came = opened(&queues.next("to"));
    assert_eq!((came.header.message_id, came.header.via.is_some()), (request.header.message_id, true));
    assert!(came.text().contains("urn:example:uvd:vz:3"), "its own form: {}", came.text());
    world.until(request.header.message_id, "sent");

    // Its receipt goes the other way, and is itself receipted.
    queues.send(&police.receipt(&came));
    world.until(request.header.message_id, "delivered");
    opened(&queues.next("receipts")).technical::<Receipt>();

    // Its answer, twice: one record, and the same receipt byte for byte.
    let answer = police.answer(&came.header, "document-response", POLICE_RESPONSE);
    let bytes = police.sign(&answer);
    queues.send(&bytes);
    let first = queues.next("receipts");
    let receipt: Receipt = opened(&first).technical();
    assert_eq!((receipt.message_id, &receipt.sender), (answer.header.message_id, &police.id));
    queues.send(&bytes);
    // The notice about the answer's delivery comes on the same queue.
    let copy =
        eventually("the receipt again", SOON, || queues.take("receipts").filter(|b| opened(b).kind() == "receipt"));
    assert_eq!(copy, first);
    let back = eventually("the answer at the register", SOON, || world.partner("register").first("document-response"));
    assert!(back.opened.text().contains(&format!("<kind>{KIND}</kind>")), "{}", back.opened.text());
    assert_eq!(world.partner("register").copies().iter().filter(|c| c.opened.kind() == "document-response").count(), 1);
}

#[test]
fn a_message_on_another_participants_queue_is_recorded_and_not_accepted() {
    let vhost = AmqpVhost::create();
    let mut world = world(&vhost);
    let police = Queues::connect(&vhost, "police");
    let guardianship = world.agency("guardianship").clone();
    let request = guardianship.draft("register", "document-request", bodies::request(KIND));
    police.send(&guardianship.sign(&request));
    eventually("the refusal record", SOON, || (world.number("SELECT COUNT(*) FROM refusals") == 1).then_some(()));
    assert_eq!(world.number("SELECT COUNT(*) FROM refusals WHERE code = 'queue-mismatch'"), 1);
    assert!(world.listed(&["message", "list"]).is_empty());

    // The fault goes to whoever signed; reply_to and the queue's owner get nothing, and the message has left the queue.
    let told = Queues::look(&vhost, "guardianship").next("receipts");
    let fault: FaultReport = Opened::read(&told, &world.gateway_certificate).unwrap().technical();
    assert_eq!(fault.code, "queue-mismatch");
    world.process().stop();
    let look = Queues::look(&vhost, "police");
    assert_eq!((look.take("from"), look.take("to"), look.take("receipts")), (None, None, None));

    // Its true sender, on its own queue, is accepted with the same id.
    world.process().restart();
    Queues::connect(&vhost, "guardianship").send(&guardianship.sign(&request));
    eventually("the request at the register", SOON, || world.partner("register").message(request.header.message_id));
}

#[test]
fn what_cannot_be_verified_is_acknowledged_recorded_and_unanswered() {
    let vhost = AmqpVhost::create();
    let mut world = world(&vhost);
    let police = Queues::connect(&vhost, "police");
    let guardianship = world.agency("guardianship");
    let forged = world.agency("police").draft("register", "document-request", bodies::request(KIND));
    police.send(b"not an envelope");
    police.send(&guardianship.sign(&forged));
    eventually("two refusal records", SOON, || (world.number("SELECT COUNT(*) FROM refusals") == 2).then_some(()));
    assert_eq!(world.number("SELECT COUNT(*) FROM refusals WHERE code IN ('not-xml', 'certificate-unknown')"), 2);
    assert!(world.listed(&["message", "list"]).is_empty());
    world.process().stop();
    for id in ["police", "guardianship"] {
        let look = Queues::look(&vhost, id);
        assert_eq!((look.take("from"), look.take("to"), look.take("receipts")), (None, None, None), "{id}");
    }
}

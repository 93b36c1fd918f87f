//! Over the mailbox, for agencies that can host nothing.

use mezhved::domain::DeliveryId;
use mezhved::envelope::Draft;
use mezhved::envelope::technical::{AckItem, MailboxAck, MailboxBatch, MailboxPull};
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Answer, Backend, Opened, RUNTIME, SOON, World, bodies, new_id};

const KIND: &str = "study-certificate";
const EDUCATION_RESPONSE: &str =
    include_str!("../../../adapters/education/samples/document-response/minimal.partner.xml");

#[test]
fn a_mailbox_is_pulled_and_acknowledged_on_sqlite() {
    pulled_and_acknowledged(Backend::Sqlite);
}

#[test]
fn a_mailbox_is_pulled_and_acknowledged_on_postgresql() {
    pulled_and_acknowledged(Backend::Postgres);
}

fn pull(world: &World) -> Draft {
    world.agency("education").technical(&MailboxPull { messages_max: 10 })
}

fn post(world: &World, what: &str, draft: &Draft) -> Answer {
    let bytes = world.agency("education").sign(draft);
    RUNTIME.block_on(world.wire().post(&format!("/v1/mailbox/{what}"), bytes)).unwrap()
}

fn ask(world: &World) -> Draft {
    let register = world.agency("register");
    let request = register.draft("education", "document-request", bodies::request(KIND));
    world.post(register.sign(&request)).receipt();
    world.until(request.header.message_id, "sent");
    request
}

fn ack(world: &World, delivery_id: DeliveryId, answer: Vec<u8>) -> Answer {
    let ack = MailboxAck { items: vec![AckItem { delivery_id, answer }] };
    post(world, "ack", &world.agency("education").technical(&ack))
}

fn pulled_and_acknowledged(backend: Backend) {
    let world = World::on(backend).start();
    let education = world.agency("education");
    let request = ask(&world);

    let first_pull = pull(&world);
    let first = post(&world, "pull", &first_pull);
    let batch: MailboxBatch = first.opened().technical();
    let [item] = batch.items.as_slice() else { panic!("one message: {batch:?}") };
    let came = Opened::read(&item.envelope, &world.gateway_certificate).unwrap();
    assert_eq!(came.header.message_id, request.header.message_id);
    assert!(
        came.header.via.is_some() && came.text().contains("urn:example:obrazovanie:obmen:1"),
        "its own form: {}",
        came.text()
    );

    // A repeated pull id gets the same batch; a new pull gets nothing while the lease lives.
    assert_eq!(post(&world, "pull", &first_pull).bytes, first.bytes);
    let second: MailboxBatch = post(&world, "pull", &pull(&world)).opened().technical();
    assert!(second.items.is_empty(), "{second:?}");

    // Acknowledged, twice.
    let receipt = education.receipt(&came);
    for _ in 0..2 {
        ack(&world, item.delivery_id, receipt.clone()).receipt();
        world.until(request.header.message_id, "delivered");
    }
    let answer = education.answer(&came.header, "document-response", EDUCATION_RESPONSE);
    world.post(education.sign(&answer)).receipt();
    eventually("the answer at the register", SOON, || world.partner("register").first("document-response"));
}

#[test]
fn what_is_not_acknowledged_comes_back_with_identical_bytes_and_the_old_pull_id_is_refused() {
    let world = World::on(Backend::Sqlite).setting("mailbox.lease_seconds = 1").start();
    let request = ask(&world);
    let first_pull = pull(&world);
    let first: MailboxBatch = post(&world, "pull", &first_pull).opened().technical();
    assert_eq!(first.items.len(), 1);

    let again = eventually("the message again once the lease has ended", SOON, || {
        let batch: MailboxBatch = post(&world, "pull", &pull(&world)).opened().technical();
        batch.items.into_iter().next()
    });
    assert_eq!(again, first.items[0], "the same delivery with identical bytes");
    let refused = post(&world, "pull", &first_pull);
    assert_eq!((refused.status, refused.fault().code.as_str()), (409, "pull-reused"));

    // The lease of the first pull has ended; its acknowledgement is still good.
    let came = Opened::read(&first.items[0].envelope, &world.gateway_certificate).unwrap();
    ack(&world, first.items[0].delivery_id, world.agency("education").receipt(&came)).receipt();
    world.until(request.header.message_id, "delivered");
}

#[test]
fn a_mailbox_opens_to_its_owner_only_and_takes_only_its_own_receipts() {
    let world = World::on(Backend::Sqlite).start();
    let request = ask(&world);
    let others = world.agency("police").technical(&MailboxPull { messages_max: 10 });
    let batch: MailboxBatch = world.post(world.agency("police").sign(&others)).opened().technical();
    assert!(batch.items.is_empty(), "{batch:?}");

    let batch: MailboxBatch = post(&world, "pull", &pull(&world)).opened().technical();
    let item = &batch.items[0];
    let came = Opened::read(&item.envelope, &world.gateway_certificate).unwrap();
    let foreign = world.agency("police").receipt(&came);
    let mut not_about_it = came.clone();
    not_about_it.header.message_id = new_id();
    let table = [
        ("a receipt that another participant signed", item.delivery_id, foreign, "queue-mismatch"),
        (
            "a receipt about another message",
            item.delivery_id,
            world.agency("education").receipt(&not_about_it),
            "reference-unknown",
        ),
        (
            "no such delivery",
            DeliveryId::from_uuid(Uuid::now_v7()),
            world.agency("education").receipt(&came),
            "reference-unknown",
        ),
        ("no receipt at all", item.delivery_id, b"<ok/>".to_vec(), "not-envelope"),
    ];
    for (name, delivery, answer, code) in table {
        let refused = ack(&world, delivery, answer);
        assert_eq!(refused.fault().code, code, "{name}");
    }
    world.until(request.header.message_id, "sent");
}

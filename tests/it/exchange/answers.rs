//! What partners answer, early, late and at odds, and what follows from it.

use crate::world::{Backend, Behaviour, World, bodies};

const KIND: &str = "guardianship-act";

/// Where the guardianship authority's duty to answer stands.
fn answer_owed(world: &World) -> String {
    let rows = world.listed(&["deadline", "list"]);
    let of_answer: Vec<_> = rows.iter().filter(|row| row["rule"] == "document-answer").collect();
    assert_eq!(of_answer.len(), 1, "{rows:?}");
    of_answer[0]["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_term_that_counts_from_the_receipt_does_not_run_before_it() {
    let mut world = World::on(Backend::Sqlite).prepare();
    let yugra = include_str!("../../../config/regulations/yugra.toml");
    std::fs::create_dir(world.file("regulations")).unwrap();
    let from_receipt = bodies::replaced(yugra, "start = \"sent\"", "start = \"delivered\"");
    std::fs::write(world.file("regulations/yugra.toml"), from_receipt).unwrap();
    world.serve();
    let (register, guardianship) = (world.agency("register"), world.agency("guardianship"));
    world.partner("guardianship").behave(Behaviour::Silent);
    let request = register.draft("guardianship", "document-request", bodies::request(KIND));
    let id = request.header.message_id;
    world.post(register.sign(&request)).receipt();
    world.until(id, "sent");
    assert_eq!(answer_owed(&world), "pending");
    let came = world.partner("guardianship").message(id).unwrap();
    world.post(guardianship.receipt(&came.opened)).receipt();
    world.until(id, "delivered");
    assert_eq!(answer_owed(&world), "open");
}

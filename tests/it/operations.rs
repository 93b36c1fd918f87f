//! Failure as a normal day: a partner that is away, queues that people stop, dead letters, no room, too much at once, and a clean stop.

mod away;
mod dead;
mod pings;
mod pressure;
mod queues;
mod stopping;

use mezhved::domain::MessageId;
use serde_json::Value;

use crate::world::{World, bodies};

/// Posts a request of the register to this participant.
fn request(world: &World, to: &str) -> MessageId {
    let document = match to {
        "health" => "medical-conclusion",
        _ => "guardianship-act",
    };
    let register = world.agency("register");
    let draft = register.draft(to, "document-request", bodies::request(document));
    world.post(register.sign(&draft)).receipt();
    draft.header.message_id
}

/// What `queue list` says about a participant.
fn queue(world: &World, participant: &str) -> Value {
    let all = world.listed(&["queue", "list"]);
    all.into_iter().find(|row| row["participant"] == participant).unwrap_or_else(|| panic!("no {participant}"))
}

/// The number that `journal verify` finds nothing wrong with.
fn journal_is_whole(world: &World) {
    let found = world.mezhved(&["journal", "verify", "--json"]).done().json();
    assert!(found["problem"].is_null(), "{found}");
}

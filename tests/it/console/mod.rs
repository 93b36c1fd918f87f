//! The console as people and attackers meet it: who may, sessions, forms, passwords, and pages in a real browser.

mod accessibility;
mod accounts;
mod api;
mod api_acts;
mod api_docs;
mod attacks;
mod browser;
mod day;
mod journal;
mod live;
mod operators;
mod participants;
mod people;
mod reports;
mod routes;
mod scripts;

use mezhved::domain::CaseId;
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{SOON, World, bodies, now};

/// An application of long ago, with a request that nobody made: something is overdue.
fn apply_late(world: &World) {
    let register = world.agency("register");
    let body = bodies::application(now().plus_seconds(-20 * 86_400), &[("medical-conclusion", "health")]);
    let mut draft = register.draft("register", "application", body);
    draft.header.case_id = Some(CaseId::from_uuid(Uuid::now_v7()));
    world.post(register.sign(&draft)).receipt();
    eventually("the overdue obligation", SOON, || {
        (!world.listed(&["deadline", "list", "--overdue"]).is_empty()).then_some(())
    });
}

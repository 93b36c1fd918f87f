//! Bad input, black-box: each kind has its own code and status and the fault that the design says, and leaves nothing but one
//! row of the capped refusal record.

mod identity;
mod rate;
mod unverified;
mod verified;

use mezhved::envelope::Draft;

use crate::support::eventually;
use crate::world::{Answer, Backend, Plan, SOON, World, bodies};

/// One bad input and what is said to it.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    status: u16,
    code: &'static str,
}

impl Case {
    fn new(name: &'static str, bytes: impl Into<Vec<u8>>, status: u16, code: &'static str) -> Self {
        Self { name, bytes: bytes.into(), status, code }
    }
}

/// A world in which many refusals a minute from one address are still answered with signed faults.
fn patient_world() -> Plan {
    World::on(Backend::Sqlite).setting("limits.refusals_per_minute_max = 10000")
}

/// A good message: a request of the register to the guardianship authority.
fn good(world: &World) -> Draft {
    world.agency("register").draft("guardianship", "document-request", bodies::request("guardianship-act"))
}

/// A good message as signed text, to be spoilt.
fn good_text(world: &World) -> String {
    String::from_utf8(world.agency("register").sign(&good(world))).unwrap()
}

/// Posts a bad input, and checks the status and the code of a fault that the gateway signed.
fn refused(world: &World, case: &Case) -> Answer {
    let answer = world.post(case.bytes.clone());
    assert_eq!(answer.status, case.status, "{}: {}", case.name, answer.text());
    assert_eq!(answer.fault().code, case.code, "{}", case.name);
    answer
}

/// Nothing is stored but so many rows of the refusal record, and nothing personal is said anywhere.
fn only_refusals(world: &World, count: usize) {
    let count = i64::try_from(count).unwrap();
    eventually(&format!("{count} refusals"), SOON, || {
        (world.number("SELECT COUNT(*) FROM refusals") == count).then_some(())
    });
    assert!(world.listed(&["message", "list"]).is_empty());
    for query in [
        "SELECT COUNT(*) FROM messages",
        "SELECT COUNT(*) FROM contents",
        "SELECT COUNT(*) FROM deliveries",
        "SELECT COUNT(*) FROM obligations WHERE rule <> 'progress-report'",
        "SELECT COUNT(*) FROM cases",
    ] {
        assert_eq!(world.number(query), 0, "{query}");
    }
    let log = world.gateway().log();
    for personal in bodies::PERSONAL {
        assert!(!log.contains(personal), "{personal} is in the log");
    }
}

//! Messages that only tell something: each is taken by every region that exchanges it, and no obligation changes by it.

use super::changes::{inside, sample};
use super::regions::Life;

const INFORMING: [&str; 6] =
    ["group-conclusion", "programme-remarks", "personal-data-change", "note", "proposal", "statistics"];

#[test]
fn what_only_informs_is_taken_and_changes_no_obligation() {
    let mut taken = Vec::new();
    for id in ["yugra", "model", "smolensk"] {
        for message in INFORMING {
            let mut life = Life::of(id);
            if !life.regulation.exchanges.iter().any(|e| e.message == message) {
                continue;
            }
            let begin = super::application("2026-04-30T10:00:00+05:00", &[]).replace("2026-05-06T04", "2026-04-30T04");
            life.send(("application", "register", "register"), "2026-05-06T12:00:00+05:00", &begin);
            let before = life.case.clone().unwrap();
            let to_whom = if ["proposal", "statistics", "personal-data-change"].contains(&message) {
                "health"
            } else {
                "register"
            };
            let body = inside(&sample(message, "minimal"));
            let effects = life.send((message, "register", to_whom), "2027-06-01T12:00:00+05:00", &body);
            assert!(
                effects.open.is_empty() && effects.settle.is_empty() && effects.cancel.is_empty(),
                "{id} {message}"
            );
            assert_eq!(life.case.unwrap().facts.ends_on, before.facts.ends_on, "{id} {message}");
            taken.push(message);
        }
    }
    for message in INFORMING {
        assert!(taken.contains(&message), "{message} is exchanged nowhere");
    }
}

//! What the integration tests stand on: the gateway as a process, the private servers, other programs, waiting.
//!
//! Nothing here knows of messages or deadlines; a helper that does belongs to the tests that need it.

mod amqp;
mod balancer;
mod gateway;
mod postgres;
mod programs;
mod smtp;
mod wait;

pub(crate) use amqp::{AmqpVhost, Permissions, broker_lock};
pub(crate) use balancer::{Balancer, free_port};
pub(crate) use gateway::{Gateway, GatewayCommand};
pub(crate) use postgres::{PostgresDatabase, PostgresServer};
pub(crate) use programs::{Finished, mezhved, mezhved_told, python, run};
pub(crate) use smtp::{Mood, SmtpSink};
pub(crate) use wait::eventually;

/// The value of a variable that `scripts/services` sets.
#[allow(clippy::disallowed_methods, reason = "the tests' servers are told by the environment")]
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set; run `make test`, or `scripts/services run -- cargo test` for a part of the tests")
    })
}

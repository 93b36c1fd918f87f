//! The main job, black-box: a signed request goes from the register to an agency and back, over every transport and on both
//! stores, and who owes what is seen on the way.

mod amqp;
mod answers;
mod consent;
pub(crate) mod http;
mod interop;
mod mailbox;
mod outside;
mod own_part;

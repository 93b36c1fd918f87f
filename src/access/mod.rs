//! Floor 2: who may do what in the console and over its JSON face.
//!
//! A person has roles; a role is a set of rights ([`Role::rights`], the one table); a right is one kind of action. Beside the rights
//! stands the [`Scope`]: whose part of the exchange the person sees. [`Principal`] joins both, and everything that is shown or done for
//! a person asks it. Also the rules for passwords ([`password`]) and for repeated sign-ins ([`throttle`]).
//!
//! Not here: sessions, hashes, the store.

pub mod password;
mod principal;
mod rights;
mod scope;
pub mod throttle;

pub use principal::Principal;
pub use rights::{Right, Role};
pub use scope::Scope;

//! Floor 2: what messages are found by besides their headers: the numbers of documents, and people under a keyed hash.
//!
//! [`finds`] takes both out of a canonical body. Numbers are folded and kept as they are then. Of a person nothing is kept but an HMAC-SHA-256
//! of the folded name with the birth date, and of the СНИЛС, under the secret [`SearchKey`] of the installation: who has the index alone
//! cannot read it, nor try names against it. Equality is all that can be asked.

mod body;
mod number;
mod person;

pub use body::{Finds, finds};
pub use number::{FoldedNumber, NumberKind};
pub use person::{Marks, Person, PersonKind, PersonMark, SearchKey};

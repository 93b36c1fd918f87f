//! `versions = { termination = 1, programme = [1, 2] }`: the versions of message types that a participant takes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::{Place, not_an_id, said};
use crate::domain::MessageType;

/// By the type's name.
pub(super) type RawVersions = BTreeMap<String, Spanned<OneOrMore>>;

/// One version, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(u32),
    More(Vec<u32>),
}

/// Whether there are such schemas is seen with the rest of the configuration.
pub(super) fn versions(raw: &RawVersions, place: &mut Place<'_>) -> BTreeMap<String, BTreeSet<u32>> {
    let mut found = BTreeMap::new();
    for (name, named) in raw {
        let start = named.span().start;
        let numbers: BTreeSet<u32> = match named.get_ref() {
            OneOrMore::One(number) => BTreeSet::from([*number]),
            OneOrMore::More(numbers) => numbers.iter().copied().collect(),
        };
        if numbers.is_empty() || numbers.contains(&0) {
            let text = said(
                format!("versions: `{name}` — нужна версия от 1 или список таких, например [1, 2]"),
                format!("versions: `{name}`: a version from 1 is needed, or a list of such as [1, 2]"),
            );
            place.say(start, text);
        } else if let Err(error) = MessageType::new(name, 1) {
            place.say(start, not_an_id(&error));
        } else {
            found.insert(name.clone(), numbers);
        }
    }
    found
}

//! What a configuration with participants without envelopes must have, beyond the form of their files.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::adapter::{AdapterSet, Direction};
use crate::bundle::Files;
use crate::deadline::{Finding, Severity};
use crate::domain::{Digest, MessageType, Participant, ParticipantId, Plain, Technical};
use crate::schema::Catalogue;

/// What a participant's paths and responses name that is not there.
pub(in crate::gateway) fn findings(
    participant: &Participant,
    people: &Files,
    adapters: &AdapterSet,
    catalogue: &Catalogue,
) -> Vec<Finding> {
    let Some(plain) = participant.framing.plain() else { return Vec::new() };
    let file = format!("participants/{}.toml", participant.id);
    let text = people.get(&file).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
    let wrong = |key: &str, ru: String, en: String| Finding {
        severity: Severity::Error,
        file: file.clone(),
        line: line_of(&text, key),
        column: 0,
        ru,
        en,
    };
    let is_known = |name: &str| catalogue.types().any(|t| t.name == name) && Technical::parse(name).is_none();
    let mut found = Vec::new();
    for name in plain.paths.keys().filter(|name| !is_known(name) && !is_told(name)) {
        found.push(wrong(name, unknown_ru("paths", name), unknown_en("paths", name)));
    }
    for (name, answer) in &plain.responses {
        if !is_known(name) {
            found.push(wrong(name, unknown_ru("responses", name), unknown_en("responses", name)));
        }
        if !catalogue.knows(answer) || answer.technical().is_some() {
            found.push(wrong(name, unknown_ru("responses", answer), unknown_en("responses", answer)));
        } else if let Some((adapter, false)) = carried(participant, answer, adapters) {
            found.push(wrong(
                name,
                format!("responses: адаптер `{adapter}` не переводит {answer} в каноническую форму; добавьте to-canonical в его manifest.toml"),
                format!("responses: adapter `{adapter}` does not translate {answer} to the canonical form; add to-canonical to its manifest.toml"),
            ));
        }
    }
    found.extend(
        mute(plain)
            .map(|(ru, en)| Finding { severity: Severity::Warning, ..wrong("auth", ru.to_owned(), en.to_owned()) }),
    );
    found
}

/// Tokens that two participants have: the token alone says who posts.
pub(in crate::gateway) fn shared_tokens(participants: &[Participant], people: &Files) -> Vec<Finding> {
    let mut holders: BTreeMap<Digest, &ParticipantId> = BTreeMap::new();
    let mut found = Vec::new();
    for participant in participants {
        for token in participant.framing.plain().map_or(&[][..], |plain| plain.tokens.as_slice()) {
            let other = *holders.entry(*token).or_insert(&participant.id);
            if *other == participant.id {
                continue;
            }
            let file = format!("participants/{}.toml", participant.id);
            let text = people.get(&file).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
            found.push(Finding {
                severity: Severity::Error,
                line: line_of(&text, "token_sha256"),
                column: 0,
                ru: format!("token_sha256: такой же токен у `{other}`; у каждого участника свой: mezhved key token"),
                en: format!("token_sha256: `{other}` has the same token; each needs its own: mezhved key token"),
                file,
            });
        }
    }
    found
}

/// Whether the gateway itself writes messages of this type to participants.
fn is_told(name: &str) -> bool {
    matches!(Technical::parse(name), Some(Technical::Notice | Technical::DeadlineReminder))
}

/// The participant's adapter, and whether it brings the type to the canonical form; `None` when nothing is translated.
fn carried<'p>(participant: &'p Participant, answer: &MessageType, adapters: &AdapterSet) -> Option<(&'p str, bool)> {
    let name = participant.adapter.as_deref()?;
    Some((name, adapters.get(name)?.carries(answer, Direction::ToCanonical)))
}

/// A participant that can answer nothing.
fn mute(plain: &Plain) -> Option<(&'static str, &'static str)> {
    (plain.tokens.is_empty() && plain.responses.is_empty()).then_some((
        "нет ни token_sha256, ни [plain.responses]: участник только получает, сам ничего сообщить не может",
        "neither token_sha256 nor [plain.responses]: the participant only receives and can say nothing itself",
    ))
}

fn unknown_ru(key: &str, name: impl Display) -> String {
    format!("{key}: типа `{name}` нет в каталоге; виды сообщений перечислены в docs/messages.ru.md")
}

fn unknown_en(key: &str, name: impl Display) -> String {
    format!("{key}: the catalogue has no type `{name}`; docs/messages.en.md lists them")
}

/// The first line that gives this key a value; 0 when none is found.
pub(in crate::gateway) fn line_of(text: &str, key: &str) -> usize {
    let gives = |line: &str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
    text.lines().position(gives).map_or(0, |index| index + 1)
}

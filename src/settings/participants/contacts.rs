//! `contact = [{ name = "…", post = "…", phone = "…", mail = "…", hours = "…" }]`: whom people ask about a participant's system.

use serde::Deserialize;
use toml::Spanned;

use super::{Place, said};
use crate::domain::Contact;

/// The longest text of a contact, in characters.
const CHARS_MAX: usize = 200;

/// The most contacts of one participant.
const CONTACTS_MAX: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawContact {
    name: String,
    #[serde(default)]
    post: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    mail: String,
    #[serde(default)]
    hours: String,
}

pub(super) fn contacts(raw: &[Spanned<RawContact>], place: &mut Place<'_>) -> Vec<Contact> {
    let mut found = Vec::new();
    for (at, one) in raw.iter().enumerate() {
        let (start, raw) = (one.span().start, one.get_ref());
        let texts = [&raw.name, &raw.post, &raw.phone, &raw.mail, &raw.hours];
        let is_line = |text: &&String| text.chars().count() <= CHARS_MAX && !text.contains(char::is_control);
        if at >= CONTACTS_MAX {
            place.say(
                start,
                said(format!("contact: не больше {CONTACTS_MAX}"), format!("contact: at most {CONTACTS_MAX}")),
            );
        } else if raw.name.trim().is_empty() {
            place.say(start, said("contact: нужно имя (name)", "contact: a name is needed"));
        } else if !texts.iter().all(is_line) {
            let text = said(
                format!("contact: каждое поле — одна строка не длиннее {CHARS_MAX} знаков"),
                format!("contact: each field is one line of at most {CHARS_MAX} characters"),
            );
            place.say(start, text);
        } else if !raw.mail.is_empty() && !is_mail(&raw.mail) {
            let text = said(
                "contact: mail — не адрес почты; пример: dezhurny@example.org",
                "contact: mail is no e-mail address; an example: dezhurny@example.org",
            );
            place.say(start, text);
        } else {
            let [name, post, phone, mail, hours] = texts.map(|text| text.trim().to_owned());
            found.push(Contact { name, post, phone, mail, hours });
        }
    }
    found
}

fn is_mail(text: &str) -> bool {
    let parts = text.split_once('@');
    let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "@<>,;\"".contains(c));
    parts.is_some_and(|(user, host)| plain(user) && plain(host) && host.contains('.'))
}

//! The parts of a deadline rule in words: as the file writes them, and for people in Russian and English.

use crate::deadline::{
    CaseDate, Document, Every, Key, Matching, Of, Party, Regulation, SettleAt, Source, StartAt, Term, TermChoice, Warn,
};

/// `ru / en`.
pub(super) fn both(ru: &str, en: &str) -> String {
    if ru == en { ru.to_owned() } else { format!("{ru} / {en}") }
}

pub(super) fn term(term: &Term) -> String {
    both(&term.ru(), &term.to_string())
}

pub(super) fn term_choice(choice: &TermChoice) -> String {
    match choice {
        TermChoice::Plain(plain) => term(plain),
        TermChoice::Table(id) => both(&format!("по таблице `{id}`"), &format!("by the table `{id}`")),
        TermChoice::None => both("без срока", "without a term"),
    }
}

pub(super) fn warn(warn: &Warn) -> String {
    let words = term(&warn.term);
    match warn.roll.as_str() {
        "none" => words,
        roll => format!("{words} ({roll})"),
    }
}

/// As the file writes it.
pub(super) fn party_word(party: &Party) -> String {
    match party {
        Party::Role(role) => format!("role {role}"),
        Party::RoleOfKey => "role of key".to_owned(),
        Party::Sender => "sender".to_owned(),
        Party::Recipient => "recipient".to_owned(),
        Party::Responsible => "responsible".to_owned(),
        Party::Citizen => "citizen".to_owned(),
    }
}

/// For people; a role by its name.
pub(super) fn party(regulation: &Regulation, party: &Party) -> String {
    match party {
        Party::Role(role) => {
            let title =
                regulation.role(role).map_or_else(String::new, |r| format!("{} / {}, ", r.title.ru, r.title.en));
            format!("{title}{role}")
        }
        Party::RoleOfKey => {
            both("исполнитель роли, названной в сообщении", "the holder of the role that the message names")
        }
        Party::Sender => both("отправитель", "the sender"),
        Party::Recipient => both("получатель", "the recipient"),
        Party::Responsible => both("ответственный за мероприятие", "the one responsible for the measure"),
        Party::Citizen => both("гражданин", "the citizen"),
    }
}

/// As the file writes it.
pub(super) fn start_word(start: &StartAt) -> String {
    match start {
        StartAt::Accepted => "accepted".to_owned(),
        StartAt::Sent => "sent".to_owned(),
        StartAt::Delivered => "delivered".to_owned(),
        StartAt::Field(field) => field.clone(),
        StartAt::Date(field) => format!("date {field}"),
        StartAt::Case(date) => format!("case {}", date.as_str()),
        StartAt::Period => "period".to_owned(),
    }
}

/// As the file writes it.
pub(super) fn of_word(of: &Of) -> String {
    match of {
        Of::Measure => "measure".to_owned(),
        Of::Case => "case".to_owned(),
        Of::Role(role) => format!("role {role}"),
    }
}

/// For people: what the calendar opens.
pub(super) fn period(every: Every, of: &Of) -> String {
    let (ru, en) = match every {
        Every::Month => ("каждый месяц", "every month"),
        Every::Quarter => ("каждый квартал", "every quarter"),
        Every::Year => ("каждый год", "every year"),
    };
    match of {
        Of::Measure => both(
            &format!("{ru}, в котором у участника есть мероприятие"),
            &format!("{en} in which a participant has a measure"),
        ),
        Of::Case => {
            both(&format!("{ru}, в котором по делу есть договор"), &format!("{en} in which a case has a contract"))
        }
        Of::Role(role) => both(
            &format!("{ru}, каждому исполнителю роли {role}"),
            &format!("{en}, for each holder of the role {role}"),
        ),
    }
}

pub(super) fn start(start: &StartAt) -> String {
    match start {
        StartAt::Accepted => both("от принятия сообщения шлюзом", "from the message's acceptance"),
        StartAt::Sent => both("от передачи сообщения должнику", "from the message's handing over to the debtor"),
        StartAt::Delivered => both("от проверенной квитанции должника", "from the debtor's verified receipt"),
        StartAt::Field(field) | StartAt::Date(field) => {
            both(&format!("от даты в документе `{field}`"), &format!("from the document's date `{field}`"))
        }
        StartAt::Case(date) => match date {
            CaseDate::Begins => both("от начала сопровождения", "from the accompaniment's first day"),
            CaseDate::Ends => both("от конца сопровождения", "from the accompaniment's last day"),
            CaseDate::Level => both("от начала уровня", "from the level's first day"),
            CaseDate::Approved => both("от утверждения программы", "from the programme's approval"),
            CaseDate::Signed => both("от подписания договора", "from the contract's signature"),
        },
        StartAt::Period => both("от периода", "from the period"),
    }
}

/// As the file writes it.
pub(super) fn settle_word(at: &SettleAt) -> &str {
    match at {
        SettleAt::Accepted => "accepted",
        SettleAt::Field(field) => field,
    }
}

pub(super) fn settle(at: &SettleAt) -> String {
    match at {
        SettleAt::Accepted => both("принятием", "by its acceptance"),
        SettleAt::Field(field) => both(&format!("датой `{field}`"), &format!("by its date `{field}`")),
    }
}

/// As the file writes it.
pub(super) fn key_word(key: &Key) -> String {
    match key {
        Key::Path(path) => path.to_string(),
        Key::RolesOfRecipient => "roles of recipient".to_owned(),
        Key::Recipient => "recipient".to_owned(),
    }
}

/// Which message, and what in it: `application (each requiredDocuments/document, where source = request, key holderRole)`.
pub(super) fn matching(matching: &Matching) -> String {
    let mut parts = Vec::new();
    if let Some(each) = &matching.each {
        parts.push(format!("each {each}"));
    }
    for (path, values) in &matching.filter {
        parts.push(format!("where {path} = {}", values.join(" | ")));
    }
    if let Some(key) = &matching.key {
        parts.push(format!("key {}", key_word(key)));
    }
    if let Some(case) = &matching.case {
        parts.push(format!("case {case}"));
    }
    if let Some(period) = &matching.period {
        parts.push(format!("period {period}"));
    }
    if parts.is_empty() { matching.message.clone() } else { format!("{} ({})", matching.message, parts.join(", ")) }
}

/// Whether anybody compared the document with its edition.
pub(super) fn edition(document: Option<&Document>) -> String {
    let edition = document.and_then(|d| d.edition.as_deref()).map_or_else(String::new, |e| format!("{e}: "));
    match document.and_then(|d| d.checked_on) {
        Some(day) => format!("{edition}редакция сверена {day} / the edition was compared on {day}"),
        None => format!("{edition}редакция не проверена / the edition was not checked"),
    }
}

/// Where something is written: document with paragraph, the quote if there is one, the state of the edition.
pub(super) fn source(regulation: &Regulation, source: &Source) -> Vec<String> {
    let document = regulation.documents.iter().find(|d| d.id == source.document);
    let title = document.map_or(source.document.as_str(), |d| d.title.as_str());
    let mut lines = vec![format!("{title}, {}", source.paragraph)];
    if !source.quote.is_empty() {
        lines.push(format!("«{}»", source.quote));
    }
    lines.push(edition(document));
    lines
}

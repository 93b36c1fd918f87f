//! The filters of listings: the same as the pages', read by the pages' own readers. What stands here is what the document says of them,
//! and what the door lets through.

use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Object;

use super::words::{day, dead_states, groups, id, lines, message_states, orders, reasons, states, text};

/// One name in the query: what it is, and its values.
type Name = (&'static str, &'static str, fn() -> Object);

fn parameters(names: &[Name]) -> Vec<Parameter> {
    let one = |(name, about, schema): &Name| {
        let parameter = ParameterBuilder::new().name(*name).parameter_in(ParameterIn::Query);
        parameter.required(Required::False).description(Some(*about)).schema(Some(schema())).build()
    };
    names.iter().map(one).collect()
}

macro_rules! filters {
    ($($(#[$doc:meta])* $name:ident = $names:expr;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl IntoParams for $name {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                parameters(&$names)
            }
        }
    )*};
}

const PARTICIPANT: Name = ("participant", "Участник с любой стороны / a participant on either side", text);
const CASE: Name = ("case", "Дело / the case", id);
const CONVERSATION: Name = ("conversation", "Переписка / the conversation", id);
const LIMIT: Name = ("limit", "Строк на странице, обычно 50 / lines of a page, 50 if nothing is said", lines);
const AFTER: Name = ("after", "Место, с которого продолжить: из `next` / where to go on: part of `next`", text);
const BEFORE: Name = ("before", "Место, с которого продолжить: из `next` / where to go on: part of `next`", text);
const REGULATION: Name = ("regulation", "Регламент / the regulation", text);
const RULE: Name = ("rule", "Правило / the rule", text);

filters! {
    /// Of obligations.
    OfObligations = [
        ("group", "Группа, обычно все / the group, all if nothing is said", groups),
        PARTICIPANT,
        ("debtor", "Кто должен / who owes", text),
        RULE,
        ("state", "Состояние / the state", states),
        CASE,
        CONVERSATION,
        ("from", "Срок не раньше этого дня (в поясе читателя) / due on this day or later, in the reader's zone", day),
        ("to", "Срок не позже этого дня / due on this day or earlier", day),
        ("sort", "Порядок по сроку, обычно ближайшие первыми / the order of dues, the earliest first if nothing is said", orders),
        LIMIT,
        AFTER,
    ];
    /// Of messages.
    OfMessages = [
        ("id", "MessageId отправителя / the sender's MessageId", id),
        PARTICIPANT,
        ("type", "Вид сообщения / the type", text),
        CASE,
        CONVERSATION,
        ("state", "Состояние доставки / the state of the delivery", message_states),
        ("from", "Принято в этот день или позже / accepted on this day or later", day),
        ("to", "Принято в этот день или раньше / accepted on this day or earlier", day),
        LIMIT,
        BEFORE,
    ];
    /// Of dead letters.
    OfDead = [
        ("to", "Получатель / the recipient", text),
        ("state", "Состояние / the state", dead_states),
        ("reason", "Причина / the reason", reasons),
        LIMIT,
        AFTER,
    ];
    /// Of the journal.
    OfJournal = [
        ("kind", "Что произошло / what happened", text),
        ("actor", "Кто: логин, участник, узел / who: a login, a participant, a node", text),
        ("participant", "О каком участнике / about which participant", text),
        ("from", "В этот день или позже / on this day or later", day),
        ("to", "В этот день или раньше / on this day or earlier", day),
        LIMIT,
        BEFORE,
    ];
    /// Of a report.
    OfReport = [
        REGULATION,
        ("participant", "Кто должен / who owes", text),
        RULE,
        ("period", "Месяц, квартал, год: 2026-11, 2026-Q4, 2026; обычно этот месяц / a month, a quarter, a year; this month if nothing is said", text),
        ("from", "Вместо периода: с этого дня / in place of a period: from this day", day),
        ("to", "По этот день / to this day", day),
    ];
}

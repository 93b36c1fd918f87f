//! The template engine: what is available in a template, how values are written, and the limits.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use chrono::{NaiveDate, Timelike as _};
use minijinja::value::{Rest, Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, context};

use super::codes::{CodeLists, CodeProblem};
use super::tree::Tree;
use super::view::{self, Element, Refusal, refuse};
use super::{
    AdapterError, AdapterErrorKind, Direction, FUEL_BASE_INSTRUCTIONS, FUEL_INSTRUCTIONS_MAX,
    FUEL_PER_NODE_INSTRUCTIONS, HeaderView, OUTPUT_BYTES_MAX, RECURSION_UNITS_MAX, sandbox,
};

/// How values are written into the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Xml,
    Json,
}

/// The templates of one adapter, compiled for one direction.
pub(super) struct Engine {
    folder: String,
    environment: Environment<'static>,
}

/// Bytes written so far, also into what a macro or a `set` block holds back.
struct Written(usize);

impl Engine {
    /// Compiles all templates of a folder (`adapters/police/templates/`, names below it).
    pub(super) fn new(
        folder: &str,
        templates: &BTreeMap<String, String>,
        syntax: Syntax,
        direction: Direction,
        codes: &Arc<CodeLists>,
    ) -> Result<Self, Vec<AdapterError>> {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_recursion_limit(RECURSION_UNITS_MAX);
        // Any kind but `None`, so that what a macro returns is marked as written; how values are written is the formatter's matter.
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_formatter(move |out, state, value| write_value(out, state, value, syntax));
        add_tests(&mut environment);
        add_filters(&mut environment, direction, codes);
        let mut errors = Vec::new();
        for (name, source) in templates {
            let file = format!("{folder}{name}");
            if let Err((line, reason)) = sandbox::check(source) {
                errors.push(AdapterError::new(AdapterErrorKind::Folder, &file, Some(line), reason));
            } else if let Err(error) = environment.add_template_owned(name.clone(), source.clone()) {
                let reason = error.detail().unwrap_or("a syntax error").to_owned();
                errors.push(AdapterError::new(AdapterErrorKind::Folder, &file, error.line(), reason));
            }
        }
        if errors.is_empty() { Ok(Self { folder: folder.to_owned(), environment }) } else { Err(errors) }
    }

    /// Whether there is a template of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.environment.get_template(name).is_ok()
    }

    /// Runs a template on a tree.
    pub(super) fn render(&self, name: &str, tree: &Arc<Tree>, header: &HeaderView) -> Result<Vec<u8>, AdapterError> {
        // A clone shares what was compiled; the fuel is this run's own.
        let mut environment = self.environment.clone();
        let nodes = u64::try_from(tree.len()).unwrap_or(u64::MAX);
        let fuel = FUEL_BASE_INSTRUCTIONS.saturating_add(nodes.saturating_mul(FUEL_PER_NODE_INSTRUCTIONS));
        environment.set_fuel(Some(fuel.min(FUEL_INSTRUCTIONS_MAX)));
        let template = environment.get_template(name).map_err(|e| self.error(name, &e))?;
        let mut out = Bounded(Vec::new());
        let context = context! { body => view::root(tree.clone()), header => Value::from(Serde(header)) };
        // The state that comes back is not needed: everything was written.
        template.render_captured_to(context, &mut out).map(drop).map_err(|e| self.error(name, &e))?;
        Ok(out.0)
    }

    fn error(&self, name: &str, error: &Error) -> AdapterError {
        let place = innermost(error);
        let file = format!("{}{}", self.folder, place.name().or(error.name()).unwrap_or(name));
        let line = place.line().or(error.line());
        if let Some(refusal) = refusal(error) {
            let kind = if refusal.code_missing { AdapterErrorKind::CodeMissing } else { AdapterErrorKind::Template };
            return AdapterError::new(kind, &file, line, refusal.reason.clone());
        }
        AdapterError::new(AdapterErrorKind::Template, &file, line, engine_reason(place))
    }
}

/// What went wrong in the engine's own words, where these cannot hold a value of the body.
fn engine_reason(error: &Error) -> String {
    #[allow(clippy::wildcard_enum_match_arm)] // the engine's enum is open
    match error.kind() {
        ErrorKind::OutOfFuel => {
            "the template took more steps than a body of this size allows; is there a loop without end?".to_owned()
        }
        ErrorKind::WriteFailure => format!("the template wrote more than {OUTPUT_BYTES_MAX} bytes"),
        ErrorKind::UndefinedError => "a name is used that is not defined here".to_owned(),
        ErrorKind::UnknownFilter
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownFunction
        | ErrorKind::TemplateNotFound
        | ErrorKind::MissingArgument
        | ErrorKind::TooManyArguments
        | ErrorKind::SyntaxError => error.to_string().split(" (in ").next().unwrap_or("").to_owned(),
        ErrorKind::InvalidOperation if error.detail() == Some("recursion limit exceeded") => {
            "macros or includes are nested too deep".to_owned()
        }
        other => format!("{other}: a value is used in a way that its kind does not allow"),
    }
}

/// The engine wraps errors of included templates: the innermost tells the place.
fn innermost(error: &Error) -> &Error {
    let mut at = error;
    while let Some(inner) = std::error::Error::source(at).and_then(|s| s.downcast_ref::<Error>()) {
        at = inner;
    }
    at
}

fn refusal(error: &Error) -> Option<&Refusal> {
    std::error::Error::source(innermost(error)).and_then(|s| s.downcast_ref::<Refusal>())
}

/// A writer that stops at the limit.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_BYTES_MAX {
            return Err(io::Error::other("too much output"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_value(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value, syntax: Syntax) -> Result<(), Error> {
    let text = text_of(value, syntax)?;
    let written = state.get_or_insert_extension(Written(0));
    written.0 += text.len();
    if written.0 > OUTPUT_BYTES_MAX {
        return Err(Error::new(ErrorKind::WriteFailure, "too much output"));
    }
    out.write_str(&text).map_err(Error::from)
}

fn text_of(value: &Value, syntax: Syntax) -> Result<String, Error> {
    if let Some(element) = value.downcast_object_ref::<Element>() {
        return Err(refuse(format!("{}: is an element with parts and cannot be written as a text", element.path())));
    }
    #[allow(clippy::wildcard_enum_match_arm)] // the engine's enum is open
    match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or("");
            // What a macro returns is written already.
            if value.is_safe() { Ok(text.to_owned()) } else { escape(text, syntax) }
        }
        ValueKind::Bool => Ok(value.to_string()),
        ValueKind::Number if value.is_integer() => Ok(value.to_string()),
        ValueKind::None => Err(refuse("a value that is absent is written; guard it with `if .. is not none`")),
        other => Err(refuse(format!("a {other} cannot be written as a text"))),
    }
}

pub(super) fn escape(text: &str, syntax: Syntax) -> Result<String, Error> {
    match syntax {
        Syntax::Json => serde_json::to_string(text).map_err(|_| refuse("a text cannot be written as JSON")),
        Syntax::Xml => {
            let mut escaped = String::with_capacity(text.len());
            for c in text.chars() {
                match c {
                    '&' => escaped.push_str("&amp;"),
                    '<' => escaped.push_str("&lt;"),
                    '>' => escaped.push_str("&gt;"),
                    '"' => escaped.push_str("&quot;"),
                    '\'' => escaped.push_str("&apos;"),
                    '\t' => escaped.push_str("&#9;"),
                    '\n' => escaped.push_str("&#10;"),
                    '\r' => escaped.push_str("&#13;"),
                    '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                        return Err(refuse("a text holds a character that XML cannot carry"));
                    }
                    _ => escaped.push(c),
                }
            }
            Ok(escaped)
        }
    }
}

fn add_tests(environment: &mut Environment<'static>) {
    environment.add_test("none", |value: &Value| value.is_none());
    environment.add_test("oneof", |value: &Value, others: Rest<Value>| others.iter().any(|other| other == value));
    environment.add_test("startingwith", |text: &str, start: &str| text.starts_with(start));
}

fn add_filters(environment: &mut Environment<'static>, direction: Direction, codes: &Arc<CodeLists>) {
    let lists = codes.clone();
    environment.add_filter("code", move |code: &Value, list: &str| code_of(&lists, direction, list, code));
    let lists = codes.clone();
    environment.add_function("code", move |list: &str, code: &Value| code_of(&lists, direction, list, code));
    environment.add_function("fail", |reason: &str| Err::<String, Error>(refuse(reason)));
    environment.add_filter("date", move |text: &str, form: &str| date_of(text, form, direction));
    environment.add_filter("flag", |text: &Value| match text.as_str() {
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(_) | None => Err(refuse("a truth value must be `true`, `false`, `1` or `0`")),
    });
    environment.add_filter("number", |text: &str| {
        text.parse::<i64>().map_err(|_| refuse("a text is not an integer; carry it as a text"))
    });
    environment.add_filter("text", |value: &Value| match value.downcast_object_ref::<Element>() {
        Some(element) => element.text(),
        None => Ok(value.clone()),
    });
    environment.add_filter("length", minijinja::filters::length);
    environment.add_filter("lower", |text: &str| text.to_lowercase());
    environment.add_filter("upper", |text: &str| text.to_uppercase());
    environment.add_filter("trim", |text: &str| text.trim().to_owned());
    environment.add_filter("without_prefix", |text: &str, prefix: &str| {
        text.strip_prefix(prefix)
            .map(str::to_owned)
            .ok_or_else(|| refuse(format!("a text does not begin with `{prefix}`")))
    });
    environment.add_filter("part", |text: &str, separator: &str, number: usize| {
        let part = number.checked_sub(1).and_then(|n| text.split(separator).nth(n)).map(str::to_owned);
        part.ok_or_else(|| refuse(format!("a text has no part {number} when split at `{separator}`")))
    });
}

fn code_of(lists: &CodeLists, direction: Direction, list: &str, code: &Value) -> Result<String, Error> {
    if let Some(element) = code.downcast_object_ref::<Element>() {
        return Err(refuse(format!("{}: is an element with parts, not a code", element.path())));
    }
    let code = code.to_string();
    let found = match direction {
        Direction::ToPartner => lists.out(list, &code),
        Direction::ToCanonical => lists.back(list, &code),
    };
    found.map(str::to_owned).map_err(|problem| match problem {
        CodeProblem::NoList => refuse(format!("there is no code list `{list}` in the manifest")),
        CodeProblem::NoCode => {
            let shown: String = code.chars().take(40).collect();
            let side = lists.side(list, direction == Direction::ToPartner);
            let reason = format!("the {side} code `{shown}` has no counterpart in the code list `{list}`");
            Error::new(ErrorKind::InvalidOperation, reason.clone()).with_source(Refusal { reason, code_missing: true })
        }
    })
}

/// The words of a date's form and what they mean to chrono.
const DATE_WORDS: [(&str, &str); 7] =
    [("yyyy", "%Y"), ("mm", "%m"), ("dd", "%d"), ("hh", "%H"), ("mi", "%M"), ("ss", "%S"), ("zzz", "%:z")];

/// Between the canonical ISO form and a partner's, such as `dd.mm.yyyy`, `mm.yyyy` or `dd.mm.yyyy hh:mi:ss zzz`.
fn date_of(text: &str, form: &str, direction: Direction) -> Result<String, Error> {
    let canonical = match (form.contains("hh"), form.contains("dd")) {
        (true, _) => "%Y-%m-%dT%H:%M:%S%:z",
        (false, true) => "%Y-%m-%d",
        (false, false) => "%Y-%m",
    };
    let mut partner = form.to_owned();
    for (word, mark) in DATE_WORDS {
        partner = partner.replace(word, mark);
    }
    let (from, to) = match direction {
        Direction::ToPartner => (canonical, partner.as_str()),
        Direction::ToCanonical => (partner.as_str(), canonical),
    };
    let reason = || refuse(format!("a date is not of the form that `date('{form}')` reads in this direction"));
    let again = |written: Option<String>, back: Option<String>| match (written, back) {
        (Some(written), Some(back)) if back == text => Ok(written),
        _ => Err(reason()),
    };
    if form.contains("hh") {
        let text_z = text.strip_suffix('Z').map_or_else(|| text.to_owned(), |t| format!("{t}+00:00"));
        let instant =
            chrono::DateTime::parse_from_str(&text_z, from).ok().filter(|t| t.nanosecond() == 0).ok_or_else(reason)?;
        return again(Some(instant.format(to).to_string()), Some(text.to_owned()));
    }
    // A month is read as its first day.
    let day = |form: &str| {
        if form.contains("%d") {
            (text.to_owned(), form.to_owned())
        } else {
            (format!("01 {text}"), format!("%d {form}"))
        }
    };
    let (read, read_form) = day(from);
    let date = NaiveDate::parse_from_str(&read, &read_form).ok();
    again(date.map(|d| d.format(to).to_string()), date.map(|d| d.format(from).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_both_ways_and_only_real_ones() {
        use Direction::{ToCanonical, ToPartner};
        for (text, form, direction, expected) in [
            ("2026-05-06", "dd.mm.yyyy", ToPartner, Some("06.05.2026")),
            ("06.05.2026", "dd.mm.yyyy", ToCanonical, Some("2026-05-06")),
            ("2026-05", "mm.yyyy", ToPartner, Some("05.2026")),
            ("05.2026", "mm.yyyy", ToCanonical, Some("2026-05")),
            ("2026-05-06T10:00:00+05:00", "dd.mm.yyyy hh:mi:ss zzz", ToPartner, Some("06.05.2026 10:00:00 +05:00")),
            ("06.05.2026 10:00:00 +05:00", "dd.mm.yyyy hh:mi:ss zzz", ToCanonical, Some("2026-05-06T10:00:00+05:00")),
            ("2026-02-30", "dd.mm.yyyy", ToPartner, None),
            ("6.5.2026", "dd.mm.yyyy", ToCanonical, None),
            ("05.06.26", "dd.mm.yyyy", ToCanonical, None),
            ("2026-05-06", "dd.mm.yyyy", ToCanonical, None),
            ("2026-05-06T10:00:00.5+05:00", "dd.mm.yyyy hh:mi:ss zzz", ToPartner, None),
        ] {
            assert_eq!(date_of(text, form, direction).ok().as_deref(), expected, "{text} {form}");
        }
    }

    #[test]
    fn markup_in_a_value_stays_a_value() {
        assert_eq!(escape("<a b='\"&'>\n", Syntax::Xml).unwrap(), "&lt;a b=&apos;&quot;&amp;&apos;&gt;&#10;");
        assert_eq!(escape("\"\\\n", Syntax::Json).unwrap(), r#""\"\\\n""#);
        assert!(escape("\u{1}", Syntax::Xml).is_err());
    }
}

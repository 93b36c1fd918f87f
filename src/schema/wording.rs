//! Words for what libxml2 finds, in both languages and without the document's values, which libxml2 quotes.
//!
//! From libxml2's own sentence only those parts are kept that come from the schema: the set of allowed values, the pattern, the
//! type's name, the expected elements. They stand at the sentence's end, so they are looked for from there: a value in the
//! middle can pretend nothing.

use libxml::bindings as lib;
use libxml::error::StructuredError;

use super::{ViolatedRule, Violation};

/// The longest part of a schema that is quoted, in characters.
const QUOTED_CHARS_MAX: usize = 300;

/// Whether the sentence is a mere echo: an invalid value of a key is told once as invalid and once more as a key.
pub(super) fn is_echo(error: &StructuredError) -> bool {
    let sentence = error.message.as_deref().and_then(|m| m.split_once("': ")).map_or("", |(_, sentence)| sentence);
    u32::try_from(error.code) == Ok(lib::xmlParserErrors_XML_SCHEMAV_CVC_IDC) && sentence.starts_with("Warning:")
}

/// What libxml2 found, as a violation.
pub(super) fn of_schema(error: &StructuredError) -> Violation {
    let sentence = error.message.as_deref().unwrap_or_default().trim_end();
    let (element, attribute) = place(sentence);
    let (ru, en) = words(error.code, sentence);
    let line = error.line.and_then(|line| u32::try_from(line).ok());
    match attribute {
        Some(name) => Violation::new(
            line,
            element,
            ViolatedRule::Schema,
            format!("атрибут {name}: {ru}"),
            format!("attribute {name}: {en}"),
        ),
        None => Violation::new(line, element, ViolatedRule::Schema, ru, en),
    }
}

/// What libxml2 found while reading the document.
pub(super) fn of_reading(errors: &[StructuredError]) -> Violation {
    let line = errors.first().and_then(|e| e.line).and_then(|line| u32::try_from(line).ok());
    let en = "the document is not well-formed XML with namespaces, or is nested too deep";
    Violation::new(
        line,
        "",
        ViolatedRule::NotWellFormed,
        "документ не является правильным XML или вложен слишком глубоко",
        en,
    )
}

/// The element's local name, and the attribute's name if the sentence is about one: `Element '{ns}a', attribute 'b': …`.
fn place(sentence: &str) -> (&str, Option<&str>) {
    let Some(rest) = sentence.strip_prefix("Element '") else { return ("", None) };
    let rest = if rest.starts_with('{') { rest.split_once('}').map_or("", |(_, local)| local) } else { rest };
    let Some((local, rest)) = rest.split_once('\'') else { return ("", None) };
    let attribute = rest.strip_prefix(", attribute '").and_then(|rest| rest.split_once('\'')).map(|(name, _)| name);
    (named(local), attribute.map(|name| named(name.rsplit_once('}').map_or(name, |(_, local)| local))))
}

/// A name of an element or attribute and nothing else.
fn named(text: &str) -> &str {
    let is_name = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '·'));
    if is_name { text } else { "?" }
}

fn words(code: i32, sentence: &str) -> (String, String) {
    let Ok(code) = u32::try_from(code) else { return general() };
    match code {
        lib::xmlParserErrors_XML_SCHEMAV_CVC_PATTERN_VALID => quoted(
            sentence,
            ("is not accepted by the pattern '", "'."),
            ("значение не подходит под образец", "the value does not fit the pattern"),
        ),
        lib::xmlParserErrors_XML_SCHEMAV_CVC_ENUMERATION_VALID => quoted(
            sentence,
            ("is not an element of the set {'", "'}."),
            ("значения нет в списке допустимых:", "the value is not in the list of allowed ones:"),
        ),
        lib::xmlParserErrors_XML_SCHEMAV_CVC_DATATYPE_VALID_1_2_1
        | lib::xmlParserErrors_XML_SCHEMAV_CVC_DATATYPE_VALID_1_2_2
        | lib::xmlParserErrors_XML_SCHEMAV_CVC_DATATYPE_VALID_1_2_3 => type_name(sentence),
        lib::xmlParserErrors_XML_SCHEMAV_CVC_LENGTH_VALID
            ..=lib::xmlParserErrors_XML_SCHEMAV_CVC_FRACTIONDIGITS_VALID => limit(sentence),
        lib::xmlParserErrors_XML_SCHEMAV_ELEMENT_CONTENT => content(sentence),
        lib::xmlParserErrors_XML_SCHEMAV_CVC_IDC => identity(sentence),
        lib::xmlParserErrors_XML_SCHEMAV_CVC_ELT_1 => {
            pair("корневого элемента нет в схеме", "the schema does not declare this root element")
        }
        lib::xmlParserErrors_XML_SCHEMAV_CVC_COMPLEX_TYPE_2_1 => {
            pair("содержимое должно быть пустым", "the content must be empty")
        }
        lib::xmlParserErrors_XML_SCHEMAV_CVC_COMPLEX_TYPE_2_3 => {
            pair("текст не допускается, только вложенные элементы", "text is not allowed here, only child elements")
        }
        lib::xmlParserErrors_XML_SCHEMAV_CVC_TYPE_3_1_2 | lib::xmlParserErrors_XML_SCHEMAV_CVC_COMPLEX_TYPE_2_2 => {
            pair(
                "вложенные элементы не допускаются, только значение",
                "child elements are not allowed here, only a value",
            )
        }
        lib::xmlParserErrors_XML_SCHEMAV_CVC_COMPLEX_TYPE_3_2_1
        | lib::xmlParserErrors_XML_SCHEMAV_CVC_COMPLEX_TYPE_3_2_2
        | lib::xmlParserErrors_XML_SCHEMAV_CVC_TYPE_3_1_1 => {
            pair("атрибут не допускается", "the attribute is not allowed")
        }
        lib::xmlParserErrors_XML_SCHEMAV_CVC_COMPLEX_TYPE_4 => {
            pair("не хватает обязательного атрибута", "a required attribute is missing")
        }
        _ => general(),
    }
}

fn general() -> (String, String) {
    pair("содержимое не соответствует схеме", "the content does not fit the schema")
}

fn pair(ru: &str, en: &str) -> (String, String) {
    (ru.to_owned(), en.to_owned())
}

/// The words and, behind them, the schema's part between the last `mark` of the sentence and its end.
fn quoted(sentence: &str, (mark, end): (&str, &str), (ru, en): (&str, &str)) -> (String, String) {
    match sentence.strip_suffix(end).and_then(|sentence| sentence.rsplit_once(mark)) {
        Some((_, part)) => {
            let part = cut(&part.replace("', '", ", "));
            (format!("{ru} {part}"), format!("{en} {part}"))
        }
        None => pair(ru.trim_end_matches(':'), en.trim_end_matches(':')),
    }
}

/// `… is not a valid value of the atomic type '{urn:x}Date'.`
fn type_name(sentence: &str) -> (String, String) {
    let name = sentence
        .rsplit_once("is not a valid value of the ")
        .and_then(|(_, tail)| tail.trim_end_matches(['.', '\'']).rsplit_once('\''))
        .map(|(_, name)| name.rsplit_once('}').map_or(name, |(_, local)| local))
        .map(|name| format!(" {}", cut(named(name))))
        .unwrap_or_default();
    (format!("значение не подходит к типу{name}"), format!("the value does not fit the type{name}"))
}

/// A facet of length or range: the last quoted number of the sentence is the schema's.
fn limit(sentence: &str) -> (String, String) {
    let bound = sentence.trim_end_matches(['.', ')', '\'']).rsplit_once('\'').map(|(_, bound)| cut(bound));
    match bound {
        Some(bound) => (
            format!("длина или величина значения не допускается, граница: {bound}"),
            format!("the value's length or size is not allowed, the limit is {bound}"),
        ),
        None => pair("длина или величина значения не допускается", "the value's length or size is not allowed"),
    }
}

fn content(sentence: &str) -> (String, String) {
    let (ru, en) = if sentence.contains("': Missing child element(s)") {
        ("не хватает вложенного элемента", "a child element is missing")
    } else if sentence.contains("': This element is not expected") {
        ("элемент здесь не ожидается", "this element is not expected here")
    } else {
        ("состав элемента не соответствует схеме", "the content of the element does not fit the schema")
    };
    match expected(sentence) {
        Some(names) => (format!("{ru}; ожидается: {names}"), format!("{en}; expected: {names}")),
        None => pair(ru, en),
    }
}

/// The local names of the expected elements: `Expected is one of ( {ns}a, {ns}b ).`
fn expected(sentence: &str) -> Option<String> {
    let (_, list) = sentence.rsplit_once("Expected is ")?;
    let list = list.trim_start_matches("one of ").trim_end_matches('.').trim_matches(['(', ')', ' ']);
    let names: Vec<&str> =
        list.split(", ").map(|name| name.rsplit_once('}').map_or(name, |(_, local)| local).trim()).collect();
    Some(cut(&names.join(", ")))
}

fn identity(sentence: &str) -> (String, String) {
    let name = sentence
        .rsplit_once("identity-constraint '")
        .map(|(_, tail)| tail.trim_end_matches(['.', '\'']))
        .map(|tail| tail.rsplit_once('}').map_or(tail, |(_, local)| local))
        .map(|name| format!(" ({})", cut(named(name))))
        .unwrap_or_default();
    if sentence.contains("No match found for key-sequence") {
        return (format!("ссылка ни на что не указывает{name}"), format!("the reference points to nothing{name}"));
    }
    (format!("повтор: здесь допускается один раз{name}"), format!("given twice, allowed once{name}"))
}

fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

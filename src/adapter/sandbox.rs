//! What a template may not say. Checked before a template is compiled, with the line.
//!
//! Fuel counts the engine's steps, not what a step holds: a doubled string is one step. So the ways to build large values out of
//! small ones are left out of the language: operators that repeat or join, list and map literals, and all tags but those below.

use super::{TEMPLATE_BYTES_MAX, TEMPLATE_TEXT_RUN_BYTES_MAX};

const TAGS: [&str; 15] = [
    "if", "elif", "else", "endif", "for", "endfor", "set", "endset", "with", "endwith", "macro", "endmacro", "from",
    "import", "include",
];

/// Words after which a bracket begins a literal or a group, not a call or a lookup.
const KEYWORDS: [&str; 13] =
    ["and", "or", "not", "in", "is", "if", "elif", "else", "set", "with", "for", "include", "import"];

/// Checks a template's source.
///
/// # Errors
/// The line, from 1, and the reason.
pub(super) fn check(source: &str) -> Result<(), (usize, String)> {
    if source.len() > TEMPLATE_BYTES_MAX {
        return Err((1, format!("the template is larger than {TEMPLATE_BYTES_MAX} bytes; split it with `include`")));
    }
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|r| !r.is_empty()) {
        let open = ["{{", "{%", "{#"].iter().filter_map(|t| rest.find(t)).min();
        let run = open.unwrap_or(rest.len());
        let line = line_at(source, at);
        if run > TEMPLATE_TEXT_RUN_BYTES_MAX {
            return Err((
                line,
                format!("more than {TEMPLATE_TEXT_RUN_BYTES_MAX} bytes of text without a tag; put `{{# #}}` inside"),
            ));
        }
        let Some(open) = open else { break };
        let inner_at = at + open + 2;
        let inner = source.get(inner_at..).unwrap_or("");
        let line = line_at(source, inner_at);
        let tag = rest.get(open..open + 2).unwrap_or("");
        let length = match tag {
            "{#" => inner.find("#}").ok_or((line, "a comment is not closed".to_owned()))?,
            "{%" => check_code(inner, "%}", true).map_err(|(off, why)| (line_at(source, inner_at + off), why))?,
            _ => check_code(inner, "}}", false).map_err(|(off, why)| (line_at(source, inner_at + off), why))?,
        };
        at = inner_at + length + 2;
    }
    Ok(())
}

fn line_at(source: &str, at: usize) -> usize {
    source.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

/// Checks what stands between two delimiters; gives its length.
fn check_code(code: &str, close: &str, statement: bool) -> Result<usize, (usize, String)> {
    let skip = usize::from(code.starts_with(['-', '+']));
    let word: String =
        code.get(skip..).unwrap_or("").trim_start().chars().take_while(char::is_ascii_alphanumeric).collect();
    if statement && !TAGS.contains(&word.as_str()) {
        return Err((0, format!("the tag `{word}` is not available; there are: {}", TAGS.join(", "))));
    }
    if statement && matches!(word.as_str(), "from" | "import" | "include") {
        let target = code.split_once(word.as_str()).map_or("", |(_, rest)| rest.trim_start());
        if !target.starts_with(['"', '\'']) {
            return Err((0, format!("`{word}` needs the name of a file in quotes")));
        }
    }
    // The comma makes a tuple outside of calls, except in these tags' own grammar.
    let mut calls = vec![matches!(word.as_str(), "from" | "with" | "macro") && statement];
    let bytes = code.as_bytes();
    let mut at = skip;
    let mut before = b' ';
    while let Some(&byte) = bytes.get(at) {
        let rest = code.get(at..).unwrap_or("");
        if rest.starts_with(close)
            || (matches!(byte, b'-' | b'+') && rest.get(1..).is_some_and(|r| r.starts_with(close)))
        {
            return Ok(if rest.starts_with(close) { at } else { at + 1 });
        }
        let applies = matches!(before, b')' | b']') || (is_word(before) && !KEYWORDS.contains(&last_word(code, at)));
        match byte {
            b'"' | b'\'' => at += string_length(rest).ok_or((at, "a string is not closed".to_owned()))?,
            b'~' | b'+' | b'*' => {
                return Err((
                    at,
                    format!("the operator `{}` is not available; write values one after the other", char::from(byte)),
                ));
            }
            b'{' => return Err((at, "a map literal is not available".to_owned())),
            b'[' if !applies => {
                return Err((at, "a list literal is not available; use the test `oneof(..)`".to_owned()));
            }
            b'(' | b'[' => calls.push(applies && byte == b'('),
            b')' | b']' => {
                calls.pop();
            }
            b',' if calls.last() != Some(&true) => {
                return Err((at, "a comma is available only between the arguments of a call".to_owned()));
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
        at += 1;
        while !code.is_char_boundary(at) {
            at += 1;
        }
    }
    Err((0, format!("`{close}` is missing")))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// The word that ends before `at`, spaces apart.
fn last_word(code: &str, at: usize) -> &str {
    let before = code.get(..at).unwrap_or("").trim_end();
    let start = before.bytes().rposition(|b| !is_word(b)).map_or(0, |i| i + 1);
    before.get(start..).unwrap_or("")
}

/// The offset of a string literal's closing quote.
fn string_length(literal: &str) -> Option<usize> {
    let quote = *literal.as_bytes().first()?;
    let mut escaped = false;
    for (at, byte) in literal.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b if b == quote => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_translations_need_is_available() {
        for source in [
            "<a>{{ body.x }}</a>",
            "{%- for d in body.all('a/b') -%}{{ d.c | code('l') }}{%- endfor +%}",
            "{% if (a == 'x' or b) and c is oneof('y', \"z~+*\") %}{{ a[0] }}{% endif %}",
            "{% from 'x.xml' import a, b %}{{ a(1, b=2) }}",
            "{% macro m(a, b) %}~ + * [1, 2] {{ a }}{% endmacro %}",
            "{# ~ #}{% with a = b, c = d %}{{ a }}{% endwith %}",
            "{{ имя }} { } текст",
        ] {
            assert_eq!(check(source), Ok(()), "{source}");
        }
    }

    #[test]
    fn what_grows_or_escapes_is_refused_with_its_line() {
        let long = "x".repeat(TEMPLATE_TEXT_RUN_BYTES_MAX + 1);
        let huge = "{# #}".repeat(TEMPLATE_BYTES_MAX / 5 + 1);
        for (source, line, reason) in [
            ("\n{{ a ~ a }}", 2, "`~`"),
            ("{{ a * 9 }}", 1, "`*`"),
            ("{{ a + a }}", 1, "`+`"),
            ("{% set a = [b, b] %}", 1, "list literal"),
            ("{% if a in ['x'] %}{% endif %}", 1, "list literal"),
            ("{% set a = (b, b) %}", 1, "comma"),
            ("{% set a = true and (b, b) %}", 1, "comma"),
            ("{% set a = b, b %}", 1, "comma"),
            ("{{ {'a': 1} }}", 1, "map literal"),
            ("a\nb{% raw %}", 2, "`raw`"),
            ("{% autoescape false %}", 1, "`autoescape`"),
            ("{% filter upper %}", 1, "`filter`"),
            ("{% call x() %}", 1, "`call`"),
            ("{% include body.x %}", 1, "in quotes"),
            ("{% from x import y %}", 1, "in quotes"),
            ("{{ 'a }}", 1, "not closed"),
            ("{{ a", 1, "`}}` is missing"),
            ("{# a", 1, "comment"),
            (long.as_str(), 1, "without a tag"),
            (huge.as_str(), 1, "larger than"),
        ] {
            let (at, why) = check(source).unwrap_err();
            assert_eq!(at, line, "{why}");
            assert!(why.contains(reason), "{source}: {why}");
        }
    }
}

//! Access to the databank of families, for the journal: who asks on what ground, who is answered what, who is entered. Never names.

use roxmltree::Node;
use serde_json::{Value, json};

use super::Access;
use crate::deadline::BodyPath;
use crate::domain::Header;

/// How much of a name's end may change in a sentence.
const ENDING_CHARS_MAX: usize = 2;
/// Shorter beginnings of names say nothing.
const STEM_CHARS_MIN: usize = 3;

/// What a message does at the databank; `None`: nothing.
pub fn access(header: &Header, body: Node<'_, '_>) -> Option<Access> {
    let text = |path: &str| BodyPath::parse(path).and_then(|path| path.text(body));
    let (kind, detail) = match header.message_type.name.as_str() {
        "databank-query" => {
            let names = stems(body);
            let ground = |path: &str| text(path).map_or(Value::Null, |said| without_names(said, &names));
            ("databank-asked", json!({ "legalAct": ground("legalAct"), "legalArticle": ground("legalArticle") }))
        }
        "databank-answer" => ("databank-answered", json!({ "outcome": text("outcome") })),
        "databank-entry" => ("databank-entered", json!({ "level": text("level") })),
        _ => return None,
    };
    Some(Access { kind, detail })
}

/// The beginnings of the sought person's names.
fn stems(body: Node<'_, '_>) -> Vec<String> {
    let name = BodyPath::parse("person/name").map(|path| path.all(body)).unwrap_or_default();
    let words = name.iter().flat_map(|node| node.descendants()).filter(|n| n.is_text()).filter_map(|n| n.text());
    let stem = |word: &str| {
        let chars: Vec<char> = word.to_lowercase().chars().collect();
        let kept = chars.len().saturating_sub(ENDING_CHARS_MAX).max(STEM_CHARS_MIN).min(chars.len());
        chars.into_iter().take(kept).collect::<String>()
    };
    words.flat_map(|text| text.split(|c: char| !c.is_alphanumeric())).filter(|w| !w.is_empty()).map(stem).collect()
}

/// The name of an act, as it was written; left out where it holds a word that may be the sought person's name, for what people write may
/// hold anything, and the journal is for ever.
fn without_names(said: &str, stems: &[String]) -> Value {
    let lower = said.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    if words.any(|word| stems.iter().any(|stem| word.starts_with(stem.as_str()))) {
        return json!({ "leftOut": "may hold a name" });
    }
    said.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(act: &str) -> Value {
        let text = format!(
            "<DatabankQuery><person><name><family>Образцова</family><given>Анна</given></name></person><legalAct>{act}</legalAct>\
             <legalArticle>статья 9</legalArticle></DatabankQuery>"
        );
        let document = roxmltree::Document::parse(&text).unwrap();
        let names = stems(document.root_element());
        let act = BodyPath::parse("legalAct").and_then(|path| path.text(document.root_element())).unwrap();
        without_names(act, &names)
    }

    #[test]
    fn the_ground_is_kept_and_a_name_in_it_is_not() {
        let act = "Федеральный закон от 24.06.1999 № 120-ФЗ";
        assert_eq!(asked(act), act);
        let left_out = json!({ "leftOut": "may hold a name" });
        for act in ["по делу Образцовой", "запрос об АННЕ", "семья Образцовых, № 3"]
        {
            assert_eq!(asked(act), left_out, "{act}");
        }
    }
}

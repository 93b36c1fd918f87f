//! One element of a document as a document of its own.

use std::collections::BTreeSet;

use roxmltree::Node;

/// The exact text of an element as a standalone document: the namespaces in scope that its own start tag does not declare are
/// added there, and empty lines go before it, so that line numbers are those of the whole document.
///
/// Made for [`Catalogue::validate`](super::Catalogue::validate) on a part of a verified envelope. The node must be an element of
/// a document without a DTD; for any other node nothing is returned.
pub fn element_bytes(node: Node<'_, '_>) -> Vec<u8> {
    let document = node.document();
    let range = node.range();
    let Some(text) = document.input_text().get(range.clone()).filter(|_| node.is_element()) else {
        return Vec::new();
    };
    let name_end = text.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/').unwrap_or(text.len());
    let (start, rest) = text.split_at(name_end);
    let declared = declared_prefixes(rest);
    let lines_before = document.text_pos_at(range.start).row.saturating_sub(1);
    let mut out = "\n".repeat(usize::try_from(lines_before).unwrap_or_default());
    out.push_str(start);
    for namespace in node.namespaces() {
        let prefix = namespace.name().unwrap_or_default();
        if prefix == "xml" || declared.contains(prefix) {
            continue;
        }
        out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
        out.push_str(prefix);
        out.push_str("=\"");
        out.push_str(&namespace.uri().replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;"));
        out.push('"');
    }
    out.push_str(rest);
    out.into_bytes()
}

/// The prefixes that a start tag declares (`""` for the default namespace). The text begins after the tag's name and is
/// well-formed, for it was parsed.
fn declared_prefixes(mut text: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    loop {
        text = text.trim_start();
        let Some((name, after)) = text.split_once('=').filter(|_| !text.starts_with(['>', '/'])) else { return found };
        let name = name.trim_end();
        if name == "xmlns" {
            found.insert("");
        } else if let Some(prefix) = name.strip_prefix("xmlns:") {
            found.insert(prefix);
        }
        let after = after.trim_start();
        let Some(quote) = after.chars().next() else { return found };
        let Some((_, next)) = after.get(1..).and_then(|value| value.split_once(quote)) else { return found };
        text = next;
    }
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;

    fn body_of(text: &str) -> String {
        let document = Document::parse(text).unwrap();
        let body = document.descendants().find(|n| n.has_tag_name("Body") || n.tag_name().name() == "Body").unwrap();
        String::from_utf8(element_bytes(body.first_element_child().unwrap())).unwrap()
    }

    #[test]
    fn namespaces_in_scope_come_along_once() {
        let table = [
            ("<e xmlns='u:e'><Body><a/></Body></e>", "<a xmlns=\"u:e\"/>"),
            (
                "<e xmlns='u:e' xmlns:p='u:p'><Body><p:a>x</p:a></Body></e>",
                "<p:a xmlns=\"u:e\" xmlns:p=\"u:p\">x</p:a>",
            ),
            // Declared again with the same name, or taken back.
            ("<e xmlns='u:e'><Body><a xmlns='u:e'/></Body></e>", "<a xmlns='u:e'/>"),
            ("<e xmlns='u:e'><Body><a xmlns=''/></Body></e>", "<a xmlns=''/>"),
            (
                "<e xmlns:p='u:p'><Body><p:a v = '>=\"' xmlns:p\n=\t'u:q'/></Body></e>",
                "<p:a v = '>=\"' xmlns:p\n=\t'u:q'/>",
            ),
            ("<e xmlns:p='u?a&amp;\"b'><Body><a/></Body></e>", "<a xmlns:p=\"u?a&amp;&quot;b\"/>"),
            ("<Body><a>\n</a></Body>", "<a>\n</a>"),
            // Lines are those of the whole document.
            ("<e>\n<Body>\n\n<a/></Body></e>", "\n\n\n<a/>"),
        ];
        for (whole, part) in table {
            let got = body_of(whole);
            assert_eq!(got, part, "{whole}");
            let (outer, inner) = (Document::parse(whole).unwrap(), Document::parse(&got).unwrap());
            let a = outer.descendants().find(|n| n.tag_name().name() == "a").unwrap();
            assert_eq!(a.tag_name(), inner.root_element().tag_name(), "{whole}");
        }
    }

    #[test]
    fn what_is_not_an_element_gives_nothing() {
        let document = Document::parse("<a>text</a>").unwrap();
        assert!(element_bytes(document.root()).is_empty());
        assert!(element_bytes(document.root_element().first_child().unwrap()).is_empty());
    }
}

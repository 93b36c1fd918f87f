//! What a template wrote, read again and brought to one compact form.

use super::tree::parse_xml;

/// Checks that the text is one XML element and gives it without the declaration, and without the white space between elements
/// that a template's layout leaves.
pub(super) fn compact_xml(written: &[u8]) -> Result<Vec<u8>, String> {
    let start = written.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(written.len());
    let written = written.get(start..).unwrap_or_default();
    let document = parse_xml(written)?;
    let root = document.root();
    let mut cuts = Vec::new();
    for node in root.descendants() {
        // A line end within a value is written as a character reference, so a plain one is layout too.
        let is_layout = node.is_text()
            && node.text().is_some_and(|t| t.trim().is_empty())
            && (node.prev_sibling().is_some()
                || node.next_sibling().is_some()
                || written.get(node.range()).is_some_and(|raw| raw.contains(&b'\n')));
        if is_layout {
            cuts.push(node.range());
        }
    }
    let range = root.range();
    let mut compact = Vec::with_capacity(range.len());
    let mut at = range.start;
    for cut in cuts {
        compact.extend_from_slice(written.get(at..cut.start).unwrap_or_default());
        at = cut.end;
    }
    compact.extend_from_slice(written.get(at..range.end).unwrap_or_default());
    Ok(compact)
}

/// Checks that the text is one JSON object and gives it without layout.
pub(super) fn compact_json(written: &[u8]) -> Result<Vec<u8>, String> {
    let value: serde_json::Value = serde_json::from_slice(written)
        .map_err(|e| format!("line {} column {} of the result: it is not well-formed JSON", e.line(), e.column()))?;
    super::tree::Tree::from_json(written).map_err(|e| format!("the result: {e}"))?;
    serde_json::to_vec(&value).map_err(|_| "the result cannot be written as JSON".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_goes_and_values_stay() {
        let written = b"\n\n<?xml version='1.0'?>\n<a xmlns='urn:x'>\n  <b> x </b>\n\n  <c> </c> <d k=' '>\n </d><e>&#10;</e>\n</a>\n";
        let compact = String::from_utf8(compact_xml(written).unwrap()).unwrap();
        assert_eq!(compact, "<a xmlns='urn:x'><b> x </b><c> </c><d k=' '></d><e>&#10;</e></a>");
        assert_eq!(compact_json(b"{ \"b\": [1, 2],\n \"a\": \"x y\" }").unwrap(), b"{\"b\":[1,2],\"a\":\"x y\"}");
    }

    #[test]
    fn a_result_that_is_broken_is_refused() {
        for text in ["", "<a>", "<a><!-- x --></a>", "<a/><b/>", "<?x y?><a/>", "text"] {
            assert!(compact_xml(text.as_bytes()).is_err(), "{text}");
        }
        for text in ["", "{", "{\"a\":1,}", "{\"a\":1,\"a\":1}", "[]"] {
            assert!(compact_json(text.as_bytes()).is_err(), "{text}");
        }
    }
}

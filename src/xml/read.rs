//! The bounded reader.

use crate::domain::{Fault, FaultCode};

use super::{Node, attribute, scan};

/// How much of a document is read. Every number is the largest that is still taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Size of the whole document in bytes.
    pub bytes_max: usize,
    /// Elements inside of each other, the root counted.
    pub depth_max: usize,
    /// Elements and pieces of text together.
    pub nodes_max: usize,
    /// Attributes of one element, namespace declarations counted.
    pub attributes_max: usize,
    /// Namespace declarations of the whole document.
    pub namespaces_max: usize,
    /// Namespace declarations in force at one place.
    pub namespaces_in_scope_max: usize,
    /// Length of one name with its prefix, in bytes.
    pub name_bytes_max: usize,
    /// Signs `=` in the whole document, for the tree builder reserves room by their number.
    pub equals_max: usize,
}

impl Limits {
    /// For documents that the gateway has stored: they passed the limit of bytes once, and that may have been lowered since.
    pub fn stored() -> Self {
        Self { bytes_max: usize::MAX, ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 8 * 1024 * 1024,
            depth_max: 64,
            nodes_max: 200_000,
            attributes_max: 64,
            namespaces_max: 4096,
            namespaces_in_scope_max: 64,
            name_bytes_max: 256,
            equals_max: 1_000_000,
        }
    }
}

/// A document that kept every rule of [`read`].
#[derive(Debug)]
pub struct Document<'a> {
    tree: roxmltree::Document<'a>,
}

impl<'a> Document<'a> {
    /// The root element.
    pub fn root(&self) -> Node<'_> {
        self.tree.root_element()
    }

    /// The line on which a node begins, from 1.
    pub fn line(&self, node: Node<'_>) -> u32 {
        self.tree.text_pos_at(node.range().start).row
    }

    /// The text that was read.
    pub fn source(&self) -> &'a str {
        self.tree.input_text()
    }
}

/// Reads a document: UTF-8 and XML 1.0 only, no DTD, comment or processing instruction, nothing beyond the limits, no
/// `xsi:*` attribute, no Id twice. The first broken rule is the fault; its detail names the line.
///
/// Three rare forms are refused as well, for readers or canonicalizers disagree on them: a carriage return without a line
/// feed, a reference to a character that XML does not have, and a namespace name that is no absolute URI of plain ASCII signs.
///
/// # Errors
/// [`FaultCode::TooLarge`], [`FaultCode::NotUtf8`], [`FaultCode::EncodingForbidden`], [`FaultCode::XmlVersion`],
/// [`FaultCode::DtdForbidden`], [`FaultCode::CommentForbidden`], [`FaultCode::PiForbidden`], [`FaultCode::TooDeep`],
/// [`FaultCode::TooManyNodes`], [`FaultCode::NotXml`], [`FaultCode::XsiForbidden`], [`FaultCode::DuplicateId`].
pub fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, Fault> {
    if bytes.len() > limits.bytes_max {
        let (len, max) = (bytes.len(), limits.bytes_max);
        return Err(Fault::new(FaultCode::TooLarge, format!("{len} bytes; at most {max} are read")));
    }
    let decoded = std::str::from_utf8(bytes);
    // A declared foreign encoding explains broken UTF-8 better than its first wrong byte, and the scan finds it.
    let scanned = scan::scan(bytes, limits);
    let text = match (decoded, scanned) {
        (_, Err(fault)) if fault.code == FaultCode::EncodingForbidden => return Err(fault),
        (Err(e), _) => {
            let line = scan::line(bytes, e.valid_up_to());
            return Err(Fault::new(FaultCode::NotUtf8, format!("line {line}: not UTF-8")));
        }
        (Ok(_), Err(fault)) => return Err(fault),
        (Ok(text), Ok(())) => text,
    };
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: u32::try_from(limits.nodes_max).unwrap_or(u32::MAX).saturating_add(1),
        entity_resolver: None,
    };
    let tree = roxmltree::Document::parse_with_options(text, options)
        .map_err(|e| Fault::new(FaultCode::NotXml, e.to_string()))?;
    let document = Document { tree };
    check_attributes(&document)?;
    Ok(document)
}

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// No `xsi:*`; no Id twice; and nothing that any reader could take for an Id repeats the root's.
fn check_attributes(document: &Document<'_>) -> Result<(), Fault> {
    let root = document.root();
    let root_id = attribute(root, "Id");
    let mut ids = Vec::new();
    for node in root.descendants() {
        for a in node.attributes() {
            if a.namespace() == Some(XSI) {
                let (line, name) = (document.line(node), node.tag_name().name());
                return Err(Fault::new(
                    FaultCode::XsiForbidden,
                    format!("line {line}: element {name} has xsi:{}", a.name()),
                ));
            }
            let plain = a.namespace().is_none();
            if (plain && a.name() == "Id") || (a.namespace() == Some(XML) && a.name() == "id") {
                ids.push((a.value(), node));
            } else if plain && a.name().eq_ignore_ascii_case("id") && root_id == Some(a.value()) {
                return Err(duplicate(document, node));
            }
        }
    }
    ids.sort_unstable_by_key(|(id, node)| (*id, node.range().start));
    let twice = ids.windows(2).find_map(|pair| match pair {
        [(a, _), (b, node)] if a == b => Some(*node),
        _ => None,
    });
    twice.map_or(Ok(()), |node| Err(duplicate(document, node)))
}

fn duplicate(document: &Document<'_>, node: Node<'_>) -> Fault {
    let (line, name) = (document.line(node), node.tag_name().name());
    Fault::new(FaultCode::DuplicateId, format!("line {line}: element {name} repeats an Id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bytes: &[u8]) -> Option<FaultCode> {
        read(bytes, &Limits::default()).err().map(|f| f.code)
    }

    #[test]
    fn each_broken_rule_has_its_code() {
        use FaultCode::*;
        let utf16: Vec<u8> = "\u{feff}<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cp1251 = b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><a>\xcf\xf0</a>";
        let rows: Vec<(&str, &[u8], FaultCode)> = vec![
            ("nothing", b"", NotXml),
            ("blank", b" \n", NotXml),
            ("text", b"{\"a\": 1}", NotXml),
            ("zeros", b"\0\0\0\0", NotXml),
            ("half a tag", b"<a", NotXml),
            ("not closed", b"<a>", NotXml),
            ("closed twice", b"<a/></a>", NotXml),
            ("closed otherwise", b"<a></b>", NotXml),
            ("two roots", b"<a/><b/>", NotXml),
            ("text after the root", b"<a/>x", NotXml),
            ("an attribute twice", b"<a b='' b=''/>", NotXml),
            ("one attribute by two prefixes", b"<a xmlns:p='urn:a' xmlns:q='urn:a' p:b='' q:b=''/>", NotXml),
            ("an unknown prefix", b"<p:a/>", NotXml),
            ("a prefix bound to nothing", b"<a xmlns:p=''/>", NotXml),
            ("a relative namespace", b"<a xmlns='b'/>", NotXml),
            ("a namespace with an ampersand", b"<a xmlns='urn:a?b&amp;c'/>", NotXml),
            ("the default namespace twice", b"<a xmlns='urn:a' xmlns='urn:b'/>", NotXml),
            ("an attribute that looks like a declaration", b"<a xmlns:p='urn:p' p:xmlns='urn:a'/>", NotXml),
            ("a name with only its end", b"<:a/>", NotXml),
            ("an unknown entity", b"<a>&b;</a>", NotXml),
            ("a naked ampersand", b"<a>a & b</a>", NotXml),
            ("a control character", b"<a>\x01</a>", NotXml),
            ("a reference to a control character", b"<a>&#1;</a>", NotXml),
            ("a reference to half a pair", b"<a b='&#xD800;'/>", NotXml),
            ("a carriage return alone", b"<a>\r&amp;</a>", NotXml),
            ("the end of a section in text", b"<a>]]></a>", NotXml),
            ("a section without its end", b"<a><![CDATA[</a>", NotXml),
            ("UTF-16", &utf16, NotUtf8),
            ("Latin-1", b"<a>\xe9</a>", NotUtf8),
            ("a cut letter", b"<a>\xd0</a>", NotUtf8),
            ("windows-1251 as declared", cp1251, EncodingForbidden),
            (
                "windows-1251 declared, ASCII in fact",
                b"<?xml version='1.0' encoding='windows-1251'?><a/>",
                EncodingForbidden,
            ),
            ("UTF-16 declared", b"<?xml version='1.0' encoding='UTF-16'?><a/>", EncodingForbidden),
            ("XML 1.1", b"<?xml version='1.1'?><a/>", XmlVersion),
            ("XML 2.0 in another encoding", b"<?xml version='2.0' encoding='koi8-r'?><a/>", XmlVersion),
            ("a declaration without a version", b"<?xml encoding='UTF-8'?><a/>", NotXml),
            ("a declaration out of order", b"<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>", NotXml),
            ("a declaration with more", b"<?xml version='1.0' a='b'?><a/>", NotXml),
            ("a declaration without its end", b"<?xml version='1.0'", NotXml),
            ("a declaration after a space", b" <?xml version='1.0'?><a/>", NotXml),
            ("a DTD", b"<!DOCTYPE a><a/>", DtdForbidden),
            ("a DTD with an entity", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", DtdForbidden),
            ("a comment before", b"<!-- --><a/>", CommentForbidden),
            ("a comment in a text", b"<a>1<!-- -->2</a>", CommentForbidden),
            ("a comment after", b"<a/><!-- -->", CommentForbidden),
            ("an instruction before", b"<?b c?><a/>", PiForbidden),
            ("an instruction inside", b"<a><?b?></a>", PiForbidden),
            ("a style sheet", b"<?xml-stylesheet href='a'?><a/>", PiForbidden),
            ("xsi:type", b"<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><b i:type='c'/></a>", XsiForbidden),
            (
                "xsi:schemaLocation",
                b"<a xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='a b'/>",
                XsiForbidden,
            ),
            ("an Id twice", b"<a Id='x'><b Id='x'/></a>", DuplicateId),
            ("an Id as an id", b"<a Id='x'><b id='x'/></a>", DuplicateId),
        ];
        for (name, bytes, expected) in rows {
            let fault = read(bytes, &Limits::default()).map(|_| ()).expect_err(name);
            assert_eq!(fault.code, expected, "{name}: {fault}");
        }
    }

    #[test]
    fn what_is_allowed_is_read() {
        for text in [
            "<a/>",
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>\r\n<a>\r\n</a>\r\n",
            "<?xml version = '1.0'\n?><a/>",
            "<a><![CDATA[<!-- --><?b?><!DOCTYPE]]></a>",
            "<a b='&lt;!-- --&gt;' c=\"<?xml?>\"/>".replace("<?xml?>", "x").as_str(),
            "<a xmlns='urn:a'><b xmlns=''/></a>",
            "<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance' type='b'/>",
            "<a Id='x'><b Id='y'/><c id='z'/><d id='z'/></a>",
            "<a>&#x10FFFF;&#9;</a>",
        ] {
            assert_eq!(code(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn details_name_the_line() {
        for (text, line) in [
            ("<a>\n\n<!-- --></a>", "line 3: "),
            ("<a>\n<b\n c='&#0;'/></a>", "line 3: "),
            ("<a>\n<b Id='x'/>\n<b Id='x'/></a>", "line 3: "),
        ] {
            let fault = read(text.as_bytes(), &Limits::default()).unwrap_err();
            assert!(fault.detail.starts_with(line), "{fault}");
        }
    }

    /// The name of a limit, a document at the limit, one beyond it, and the code.
    #[test]
    fn every_limit_holds_at_its_number() {
        let limits = Limits {
            bytes_max: 2000,
            depth_max: 3,
            nodes_max: 10,
            attributes_max: 4,
            namespaces_max: 5,
            namespaces_in_scope_max: 3,
            name_bytes_max: 8,
            equals_max: 20,
        };
        let nest = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
        let flat = |n: usize| format!("<a>{}</a>", "<b/>".repeat(n));
        let attributes = |n: usize| format!("<a{}/>", (0..n).map(|i| format!(" b{i}=''")).collect::<String>());
        let declared = |n: usize| format!("<a>{}</a>", "<b xmlns='urn:a'/>".repeat(n));
        let in_scope = |n: usize| {
            format!("<a xmlns:p='urn:p'><b{}/></a>", (1..n).map(|i| format!(" xmlns:p{i}='urn:p'")).collect::<String>())
        };
        let long = |n: usize| format!("<{}/>", "a".repeat(n));
        let rows = [
            (
                "bytes",
                format!("<a>{}</a>", " ".repeat(1993)),
                format!("<a>{}</a>", " ".repeat(1994)),
                FaultCode::TooLarge,
            ),
            ("depth", nest(3), nest(4), FaultCode::TooDeep),
            (
                "depth of an empty element",
                "<a><a><a/></a></a>".to_owned(),
                "<a><a><a><a/></a></a></a>".to_owned(),
                FaultCode::TooDeep,
            ),
            ("nodes", flat(9), flat(10), FaultCode::TooManyNodes),
            ("attributes", attributes(4), attributes(5), FaultCode::TooManyNodes),
            ("declarations", declared(5), declared(6), FaultCode::TooManyNodes),
            ("declarations in force", in_scope(3), in_scope(4), FaultCode::TooManyNodes),
            ("names", long(8), long(9), FaultCode::TooManyNodes),
            (
                "equals",
                format!("<a>{}</a>", "=".repeat(20)),
                format!("<a>{}</a>", "=".repeat(21)),
                FaultCode::TooManyNodes,
            ),
        ];
        for (name, at, beyond, expected) in rows {
            assert_eq!(read(at.as_bytes(), &limits).map(|_| ()), Ok(()), "{name}");
            assert_eq!(read(beyond.as_bytes(), &limits).unwrap_err().code, expected, "{name}");
        }
    }

    /// Ten megabytes of nesting are refused within a small stack, by whatever limit stands first.
    #[test]
    fn ten_megabytes_of_nesting_need_no_stack() {
        let bomb = "<a>".repeat(10 * 1024 * 1024 / 3);
        let wide = Limits { bytes_max: usize::MAX, nodes_max: usize::MAX / 4, ..Limits::default() };
        let work = move || {
            let by_default = read(bomb.as_bytes(), &Limits::default()).unwrap_err().code;
            let by_depth = read(bomb.as_bytes(), &wide).unwrap_err().code;
            (by_default, by_depth)
        };
        let thread = std::thread::Builder::new().stack_size(64 * 1024).spawn(work).unwrap();
        assert_eq!(thread.join().unwrap(), (FaultCode::TooLarge, FaultCode::TooDeep));
    }

    /// Within generous limits the deepest document is read and canonicalised within a small stack too.
    #[test]
    fn neither_reading_nor_canonicalising_recurses() {
        let deep = 100_000;
        let text = format!("{}{}", "<a>".repeat(deep), "</a>".repeat(deep));
        let limits = Limits { depth_max: deep, ..Limits::default() };
        let work = move || {
            let document = read(text.as_bytes(), &limits).unwrap();
            crate::xml::canonical_bytes(document.root(), None) == text.as_bytes()
        };
        let thread = std::thread::Builder::new().stack_size(64 * 1024).spawn(work).unwrap();
        assert!(thread.join().unwrap());
    }
}

//! Lets libxml2 read a schema and what it imports from a map, and from nowhere else.
//!
//! Before libxml2 sees a schema, every `import`, `include` and `redefine` in it and in what it names is followed here; a
//! location outside of the map, or a document type declaration, is an error. So libxml2 never has a reason to open a file or a
//! connection. What it then asks for comes under a scheme of our own and is answered from the map. (While it compiles, libxml2
//! also asks the system whether a file of that odd name exists; the answer changes nothing.)

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use roxmltree::Document;

use super::CatalogueError;
use crate::bundle::Files;

const SCHEME: &str = "mezhved-schema:///";
const XSD: &str = "http://www.w3.org/2001/XMLSchema";

thread_local! {
    static CURRENT: RefCell<Option<Arc<Files>>> = const { RefCell::new(None) };
}

/// The address under which libxml2 finds a file of the map.
pub(super) fn address(path: &str) -> String {
    format!("{SCHEME}{path}")
}

/// Runs `work`, during which libxml2 on this thread can open the files of the map.
pub(super) fn with_files<R>(files: &Arc<Files>, work: impl FnOnce() -> R) -> R {
    register();
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            CURRENT.with(|current| current.borrow_mut().take());
        }
    }
    CURRENT.with(|current| *current.borrow_mut() = Some(Arc::clone(files)));
    let _reset = Reset;
    work()
}

/// libxml2's table of readers is not locked, so the one entry is made once, before any schema is compiled.
fn register() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        forget_catalogs();
        libxml::io::register_input_callback(
            |address| address.starts_with(SCHEME),
            // An empty answer, not none: after none libxml2 would try the file system.
            |address| Some(address.strip_prefix(SCHEME).and_then(open).unwrap_or_default()),
        );
    });
}

/// Keeps libxml2 from reading the machine's XML catalogs (`/etc/xml/catalog`), which could also redirect an address.
#[allow(unsafe_code, reason = "a setting of libxml2 that its wrapper does not offer")]
fn forget_catalogs() {
    libxml::init_parser();
    // SAFETY: sets one global number, once, after the library's start and before the first look-up.
    unsafe { libxml::bindings::xmlCatalogSetDefaults(libxml::bindings::xmlCatalogAllow_XML_CATA_ALLOW_NONE) };
}

fn open(path: &str) -> Option<Vec<u8>> {
    CURRENT.with(|current| current.borrow().as_ref().and_then(|files| files.get(path).cloned()))
}

/// What was learned of a schema while its imports were followed.
pub(super) struct Closure {
    /// The entry and everything it names, directly or not.
    pub(super) files: Files,
    /// The namespace of the entry; empty when it has none.
    pub(super) target_namespace: String,
    /// The names of the entry's global elements.
    pub(super) root_elements: Vec<String>,
}

/// Follows everything that the entry names.
pub(super) fn closure(files: &Files, entry: &str) -> Result<Closure, Vec<CatalogueError>> {
    let mut found = Closure { files: Files::new(), target_namespace: String::new(), root_elements: Vec::new() };
    let mut errors = Vec::new();
    let mut seen = BTreeSet::from([entry.to_owned()]);
    let mut waiting = vec![entry.to_owned()];
    while let Some(path) = waiting.pop() {
        match read_one(files, &path) {
            Ok(one) => {
                if path == entry {
                    found.target_namespace = one.target_namespace;
                    found.root_elements = one.root_elements;
                }
                if let Some(bytes) = files.get(&path) {
                    found.files.insert(path, bytes.clone());
                }
                waiting.extend(one.locations.into_iter().filter(|location| seen.insert(location.clone())));
            }
            Err(more) => errors.extend(more),
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

struct One {
    target_namespace: String,
    root_elements: Vec<String>,
    locations: Vec<String>,
}

fn read_one(files: &Files, path: &str) -> Result<One, Vec<CatalogueError>> {
    let fail = |line, message: String| vec![CatalogueError { file: path.to_owned(), line, message }];
    if !path.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b)) {
        return Err(fail(None, "the path of a schema may have Latin letters, digits and `._-/` only".to_owned()));
    }
    let bytes = files.get(path).ok_or_else(|| fail(None, "there is no such file".to_owned()))?;
    let text = std::str::from_utf8(bytes).map_err(|_| fail(None, "the schema is not UTF-8".to_owned()))?;
    if super::xml_schema::has_doctype(text) {
        return Err(fail(None, "a document type declaration is not allowed in a schema".to_owned()));
    }
    let document = Document::parse(text).map_err(|e| fail(Some(e.pos().row), format!("not well-formed XML: {e}")))?;
    let root = document.root_element();
    if !root.has_tag_name((XSD, "schema")) {
        return Err(fail(Some(1), format!("the root element must be `schema` of the namespace {XSD}")));
    }
    let mut one = One {
        target_namespace: root.attribute("targetNamespace").unwrap_or_default().to_owned(),
        root_elements: Vec::new(),
        locations: Vec::new(),
    };
    let mut errors = Vec::new();
    for child in root.children().filter(|c| c.tag_name().namespace() == Some(XSD)) {
        match child.tag_name().name() {
            "element" => one.root_elements.extend(child.attribute("name").map(str::to_owned)),
            "import" | "include" | "redefine" => match location(files, path, child) {
                Ok(location) => one.locations.push(location),
                Err(message) => errors.extend(fail(Some(document.text_pos_at(child.range().start).row), message)),
            },
            _ => {}
        }
    }
    if errors.is_empty() { Ok(one) } else { Err(errors) }
}

/// The path in the map of what an `import`, `include` or `redefine` names.
fn location(files: &Files, from: &str, node: roxmltree::Node<'_, '_>) -> Result<String, String> {
    let kind = node.tag_name().name();
    let named = node
        .attribute("schemaLocation")
        .ok_or_else(|| format!("`{kind}` needs a schemaLocation that names a file beside this one"))?;
    if named.contains(':') || named.starts_with('/') || named.contains('\\') {
        return Err(format!("schemaLocation `{named}` must be a relative path; nothing is fetched from elsewhere"));
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in named.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(|| format!("schemaLocation `{named}` leads out of the folder of schemas"))?;
            }
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    if files.contains_key(&path) { Ok(path) } else { Err(format!("schemaLocation `{named}`: there is no file {path}")) }
}

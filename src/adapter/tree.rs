//! The input of a translation as a bounded tree of named nodes, the same for XML and for JSON.
//!
//! The tree remembers which of its values were read, so that nothing is dropped silently.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::{INPUT_BYTES_MAX, INPUT_DEPTH_MAX, INPUT_NODES_MAX};
use crate::xml;

/// A body as a tree. Node 0 is the root.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The namespaces of the elements, each once.
    pub(super) namespaces: Vec<String>,
    /// The root's namespace, and the one that stands for it in what is copied.
    pub(super) copies: Option<(String, String)>,
    pub(super) copied_bytes: AtomicUsize,
}

/// An element, an attribute, or a member or item of JSON.
#[derive(Debug)]
pub(super) struct Node {
    parent: usize,
    /// The local name; an attribute's without `@`.
    pub(super) name: String,
    pub(super) kind: NodeKind,
    pub(super) children: Vec<usize>,
    /// Where an element's namespace stands in the tree's list; of no meaning for anything else.
    pub(super) namespace: usize,
    read: AtomicBool,
}

/// What a node holds besides its children.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeKind {
    /// An XML element with its text (empty where it has child elements).
    Element(String),
    /// An XML attribute.
    Attribute(String),
    /// A JSON object.
    Object,
    /// A JSON string.
    Text(String),
    /// A JSON integer.
    Integer(i64),
    /// A JSON truth value.
    Flag(bool),
}

impl Tree {
    /// Reads an XML document whose root has the local name and namespace, and whose elements all are in one of the namespaces
    /// that `allowed` accepts.
    pub(super) fn from_xml(bytes: &[u8], root: (&str, &str), allowed: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let document = parse_xml(bytes)?;
        let element = document.root();
        if element.tag_name().name() != root.0 || element.tag_name().namespace() != Some(root.1) {
            return Err(format!("the root element must be `{}` of the namespace `{}`", root.0, root.1));
        }
        let mut tree = Self::default();
        tree.add_element(element, 0, 1, allowed)?;
        Ok(tree)
    }

    /// Lets a template copy parts as they are, with the namespace `to` in place of `from`.
    pub(super) fn copying(mut self, from: &str, to: &str) -> Self {
        self.copies = Some((from.to_owned(), to.to_owned()));
        self
    }

    fn add_element(
        &mut self,
        element: roxmltree::Node<'_, '_>,
        parent: usize,
        depth: usize,
        allowed: &dyn Fn(&str) -> bool,
    ) -> Result<usize, String> {
        if depth > INPUT_DEPTH_MAX {
            return Err(format!("the document is nested deeper than {INPUT_DEPTH_MAX} levels"));
        }
        let name = element.tag_name().name();
        let namespace = element.tag_name().namespace().unwrap_or("");
        let index = self.add(parent, name, NodeKind::Element(String::new()))?;
        if !allowed(namespace) {
            return Err(format!(
                "{}: the namespace `{namespace}` is not one of those that this form may use",
                self.path(index)
            ));
        }
        let known = self.namespaces.iter().position(|known| known == namespace);
        let at = known.unwrap_or(self.namespaces.len());
        if known.is_none() {
            self.namespaces.push(namespace.to_owned());
        }
        if let Some(node) = self.nodes.get_mut(index) {
            node.namespace = at;
        }
        for attribute in element.attributes() {
            if attribute.namespace().is_some_and(|n| n != "http://www.w3.org/XML/1998/namespace") {
                return Err(format!("{}: an attribute with a namespace cannot be translated", self.path(index)));
            }
            self.add(index, attribute.name(), NodeKind::Attribute(attribute.value().to_owned()))?;
        }
        let mut text = String::new();
        let mut has_elements = false;
        for child in element.children() {
            if child.is_element() {
                has_elements = true;
                self.add_element(child, index, depth + 1, allowed)?;
            } else {
                text.push_str(child.text().unwrap_or(""));
            }
        }
        if has_elements {
            if !text.trim().is_empty() {
                return Err(format!("{}: text beside child elements cannot be translated", self.path(index)));
            }
            text.clear();
        }
        if let Some(node) = self.nodes.get_mut(index) {
            node.kind = NodeKind::Element(text);
        }
        Ok(index)
    }

    /// Reads a JSON text whose top is an object. A name that occurs twice in one object is refused; `null` is as if absent;
    /// an array is as many members of its name as it has items.
    pub(super) fn from_json(bytes: &[u8]) -> Result<Self, String> {
        check_size(bytes)?;
        let mut tree = Self::default();
        tree.add(0, "", NodeKind::Object)?;
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let seed = JsonValue { tree: &mut tree, parent: 0, name: None, depth: 0, in_array: false };
        seed.deserialize(&mut reader).and_then(|()| reader.end()).map_err(|e| json_problem(&e))?;
        Ok(tree)
    }

    fn add(&mut self, parent: usize, name: &str, kind: NodeKind) -> Result<usize, String> {
        let index = self.nodes.len();
        if index >= INPUT_NODES_MAX {
            return Err(format!("the document has more than {INPUT_NODES_MAX} nodes"));
        }
        self.nodes.push(Node {
            parent,
            name: name.to_owned(),
            kind,
            children: Vec::new(),
            namespace: 0,
            read: AtomicBool::new(false),
        });
        if index > 0
            && let Some(node) = self.nodes.get_mut(parent)
        {
            node.children.push(index);
        }
        Ok(index)
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }

    /// The children of a node with a name: its elements or members, or, where it has none of that name, its attribute.
    pub(super) fn children(&self, index: usize, name: &str) -> Vec<usize> {
        let Some(node) = self.nodes.get(index) else { return Vec::new() };
        let named = |attribute: bool| {
            let fits = move |i: &usize| {
                self.nodes
                    .get(*i)
                    .is_some_and(|c| c.name == name && matches!(c.kind, NodeKind::Attribute(_)) == attribute)
            };
            node.children.iter().copied().filter(fits).collect::<Vec<_>>()
        };
        let elements = named(false);
        if elements.is_empty() { named(true) } else { elements }
    }

    /// Whether the node is a value: it has no children.
    pub(super) fn is_leaf(&self, index: usize) -> bool {
        self.nodes.get(index).is_some_and(|n| n.children.is_empty() && n.kind != NodeKind::Object)
    }

    pub(super) fn mark_read(&self, index: usize) {
        if let Some(node) = self.nodes.get(index) {
            node.read.store(true, Ordering::Relaxed);
        }
    }

    /// The path for people, from the root, with positions: `/DocumentRequest/wanted[2]/kind`.
    pub(super) fn path(&self, index: usize) -> String {
        let mut steps = Vec::new();
        let mut at = index;
        while let Some(node) = self.nodes.get(at) {
            steps.push(self.step(at, node));
            if at == 0 {
                break;
            }
            at = node.parent;
        }
        let mut path = String::new();
        for step in steps.iter().rev() {
            path.push('/');
            path.push_str(step);
        }
        path.replace("//", "/")
    }

    fn step(&self, index: usize, node: &Node) -> String {
        if matches!(node.kind, NodeKind::Attribute(_)) {
            return format!("@{}", node.name);
        }
        let siblings = if index == 0 { Vec::new() } else { self.children(node.parent, &node.name) };
        match siblings.iter().position(|i| *i == index) {
            Some(position) if siblings.len() > 1 => format!("{}[{}]", node.name, position + 1),
            _ => node.name.clone(),
        }
    }

    /// The path below the root by names alone, as a manifest writes it: `wanted/kind`, `person/@id`.
    fn plain_path(&self, index: usize) -> String {
        let mut steps = Vec::new();
        let mut at = index;
        while at != 0
            && let Some(node) = self.nodes.get(at)
        {
            let sign = if matches!(node.kind, NodeKind::Attribute(_)) { "@" } else { "" };
            steps.push(format!("{sign}{}", node.name));
            at = node.parent;
        }
        steps.reverse();
        steps.join("/")
    }

    /// The paths of the values that nobody read and that no entry of `not_carried` covers, at most ten.
    pub(super) fn unread(&self, not_carried: &[String]) -> Vec<String> {
        let is_listed = |index| not_carried.iter().any(|entry| self.is_below(index, entry));
        self.values_unread().filter(|index| !is_listed(*index)).map(|index| self.path(index)).take(10).collect()
    }

    /// Those entries of `not_carried` below which there is a value that nobody read.
    pub(super) fn dropped(&self, not_carried: &[String]) -> Vec<String> {
        let unread: Vec<usize> = self.values_unread().collect();
        let is_there = |entry: &&String| unread.iter().any(|index| self.is_below(*index, entry));
        not_carried.iter().filter(is_there).cloned().collect()
    }

    fn is_below(&self, index: usize, entry: &str) -> bool {
        let path = self.plain_path(index);
        path.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn values_unread(&self) -> impl Iterator<Item = usize> {
        let has_value = |node: &Node| match &node.kind {
            NodeKind::Element(text) => !text.trim().is_empty() || node.children.is_empty(),
            NodeKind::Attribute(_) | NodeKind::Text(_) | NodeKind::Integer(_) | NodeKind::Flag(_) => true,
            NodeKind::Object => false,
        };
        let unread =
            move |(index, node): &(usize, &Node)| *index != 0 && has_value(node) && !node.read.load(Ordering::Relaxed);
        self.nodes.iter().enumerate().filter(unread).map(|(index, _)| index)
    }
}

fn check_size(bytes: &[u8]) -> Result<(), String> {
    if bytes.len() > INPUT_BYTES_MAX {
        return Err(format!("the document is larger than {INPUT_BYTES_MAX} bytes"));
    }
    Ok(())
}

/// Parses bounded XML by the rules of envelopes, for what is translated came out of one or goes into one.
pub(super) fn parse_xml(bytes: &[u8]) -> Result<xml::Document<'_>, String> {
    let limits = xml::Limits {
        bytes_max: INPUT_BYTES_MAX,
        depth_max: INPUT_DEPTH_MAX,
        nodes_max: INPUT_NODES_MAX,
        ..xml::Limits::default()
    };
    xml::read(bytes, &limits).map_err(|fault| fault.to_string())
}

fn json_problem(error: &serde_json::Error) -> String {
    let place = format!("line {} column {}", error.line(), error.column());
    // Our own messages carry this mark; those of the parser may quote the text and are not repeated.
    match error.to_string().strip_prefix(MARK) {
        Some(own) => own.split(" at line ").next().map_or_else(|| place.clone(), |m| format!("{place}: {m}")),
        None => format!("{place}: the document is not well-formed JSON, or is nested deeper than 128 levels"),
    }
}

const MARK: &str = "mezhved: ";

struct JsonValue<'t> {
    tree: &'t mut Tree,
    parent: usize,
    /// `None`: the top.
    name: Option<String>,
    depth: usize,
    in_array: bool,
}

impl JsonValue<'_> {
    fn leaf<E: serde::de::Error>(self, kind: NodeKind) -> Result<(), E> {
        let Some(name) = self.name else { return Err(E::custom(format!("{MARK}the top must be an object"))) };
        self.tree.add(self.parent, &name, kind).map(|_| ()).map_err(|e| E::custom(format!("{MARK}{e}")))
    }
}

impl<'de> DeserializeSeed<'de> for JsonValue<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth > INPUT_DEPTH_MAX {
            return Err(D::Error::custom(format!("{MARK}the document is nested deeper than {INPUT_DEPTH_MAX} levels")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.leaf(NodeKind::Text(text.to_owned()))
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<(), E> {
        self.leaf(NodeKind::Flag(flag))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.leaf(NodeKind::Integer(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        let number = i64::try_from(number).map_err(|_| E::custom(format!("{MARK}a number is too large")))?;
        self.leaf(NodeKind::Integer(number))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(E::custom(format!("{MARK}numbers with a fraction cannot be translated; carry them as text")))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let own = |e: String| A::Error::custom(format!("{MARK}{e}"));
        let index = match self.name {
            None => 0,
            Some(name) => self.tree.add(self.parent, &name, NodeKind::Object).map_err(own)?,
        };
        let mut names = std::collections::BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(own("a name occurs twice in one object".to_owned()));
            }
            let depth = self.depth + 1;
            map.next_value_seed(JsonValue {
                tree: &mut *self.tree,
                parent: index,
                name: Some(name),
                depth,
                in_array: false,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { tree, parent, name, depth, in_array } = self;
        if in_array || name.is_none() {
            return Err(A::Error::custom(format!("{MARK}an array in an array, or at the top, cannot be translated")));
        }
        while items
            .next_element_seed(JsonValue {
                tree: &mut *tree,
                parent,
                name: name.clone(),
                depth: depth + 1,
                in_array: true,
            })?
            .is_some()
        {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(text: &str) -> Result<Tree, String> {
        Tree::from_xml(text.as_bytes(), ("a", "urn:x"), &|ns| ns == "urn:x")
    }

    #[test]
    fn what_nobody_read_is_told_by_its_path() {
        let tree = xml("<a xmlns='urn:x'><b>1</b><b k='2'>3</b><c/></a>").unwrap();
        assert_eq!(tree.unread(&[]), ["/a/b[1]", "/a/b[2]", "/a/b[2]/@k", "/a/c"]);
        assert_eq!(tree.unread(&["b".to_owned()]), ["/a/c"]);
        tree.mark_read(1);
        assert_eq!(tree.unread(&["b/@k".to_owned(), "c".to_owned()]), ["/a/b[2]"]);
    }

    #[test]
    fn xml_that_is_not_ours_is_refused() {
        let deep = format!("<a xmlns='urn:x'>{}{}</a>", "<b>".repeat(100), "</b>".repeat(100));
        let many = format!("<a xmlns='urn:x'>{}</a>", "<b/>".repeat(INPUT_NODES_MAX));
        for (text, reason) in [
            ("<a/>", "the root element must be"),
            ("<b xmlns='urn:x'/>", "the root element must be"),
            ("<a xmlns='urn:x'><b xmlns='urn:y'/></a>", "/a/b: the namespace `urn:y`"),
            ("<a xmlns='urn:x'>t<b/></a>", "text beside child elements"),
            ("<a xmlns='urn:x'><!--c--></a>", "comment-forbidden"),
            ("<a xmlns='urn:x' xmlns:y='urn:y' y:k='1'/>", "an attribute with a namespace"),
            ("<!DOCTYPE a><a xmlns='urn:x'/>", "dtd-forbidden"),
            ("<a xmlns='urn:x'>", "not-xml"),
            (deep.as_str(), "too-deep"),
            (many.as_str(), "too-many-nodes"),
        ] {
            let error = xml(text).err().unwrap_or_default();
            assert!(error.contains(reason), "{}: {error}", text.chars().take(60).collect::<String>());
        }
    }

    #[test]
    fn json_that_cannot_be_one_thing_only_is_refused() {
        let deep = format!("{}{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        let deep_65 = format!("{}1{}", "{\"a\":".repeat(70), "}".repeat(70));
        for (text, reason) in [
            ("{\"a\":1,\"a\":2}", "occurs twice"),
            ("[1]", "at the top"),
            ("1", "the top must be an object"),
            ("{\"a\":[[1]]}", "an array in an array"),
            ("{\"a\":1.5}", "fraction"),
            ("{\"a\":1} x", "not well-formed"),
            ("{\"a\":}", "not well-formed"),
            (deep.as_str(), "nested deeper"),
            (deep_65.as_str(), "nested deeper than 64"),
        ] {
            let error = Tree::from_json(text.as_bytes()).err().unwrap_or_default();
            assert!(error.contains(reason), "{}: {error}", text.chars().take(60).collect::<String>());
        }
        let tree = Tree::from_json(b"{\"a\":[1,{\"b\":true}],\"c\":null,\"d\":\"x\"}").unwrap();
        assert_eq!(tree.unread(&[]), ["/a[1]", "/a[2]/b", "/d"]);
    }
}

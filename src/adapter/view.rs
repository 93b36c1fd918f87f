//! How a template sees the tree: elements with strict names.
//!
//! A node without children and attributes is its text; any other is an element:
//! - `e.name`: the one child (or, where there is none, the attribute) of that name; none or several is an error;
//! - `e.opt('a/b')`: the same by a path, `none` where a step is absent; several are an error;
//! - `e.all('a/b')`: the list of all that the path leads to, perhaps empty;
//! - `e.has('a/b')`: whether the path leads to anything;
//! - `e.where('a', 'b/c', 'x')`: the list of those `a` whose `b/c` is `x`;
//! - `e.text()`: the text of an element that has attributes (`e.x | text`, where attributes are optional);
//! - `e.copy('a', 'b')`, between two versions of a message only: all `a` and then all `b` with everything in them, as they are.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Rest, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::tree::{Node, NodeKind, Tree};

/// One element of a tree.
#[derive(Clone)]
pub(super) struct Element {
    tree: Arc<Tree>,
    index: usize,
}

/// The reason that a template's author is told; it holds no value of the body except a code missing in a list.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Refusal {
    pub(super) reason: String,
    pub(super) code_missing: bool,
}

/// An engine error that carries a reason of our own.
pub(super) fn refuse(reason: impl Into<String>) -> Error {
    let reason = reason.into();
    Error::new(ErrorKind::InvalidOperation, reason.clone()).with_source(Refusal { reason, code_missing: false })
}

/// The root of a tree as a template's `body`.
pub(super) fn root(tree: Arc<Tree>) -> Value {
    Value::from_object(Element { tree, index: 0 })
}

impl Element {
    /// Where it stands, for messages.
    pub(super) fn path(&self) -> String {
        self.tree.path(self.index)
    }

    fn value(&self, index: usize) -> Value {
        if !self.tree.is_leaf(index) {
            return Value::from_object(Self { tree: self.tree.clone(), index });
        }
        self.tree.mark_read(index);
        match self.tree.node(index).map(|n| &n.kind) {
            Some(NodeKind::Element(text) | NodeKind::Attribute(text) | NodeKind::Text(text)) => {
                Value::from(text.as_str())
            }
            Some(NodeKind::Integer(number)) => Value::from(*number),
            Some(NodeKind::Flag(flag)) => Value::from(*flag),
            Some(NodeKind::Object) | None => Value::UNDEFINED,
        }
    }

    /// All nodes that a path leads to.
    fn walk(&self, path: &str) -> Vec<usize> {
        let mut at = vec![self.index];
        for step in path.split('/') {
            at = at.iter().flat_map(|index| self.tree.children(*index, step)).collect();
        }
        at
    }

    /// The elements of a path that have the wanted text at the end of another path below them.
    fn select(&self, path: &str, key: &str, wanted: &str) -> Value {
        let mut found = Vec::new();
        for index in self.walk(path) {
            let keys = Self { tree: self.tree.clone(), index }.walk(key);
            let fits = |key: &&usize| {
                self.tree.node(**key).is_some_and(|n| match &n.kind {
                    NodeKind::Element(text) | NodeKind::Attribute(text) | NodeKind::Text(text) => text == wanted,
                    NodeKind::Integer(_) | NodeKind::Flag(_) | NodeKind::Object => false,
                })
            };
            if let Some(key) = keys.iter().find(fits) {
                self.tree.mark_read(*key);
                found.push(self.value(index));
            }
        }
        Value::from(found)
    }

    fn several(&self, path: &str, count: usize) -> Error {
        refuse(format!("{}: `{path}` is there {count} times; read it with `all`", self.path()))
    }

    /// The text of an element that has attributes, but no child elements.
    pub(super) fn text(&self) -> Result<Value, Error> {
        let is_attribute = |i: &usize| self.tree.node(*i).is_some_and(|n| matches!(n.kind, NodeKind::Attribute(_)));
        match self.tree.node(self.index) {
            Some(Node { kind: NodeKind::Element(text), children, .. }) if children.iter().all(is_attribute) => {
                self.tree.mark_read(self.index);
                Ok(Value::from(text.as_str()))
            }
            _ => Err(refuse(format!("{}: has no text", self.path()))),
        }
    }
}

impl fmt::Debug for Element {
    /// The path only: an element must not show its values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

impl Object for Element {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str() {
            Some(name) => self.get_value_by_str(name).unwrap_or_default(),
            None => Value::from(refuse(format!("{}: is one element, not a list; read it with `all`", self.path()))),
        })
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        let found = self.tree.children(self.index, name);
        Some(match found.as_slice() {
            [one] => self.value(*one),
            [] => Value::from(refuse(format!(
                "{}: has no `{name}`; if it may be absent, read it with `opt`",
                self.path()
            ))),
            several => Value::from(self.several(name, several.len())),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        if method == "text" {
            from_args::<()>(args)?;
            return self.text();
        }
        if method == "where" {
            let (path, key, wanted): (&str, &str, &str) = from_args(args)?;
            return Ok(self.select(path, key, wanted));
        }
        if method == "copy" && self.tree.copies() {
            let (names,): (Rest<String>,) = from_args(args)?;
            return self.tree.copy(self.index, &names).map(Value::from_safe_string);
        }
        if !matches!(method, "opt" | "all" | "has") {
            return Err(refuse(format!(
                "an element has no method `{method}`; there are opt, all, has, where and text"
            )));
        }
        let (path,): (&str,) = from_args(args)?;
        let found = self.walk(path);
        match (method, found.as_slice()) {
            ("all", found) => Ok(found.iter().map(|index| self.value(*index)).collect()),
            ("has", found) => {
                // An element that is empty says what it says by being there.
                for index in found {
                    if self.tree.node(*index).is_some_and(|n| n.kind == NodeKind::Element(String::new())) {
                        self.tree.mark_read(*index);
                    }
                }
                Ok(Value::from(!found.is_empty()))
            }
            (_, []) => Ok(Value::from(())),
            (_, [one]) => Ok(self.value(*one)),
            (_, several) => Err(self.several(path, several.len())),
        }
    }
}

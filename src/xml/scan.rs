//! The linear scan before the tree is built.
pub(super) fn scan() {}

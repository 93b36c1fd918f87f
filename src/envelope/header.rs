//! The header: from XML to [`crate::domain::Header`] and back.

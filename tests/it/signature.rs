//! Signatures: the canonical form and the signatures agree with other implementations, and what breaks the policy is refused by
//! its own code. All keys and envelopes are made here and now.
//!
//! The other implementations are `xmlsec1` and Python with lxml, signxml and cryptography; `MEZHVED_TEST_PYTHON` names the
//! interpreter (default `python3`).

mod canonical;
mod forms;
mod interop;
mod kit;
mod policy;
mod schemas;
mod trust;

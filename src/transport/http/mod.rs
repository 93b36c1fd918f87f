//! HTTP both ways: [`Push`] to a partner's address, [`listen`] on our own. TLS is OpenSSL on both sides.
//!
//! Plain `http` is for loopback, or for those who say `insecure = true`. HTTP/1.1 only: agencies send a few messages a
//! second over kept connections, and HTTP/2 brings its own ways to exhaust a server.

mod gate;
mod hook;
mod listen;
mod look;
mod plain;
mod push;

pub use hook::Hook;
pub use listen::{ListenError, ListenOptions, Listener, TlsIdentity, listen};
pub use look::{Target, TlsSeen};
pub use plain::{PlainAnswer, PlainCall};
pub use push::{HttpError, HttpOptions, Push};

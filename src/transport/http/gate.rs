//! What every accepted connection passes: limits, the TLS handshake, a guard against peers that do not read.

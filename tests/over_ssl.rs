//! What a socket promises, over TLS: the same tests as in `plaintext.rs`.
#![cfg(feature = "native-tls")]

use rs2p::Encryption;

const ENCRYPTION: Encryption = Encryption::Ssl;

mod suite;
mod support;

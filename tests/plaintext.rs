//! What a socket promises, over plain TCP. The same tests run over TLS in `over_ssl.rs`.

use rs2p::Encryption;

const ENCRYPTION: Encryption = Encryption::Plaintext;

mod suite;
mod support;

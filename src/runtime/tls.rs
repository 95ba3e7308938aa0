//! TLS by the system's library: what all links of a socket share.

use std::fmt;
use std::sync::Arc;

use mio::net::TcpStream;
use native_tls::{Certificate, Protocol, TlsAcceptor, TlsConnector, TlsStream};

use super::below_tls::BelowTls;
pub(crate) use super::tls_link::TlsLink;
use super::tls_link::{Side, failed};
use crate::cause::Cause;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::pem;
use crate::tls::{Fingerprint, Tls, TlsIdentity};

/// Bytes that may wait below TLS: enough for many records in one system call.
const ROOM: usize = 64 * 1024;

/// What all links of a socket share.
pub(crate) struct TlsKit {
    acceptor: TlsAcceptor,
    verifier: Arc<Verifier>,
    fingerprint: Fingerprint,
    /// Bytes that may wait below TLS of one link.
    room: usize,
}

/// How nodes are dialled, and which certificates are taken there.
#[derive(Debug)]
pub(super) struct Verifier {
    pub connector: TlsConnector,
    pub has_roots: bool,
    pins: Vec<Fingerprint>,
}

impl TlsKit {
    pub fn new(settings: &Tls, config: &Config) -> Result<Self> {
        let identity = settings.identity.clone().map_or_else(TlsIdentity::of_process, Ok)?;
        let acceptor = TlsAcceptor::builder(identity.native.clone())
            .min_protocol_version(Some(Protocol::Tlsv12))
            .build()
            .map_err(|error| Error::settings("the certificate", error))?;
        let verifier = Arc::new(Verifier::new(settings)?);
        let fingerprint = identity.fingerprint();
        // A buffer like the system's own: kept as small as those where that matters.
        let room = config.system_buffers().map_or(ROOM, |bytes| bytes.clamp(1, ROOM));
        Ok(TlsKit { acceptor, verifier, fingerprint, room })
    }

    /// Returns the fingerprint of our own certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub fn link(&self, tcp: TcpStream, is_dialler: bool) -> Box<TlsLink> {
        let side = match is_dialler {
            true => Side::Dialler(Arc::clone(&self.verifier)),
            false => Side::Acceptor(self.acceptor.clone()),
        };
        Box::new(TlsLink::new(tcp, side, self.room))
    }
}

impl fmt::Debug for TlsKit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsKit({})", self.fingerprint)
    }
}

impl Verifier {
    fn new(settings: &Tls) -> Result<Self> {
        let has_roots = !settings.roots.is_empty();
        let mut builder = TlsConnector::builder();
        builder
            .min_protocol_version(Some(Protocol::Tlsv12))
            .use_sni(false)
            .disable_built_in_roots(true)
            .danger_accept_invalid_hostnames(true)
            .danger_accept_invalid_certs(!has_roots);
        let failed = |error| Error::settings("a trusted root", error);
        for text in &settings.roots {
            let text = String::from_utf8_lossy(text);
            let text = pem::certificates(&text)
                .map_err(|error| Error::settings("a trusted root", error))?;
            let roots = Certificate::stack_from_pem(text.as_bytes()).map_err(failed)?;
            if roots.is_empty() {
                return Err(Error::settings("a trusted root", "there is no certificate in it"));
            }
            for root in roots {
                builder.add_root_certificate(root);
            }
        }
        let connector = builder.build().map_err(failed)?;
        Ok(Verifier { connector, has_roots, pins: settings.pins.clone() })
    }

    /// Returns whether the certificate is one of the pinned ones, if any are.
    pub fn check_pins(&self, stream: &TlsStream<BelowTls>) -> Result<(), Cause> {
        if self.pins.is_empty() {
            return Ok(());
        }
        let der = stream.peer_certificate().and_then(|cert| cert.map(|c| c.to_der()).transpose());
        let Some(der) = der.map_err(failed)? else {
            return Err(Cause::WrongFingerprint { theirs: Arc::new("none".to_owned()) });
        };
        let theirs = Fingerprint::of(&der);
        let is_pinned = self.pins.contains(&theirs);
        is_pinned
            .then_some(())
            .ok_or(Cause::WrongFingerprint { theirs: Arc::new(theirs.to_string()) })
    }
}

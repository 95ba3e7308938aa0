//! Own certificates, trusted roots, pins.

use std::error::Error as _;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_RSA_SHA256,
    date_time_ymd,
};
use rs2p::tls::{Fingerprint, Tls, TlsIdentity};
use rs2p::{Builder, Cause, Error, MeshSocket};

use crate::support::cause;
use crate::{bind, serves, ssl};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> TlsIdentity {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let mut params = named("a member");
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        TlsIdentity::from_pem(certificate.pem(), key.serialize_pem()).unwrap()
    }
}

/// Where subject and issuer are equal, OpenSSL takes a certificate for self-signed.
fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn with(tls: Tls) -> Builder {
    ssl().tls(tls)
}

fn refused(dialler: &MeshSocket, node: &MeshSocket) -> Error {
    dialler.connect(node.local_addr()).expect_err("a certificate that is not covered")
}

#[test]
fn sockets_share_the_certificate_of_the_process_unless_they_have_their_own() {
    let (a, b) = (bind(ssl()), bind(ssl()));
    assert_eq!(a.fingerprint(), b.fingerprint());
    let identity = TlsIdentity::generate().unwrap();
    let c = bind(with(Tls::new().identity(identity.clone())));
    assert_eq!(c.fingerprint(), Some(identity.fingerprint()));
    assert_ne!(c.fingerprint(), a.fingerprint());
    let plain = MeshSocket::bind("127.0.0.1:0").unwrap();
    assert_eq!(plain.fingerprint(), None);
    serves(&c, ssl());
}

#[test]
fn a_certificate_survives_as_text() {
    let identity = TlsIdentity::generate().unwrap();
    let again = TlsIdentity::from_pem(identity.cert_pem(), identity.key_pem()).unwrap();
    assert_eq!(again.fingerprint(), identity.fingerprint());
    let shown = format!("{again:?}");
    assert_eq!(shown, format!("TlsIdentity({})", identity.fingerprint()), "no key in it");
}

#[test]
fn a_key_and_a_certificate_are_found_among_what_tools_write_around_them() {
    let identity = TlsIdentity::generate().unwrap();
    let (cert, key) = (identity.cert_pem(), identity.key_pem());
    let bag = "Bag Attributes\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\n";
    let both = format!("{cert}{key}");
    for (cert, key) in [
        (cert.to_owned(), format!("{bag}{key}")),
        (both.clone(), both),
        (format!("\u{feff}{cert}"), format!("\u{feff}{key}")),
        (format!("subject=CN = rs2p\n{cert}"), key.replace('\n', "\r\n")),
    ] {
        let found = TlsIdentity::from_pem(cert.clone(), key).expect("found");
        assert_eq!(found.fingerprint(), identity.fingerprint());
        let trusting = bind(with(Tls::new().trust_roots(cert)));
        let node = bind(with(Tls::new().identity(found)));
        trusting.connect(node.local_addr()).expect("it trusts that certificate");
        node.close().unwrap();
        trusting.close().unwrap();
    }
}

#[test]
fn a_key_of_another_kind_is_named_with_what_to_do() {
    let identity = TlsIdentity::generate().unwrap();
    for label in ["ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
        let key = identity.key_pem().replace("PRIVATE KEY", label);
        let error = TlsIdentity::from_pem(identity.cert_pem(), key).unwrap_err().to_string();
        assert!(error.contains(&format!("BEGIN {label}")) && error.contains("openssl "), "{error}");
    }
}

#[test]
fn certificates_and_keys_that_are_none_are_refused() {
    let (one, other) = (TlsIdentity::generate().unwrap(), TlsIdentity::generate().unwrap());
    let pkcs1 = one.key_pem().replace("PRIVATE KEY", "RSA PRIVATE KEY");
    for (cert, key) in [
        ("", one.key_pem()),
        (one.cert_pem(), ""),
        (one.cert_pem(), pkcs1.as_str()),
        (one.key_pem(), one.cert_pem()),
        (one.cert_pem(), other.key_pem()),
    ] {
        let error = TlsIdentity::from_pem(cert, key).unwrap_err();
        assert!(matches!(error, Error::TlsSettings { .. }), "{error:?}");
        assert!(error.source().is_some());
    }
    for roots in ["", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"] {
        let error = with(Tls::new().trust_roots(roots)).bind("127.0.0.1:0").unwrap_err();
        assert!(matches!(error, Error::TlsSettings { .. }), "{error:?}");
    }
}

#[test]
fn roots_decide_whom_we_dial() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let member = bind(with(Tls::new().identity(ours.issue(|_| ()))));
    let stranger = bind(with(Tls::new().identity(theirs.issue(|_| ()))));
    let dialler = bind(with(Tls::new().trust_roots(ours.pem())));
    dialler.connect(member.local_addr()).unwrap();
    for other in [&stranger, &bind(ssl())] {
        let error = refused(&dialler, other);
        assert!(matches!(cause(&error), Cause::Untrusted { .. }), "{error:?}");
        let words = error.source().expect("the library's words").to_string();
        assert!(error.to_string().contains(&words), "{error}");
        serves(other, ssl());
    }
    // Both roots, one after the other and in one text.
    let both = format!("{}{}", ours.pem(), theirs.pem());
    for tls in
        [Tls::new().trust_roots(ours.pem()).trust_roots(theirs.pem()), Tls::new().trust_roots(both)]
    {
        let dialler = bind(with(tls));
        dialler.connect(member.local_addr()).unwrap();
        dialler.connect(stranger.local_addr()).unwrap();
    }
}

#[test]
fn an_expired_certificate_is_refused_though_its_root_is_trusted() {
    let authority = Authority::new("ours");
    let expired = authority.issue(|params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    let node = bind(with(Tls::new().identity(expired)));
    let error = refused(&bind(with(Tls::new().trust_roots(authority.pem()))), &node);
    assert!(matches!(cause(&error), Cause::Untrusted { .. }), "{error:?}");
    #[cfg(target_os = "linux")]
    assert!(error.to_string().contains("expired"), "{error}");
    serves(&node, ssl());
}

#[test]
fn a_self_signed_certificate_can_be_trusted_by_itself() {
    let identity = TlsIdentity::generate().unwrap();
    let trusting = Tls::new().trust_roots(identity.cert_pem());
    let node = bind(with(Tls::new().identity(identity)));
    bind(with(trusting)).connect(node.local_addr()).unwrap();
}

#[test]
fn pins_decide_whom_we_dial() {
    let identities = [(); 3].map(|()| TlsIdentity::generate().unwrap());
    let pinned = |ids: &[usize]| {
        ids.iter().fold(Tls::new(), |tls, &id| tls.pin(identities[id].fingerprint()))
    };
    let nodes = [0, 1, 2].map(|id| bind(with(Tls::new().identity(identities[id].clone()))));
    let dialler = bind(with(pinned(&[0, 1])));
    dialler.connect(nodes[0].local_addr()).unwrap();
    dialler.connect(nodes[1].local_addr()).unwrap();
    let error = refused(&dialler, &nodes[2]);
    let Cause::WrongFingerprint { theirs, .. } = cause(&error) else { panic!("{error:?}") };
    assert_eq!(theirs.parse::<Fingerprint>().unwrap(), identities[2].fingerprint());
    serves(&nodes[2], ssl());
}

#[test]
fn pins_and_roots_must_both_hold() {
    let authority = Authority::new("ours");
    let (one, other) = (authority.issue(|_| ()), authority.issue(|_| ()));
    let tls = Tls::new().trust_roots(authority.pem()).pin(one.fingerprint());
    let dialler = bind(with(tls));
    dialler.connect(bind(with(Tls::new().identity(one))).local_addr()).unwrap();
    let error = refused(&dialler, &bind(with(Tls::new().identity(other))));
    assert!(matches!(cause(&error), Cause::WrongFingerprint { .. }), "{error:?}");
}

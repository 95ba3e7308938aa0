//! `out_addr` as the builder takes it: normalised, or refused with what to write.

use std::net::IpAddr;

use crate::error::{Error, Result};
use crate::node::dialable::is_link_local;
use crate::wire::HostPort;

/// The longest DNS name.
const MAX_NAME: usize = 253;

/// Normalises what the user wrote; port 0 stays, and means the bound one.
///
/// # Errors
///
/// [`Error::OutAddr`] if nobody could dial it.
pub(crate) fn normalised(out_addr: HostPort) -> Result<HostPort> {
    let HostPort { host, port } = out_addr;
    let refuse = |problem| Err(Error::OutAddr { host: Box::new(host.clone()), problem });
    let trimmed = host.trim();
    let bare = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(trimmed);
    if bare.is_empty() {
        return refuse("it is empty; write a name or an address, or leave `out_addr` out");
    }
    if let Ok(ip) = bare.parse::<IpAddr>() {
        let ip = ip.to_canonical();
        return match problem(ip) {
            Some(problem) => refuse(problem),
            None => Ok(HostPort { host: ip.to_string(), port }),
        };
    }
    if bare.contains(':') {
        return refuse("write the host without the port: `out_addr(\"192.0.2.1\", 4444)`");
    }
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if bare.len() > MAX_NAME || !bare.chars().all(is_name) {
        return refuse("it is no host name; write a name or an address");
    }
    Ok(HostPort { host: bare.to_string(), port })
}

fn problem(ip: IpAddr) -> Option<&'static str> {
    if ip.is_unspecified() {
        Some("nobody can dial a wildcard address; write one of this host, or leave `out_addr` out")
    } else if ip.is_multicast() || ip == IpAddr::V4(std::net::Ipv4Addr::BROADCAST) {
        Some("nobody can dial a group address; write one of this host")
    } else if ip.is_ipv6() && is_link_local(ip) {
        Some("a link-local address means nothing to other hosts; write another one of this host")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str) -> Result<String> {
        normalised(HostPort { host: host.into(), port: 4511 }).map(|addr| addr.to_string())
    }

    #[test]
    fn brackets_and_blanks_go() {
        for (written, meant) in [
            ("[::1]", "[::1]:4511"),
            ("::1", "[::1]:4511"),
            (" 127.0.0.1", "127.0.0.1:4511"),
            ("::ffff:192.0.2.1", "192.0.2.1:4511"),
            ("node-1.example.org", "node-1.example.org:4511"),
        ] {
            assert_eq!(check(written).expect(written), meant);
        }
    }

    #[test]
    fn what_nobody_can_dial_is_refused_with_what_to_write() {
        for (written, advice) in [
            ("", "leave `out_addr` out"),
            ("  ", "leave `out_addr` out"),
            ("0.0.0.0", "wildcard"),
            ("[::]", "wildcard"),
            ("127.0.0.1:4511", "without the port"),
            ("[::1]:4511", "without the port"),
            ("hub:4511", "without the port"),
            ("224.0.0.1", "group"),
            ("255.255.255.255", "group"),
            ("fe80::1", "link-local"),
            ("two words", "no host name"),
            ("http//hub", "no host name"),
        ] {
            let error = check(written).expect_err(written);
            assert!(matches!(error, Error::OutAddr { .. }), "{error:?}");
            assert!(error.to_string().contains(advice), "{written}: {error}");
        }
    }
}

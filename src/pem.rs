//! PEM as tools write it: blocks between other text, after a byte-order mark, indented.

use zeroize::Zeroizing;

/// The headers that a certificate may have.
const CERTIFICATES: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

/// One block, `BEGIN` and `END` included.
struct Block {
    label: String,
    /// Overwritten with zeros when it is dropped: it may be a private key.
    text: Zeroizing<String>,
}

/// Returns the first private key in PKCS#8; an error says what is there instead and what to do.
pub(crate) fn private_key(pem: &str) -> Result<Zeroizing<String>, String> {
    let blocks = blocks(pem);
    match blocks.iter().find(|block| block.label == "PRIVATE KEY") {
        Some(block) => Ok(block.text.clone()),
        None => Err(no_key(&blocks)),
    }
}

/// Returns the certificates, in their order; an error says what is there instead.
pub(crate) fn certificates(pem: &str) -> Result<String, String> {
    let blocks = blocks(pem);
    let is_certificate = |block: &&Block| CERTIFICATES.contains(&block.label.as_str());
    let found: String =
        blocks.iter().filter(is_certificate).map(|block| block.text.as_str()).collect();
    match found.is_empty() {
        false => Ok(found),
        true => Err(format!("{}; expected BEGIN CERTIFICATE", describe(&blocks))),
    }
}

fn blocks(pem: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for line in pem.lines().map(|line| line.trim_start_matches('\u{feff}').trim()) {
        if let Some(label) = label(line, "-----BEGIN ") {
            // Large enough to stay where it is: memory that a text has left is not overwritten.
            let text = Zeroizing::new(String::with_capacity(pem.len() + 1));
            open = Some(Block { label: label.to_owned(), text });
        }
        let Some(block) = &mut open else { continue };
        block.text.push_str(line);
        block.text.push('\n');
        if label(line, "-----END ") == Some(&block.label) {
            blocks.extend(open.take());
        }
    }
    blocks
}

fn label<'a>(line: &'a str, begin: &str) -> Option<&'a str> {
    line.strip_prefix(begin)?.strip_suffix("-----")
}

fn no_key(blocks: &[Block]) -> String {
    let advice = blocks.iter().find_map(advice);
    let advice = advice.unwrap_or("give the key in PKCS#8, which begins with BEGIN PRIVATE KEY");
    format!("{}; {advice}", describe(blocks))
}

fn describe(blocks: &[Block]) -> String {
    if blocks.is_empty() {
        return "there is no complete PEM block in the text".to_owned();
    }
    let headers: Vec<String> =
        blocks.iter().map(|block| format!("BEGIN {}", block.label)).collect();
    format!("the text has {}", headers.join(", "))
}

/// Returns what to do with a key that is another kind.
fn advice(block: &Block) -> Option<&'static str> {
    let is_encrypted = block.text.contains("Proc-Type: 4,ENCRYPTED");
    match block.label.as_str() {
        "ENCRYPTED PRIVATE KEY" => {
            Some("the key is encrypted: decrypt it with `openssl pkcs8 -in key.pem -out plain.pem`")
        }
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "DSA PRIVATE KEY" if is_encrypted => Some(
            "the key is encrypted and not in PKCS#8: convert it with \
             `openssl pkcs8 -topk8 -nocrypt -in key.pem -out plain.pem`",
        ),
        "RSA PRIVATE KEY" => Some(
            "the key is in PKCS#1, expected PKCS#8: convert it with \
             `openssl pkcs8 -topk8 -nocrypt -in key.pem -out pkcs8.pem`",
        ),
        "EC PRIVATE KEY" | "DSA PRIVATE KEY" => Some(
            "the key is in SEC1, expected PKCS#8: convert it with \
             `openssl pkcs8 -topk8 -nocrypt -in key.pem -out pkcs8.pem`",
        ),
        "OPENSSH PRIVATE KEY" => Some(
            "the key is one of OpenSSH, expected PKCS#8: convert it with \
             `ssh-keygen -p -m PKCS8 -f key`",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(label: &str) -> String {
        format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
    }

    #[test]
    fn the_first_key_in_pkcs8_is_found_among_other_blocks() {
        let key = block("PRIVATE KEY");
        let other = key.replace("AAAA", "BBBB");
        for text in [
            key.clone(),
            format!("\u{feff}{key}"),
            format!(
                "Bag Attributes\n    friendlyName: rs2p\nKey Attributes: <No Attributes>\n{key}"
            ),
            format!("{}{key}{other}", block("CERTIFICATE")),
            format!("{}{key}", block("EC PARAMETERS")),
            key.replace('\n', "\r\n"),
            key.replace("-----BEGIN", "  -----BEGIN"),
            format!("{}{key}", "-----BEGIN CERTIFICATE-----\ncut short\n"),
        ] {
            assert_eq!(private_key(&text).as_deref(), Ok(&key), "{text}");
        }
    }

    #[test]
    fn another_kind_of_key_is_named_with_what_to_do() {
        let encrypted_rsa = block("RSA PRIVATE KEY").replace("AAAA", "Proc-Type: 4,ENCRYPTED");
        for (text, header, advice) in [
            (block("ENCRYPTED PRIVATE KEY"), "BEGIN ENCRYPTED PRIVATE KEY", "openssl pkcs8 -in"),
            (block("RSA PRIVATE KEY"), "BEGIN RSA PRIVATE KEY", "openssl pkcs8 -topk8 -nocrypt"),
            (block("EC PRIVATE KEY"), "BEGIN EC PRIVATE KEY", "SEC1"),
            (encrypted_rsa, "BEGIN RSA PRIVATE KEY", "encrypted"),
            (block("OPENSSH PRIVATE KEY"), "BEGIN OPENSSH PRIVATE KEY", "ssh-keygen"),
            (block("CERTIFICATE"), "BEGIN CERTIFICATE", "BEGIN PRIVATE KEY"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA".to_owned(), "no complete PEM block", "PKCS#8"),
            (String::new(), "no complete PEM block", "PKCS#8"),
        ] {
            let error = private_key(&text).expect_err(&text);
            assert!(error.contains(header) && error.contains(advice), "{error}");
        }
    }

    #[test]
    fn all_certificates_are_found_and_nothing_else() {
        let chain = block("CERTIFICATE") + &block("X509 CERTIFICATE");
        let text = format!("\u{feff}subject=rs2p\n{chain}{}", block("PRIVATE KEY"));
        assert_eq!(certificates(&text), Ok(chain));
        let error = certificates(&block("PRIVATE KEY")).expect_err("no certificate");
        assert!(error.contains("BEGIN PRIVATE KEY"), "{error}");
    }
}

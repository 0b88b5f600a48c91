//! Why a server is not believed to be the one that is meant, and what to do about it.
//!
//! Which CAs are trusted is the system's matter, or that of SSL_CERT_FILE and SSL_CERT_DIR: this program adds none.

use rustls::{CertificateError, Error as TlsError};
use std::error::Error;
use std::io;

/// Words on what is wrong with who answers; `None` where that is not what failed.
pub fn lacking(error: &(dyn Error + 'static)) -> Option<String> {
    match of_tls(error)? {
        TlsError::InvalidCertificate(error) => Some(of_certificate(error)),
        TlsError::InvalidMessage(_) => {
            Some("it does not speak TLS: write http://, or correct the port".to_owned())
        }
        _ => None,
    }
}

/// Words where nobody at all is trusted; `None` where that is not what failed.
pub fn without_any(error: &(dyn Error + 'static)) -> Option<String> {
    matches!(of_tls(error)?, TlsError::General(_)).then(|| {
        "there is no certificate of a CA to trust: install the system's, or name a file of some, in PEM, by SSL_CERT_FILE".to_owned()
    })
}

fn of_certificate(error: &CertificateError) -> String {
    let (wrong, then) = match error {
        CertificateError::UnknownIssuer => (
            "is of an issuer that is not trusted here",
            "if that is a CA of yours, put the CA's certificate into the system's store, or into a \
             file that SSL_CERT_FILE names",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "has expired",
            "it needs a new one, or the clock of this machine is wrong",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "is not valid yet",
            "wait until it is, or correct the clock of this machine",
        ),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
            let names = match names.as_slice() {
                [] => "no name in its subjectAltName".to_owned(),
                names => names.join(", "),
            };
            let host = expected.to_str();
            return format!(
                "its certificate is not for {host} but for {names}: correct the host, or the certificate"
            );
        }
        // What `openssl req -x509` makes, where a server has it for its own.
        error if error.to_string().contains("CaUsedAsEndEntity") => (
            "is that of a CA, which is there to sign others",
            "have it sign one for the server, with CA:FALSE",
        ),
        error => return format!("its certificate is not accepted: {error}"),
    };
    format!("its certificate {wrong}: {then}")
}

/// A name of a certificate without what kind it is of: `a.org` of `DnsName("a.org")`.
fn bare(name: &str) -> &str {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.map_or(name, |inner| inner.trim_matches('"'))
}

/// What TLS says, if it is what failed.
fn of_tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    let mut cause = Some(error);
    while let Some(found) = cause {
        if let Some(error) = found.downcast_ref() {
            return Some(error);
        }
        // The source of an `io::Error` is not what it holds, but the source of that.
        let held = found.downcast_ref().and_then(io::Error::get_ref);
        cause = match held {
            Some(held) => Some(held),
            None => found.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tls_says_is_found_below_others() {
        let tls = TlsError::InvalidCertificate(CertificateError::UnknownIssuer);
        let outer = io::Error::other(io::Error::other(tls));
        let words = lacking(&outer).unwrap();
        assert!(words.contains("SSL_CERT_FILE"), "{words}");
        assert_eq!(lacking(&io::Error::other("no")), None);
        assert_eq!(without_any(&outer), None);
    }

    #[test]
    fn names_of_certificates_are_bare() {
        let names = ["DnsName(\"*.a.org\")", "IpAddress(::1)", "b.org"];
        let bare = names.map(|name| bare(name).to_owned());
        assert_eq!(bare, ["*.a.org", "::1", "b.org"]);
    }
}

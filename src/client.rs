//! Floor 4: how this program asks others over HTTP, whoever they are: OpenSSL, TLS 1.2 and later, no proxy, no redirect, and no
//! repeats but those that the caller decides on.

use openssl::x509::X509;
use reqwest::{Certificate, Client, ClientBuilder};

/// A certificate of an authority cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("extra root certificate number {number} is not a PEM certificate")]
pub struct RootError {
    /// Its place among those given, from 1.
    pub number: usize,
}

/// A client to be, which trusts these authorities (PEM) beside the system's own. Times and connections are the caller's.
///
/// # Errors
/// When one of them holds no certificate.
pub fn builder(extra_roots_pem: &[Vec<u8>]) -> Result<ClientBuilder, RootError> {
    let mut roots = Vec::new();
    for (index, pem) in extra_roots_pem.iter().enumerate() {
        let wrong = RootError { number: index + 1 };
        // The library would also take a file without any certificate.
        if X509::stack_from_pem(pem).unwrap_or_default().is_empty() {
            return Err(wrong);
        }
        roots.extend(Certificate::from_pem_bundle(pem).map_err(|_| wrong)?);
    }
    let builder = Client::builder()
        .tls_backend_native()
        .tls_certs_merge(roots)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .http1_only()
        .no_proxy()
        .referer(false)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .user_agent(concat!("mezhved/", env!("CARGO_PKG_VERSION")));
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_named_by_its_place() {
        assert!(builder(&[]).is_ok());
        for pem in [&b""[..], b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert_eq!(builder(&[pem.to_vec()]).err(), Some(RootError { number: 1 }));
        }
    }
}

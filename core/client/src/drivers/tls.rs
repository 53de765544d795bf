//! One TLS configuration for WebSocket and HTTP.

use std::sync::Arc;

use rustls::{ClientConfig, Error as TlsError, RootCertStore};

use crate::error::Error;

/// rustls with ring, named explicitly so that no process-wide default is needed; Mozilla's roots, compiled in, so that
/// no platform verifier (which wants a JVM on Android) is; and `extra_roots` (DER) besides.
pub(crate) fn config(extra_roots: &[Vec<u8>]) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for root in extra_roots {
        let invalid = |error| Error::InvalidInput(format!("an extra root is no certificate in DER: {error}"));
        roots.add(root.clone().into()).map_err(invalid)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Error::bug("TLS cannot be configured", &error))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Why the server's certificate was not taken, if that is beneath the error.
pub(crate) fn distrust(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(TlsError::InvalidCertificate(why)) = error.downcast_ref() {
        return Some(why.to_string());
    }
    // An I/O error hides what it wraps from `source`.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match wrapped {
        Some(inner) => distrust(inner),
        None => distrust(error.source()?),
    }
}

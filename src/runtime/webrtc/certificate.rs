//! The certificate that a connection presents: self-signed, fresh for each connection, so that it
//! links nothing to anything. Its fingerprint is what the session handshake binds to.

use super::network_error;
use crate::model::{Error, Result};
use crate::runtime::transport::Fingerprint;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use rtc::crypto::{SignatureScheme, default_provider};
use rtc::peer_connection::certificate::{CertificateParams, RTCCertificate};

/// Makes a certificate and says its fingerprint.
pub(super) fn generate() -> Result<(RTCCertificate, Fingerprint)> {
    let doing = "making a certificate";
    let provider = default_provider().map_err(|error| network_error(doing, error))?;
    let mut name = [0; 16];
    SystemRandom::new()
        .fill(&mut name)
        .map_err(|_| Error::internal("the system gives no randomness"))?;
    let params = CertificateParams::new(vec![data_encoding::HEXLOWER.encode(&name)])
        .map_err(|error| network_error(doing, error))?;
    let certificate =
        RTCCertificate::generate(provider.crypto(), SignatureScheme::EcdsaP256Sha256, params)
            .map_err(|error| network_error(doing, error))?;
    let der = certificate
        .dtls_certificate
        .certificate
        .first()
        .ok_or_else(|| Error::internal("a made certificate is empty"))?;
    let print = fingerprint(der);
    Ok((certificate, print))
}

/// SHA-256 of a certificate's DER form, as in the `fingerprint` attribute of SDP.
pub(super) fn fingerprint(der: &[u8]) -> Fingerprint {
    let mut print = [0; 32];
    print.copy_from_slice(digest(&SHA256, der).as_ref());
    print
}

//! Chains: what leads from an identity to one of its devices.

use super::certificate::{BY_IDENTITY, DeviceCertificate, Issuer};
use super::statement::{self, RecoveryStatement};
use crate::feed::codec::{Reader, put_bytes, put_varint};
use crate::model::{DeviceKey, Error, IdentityKey, RecoveryKey, Result, limits};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The first byte of a chain that is more than one certificate of version 1.
const VERSION: u8 = 3;

/// A verified chain: certificates and recovery statements, each issued by the identity or by a
/// device or recovery key that an earlier one names, the last one the device's certificate.
///
/// It proves that the device was made a device of the identity. Whether it, or one that it came
/// by, was revoked since only a space can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceChain {
    links: Vec<Arc<[u8]>>,
    certificate: DeviceCertificate,
    enrolled_by: Issuer,
    lineage: Vec<DeviceKey>,
}

/// A device met while a chain is read.
struct Met {
    certificate: DeviceCertificate,
    enrolled_by: Issuer,
    lineage: Vec<DeviceKey>,
}

impl DeviceChain {
    /// The largest chain, in bytes.
    pub const MAX_LEN: usize = limits::CHAIN_BYTES;

    /// Reads and verifies a chain from its one form: the certificate of an identity's own device
    /// as it is, every other chain as version 3, the number of links, and the links.
    pub fn decode(bytes: &[u8]) -> Result<DeviceChain> {
        if bytes.len() > DeviceChain::MAX_LEN {
            return Err(too_large(bytes.len()));
        }
        if bytes.first() == Some(&BY_IDENTITY) {
            return DeviceChain::from_links(&[bytes]);
        }
        let mut reader = Reader::new(bytes, "device chain");
        reader.version(VERSION)?;
        let count = reader.count(limits::CHAIN_LINKS, "links")?;
        if count < 2 {
            return Err(reader.error("one link is no chain of this version"));
        }
        let links = (0..count)
            .map(|_| reader.bytes(DeviceCertificate::MAX_LEN))
            .collect::<Result<Vec<_>>>()?;
        reader.finish()?;
        DeviceChain::from_links(&links)
    }

    /// Verifies the links of a chain, root first.
    pub fn from_links(links: &[impl AsRef<[u8]>]) -> Result<DeviceChain> {
        if links.len() > limits::CHAIN_LINKS {
            return Err(too_many(links.len()));
        }
        let mut walk = Walk::default();
        for link in links {
            walk.take(link.as_ref())?;
        }
        let met = walk
            .last
            .and_then(|device| walk.devices.remove(&device))
            .ok_or_else(|| broken("it does not end with a device's certificate"))?;
        let chain = DeviceChain {
            links: links.iter().map(|link| Arc::from(link.as_ref())).collect(),
            certificate: met.certificate,
            enrolled_by: met.enrolled_by,
            lineage: met.lineage,
        };
        let len = chain.encode().len();
        if len > DeviceChain::MAX_LEN {
            return Err(too_large(len));
        }
        Ok(chain)
    }

    /// The bytes that [`DeviceChain::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        if let [only] = self.links.as_slice() {
            return only.to_vec();
        }
        let mut out = vec![VERSION];
        put_varint(&mut out, self.links.len() as u64);
        for link in &self.links {
            put_bytes(&mut out, link);
        }
        out
    }

    /// The links, root first, as received.
    pub fn links(&self) -> &[Arc<[u8]>] {
        &self.links
    }

    /// The device's certificate, which is the last link.
    pub fn certificate(&self) -> &DeviceCertificate {
        &self.certificate
    }

    /// Who made it a device of the identity. Not the issuer of the last link, when that renews a
    /// key.
    pub fn enrolled_by(&self) -> Issuer {
        self.enrolled_by
    }

    /// The devices through which it became one, root first, itself not among them.
    pub fn lineage(&self) -> &[DeviceKey] {
        &self.lineage
    }

    /// The recovery statements among the links, root first.
    pub fn statements(&self) -> impl Iterator<Item = &Arc<[u8]>> {
        let links = self.links.iter();
        links.filter(|link| link.first() == Some(&statement::VERSION))
    }

    /// The chain with further links behind: what leads to a device, or to a recovery key, that this
    /// chain's device issues. A renewal of its own key has no part in that and is left out.
    pub fn extended(&self, more: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
        let mut links = self.without_renewal();
        links.extend_from_slice(more);
        if links.len() > limits::CHAIN_LINKS {
            return Err(too_many(links.len()));
        }
        Ok(links)
    }

    /// The chain after its device has renewed its key.
    #[allow(dead_code, reason = "for the renewal of HPKE keys")]
    pub(super) fn renewed(&self, certificate: Vec<u8>) -> Result<DeviceChain> {
        let mut links = self.without_renewal();
        links.push(certificate);
        DeviceChain::from_links(&links)
    }

    fn without_renewal(&self) -> Vec<Vec<u8>> {
        let mut links: Vec<_> = self.links.iter().map(|link| link.to_vec()).collect();
        if self.certificate.issuer == Issuer::Device(self.certificate.device) {
            links.pop();
        }
        links
    }
}

/// A chain being read.
#[derive(Default)]
struct Walk {
    identity: Option<IdentityKey>,
    devices: BTreeMap<DeviceKey, Met>,
    recovery: BTreeMap<RecoveryKey, (u32, Vec<DeviceKey>)>,
    last: Option<DeviceKey>,
}

impl Walk {
    fn take(&mut self, link: &[u8]) -> Result<()> {
        if link.first() == Some(&statement::VERSION) {
            self.last = None;
            return self.statement(RecoveryStatement::decode(link)?);
        }
        let certificate = DeviceCertificate::decode(link)?;
        self.last = Some(certificate.device);
        self.certificate(certificate)
    }

    fn check_identity(&mut self, identity: IdentityKey) -> Result<()> {
        match self.identity.replace(identity) {
            Some(before) if before != identity => Err(broken("it speaks of two identities")),
            _ => Ok(()),
        }
    }

    fn statement(&mut self, statement: RecoveryStatement) -> Result<()> {
        self.check_identity(statement.identity)?;
        let (order, lineage) = match self.recovery.get(&statement.before()) {
            // What a device issued falls with it, be its key a recovery key as well.
            Some(known) if !self.devices.contains_key(&statement.device()) => known.clone(),
            _ => self.through(&statement.device())?,
        };
        self.recovery.insert(statement.recovery, (order, lineage));
        Ok(())
    }

    fn certificate(&mut self, certificate: DeviceCertificate) -> Result<()> {
        self.check_identity(certificate.identity)?;
        let device = certificate.device;
        if let Some(met) = self.devices.get_mut(&device) {
            let renews = certificate.issuer == Issuer::Device(device)
                && certificate.order == met.certificate.order;
            if !renews {
                return Err(broken("a device is in it twice"));
            }
            met.certificate = certificate;
            return Ok(());
        }
        let lineage = match certificate.issuer {
            Issuer::Identity => Vec::new(),
            Issuer::Device(issuer) => {
                let (order, lineage) = self.through(&issuer)?;
                check_order(&certificate, order)?;
                lineage
            }
            Issuer::Recovery(key) => {
                let (order, lineage) = self
                    .recovery
                    .get(&key)
                    .ok_or_else(|| broken("nothing in it names the recovery key"))?;
                check_order(&certificate, *order)?;
                lineage.clone()
            }
        };
        let met = Met {
            enrolled_by: certificate.issuer,
            certificate,
            lineage,
        };
        self.devices.insert(device, met);
        Ok(())
    }

    /// The order of a device met, and the lineage of what it issues.
    fn through(&self, issuer: &DeviceKey) -> Result<(u32, Vec<DeviceKey>)> {
        let met = self
            .devices
            .get(issuer)
            .ok_or_else(|| broken("an issuer stands nowhere before in it"))?;
        let mut lineage = met.lineage.clone();
        lineage.push(*issuer);
        Ok((met.certificate.order, lineage))
    }
}

/// Nobody makes a device senior to itself.
fn check_order(certificate: &DeviceCertificate, issuer: u32) -> Result<()> {
    if certificate.order > issuer {
        return Ok(());
    }
    Err(broken("a device is not junior to the one that issued it"))
}

fn broken(problem: &str) -> Error {
    Error::protocol(format!("device chain: {problem}"))
}

fn too_many(links: usize) -> Error {
    Error::limit(format!(
        "a device chain has {links} links, at most {} are allowed: add new devices with one that \
         was added early",
        limits::CHAIN_LINKS
    ))
}

fn too_large(len: usize) -> Error {
    Error::limit(format!(
        "a device chain has {len} bytes, at most {} are allowed: add new devices with one that \
         was added early",
        DeviceChain::MAX_LEN
    ))
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;

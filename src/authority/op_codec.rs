//! Control operations as bytes: one form per value, a decoder per type.

use super::op::{ControlOp, type_byte as t};
use crate::feed::Dep;
use crate::feed::codec::{Reader, put_bytes, put_varint};
use crate::identity::{DeviceCertificate, DeviceChain, RecoveryStatement, Wrap};
use crate::model::{
    ContentKeyId, DeviceKey, Error, IdentityKey, RecoveryKey, Result, Role, limits,
};

/// Length of a key sealed in a back link: the key and the authentication tag.
pub(super) const LINK_LEN: usize = 48;

impl ControlOp {
    /// The body's bytes; the first says which operation it is.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            ControlOp::Genesis {
                creator,
                certificate,
                display_name,
                nonce,
            } => {
                out.push(t::GENESIS);
                out.extend_from_slice(creator.as_bytes());
                put_bytes(&mut out, certificate);
                put_bytes(&mut out, display_name.as_bytes());
                out.extend_from_slice(nonce);
            }
            ControlOp::SetRole {
                identity,
                role,
                heads,
            } => {
                out.push(t::SET_ROLE);
                out.extend_from_slice(identity.as_bytes());
                out.push(role.map_or(0, |role| role as u8));
                put_heads(&mut out, heads);
            }
            ControlOp::DeviceAdd { certificate } => {
                out.push(t::DEVICE_ADD);
                put_bytes(&mut out, certificate);
            }
            ControlOp::DeviceRevoke { device, heads } => {
                out.push(t::DEVICE_REVOKE);
                out.extend_from_slice(device.as_bytes());
                put_heads(&mut out, heads);
            }
            ControlOp::InviteOpen {
                invitation_key,
                role_cap,
                expires_hint_ms,
            } => {
                out.push(t::INVITE_OPEN);
                out.extend_from_slice(invitation_key);
                out.push(*role_cap as u8);
                out.extend_from_slice(&expires_hint_ms.to_le_bytes());
            }
            ControlOp::InviteClose { invitation_key } => {
                out.push(t::INVITE_CLOSE);
                out.extend_from_slice(invitation_key);
            }
            ControlOp::Join { .. } => self.encode_join(&mut out),
            ControlOp::KeyRotate { .. } | ControlOp::KeyShare { .. } => self.encode_keys(&mut out),
            ControlOp::Merge => out.push(t::MERGE),
            ControlOp::RecoverySet { .. }
            | ControlOp::Succession { .. }
            | ControlOp::NameSet { .. } => {
                self.encode_standing(&mut out);
            }
            ControlOp::Unknown(kind, rest) => {
                out.push(*kind);
                out.extend_from_slice(rest);
            }
        }
        out
    }

    fn encode_join(&self, out: &mut Vec<u8>) {
        if let ControlOp::Join {
            identity,
            display_name,
            certificates,
            role,
            invitation_key,
            signature,
        } = self
        {
            out.push(t::JOIN);
            out.extend_from_slice(identity.as_bytes());
            put_bytes(out, display_name.as_bytes());
            put_varint(out, certificates.len() as u64);
            for certificate in certificates {
                put_bytes(out, certificate);
            }
            out.push(*role as u8);
            out.extend_from_slice(invitation_key);
            out.extend_from_slice(signature);
        }
    }

    fn encode_keys(&self, out: &mut Vec<u8>) {
        match self {
            ControlOp::KeyRotate {
                key_id,
                generation,
                wraps,
                back_link,
            } => {
                out.push(t::KEY_ROTATE);
                out.extend_from_slice(key_id.as_bytes());
                put_varint(out, *generation);
                put_wraps(out, wraps);
                out.push(u8::from(back_link.is_some()));
                if let Some((older, sealed)) = back_link {
                    out.extend_from_slice(older.as_bytes());
                    out.extend_from_slice(sealed);
                }
            }
            ControlOp::KeyShare { key_id, wraps } => {
                out.push(t::KEY_SHARE);
                out.extend_from_slice(key_id.as_bytes());
                put_wraps(out, wraps);
            }
            _ => {}
        }
    }

    fn encode_standing(&self, out: &mut Vec<u8>) {
        match self {
            ControlOp::RecoverySet {
                identity,
                recovery,
                statement,
            } => {
                out.push(t::RECOVERY_SET);
                out.extend_from_slice(identity.as_bytes());
                out.extend_from_slice(recovery.as_bytes());
                put_bytes(out, statement);
            }
            ControlOp::Succession { identity } => {
                out.push(t::SUCCESSION);
                out.extend_from_slice(identity.as_bytes());
            }
            ControlOp::NameSet { display_name } => {
                out.push(t::NAME_SET);
                put_bytes(out, display_name.as_bytes());
            }
            _ => {}
        }
    }

    /// Reads a body. Errors on anything but the one form of a known operation; an unknown type is
    /// kept as [`ControlOp::Unknown`]. Certificates and signatures inside are not verified here.
    pub fn decode(bytes: &[u8]) -> Result<ControlOp> {
        let mut reader = Reader::new(bytes, "control operation");
        let kind = reader.u8()?;
        let limit = match kind {
            t::KEY_ROTATE | t::KEY_SHARE => limits::KEY_ENTRY_BYTES,
            _ => limits::CONTROL_ENTRY_BYTES,
        };
        if bytes.len() > limit {
            return Err(Error::limit(format!(
                "control operation: {} bytes, at most {limit} are allowed",
                bytes.len()
            )));
        }
        let op = match kind {
            0 => return Err(reader.error("type 0 is not used")),
            t::GENESIS => take_genesis(&mut reader)?,
            t::SET_ROLE => ControlOp::SetRole {
                identity: IdentityKey(reader.array()?),
                role: take_optional_role(&mut reader)?,
                heads: take_heads(&mut reader)?,
            },
            t::DEVICE_ADD => ControlOp::DeviceAdd {
                certificate: take_chain(&mut reader)?,
            },
            t::DEVICE_REVOKE => ControlOp::DeviceRevoke {
                device: DeviceKey(reader.array()?),
                heads: take_heads(&mut reader)?,
            },
            t::INVITE_OPEN => ControlOp::InviteOpen {
                invitation_key: reader.array()?,
                role_cap: take_role(&mut reader)?,
                expires_hint_ms: reader.u64()?,
            },
            t::INVITE_CLOSE => ControlOp::InviteClose {
                invitation_key: reader.array()?,
            },
            t::JOIN => take_join(&mut reader)?,
            t::KEY_ROTATE => take_rotate(&mut reader)?,
            t::KEY_SHARE => ControlOp::KeyShare {
                key_id: ContentKeyId(reader.array()?),
                wraps: take_wraps(&mut reader)?,
            },
            t::SUCCESSION => ControlOp::Succession {
                identity: IdentityKey(reader.array()?),
            },
            t::MERGE => ControlOp::Merge,
            t::RECOVERY_SET => ControlOp::RecoverySet {
                identity: IdentityKey(reader.array()?),
                recovery: RecoveryKey(reader.array()?),
                statement: reader.bytes(RecoveryStatement::LEN)?.to_vec(),
            },
            t::NAME_SET => ControlOp::NameSet {
                display_name: reader.text(limits::NAME_CHARS)?,
            },
            other => ControlOp::Unknown(other, reader.take_rest().to_vec()),
        };
        reader.finish()?;
        Ok(op)
    }
}

fn take_genesis(reader: &mut Reader<'_>) -> Result<ControlOp> {
    Ok(ControlOp::Genesis {
        creator: IdentityKey(reader.array()?),
        certificate: take_chain(reader)?,
        display_name: reader.text(limits::NAME_CHARS)?,
        nonce: reader.array()?,
    })
}

fn take_join(reader: &mut Reader<'_>) -> Result<ControlOp> {
    let identity = IdentityKey(reader.array()?);
    let display_name = reader.text(limits::NAME_CHARS)?;
    let count = reader.count(limits::CHAIN_LINKS, "certificates")?;
    let certificates = (0..count)
        .map(|_| take_certificate(reader))
        .collect::<Result<Vec<_>>>()?;
    Ok(ControlOp::Join {
        identity,
        display_name,
        certificates,
        role: take_role(reader)?,
        invitation_key: reader.array()?,
        signature: reader.array()?,
    })
}

fn take_rotate(reader: &mut Reader<'_>) -> Result<ControlOp> {
    let key_id = ContentKeyId(reader.array()?);
    let generation = reader.varint()?;
    let wraps = take_wraps(reader)?;
    let back_link = match reader.u8()? {
        0 => None,
        1 => Some((
            ContentKeyId(reader.array()?),
            reader.take(LINK_LEN)?.to_vec(),
        )),
        _ => return Err(reader.error("a back link is there or not")),
    };
    Ok(ControlOp::KeyRotate {
        key_id,
        generation,
        wraps,
        back_link,
    })
}

fn take_chain(reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    reader.bytes(DeviceChain::MAX_LEN).map(<[u8]>::to_vec)
}

fn take_certificate(reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    reader.bytes(DeviceCertificate::MAX_LEN).map(<[u8]>::to_vec)
}

fn take_role(reader: &mut Reader<'_>) -> Result<Role> {
    take_optional_role(reader)?.ok_or_else(|| reader.error("a role is missing"))
}

fn take_optional_role(reader: &mut Reader<'_>) -> Result<Option<Role>> {
    match reader.u8()? {
        0 => Ok(None),
        number => Role::from_number(u32::from(number))
            .map(Some)
            .ok_or_else(|| reader.error(format!("{number} is not a role"))),
    }
}

fn put_heads(out: &mut Vec<u8>, heads: &[Dep]) {
    put_varint(out, heads.len() as u64);
    for head in heads {
        head.put(out);
    }
}

fn take_heads(reader: &mut Reader<'_>) -> Result<Vec<Dep>> {
    // A head takes at least 49 bytes, so the count cannot promise more than is there.
    let count = reader.count(reader.remaining() / 49, "heads")?;
    let heads = (0..count)
        .map(|_| Dep::take(reader))
        .collect::<Result<Vec<_>>>()?;
    if !heads.is_sorted_by(|a, b| a < b) {
        return Err(reader.error("heads are not in rising order"));
    }
    Ok(heads)
}

fn put_wraps(out: &mut Vec<u8>, wraps: &[Wrap]) {
    put_varint(out, wraps.len() as u64);
    for wrap in wraps {
        wrap.put(out);
    }
}

fn take_wraps(reader: &mut Reader<'_>) -> Result<Vec<Wrap>> {
    let count = reader.count(reader.remaining() / Wrap::ENCODED_LEN, "wraps")?;
    let wraps = (0..count)
        .map(|_| Wrap::take(reader))
        .collect::<Result<Vec<_>>>()?;
    if !wraps.is_sorted_by(|a, b| a.device < b.device) {
        return Err(reader.error("wraps are not in rising order of device"));
    }
    Ok(wraps)
}

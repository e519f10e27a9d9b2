//! CPace, the balanced password-authenticated key exchange of the IRTF's crypto forum
//! (draft-irtf-cfrg-cpace-21), cipher suite CPACE-RISTR255-SHA512, initiator-responder mode, with
//! the key confirmation that the draft describes.
//!
//! Two sides that know one password and one channel get one strong key. A side that guesses gets
//! one guess per run and learns nothing else: not even a recording helps to try passwords later.
//! The function names follow the draft, whose test vectors are checked below.

use crate::model::{Error, Result};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use ring::{digest, hmac};
use zeroize::{Zeroize, Zeroizing};

/// Domain separation of the generator (draft, section 7.2).
const DSI: &[u8] = b"CPaceRistretto255";
/// Domain separation of the session key.
const DSI_ISK: &[u8] = b"CPaceRistretto255_ISK";
/// Domain separation of the confirmation key.
const DSI_MAC: &[u8] = b"CPaceMac";
/// Input block of SHA-512: the password is padded to fill the first one.
const BLOCK_BYTES: usize = 128;

/// Bytes of a public share.
pub const SHARE_BYTES: usize = 32;
/// Bytes of a confirmation tag (HMAC-SHA-512).
pub const TAG_BYTES: usize = 64;

/// Which side of a run this is. The transcript is ordered by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A in the draft: sends its share first.
    Initiator,
    /// B in the draft.
    Responder,
}

/// What both sides must agree on for their keys to agree.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// PRS: the password.
    pub password: &'a [u8],
    /// CI: names the channel and the purpose.
    pub channel: &'a [u8],
    /// sid: names this run.
    pub session_id: &'a [u8],
}

/// A run that waits for the other side's share.
pub struct Run {
    side: Side,
    secret: Zeroizing<Scalar>,
    share: [u8; SHARE_BYTES],
    session_id: Vec<u8>,
    associated_data: Vec<u8>,
}

impl Run {
    /// Starts a run. `associated_data` is this side's own (AD in the draft): public facts that
    /// both sides must see alike. `random` is uniformly random, fresh for each run.
    pub fn start(
        side: Side,
        inputs: Inputs<'_>,
        associated_data: Vec<u8>,
        random: &Zeroizing<[u8; 64]>,
    ) -> Result<Run> {
        let secret = Zeroizing::new(Scalar::from_bytes_mod_order_wide(random));
        Run::with_scalar(side, inputs, associated_data, secret)
    }

    fn with_scalar(
        side: Side,
        inputs: Inputs<'_>,
        associated_data: Vec<u8>,
        secret: Zeroizing<Scalar>,
    ) -> Result<Run> {
        let generator = Zeroizing::new(calculate_generator(inputs));
        let point = Zeroizing::new(*generator * *secret);
        if point.is_identity() {
            return Err(Error::internal(
                "a password exchange was given no randomness",
            ));
        }
        Ok(Run {
            side,
            secret,
            share: point.compress().to_bytes(),
            session_id: inputs.session_id.to_vec(),
            associated_data,
        })
    }

    /// The public share to send.
    pub fn share(&self) -> [u8; SHARE_BYTES] {
        self.share
    }

    /// Ends the run with the other side's share and associated data. A share that is no valid
    /// point, the neutral one, or our own sent back is refused.
    pub fn finish(self, peer_share: &[u8], peer_data: &[u8]) -> Result<Keys> {
        let refuse =
            || Error::protocol("the other side's share of the password exchange is invalid");
        if peer_share == self.share {
            return Err(refuse());
        }
        let k = scalar_mult_vfy(&self.secret, peer_share).ok_or_else(refuse)?;
        let own = lv_cat(&[&self.share, &self.associated_data]);
        let peer = lv_cat(&[peer_share, peer_data]);
        let (first, second) = match self.side {
            Side::Initiator => (&own, &peer),
            Side::Responder => (&peer, &own),
        };
        let head = Zeroizing::new(lv_cat(&[DSI_ISK, &self.session_id, k.as_slice()]));
        let isk = sha512(&[head.as_slice(), first, second]);
        let mac_key = sha512(&[DSI_MAC, &self.session_id, isk.as_slice()]);
        Ok(Keys {
            isk,
            confirmation: hmac::Key::new(hmac::HMAC_SHA512, mac_key.as_slice()),
            own,
            peer,
        })
    }
}

/// What a run yields. Whether the other side has the same is known only after its tag was checked.
pub struct Keys {
    isk: Zeroizing<[u8; 64]>,
    confirmation: hmac::Key,
    own: Vec<u8>,
    peer: Vec<u8>,
}

impl Keys {
    /// The tag that proves to the other side that we have the key.
    pub fn own_tag(&self) -> [u8; TAG_BYTES] {
        let tag = hmac::sign(&self.confirmation, &self.own);
        let mut bytes = [0; TAG_BYTES];
        for (to, from) in bytes.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        bytes
    }

    /// Whether `tag` proves that the other side has the key; takes the same time either way.
    pub fn verify(&self, tag: &[u8]) -> bool {
        hmac::verify(&self.confirmation, &self.peer, tag).is_ok()
    }

    /// ISK: the shared key, to derive others from.
    pub fn isk(&self) -> &[u8; 64] {
        &self.isk
    }
}

/// `generator_string` and `calculate_generator` (draft, sections 7.1 and 7.2).
fn calculate_generator(inputs: Inputs<'_>) -> RistrettoPoint {
    let string = generator_string(inputs);
    let hash = sha512(&[string.as_slice()]);
    // Hashing to the neutral element has probability 2^-252, and `with_scalar` would refuse it.
    RistrettoPoint::from_uniform_bytes(&hash)
}

fn generator_string(inputs: Inputs<'_>) -> Zeroizing<Vec<u8>> {
    let taken = 1 + lv_cat(&[inputs.password]).len() + lv_cat(&[DSI]).len();
    let padding = vec![0; BLOCK_BYTES.saturating_sub(taken)];
    Zeroizing::new(lv_cat(&[
        DSI,
        inputs.password,
        &padding,
        inputs.channel,
        inputs.session_id,
    ]))
}

/// `scalar_mult_vfy`: `None` where the draft returns the neutral element.
fn scalar_mult_vfy(secret: &Scalar, share: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    // Decoding refuses every encoding but the canonical one (RFC 9496, section 4.3.1).
    let point = CompressedRistretto::from_slice(share).ok()?.decompress()?;
    let k = Zeroizing::new(point * secret);
    match k.is_identity() {
        true => None,
        false => Some(Zeroizing::new(k.compress().to_bytes())),
    }
}

/// Concatenates with LEB128 lengths: `lv_cat` and `prepend_len` of the draft.
fn lv_cat(parts: &[&[u8]]) -> Vec<u8> {
    // Enough at once: a vector that grew would leave copies of the password behind.
    let mut bytes = Vec::with_capacity(parts.iter().map(|p| p.len() + 10).sum());
    for part in parts {
        let mut length = part.len();
        while length >= 0x80 {
            bytes.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(part);
    }
    bytes
}

fn sha512(parts: &[&[u8]]) -> Zeroizing<[u8; 64]> {
    let mut context = digest::Context::new(&digest::SHA512);
    for part in parts {
        context.update(part);
    }
    let mut hash = Zeroizing::new([0; 64]);
    for (to, from) in hash.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    hash
}

impl Drop for Run {
    fn drop(&mut self) {
        // The scalar wipes itself; associated data and share are public, but name people.
        self.associated_data.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER_PERMISSIVE;

    fn hex(text: &str) -> Vec<u8> {
        let digits: String = text.split_whitespace().collect();
        HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).unwrap()
    }

    fn scalar(text: &str) -> Zeroizing<Scalar> {
        let bytes = hex(text).try_into().unwrap();
        Zeroizing::new(Scalar::from_canonical_bytes(bytes).unwrap())
    }

    /// Appendix B.3 of draft-irtf-cfrg-cpace-21.
    mod vector {
        pub const CI: &[u8] = b"\x0bA_initiator\x0bB_responder";
        pub const SID: &str = "7e4b4791d6a8ef019b936c79fb7f2c57";
        pub const GENERATOR_STRING: &str = "
            11435061636552697374726574746f3235350850617373776f726464
            00000000000000000000000000000000000000000000000000000000
            00000000000000000000000000000000000000000000000000000000
            00000000000000000000000000000000000000000000000000000000
            00000000000000000000000000000000180b415f696e69746961746f
            720b425f726573706f6e646572107e4b4791d6a8ef019b936c79fb7f
            2c57";
        pub const GENERATOR: &str = "
            222b6b195fe84b1652badb6f6a3ae3d24341e7306967f0b8115b40d5698c7e56";
        pub const A_SECRET: &str = "
            da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08";
        pub const A_SHARE: &str = "
            d6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157";
        pub const B_SECRET: &str = "
            d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d";
        pub const B_SHARE: &str = "
            3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258";
        pub const K: &str = "
            80b69a8a76457ab6a4d7f887a4bf6b55a2f80ac19c333f917a05fc9887c8b40f";
        pub const ISK: &str = "
            b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dc
            ae7b35cd2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c
            3fa2068af7900447";
        pub const VFY_SECRET: &str = "
            7cd0e075fa7955ba52c02759a6c90dbbfc10e6d40aea8d283e407d88cf538a05";
        pub const VFY_POINT: &str = "
            2c3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c";
        pub const VFY_RESULT: &str = "
            7c13645fe790a468f62c39beb7388e541d8405d1ade69d1778c5fe3e7f6b600e";
        pub const VFY_INVALID: &str = "
            2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c";
    }

    #[test]
    fn the_drafts_vectors() {
        let sid = hex(vector::SID);
        let inputs = Inputs {
            password: b"Password",
            channel: vector::CI,
            session_id: &sid,
        };
        assert_eq!(*generator_string(inputs), hex(vector::GENERATOR_STRING));
        let generator = calculate_generator(inputs).compress().to_bytes();
        assert_eq!(generator.to_vec(), hex(vector::GENERATOR));

        let start = |side, secret, data: &[u8]| {
            Run::with_scalar(side, inputs, data.to_vec(), scalar(secret)).unwrap()
        };
        let a = start(Side::Initiator, vector::A_SECRET, b"ADa");
        let b = start(Side::Responder, vector::B_SECRET, b"ADb");
        assert_eq!(a.share().to_vec(), hex(vector::A_SHARE));
        assert_eq!(b.share().to_vec(), hex(vector::B_SHARE));
        let k = scalar_mult_vfy(&a.secret, &b.share()).unwrap();
        assert_eq!(k.to_vec(), hex(vector::K));

        let (a_share, b_share) = (a.share(), b.share());
        let a = a.finish(&b_share, b"ADb").unwrap();
        let b = b.finish(&a_share, b"ADa").unwrap();
        assert_eq!(a.isk().to_vec(), hex(vector::ISK));
        assert_eq!(b.isk().to_vec(), hex(vector::ISK));
        assert!(a.verify(&b.own_tag()) && b.verify(&a.own_tag()));
    }

    #[test]
    fn the_drafts_valid_and_invalid_points() {
        let secret = scalar(vector::VFY_SECRET);
        let vfy = |point: &[u8]| scalar_mult_vfy(&secret, point).map(|k| k.to_vec());
        assert_eq!(vfy(&hex(vector::VFY_POINT)), Some(hex(vector::VFY_RESULT)));
        assert_eq!(vfy(&hex(vector::VFY_INVALID)), None);
        assert_eq!(vfy(&[0; 32]), None);
        assert_eq!(vfy(&[0xff; 32]), None);
        assert_eq!(vfy(&[1; 31]), None);
        assert_eq!(vfy(&[]), None);
    }

    #[derive(Clone)]
    struct Setup {
        password: &'static [u8],
        channel: &'static [u8],
        session_id: &'static [u8],
        own: &'static [u8],
        peer: &'static [u8],
    }

    const SETUP: Setup = Setup {
        password: b"123456",
        channel: b"channel",
        session_id: b"run",
        own: b"A",
        peer: b"B",
    };

    fn run(setup: &Setup, side: Side, seed: u8) -> Run {
        let inputs = Inputs {
            password: setup.password,
            channel: setup.channel,
            session_id: setup.session_id,
        };
        let random = Zeroizing::new([seed; 64]);
        Run::start(side, inputs, setup.own.to_vec(), &random).unwrap()
    }

    fn exchange(a: &Setup, b: &Setup) -> (Keys, Keys) {
        let (run_a, run_b) = (run(a, Side::Initiator, 1), run(b, Side::Responder, 2));
        let (share_a, share_b) = (run_a.share(), run_b.share());
        (
            run_a.finish(&share_b, a.peer).unwrap(),
            run_b.finish(&share_a, b.peer).unwrap(),
        )
    }

    #[test]
    fn any_difference_in_the_inputs_gives_different_keys() {
        let b = Setup {
            own: b"B",
            peer: b"A",
            ..SETUP
        };
        let (left, right) = exchange(&SETUP, &b);
        assert_eq!(left.isk(), right.isk());
        assert!(left.verify(&right.own_tag()) && right.verify(&left.own_tag()));
        assert!(
            !left.verify(&left.own_tag()),
            "a tag does not work reflected"
        );
        for different in [
            Setup {
                password: b"123457",
                ..b.clone()
            },
            Setup {
                channel: b"other",
                ..b.clone()
            },
            Setup {
                session_id: b"nur",
                ..b.clone()
            },
            Setup {
                own: b"C",
                ..b.clone()
            },
            Setup {
                peer: b"C",
                ..b.clone()
            },
        ] {
            let (left, right) = exchange(&SETUP, &different);
            assert_ne!(left.isk(), right.isk());
            assert!(!left.verify(&right.own_tag()) && !right.verify(&left.own_tag()));
        }
        let tag = right.own_tag();
        assert!(!left.verify(&tag[..63]) && !left.verify(&[]));
    }

    #[test]
    fn reflected_shares_and_missing_randomness_are_refused() {
        let a = run(&SETUP, Side::Initiator, 1);
        let own = a.share();
        assert!(a.finish(&own, b"B").is_err());
        let inputs = Inputs {
            password: b"123456",
            channel: b"",
            session_id: b"",
        };
        let none = Zeroizing::new([0; 64]);
        assert!(Run::start(Side::Initiator, inputs, Vec::new(), &none).is_err());
    }

    #[test]
    fn lengths_are_leb128() {
        assert_eq!(lv_cat(&[&[], b"ab"]), [0, 2, b'a', b'b']);
        let long = lv_cat(&[&[7; 300]]);
        assert_eq!(long.get(..3), Some([0xac, 0x02, 7].as_slice()));
        assert_eq!(long.len(), 302);
    }
}

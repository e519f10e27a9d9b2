//! Vectors of others for what sessions are made of: X25519 of Project Wycheproof, and the handshake
//! of the one Noise pattern.

use super::*;
use data_encoding::HEXLOWER;
use serde_json::Value;

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("a hexadecimal field");
    HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
}

fn array(value: &Value) -> [u8; 32] {
    hex(value).try_into().expect("32 bytes")
}

fn resolver(ephemeral: [u8; 32]) -> Resolver {
    Resolver {
        ephemeral: Arc::new(Mutex::new(Some(Zeroizing::new(ephemeral)))),
    }
}

#[test]
fn wycheproof_x25519_and_no_zero_secret() {
    let json = include_str!("../../tests/vectors/wycheproof_x25519.json");
    let tests: Vec<Value> = serde_json::from_str(json).expect("the file is JSON");
    assert_eq!(tests.len(), 518);
    let mut zeros = 0;
    for test in &tests {
        let mut dh = resolver([0; 32])
            .resolve_dh(&DHChoice::Curve25519)
            .expect("the curve is there");
        dh.set(&hex(&test["private"]));
        let mut shared = [0; 32];
        let agreed = dh.dh(&hex(&test["public"]), &mut shared);
        let expected = array(&test["shared"]);
        if expected == [0; 32] {
            zeros += 1;
            assert!(agreed.is_err(), "{test}");
        } else {
            assert!(agreed.is_ok() && shared == expected, "{test}");
        }
    }
    assert!(zeros > 0);
}

#[test]
fn noise_xx() {
    let json = include_str!("../../tests/vectors/noise_xx.json");
    let vectors: Vec<Value> = serde_json::from_str(json).expect("the file is JSON");
    let vector = &vectors[0];
    assert_eq!(vector["protocol_name"], PATTERN);
    let side = |role: &str| {
        let resolver = resolver(array(&vector[format!("{role}_ephemeral")]));
        let (key, prologue) = (
            hex(&vector[format!("{role}_static")]),
            hex(&vector[format!("{role}_prologue")]),
        );
        let params: NoiseParams = PATTERN.parse().expect("the pattern is known");
        let builder = snow::Builder::with_resolver(params, Box::new(resolver))
            .local_private_key(&key)
            .and_then(|b| b.prologue(&prologue))
            .expect("the keys fit");
        match role {
            "init" => builder.build_initiator(),
            _ => builder.build_responder(),
        }
        .expect("the keys fit")
    };
    let messages = vector["messages"].as_array().expect("a list");
    let (mut writer, mut reader) = (side("init"), side("resp"));
    let mut buffer = [0; 256];
    for message in &messages[..3] {
        let length = writer
            .write_message(&hex(&message["payload"]), &mut buffer)
            .expect("it is this side's turn");
        assert_eq!(buffer[..length], hex(&message["ciphertext"]));
        let mut payload = [0; 256];
        let read = reader
            .read_message(&buffer[..length], &mut payload)
            .expect("it verifies");
        assert_eq!(payload[..read], hex(&message["payload"]));
        std::mem::swap(&mut writer, &mut reader);
    }
    assert_eq!(writer.get_handshake_hash(), hex(&vector["handshake_hash"]));
    let mut writer = writer.into_transport_mode().expect("the handshake is over");
    let mut reader = reader.into_transport_mode().expect("the handshake is over");
    for message in &messages[3..] {
        let length = writer
            .write_message(&hex(&message["payload"]), &mut buffer)
            .expect("it fits");
        assert_eq!(buffer[..length], hex(&message["ciphertext"]));
        let mut payload = [0; 256];
        let read = reader
            .read_message(&buffer[..length], &mut payload)
            .expect("it verifies");
        assert_eq!(payload[..read], hex(&message["payload"]));
        std::mem::swap(&mut writer, &mut reader);
    }
}

//! `blob`.

use crate::common::{Profile, Signal, string};
use crate::pairing::pair;
use serde_json::json;

#[test]
fn a_file_goes_in_and_comes_out_here_and_through_serve() {
    let profile = Profile::new("Ann");
    let file = profile.root().join("photo");
    let bytes: Vec<u8> = (0..300_000_u32).map(|i| (i / 100) as u8).collect();
    std::fs::write(&file, &bytes).unwrap();
    for serve in [false, true] {
        let _serving = serve.then(|| profile.serve());
        // A name relative to where the user is, whoever reads the file.
        let output = profile
            .command(&["--json", "blob", "put", "default", "photo"])
            .current_dir(profile.root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let put: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let id = string(&put, "blob");
        assert_eq!(
            (&put["size"], &put["held"], &put["whole"]),
            (&json!(300_000), &json!(300_000), &json!(true))
        );
        let out = profile.root().join("copy");
        profile.one(&["blob", "get", "default", &id, out.to_str().unwrap()]);
        assert_eq!(std::fs::read(&out).unwrap(), bytes);
        assert_eq!(profile.one(&["blob", "info", "default", &id]), put);
        assert_eq!(profile.one(&["blob", "info", "default"]), put);
        let object = profile.add(&json!({"photo": {"@blob": id, "size": 300_000}}).to_string());
        let kept = profile.one(&["blob", "collect", "default", "--grace", "0"]);
        assert_eq!((&kept["blobs"], &kept["bytes"]), (&json!(0), &json!(0)));
        profile.one(&["rm", "default", &object]);
        let gone = profile.one(&["blob", "collect", "default", "--grace", "0"]);
        assert_eq!(gone["blobs"], 1);
        assert_eq!(profile.failure(&["blob", "info", "default", &id]).0, 3);
        let out = out.to_str().unwrap();
        assert_eq!(profile.failure(&["blob", "get", "default", &id, out]).0, 3);
        let fetch = ["blob", "fetch", "default", &id, "--timeout", "0"];
        assert_eq!(profile.failure(&fetch).0, 5, "nobody is connected");
    }
    assert_eq!(
        profile.failure(&["blob", "put", "default", "/no/such"]).0,
        3
    );
}

#[test]
fn a_blob_is_fetched_from_who_serves_it() {
    let signal = Signal::start();
    let (host, guest) = (
        Profile::with_signal("Ann", &signal),
        Profile::with_signal("Bob", &signal),
    );
    let space = pair(&host, &guest);
    let file = host.root().join("photo");
    std::fs::write(&file, vec![7; 500_000]).unwrap();
    let put = host.one(&["blob", "put", &space, file.to_str().unwrap()]);
    let id = string(&put, "blob");
    let _serving = host.serve();
    let fetched = guest.one(&["blob", "fetch", &space, &id]);
    assert_eq!(
        (&fetched["held"], &fetched["whole"]),
        (&json!(500_000), &json!(true))
    );
    let out = guest.root().join("photo");
    guest.one(&["blob", "get", &space, &id, out.to_str().unwrap()]);
    assert_eq!(std::fs::read(out).unwrap(), vec![7; 500_000]);
}

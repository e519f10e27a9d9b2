//! The C header.

use std::path::Path;

/// Where the C header is checked in.
pub const PATH: &str = "include/echodb.h";

/// The order in which a reader meets the types; each file is one of them. A file
/// that is left out is noticed by `tests/c_abi.rs`, which compares the header with the library.
const ORDER: &[&str] = &[
    "status",
    "library",
    "error",
    "buffer",
    "callback",
    "log",
    "operation",
    "client_options",
    "client",
    "encryption",
    "space",
    "space_members",
    "space_keys",
    "space_why",
    "space_objects",
    "space_search",
    "space_texts",
    "space_history",
    "space_branches",
    "space_check",
    "queries",
    "transfer",
    "space_blobs",
    "blob_writer",
    "blob_fetch",
    "space_schemas",
    "transaction",
    "transaction_system",
    "transaction_terms",
    "subscription",
    "live_query",
    "invitation_options",
    "invitation",
    "invitations",
    "devices",
    "credentials",
    "recovery",
];

/// The C header as it should be: the projection in `src/ffi`, the essay on manners before it, and
/// the version of the workspace.
pub fn text(root: &Path) -> String {
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml"))
        .expect("cbindgen.toml is checked in and well-formed");
    config.header = Some(include_str!("essay.txt").trim_end().to_owned());
    config.after_includes = Some(version_macros(&echodb::library_version()));
    let sources = ORDER
        .iter()
        .map(|name| root.join(format!("src/ffi/{name}.rs")));
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in sources {
        builder = builder.with_src(source);
    }
    let mut text = Vec::new();
    builder
        .generate()
        .expect("src/ffi is Rust that cbindgen reads")
        .write(&mut text);
    String::from_utf8(text).expect("cbindgen writes UTF-8")
}

fn version_macros(version: &str) -> String {
    let parts: Vec<u32> = version
        .split('.')
        .map(|part| part.parse().expect("a version of three numbers"))
        .collect();
    let [major, minor, patch] = parts[..] else {
        panic!("{version} is not a version of three numbers");
    };
    let number = major * 1_000_000 + minor * 1_000 + patch;
    format!(
        "\n/** Version of this header; `echodb_version()` is that of the library. */\n\
         #define ECHODB_VERSION \"{version}\"\n\
         #define ECHODB_VERSION_MAJOR {major}\n\
         #define ECHODB_VERSION_MINOR {minor}\n\
         #define ECHODB_VERSION_PATCH {patch}\n\
         /** MAJOR * 1000000 + MINOR * 1000 + PATCH, to be compared with. */\n\
         #define ECHODB_VERSION_NUMBER {number}"
    )
}

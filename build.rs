//! Gives the shared library its SONAME: programs linked against one binary interface must not be
//! loaded with another.

/// `ECHODB_ABI_VERSION` of `src/ffi/library.rs`; `tests/c_abi.rs` compares the two.
const ABI_VERSION: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let system = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if system == "linux" {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libechodb.so.{ABI_VERSION}");
    }
}

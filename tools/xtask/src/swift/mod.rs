//! The Swift package: the compiler, the package laid out with bindings from the pinned generator,
//! its tests, and the programs that the conformance test and the benchmarks start.

mod archive;
mod package;
mod toolchain;

use crate::native;
use crate::run::Outcome;
use std::path::Path;

pub use toolchain::{Found, Toolchain, find};

const USAGE: &str = "usage: cargo xtask swift toolchain | generate FOLDER | build | test | peer \
                     | bench [--profile PROFILE]";

/// One of the chores; see [`USAGE`].
pub fn main(root: &Path, args: &[String]) -> Outcome<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["toolchain"] => show(&toolchain::require()?),
        ["generate", out] => {
            native::generate(root, uniffi::TargetLanguage::Swift, Path::new(out))?;
        }
        ["build"] => {
            let package = package::lay_out(root, "dev")?;
            package::build(root, &toolchain::require()?, &package)?;
            println!("{}", package.display());
        }
        ["test"] => package::test(root, &toolchain::require()?)?,
        ["peer"] => package::peer(root, &toolchain::require()?)?,
        ["bench"] => package::bench(root, &toolchain::require()?, "dev")?,
        ["bench", "--profile", profile] => {
            package::bench(root, &toolchain::require()?, profile)?;
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

fn show(toolchain: &Toolchain) {
    match toolchain {
        Toolchain::OnPath => println!("swift on the PATH"),
        Toolchain::Rooted(place) => println!("{}", place.display()),
    }
}

//! `cargo xtask golden`: the databases of this release, for the tests of all later ones (G18).

use innsync_e2e::golden::{folder, write};

use crate::cargo::{build, heading};

pub(crate) fn run() -> Result<(), String> {
    build()?;
    heading("a day of ana's phone");
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let written = runtime.block_on(write(&folder()))?;
    match written.is_empty() {
        true => anstream::println!("nothing is missing in tests/golden"),
        false => anstream::println!("written to tests/golden: {}", written.join(", ")),
    }
    Ok(())
}

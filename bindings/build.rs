//! Tells the library which face it has: a digest of the sources that declare it; and the linker how to make it small.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src");
    let mut sources: Vec<PathBuf> =
        fs::read_dir("src")?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    sources.sort();
    let mut digest = Fnv::default();
    for source in sources {
        digest.add(source.to_string_lossy().as_bytes());
        digest.add(&fs::read(&source)?);
    }
    println!("cargo::rustc-env=INNSYNC_FACADE_DIGEST={:016x}", digest.0);
    link_small();
    Ok(())
}

/// Functions of the same code become one (nothing here tells functions apart by their address), where the linker is LLVM's, as
/// it is in Rust's targets for Android and for Linux on x86-64. Android 6 and later read packed relocations, too.
fn link_small() {
    let target = |name: &str| std::env::var(name).unwrap_or_default();
    let options = match (target("CARGO_CFG_TARGET_OS").as_str(), target("CARGO_CFG_TARGET_ARCH").as_str()) {
        ("android", _) => "--icf=all,--pack-dyn-relocs=android",
        ("linux", "x86_64") => "--icf=all",
        _ => return,
    };
    println!("cargo::rustc-link-arg-cdylib=-Wl,{options}");
}

/// FNV-1a: against mistakes, not against people.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

//! `cargo xtask bindings`: builds the face of the core, writes the Kotlin and Swift that belong to it, and puts the
//! libraries where the two packages look for them.

mod digest;
mod kotlin;
mod swift;

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX, EXE_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args as ClapArgs;

use crate::cargo::{build, built, cargo, root, step};

/// How to build.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Builds the library that ships: optimised for size, without symbols. Without it, as for tests.
    #[arg(long)]
    release: bool,
}

/// The profile of the library that ships.
const SHIPPING: &str = "shipping";

/// What generated sources say of a library that they were not written for.
const OTHER_BUILD: &str =
    "the native library and the generated code are of different builds: run `cargo xtask bindings`";

pub(crate) fn run(args: &Args) -> Result<(), String> {
    if args.release {
        return ship().map(drop);
    }
    build()?;
    generate(&built()?)
}

/// Builds the library that ships, writes what belongs to it, and says where it is.
pub(crate) fn ship() -> Result<PathBuf, String> {
    build()?;
    step(
        "the library that ships",
        &mut cargo(&["build", "--profile", SHIPPING, "--package", "innsync-ffi"]),
    )?;
    let libraries = built()?.with_file_name(SHIPPING);
    generate(&libraries)?;
    Ok(libraries)
}

/// Writes both languages' sources from the library in that folder, and copies the libraries.
pub(crate) fn generate(libraries: &Path) -> Result<(), String> {
    let fresh = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let library = libraries.join(format!("{DLL_PREFIX}innsync_ffi{DLL_SUFFIX}"));
    let bindgen = built()?.join(format!("innsync-bindgen{EXE_SUFFIX}"));
    for language in ["kotlin", "swift"] {
        let mut command = Command::new(&bindgen);
        command
            .args(["generate", "--no-format", "--language", language, "--out-dir"])
            .arg(fresh.path())
            .arg(&library)
            .current_dir(root());
        step(&format!("bindings for {language}"), &mut command)?;
    }

    let digest = digest::of(&fs::read(&library).map_err(|error| format!("{}: {error}", library.display()))?)?;
    let kotlin = read(&fresh.path().join("dev/innsync/core/innsync_ffi.kt"))?;
    write(
        &root().join("android/core/src/generated/kotlin/dev/innsync/core/innsync_ffi.kt"),
        &kotlin::mended(&kotlin, &digest)?,
    )?;

    let package = root().join("ios/InnSyncKit");
    let swift = read(&fresh.path().join("InnSyncCore.swift"))?;
    write(&package.join("Sources/InnSyncCore/InnSyncCore.swift"), &swift::mended(&swift, &digest)?)?;
    let header = read(&fresh.path().join("InnSyncCoreFFI.h"))?;
    write(&package.join("Sources/InnSyncCoreFFI/InnSyncCoreFFI.h"), &swift::mended_header(&header)?)?;
    // The generated one asks for a module that Linux does not have.
    let modulemap = "module InnSyncCoreFFI {\n    header \"InnSyncCoreFFI.h\"\n    export *\n}\n";
    write(&package.join("Sources/InnSyncCoreFFI/module.modulemap"), modulemap)?;
    // Alone in its folder: beside it the linker would prefer the shared one.
    copy(&libraries.join("libinnsync_ffi.a"), &package.join("lib/libinnsync_ffi.a"))?;
    anstream::println!(
        "written: android/core/src/generated, ios/InnSyncKit/Sources/InnSyncCore*, ios/InnSyncKit/lib"
    );
    Ok(())
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// Writes a file unless it is so already: what is built from it then need not be built again.
fn write(file: &Path, text: &str) -> Result<(), String> {
    if fs::read_to_string(file).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, text))
        .map_err(|error| format!("{}: {error}", file.display()))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::copy(from, to))
        .map(drop)
        .map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}

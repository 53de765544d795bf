//! The Kotlin and the Swift part of `cargo xtask test`: what they need is installed where that is allowed, and else
//! named.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo::{built, root, step};

/// The release of Kotlin's format checker.
const KTLINT: &str = "1.8.0";

/// Builds and tests the Kotlin library with Maven, on the JVM; and its reference, where that is wanted.
pub(crate) fn kotlin(reference: bool) -> Result<(), String> {
    needs_kotlin()?;
    let mut verify = maven(&built()?);
    verify.arg("verify").env("INNSYNC_SERVER", server()?);
    if reference {
        verify.arg("--activate-profiles=reference");
    }
    step("tests of the Kotlin library", &mut verify)?;

    let tools = std::path::absolute(root().join("target/tools")).map_err(|error| error.to_string())?;
    let mut fetch = Command::new("mvn");
    fetch
        .args(["--batch-mode", "--no-transfer-progress", "--quiet"])
        .arg("org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy")
        .arg(format!("-Dartifact=com.pinterest.ktlint:ktlint-cli:{KTLINT}:jar:all"))
        .arg(format!("-DoutputDirectory={}", tools.display()))
        .current_dir(root());
    step("ktlint, fetched", &mut fetch)?;
    let mut ktlint = Command::new("java");
    ktlint
        .arg("-jar")
        .arg(tools.join(format!("ktlint-cli-{KTLINT}-all.jar")))
        .args(["**/*.kt", "**/*.kts"])
        .current_dir(root().join("android"));
    step("format of the Kotlin library", &mut ktlint)
}

/// Sees to it that Kotlin can be built.
pub(crate) fn needs_kotlin() -> Result<(), String> {
    needs(&["java", "mvn"], &["default-jdk-headless", "maven"], "kotlin")
}

/// Maven on the Kotlin library, with the native library of that folder.
pub(crate) fn maven(libraries: &Path) -> Command {
    let mut maven = Command::new("mvn");
    maven
        .args(["--batch-mode", "--no-transfer-progress", "--file", "android/pom.xml"])
        .arg(format!("-Dinnsync.native={}", libraries.display()))
        .current_dir(root());
    maven
}

/// Sees to it that Swift is there.
pub(crate) fn needs_swift() -> Result<(), String> {
    let mut install = Command::new(root().join("ios/install-swift.sh"));
    step("Swift 6, installed where it is missing", &mut install).map_err(|error| {
        format!("{error}; install Swift 6 so that `swift` is found, or leave this part out with --skip swift")
    })
}

/// Builds and tests the Swift package, and looks at its format; and builds its reference, where that is wanted.
pub(crate) fn swift(reference: bool) -> Result<(), String> {
    needs_swift()?;
    let mut test = Command::new(root().join("ios/test.sh"));
    test.env("INNSYNC_SERVER", server()?).env("INNSYNC_SCENARIOS", root().join("tests/scenarios"));
    step("tests and format of the Swift package", &mut test)?;
    if reference {
        step("reference of the Swift package", &mut Command::new(root().join("ios/reference.sh")))?;
    }
    Ok(())
}

fn server() -> Result<PathBuf, String> {
    Ok(built()?.join("innsync-server"))
}

/// Sees to it that the programs are there: by the packages of a Debian machine, where that is allowed.
fn needs(programs: &[&str], packages: &[&str], part: &str) -> Result<(), String> {
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !runs(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let what = format!("{} not found", missing.join(" and "));
    let by_hand =
        format!("{what}: install {}, or leave this part out with --skip {part}", packages.join(" and "));
    if !may_install() {
        return Err(by_hand);
    }
    let mut apt = Command::new("sh");
    apt.env("DEBIAN_FRONTEND", "noninteractive").args([
        "-c",
        &format!("apt-get update -q && apt-get install -qy --no-install-recommends {}", packages.join(" ")),
    ]);
    step(&format!("{what}: installed from the machine's own packages"), &mut apt).map_err(|_| by_hand)
}

fn runs(program: &str) -> bool {
    let version = if program == "java" { "-version" } else { "--version" };
    let mut command = Command::new(program);
    command.arg(version).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// On a Debian machine, as root.
fn may_install() -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    root && Path::new("/usr/bin/apt-get").exists()
}

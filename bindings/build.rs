//! Linker options that make the library smaller, where the linker is LLVM's, as it is in Rust's Linux and Android targets.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(name).unwrap_or_default();
    // Functions of the same code become one. Nothing in here tells functions apart by their address.
    if matches!(target("CARGO_CFG_TARGET_OS").as_str(), "linux" | "android")
        && target("CARGO_CFG_TARGET_ARCH") == "x86_64"
        || target("CARGO_CFG_TARGET_OS") == "android"
    {
        println!("cargo:rustc-link-arg-cdylib=-Wl,--icf=all");
    }
}

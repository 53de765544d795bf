//! The binding generator of the uniffi release that `innsync-ffi` is built with: run by `cargo xtask bindings`.

fn main() {
    uniffi::uniffi_bindgen_main();
}

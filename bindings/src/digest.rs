//! Which face this library has. Generated sources carry the same, and refuse to work with a library that has another:
//! uniffi's own checksums do not cover the fields of records and the variants of enums.

use std::ffi::c_char;

/// What `cargo xtask bindings` looks for in the library, and the end of a C string.
static DIGEST: &str = concat!("innsync-facade-digest:", env!("INNSYNC_FACADE_DIGEST"), "\0");

/// The digest, as a C string that lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn innsync_facade_digest() -> *const c_char {
    DIGEST.as_ptr().cast()
}

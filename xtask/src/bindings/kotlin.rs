//! What is mended in the Kotlin that uniffi writes. Each fails when uniffi's templates have changed.

/// The sources with all that is mended.
pub(super) fn mended(source: &str, digest: &str) -> Result<String, String> {
    let source = with_checks(&with_status_pool(source)?, digest)?;
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    let (mut messages, mut objects) = (0, 0);
    for at in 0..lines.len() {
        if with_message(&lines, at) {
            let indent = lines[at].len() - lines[at].trim_start().len();
            lines[at] = format!("{}get() = messageOf(this)", " ".repeat(indent));
            messages += 1;
        } else if lines[at].starts_with("    object ")
            && lines[at].contains(" : ")
            && lines[at].ends_with("()")
        {
            lines[at].insert_str(4, "data ");
            objects += 1;
        }
    }
    if messages == 0 || objects == 0 {
        return Err(changed("exceptions or objects"));
    }
    Ok(lines.join("\n") + "\n")
}

/// The text of an exception is the core's, instead of its fields one after the other.
fn with_message(lines: &[String], at: usize) -> bool {
    at > 0
        && lines[at - 1].trim() == "override val message"
        && lines[at].trim_start().starts_with("get() = \"")
}

const EACH_CALL: &str = "    var status = UniffiRustCallStatus()
    val return_value = callback(status)
    uniffiCheckCallStatus(errorHandler, status)
    return return_value
}
";
const POOLED: &str = "    val pool = uniffiStatusPool.get()
    val status = pool.acquire()
    try {
        val return_value = callback(status)
        if (status.pointer.getByte(0) != UNIFFI_CALL_SUCCESS) {
            status.read()
            uniffiCheckCallStatus(errorHandler, status)
        }
        return return_value
    } finally {
        pool.release()
    }
}
";

/// Making a status structure for each call is most of what a call costs: here they are used again.
fn with_status_pool(source: &str) -> Result<String, String> {
    if source.matches(EACH_CALL).count() != 1 {
        return Err(changed("calls"));
    }
    Ok(source.replace(EACH_CALL, POOLED))
}

const CHECKS: &str = "        uniffiCheckContractApiVersion(this)
";
const LOADS: &str = "        Native.register(UniffiLib::class.java, ";
const CHECKED: &str = "internal object IntegrityCheckingUniffiLib {
";

/// uniffi writes checks that nothing calls. Here they are made before the first call, and first of all it is checked that
/// the library has the face that the sources were written for.
fn with_checks(source: &str, digest: &str) -> Result<String, String> {
    if [CHECKS, LOADS, CHECKED].iter().any(|it| source.matches(it).count() != 1) {
        return Err(changed("its checks"));
    }
    let other = super::OTHER_BUILD;
    let check = format!(
        "        check(innsync_facade_digest() == \"{digest}\") {{\n            \"{other}\"\n        }}\n"
    );
    let source = source
        .replace(CHECKS, &(check + CHECKS))
        .replace(LOADS, &format!("        IntegrityCheckingUniffiLib.ensureInitialized()\n{LOADS}"))
        .replace(CHECKED, &format!("{CHECKED}    external fun innsync_facade_digest(): String\n\n"));
    without_checksums(&source)
}

const CHECKSUM: &str = "    external fun uniffi_innsync_ffi_checksum_";

/// Nobody asks for uniffi's checksums (`uniffi.toml`), but each is looked up in the library when it is loaded.
fn without_checksums(source: &str) -> Result<String, String> {
    let mut kept = String::with_capacity(source.len());
    let mut lines = source.lines();
    let mut left_out = 0;
    while let Some(line) = lines.next() {
        if line.starts_with(CHECKSUM) {
            left_out += 1;
            if lines.next() != Some("    ): Int") {
                return Err(changed("checksums"));
            }
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    if left_out == 0 { Err(changed("checksums")) } else { Ok(kept) }
}

fn changed(what: &str) -> String {
    format!("uniffi writes {what} in another way now: see xtask/src/bindings/kotlin.rs")
}

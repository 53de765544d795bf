//! What is mended in the Swift that uniffi writes. Each fails when uniffi's templates have changed.

/// The sources, which check at the first call that the library has the face that they were written for.
pub(super) fn mended(source: &str, digest: &str) -> Result<String, String> {
    let checked = format!(
        "{CHECKS}    // Before all else, and without what is to be checked.
    if String(cString: innsync_facade_digest()) != \"{digest}\" {{
        return InitializationResult.otherBuild
    }}
"
    );
    let source = once(source, CHECKS, &checked)?;
    let source = once(&source, RESULTS, &format!("{RESULTS}    case otherBuild\n"))?;
    once(
        &source,
        FAILS,
        &format!("    case .otherBuild:\n        fatalError(\"{}\")\n{FAILS}", super::OTHER_BUILD),
    )
}

/// The C header, with the function that is not uniffi's.
pub(super) fn mended_header(header: &str) -> Result<String, String> {
    once(header, BEFORE, &format!("{BEFORE}\nconst char *_Nonnull innsync_facade_digest(void);\n"))
}

const BEFORE: &str = "#include <stdint.h>\n";
const CHECKS: &str = "private let initializationResult: InitializationResult = {\n";
const RESULTS: &str = "private enum InitializationResult {\n    case ok\n";
const FAILS: &str = "    case .contractVersionMismatch:\n";

fn once(source: &str, what: &str, by: &str) -> Result<String, String> {
    if source.matches(what).count() != 1 {
        return Err("uniffi writes its checks in another way now: see xtask/src/bindings/swift.rs".to_owned());
    }
    Ok(source.replace(what, by))
}

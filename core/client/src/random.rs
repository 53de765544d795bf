//! Random bytes from the operating system, and ids made of them.

use innsync_domain::{Timestamp, Uuid};

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Err(error) = getrandom::fill(&mut bytes) {
        // Unheard of on the platforms we ship to; time still keeps ids apart.
        tracing::error!(%error, "the system gives no random bytes");
        let nanos =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
        bytes.iter_mut().zip(nanos.to_le_bytes().iter().cycle()).for_each(|(byte, nano)| *byte = *nano);
    }
    bytes
}

/// A random number.
pub(crate) fn number() -> u64 {
    u64::from_le_bytes(bytes())
}

/// `bytes` random bytes (at most 16) in hexadecimal.
pub(crate) fn hex(count: usize) -> String {
    bytes::<16>().iter().take(count).map(|byte| format!("{byte:02x}")).collect()
}

/// A UUID version 7 (RFC 9562) of that moment.
pub(crate) fn id(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.as_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes()).into_uuid()
}

//! Passwords: argon2id (RFC 9106).

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};

use super::key::AuthError;
use super::secret::{Secret, random_bytes};

/// Characters of a password.
const SHORTEST: usize = 4;
const LONGEST: usize = 1_000;

/// Whether somebody may have that password; else what one is like.
pub(crate) fn check_password(password: &str) -> Result<(), String> {
    match password.chars().count() {
        SHORTEST..=LONGEST => Ok(()),
        _ => Err(format!("a password has {SHORTEST} to {LONGEST} characters; choose another")),
    }
}

/// Whether somebody may sign in with that name; else what one is like.
pub(crate) fn check_login(person: &str) -> Result<(), String> {
    match person.is_empty() || person.chars().any(|it| it.is_whitespace() || it.is_control()) {
        false => Ok(()),
        true => Err("the name to sign in with has no spaces in it and is not empty, as maria".to_owned()),
    }
}

/// Hashes passwords and checks them. Slow on purpose: to be called where waiting is allowed.
pub struct Passwords {
    nobodys: String,
}

impl Passwords {
    /// With the crate's parameters: 19 MiB, two passes, one lane.
    pub fn new() -> Result<Self, AuthError> {
        let nobodys = Self::hash(&Secret::new("nobody's password".to_owned()))?;
        Ok(Self { nobodys })
    }

    /// The hash to be stored, with its salt and parameters (PHC string).
    pub fn hash(password: &Secret) -> Result<String, AuthError> {
        let failed = |error: argon2::password_hash::Error| AuthError::Hash(error.to_string());
        let salt = SaltString::encode_b64(&random_bytes::<16>()?).map_err(failed)?;
        let hash = Argon2::default().hash_password(password.expose().as_bytes(), &salt).map_err(failed)?;
        Ok(hash.to_string())
    }

    /// Whether the password is right. Of somebody who is not there (`None`) it never is, and takes as long to say.
    pub fn verify(&self, password: &Secret, hash: Option<&str>) -> bool {
        let known = hash.is_some();
        let right = PasswordHash::new(hash.unwrap_or(&self.nobodys))
            .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok());
        right && known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_of_somebody_who_is_there_is_right() {
        let passwords = Passwords::new().unwrap();
        let secret = |text: &str| Secret::new(text.to_owned());
        let hash = Passwords::hash(&secret("demo")).unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(passwords.verify(&secret("demo"), Some(&hash)));
        assert!(!passwords.verify(&secret("Demo"), Some(&hash)));
        assert!(!passwords.verify(&secret("nobody's password"), None));
        assert!(!passwords.verify(&secret("demo"), Some("not a hash")));
    }
}

//! How somebody signs in who is added by `POST /v1/employees`: with `person` and `password` beside the employee's fields.
//! A manager may do that, and nobody else: of others' requests no password is hashed and no name is looked up.

use innsync_domain::{Role, Timestamp, Uuid};
use innsync_protocol::Problem;
use serde::Deserialize;

use super::reply::Refused;
use super::state::Shared;
use crate::api::{ApiAnswer, Caller};
use crate::auth::{Passwords, Secret};
use crate::authority::Authority;
use crate::ledger::LedgerError;
use crate::reader::Reader;

#[derive(Deserialize)]
struct Body {
    person: Option<String>,
    password: Option<String>,
}

#[derive(Deserialize)]
struct Created {
    id: Uuid,
}

/// What a new employee will sign in with.
pub(super) struct Login {
    person: String,
    password_hash: String,
}

/// Reads it from the body of a `POST` to the employees, if it is there, and hashes the password.
pub(super) async fn login(
    shared: &Shared,
    caller: &Caller,
    path: &str,
    body: &[u8],
) -> Result<Option<Login>, Refused> {
    if path.trim_end_matches('/') != "/v1/employees" {
        return Ok(None);
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body { person: Some(person), password: Some(password) })
            if !person.is_empty() && !password.is_empty() =>
        {
            check_manager(shared, caller).await?;
            let permit = shared.hashing.acquire().await.map_err(|_| Refused::internal())?;
            let hash = tokio::task::spawn_blocking(move || Passwords::hash(&Secret::new(password)));
            let hash = hash.await.map_err(|_| Refused::internal())?;
            drop(permit);
            Ok(Some(Login { person, password_hash: hash.map_err(|_| Refused::internal())? }))
        }
        Ok(Body { person: None, password: None }) | Err(_) => Ok(None),
        Ok(_) => {
            Err(Refused::new(422, "INVALID_FIELD", "person and password go together, and neither is empty."))
        }
    }
}

async fn check_manager(shared: &Shared, caller: &Caller) -> Result<(), Refused> {
    let caller = caller.clone();
    let is_manager = shared.readers.run(move |reader| is_manager(reader, &caller)).await?;
    match is_manager.map_err(|error| Refused::from(crate::api::problem_of(&error)))? {
        true => Ok(()),
        false => Err(Refused::new(403, "FORBIDDEN", "Only managers add people who can sign in.")),
    }
}

fn is_manager(reader: &Reader, caller: &Caller) -> Result<bool, LedgerError> {
    let person = reader.person(&caller.property, caller.employee)?;
    let person = person.ok_or(LedgerError::NoSuchPerson(caller.employee))?;
    Ok(person.role == Role::Manager)
}

impl Login {
    /// Refuses a name that somebody else has, before anything is written. Who is no manager any more is left to the
    /// rules, which refuse them.
    pub(super) fn check(
        &self,
        authority: &Authority,
        caller: &Caller,
        now: Timestamp,
        idempotency_key: Option<&str>,
    ) -> Option<ApiAnswer> {
        let kept = |key| authority.kept_answer(now, &caller.property, caller.employee, key);
        if idempotency_key.is_some_and(|key| matches!(kept(key), Ok(Some(_)))) {
            return None;
        }
        let taken = is_manager(authority.read(), caller).and_then(|is_manager| match is_manager {
            true => Ok(authority.read().credentials(&caller.property, &self.person)?.is_some()),
            false => Ok(false),
        });
        match taken {
            Ok(false) => None,
            Ok(true) => {
                let detail = "Somebody signs in with that name already; choose another.";
                let problem = Problem {
                    field: Some("person".to_owned()),
                    ..Problem::new(422, "ALREADY_EXISTS", detail)
                };
                Some(ApiAnswer::problem(&problem))
            }
            Err(error) => Some(ApiAnswer::problem(&crate::api::problem_of(&error))),
        }
    }

    /// Lets the new employee sign in, whom `answer` has just created.
    pub(super) fn store(&self, authority: &mut Authority, caller: &Caller, answer: &ApiAnswer) {
        let Ok(Created { id }) = serde_json::from_str(&answer.body) else { return };
        if answer.status == 201
            && let Err(error) =
                authority.set_credentials(&caller.property, &self.person, id, &self.password_hash)
        {
            tracing::error!(%error, employee = %id, "a new employee cannot sign in; set their password again");
        }
    }
}

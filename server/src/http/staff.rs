//! How somebody signs in who is added by `POST /v1/employees`: with `person` and `password` beside the employee's fields.
//! A manager may do that, and nobody else: of others' requests no password is hashed and no name is looked up.

use innsync_domain::Role;

use super::reply::Refused;
use super::state::Shared;
use crate::api::{Body, Caller, invalid};
use crate::auth::{Passwords, Secret, check_login, check_password};
use crate::authority::NewLogin;
use crate::ledger::LedgerError;
use crate::reader::Reader;

/// Reads it from the body of a `POST` to the employees, if it is there, and hashes the password.
pub(super) async fn login(
    shared: &Shared,
    caller: &Caller,
    path: &str,
    body: &[u8],
) -> Result<Option<NewLogin>, Refused> {
    if path.trim_end_matches('/') != "/v1/employees" {
        return Ok(None);
    }
    // What else may be wrong with it is said where the rest of it is read.
    let Ok(mut body) = Body::read(body) else { return Ok(None) };
    let (person, password) = match (body.maybe::<String>("person")?, body.maybe::<String>("password")?) {
        (Some(person), Some(password)) => (person, password),
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(invalid("person", "person is missing; password needs it.").into()),
        (Some(_), None) => return Err(invalid("password", "password is missing; person needs it.").into()),
    };
    check_login(&person).map_err(|why| invalid("person", format!("person: {why}.")))?;
    check_password(&password).map_err(|why| invalid("password", format!("password: {why}.")))?;
    check_manager(shared, caller).await?;
    let permit = shared.hashing.acquire().await.map_err(|_| Refused::internal())?;
    let hash = tokio::task::spawn_blocking(move || Passwords::hash(&Secret::new(password)));
    let hash = hash.await.map_err(|_| Refused::internal())?;
    drop(permit);
    Ok(Some(NewLogin { person, password_hash: hash.map_err(|_| Refused::internal())? }))
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

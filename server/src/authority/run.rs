//! Commands from REST: several of one request are one commit or none.

use std::fmt;

use innsync_domain::{
    Command, Context, Edit, Entity, EntityKind, EntityRef, FieldConflict, Fields, Intent, Person, Settles,
    Timestamp, Uuid, overridden,
};
use innsync_protocol::{EntityRow, Problem};
use serde_json::Value;

use super::draft::Draft;
use super::writer::{Origin, Writer};
use super::{Authority, Committed, losses};
use crate::ledger::{Credentials, KeptAnswer, LedgerError};
use crate::ledger::{answers, credentials, entities};
use crate::reader::{as_seen, person};

/// How commands are run.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// What the caller believes is there.
    pub expected: Option<Expected>,
    /// The entity that the answer shows; left out: the first command's.
    pub about: Option<EntityRef>,
    /// The caller said `force`: what was expected is not checked, and the commit says so.
    pub forced: bool,
    /// A PATCH whose caller did not say which version they saw: what others wrote counts as unseen.
    pub blind: bool,
    /// How the employee that the answer shows, who is new, will sign in.
    pub login: Option<NewLogin>,
}

/// How somebody new on the staff will sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct NewLogin {
    /// The name they sign in with, `ana`.
    pub person: String,
    /// The hash of their password, as the edge made it.
    pub password_hash: String,
}

// What holds a secret prints without it.
impl fmt::Debug for NewLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewLogin(..)")
    }
}

/// What the caller of a PATCH believes is there.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Which entity.
    pub entity: EntityRef,
    /// The version that they saw.
    pub version: u64,
    /// The fields that they want, for the problem that names those in conflict.
    pub wanted: Fields,
}

/// What came of commands that were accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct RunAnswer {
    /// The entity that it is about, as the actor may see it. `None`: deleted, or out of their sight.
    pub entity: Option<Entity>,
    /// The commit; none for no commands.
    pub committed: Option<Committed>,
}

/// Keeps the answer under an Idempotency-Key, in the same transaction.
pub(crate) struct Keep<'a> {
    pub(crate) key: &'a str,
    pub(crate) render: &'a dyn Fn(&Result<RunAnswer, Problem>) -> KeptAnswer,
}

impl Authority {
    /// Runs the commands, all or none, as one commit.
    pub fn run(
        &mut self,
        now: Timestamp,
        property: &str,
        actor: Uuid,
        commands: &[Command],
        options: &RunOptions,
    ) -> Result<Result<RunAnswer, Problem>, LedgerError> {
        self.run_and_keep(now, property, actor, commands, options, None)
    }

    pub(crate) fn run_and_keep(
        &mut self,
        now: Timestamp,
        property: &str,
        actor: Uuid,
        commands: &[Command],
        options: &RunOptions,
        keep: Option<Keep<'_>>,
    ) -> Result<Result<RunAnswer, Problem>, LedgerError> {
        let Self { ledger, random } = self;
        let operation = random.uuid_v7(now);
        let transaction = ledger.begin()?;
        let mut writer = Writer::open(&transaction, random, property, now)?;
        let answer = match person(&transaction, property, actor)? {
            Some(actor) => decide(&mut writer, &actor, commands, options, operation)?,
            None => return Err(LedgerError::NoSuchPerson(actor)),
        };
        let mut committed = writer.finish()?;
        let answer = answer.map(|entity| RunAnswer { entity, committed: committed.pop() });
        if let Some(keep) = keep {
            answers::put(&transaction, property, actor, keep.key, now, &(keep.render)(&answer))?;
        }
        transaction.commit()?;
        Ok(answer)
    }
}

fn decide(
    writer: &mut Writer<'_>,
    actor: &Person,
    commands: &[Command],
    options: &RunOptions,
    operation: Uuid,
) -> Result<Result<Option<Entity>, Problem>, LedgerError> {
    let (connection, property, now) = (writer.connection(), writer.property(), writer.now());
    let mut draft = Draft::new(connection, &property);
    if let Some(expected) = &options.expected
        && !options.forced
        && let Some(problem) = stale(&draft, writer, actor, expected)?
    {
        return Ok(Err(problem));
    }
    if !options.forced
        && let Some(problem) = moved_on(&draft, writer, actor, commands)?
    {
        return Ok(Err(problem));
    }
    for (index, command) in commands.iter().enumerate() {
        // Each command of a request has an id of its own, so that what rules create gets different ones.
        let operation =
            if index == 0 { operation } else { innsync_domain::derived_id(operation, &index.to_string()) };
        if let Err(rejection) = draft.run(command, operation, actor, now)? {
            return Ok(Err(Problem::from_rejection(&rejection)));
        }
    }
    let intent = Intent { at: now, certain: true };
    if options.forced || options.blind || restored(commands).is_some() {
        record_overwritten(&mut draft, writer, actor, commands, options, operation)?;
    }
    // After the rules have let it through: nobody else learns which names are taken.
    if let Some(login) = &options.login
        && credentials::get(connection, &property, &login.person)?.is_some()
    {
        return Ok(Err(login_taken()));
    }
    let primary = options.about.clone().or_else(|| commands.first().map(Command::primary));
    if !commands.is_empty() {
        let origin = Origin { by: actor.id, forced: options.forced, operation, intent };
        writer.commit(origin, draft.into_changes())?;
    }
    let Some(primary) = primary else { return Ok(Ok(None)) };
    if let Some(NewLogin { person, password_hash }) = options.login.clone() {
        let new = Credentials { login: person, employee: primary.id, password_hash };
        credentials::set(connection, &property, &new)?;
    }
    let actor = person(connection, &property, actor.id)?.unwrap_or_else(|| actor.clone());
    let entity = Draft::new(connection, &property).get(&primary)?;
    Ok(Ok(entity.and_then(|entity| as_seen(entity, &actor))))
}

fn login_taken() -> Problem {
    let detail = "Somebody signs in with that name already; choose another.";
    Problem { field: Some("person".to_owned()), ..Problem::new(422, "ALREADY_EXISTS", detail) }
}

/// Whoever forces an edit, or makes it blindly, puts other people's values aside without having seen them; whoever restores a
/// value has seen the one that the record names.
fn record_overwritten(
    draft: &mut Draft<'_>,
    writer: &Writer<'_>,
    actor: &Person,
    commands: &[Command],
    options: &RunOptions,
    operation: Uuid,
) -> Result<(), LedgerError> {
    let (connection, property, now) = (writer.connection(), writer.property(), writer.now());
    let Some(command) = commands.first() else { return Ok(()) };
    let primary = command.primary();
    let stamps = entities::stamps(connection, &property, &primary)?;
    let context = Context { operation, actor, at: now };
    let mut base = Fields::new();
    if let Some((field, kept)) = restored_over(draft, commands)? {
        base.insert(field, kept);
    }
    let edit = Edit {
        command,
        context: &context,
        intent: Intent { at: now, certain: true },
        base: &base,
        base_version: options.expected.as_ref().filter(|it| it.entity == primary).map(|it| it.version),
        force: options.forced,
        settles: &Settles::default(),
        policies: &writer.policies(),
        stamps: &stamps,
    };
    let lost = overridden(&edit, draft.changes());
    losses::record(draft, connection, &property, operation, &primary, lost, now)
}

/// The record, the thing and its field that a call restores a value of.
fn restored(commands: &[Command]) -> Option<(Uuid, EntityRef, &String)> {
    match commands.first() {
        Some(Command::RestoreValue { conflict_id, entity_type, entity_id, field, .. }) => {
            Some((*conflict_id, EntityRef::new(entity_type.clone(), *entity_id), field))
        }
        _ => None,
    }
}

/// The field, and the value that its record says took the place of what is to be restored.
fn restored_over(draft: &Draft<'_>, commands: &[Command]) -> Result<Option<(String, Value)>, LedgerError> {
    let Some((record, _, field)) = restored(commands) else { return Ok(None) };
    let record = draft.get(&EntityRef::new(EntityKind::Conflict, record))?;
    Ok(record.and_then(|record| record.field("kept")).map(|kept| (field.clone(), kept)))
}

/// The problem of a value that is to be restored, and that was changed once more since it lost.
fn moved_on(
    draft: &Draft<'_>,
    writer: &Writer<'_>,
    actor: &Person,
    commands: &[Command],
) -> Result<Option<Problem>, LedgerError> {
    let Some((_, about, field)) = restored(commands) else { return Ok(None) };
    let Some((_, kept)) = restored_over(draft, commands)? else { return Ok(None) };
    let Some(Command::RestoreValue { value, .. }) = commands.first() else { return Ok(None) };
    let Some(current) = draft.get(&about)?.and_then(|entity| as_seen(entity, actor)) else { return Ok(None) };
    let theirs = current.field(field).unwrap_or(Value::Null);
    // Restored already: the answer was lost, and it is asked once more.
    if theirs == kept || theirs == *value {
        return Ok(None);
    }
    let stamps = entities::stamps(writer.connection(), &writer.property(), &about)?;
    let stamp = stamps.0.get(field);
    let detail = format!(
        "{field} was changed once more since your value lost. Look at `current`, then restore it with \"force\": true."
    );
    let conflict = FieldConflict {
        field: field.clone(),
        base: kept,
        mine: value.clone(),
        theirs,
        by: stamp.map(|stamp| stamp.by),
        at: stamp.map(|stamp| stamp.at),
        policy: Some(writer.policies().of(&about.kind, field)),
    };
    Ok(Some(Problem {
        fields: vec![conflict],
        entity: Some(about),
        current: Some(EntityRow(current)),
        ..Problem::new(409, "VERSION_CONFLICT", detail)
    }))
}

/// The problem of a version that is not the current one. What the actor may not see is left to the rules, which say
/// NOT_FOUND.
fn stale(
    draft: &Draft<'_>,
    writer: &Writer<'_>,
    actor: &Person,
    expected: &Expected,
) -> Result<Option<Problem>, LedgerError> {
    let Some(current) = draft.get(&expected.entity)?.and_then(|entity| as_seen(entity, actor)) else {
        return Ok(None);
    };
    if current.version() == expected.version {
        return Ok(None);
    }
    let detail = format!(
        "The {} has version {}, not {}: somebody changed it meanwhile. Look at `current`, then send your change again \
         with that version, or with \"force\": true.",
        expected.entity.kind,
        current.version(),
        expected.version
    );
    let stamps = entities::stamps(writer.connection(), &writer.property(), &expected.entity)?;
    let policies = writer.policies();
    let fields = expected.wanted.iter().filter_map(|(field, mine)| {
        let theirs = current.field(field).unwrap_or(Value::Null);
        let stamp = stamps.0.get(field).filter(|stamp| stamp.version > expected.version)?;
        let conflict = FieldConflict {
            field: field.clone(),
            base: Value::Null,
            mine: mine.clone(),
            theirs,
            by: Some(stamp.by),
            at: Some(stamp.at),
            policy: Some(policies.of(&expected.entity.kind, field)),
        };
        (conflict.mine != conflict.theirs).then_some(conflict)
    });
    Ok(Some(Problem {
        fields: fields.collect(),
        entity: Some(expected.entity.clone()),
        current: Some(EntityRow(current)),
        ..Problem::new(409, "VERSION_CONFLICT", detail)
    }))
}

//! What a call comes to: commands, and how their outcome is told.

use innsync_domain::{Command, Entity, EntityRef, Timestamp, Uuid};
use innsync_protocol::Problem;

use super::body::Body;
use crate::authority::Expected;
use crate::random::SeededRandom;

/// What was asked, ready to be run.
#[derive(Debug)]
pub(super) struct Plan {
    /// The entity that the call is about.
    pub(super) about: EntityRef,
    /// All or none of these. None: everything is as it was asked to be.
    pub(super) commands: Vec<Command>,
    pub(super) expected: Option<Expected>,
    pub(super) forced: bool,
    /// A PATCH that does not say which version its author saw.
    pub(super) blind: bool,
    pub(super) shape: Shape,
}

/// How the outcome is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// 201 with the entity and its Location.
    Created,
    /// 200 with the entity.
    Changed,
    /// 204.
    Deleted,
}

/// Where new ids come from.
pub(crate) struct Ids<'a> {
    pub(crate) random: &'a mut SeededRandom,
    pub(crate) now: Timestamp,
}

impl Ids<'_> {
    /// The id that the caller chose, or a new one.
    pub(super) fn chosen(&mut self, body: &mut Body) -> Result<Uuid, Problem> {
        Ok(body.maybe("id")?.unwrap_or_else(|| self.random.uuid_v7(self.now)))
    }
}

impl Plan {
    /// A creation.
    pub(super) fn create(commands: Vec<Command>, about: EntityRef, body: Body) -> Result<Self, Problem> {
        body.finish(None)?;
        Ok(Self { about, commands, expected: None, forced: false, blind: false, shape: Shape::Created })
    }

    /// A change, with `version` and `force` if the body has them. `current`: the entity as the caller sees it, of a PATCH
    /// with its fields.
    pub(super) fn change(
        commands: Vec<Command>,
        about: EntityRef,
        mut body: Body,
        current: Option<&Entity>,
    ) -> Result<Self, Problem> {
        let wanted = body.taken().clone();
        let version: Option<u64> = body.maybe("version")?;
        let forced = body.maybe("force")?.unwrap_or(false);
        let is_stale = |current: &Entity| version.is_some_and(|version| version != current.version());
        // A stale version says more than the fields that differ because of it.
        if forced || !current.is_some_and(is_stale) {
            body.finish(current)?;
        }
        let expected = version.map(|version| Expected { entity: about.clone(), version, wanted });
        let blind = current.is_some() && version.is_none();
        Ok(Self { about, commands, expected, forced, blind, shape: Shape::Changed })
    }
}

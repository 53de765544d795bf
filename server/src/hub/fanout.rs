//! One commit on its way to many sockets: projected once for each kind of viewer, written once for each distinct frame.
//!
//! What somebody may see depends on role, department and duty, and on who they are only where the commit names them. So
//! a thousand housekeepers share one projection and one text, unless they are named.

use std::collections::{BTreeMap, BTreeSet};

use innsync_domain::{Audience, Department, Entity, EntityKind, Person, Role, Uuid, derive, project};
use innsync_protocol::{Commit, Cursor, Delta, ServerFrame, limits};

use super::io::Text;
use super::rooms::Room;
use crate::authority::Committed;
use crate::view::view_commit;

/// People between whom the projection cannot tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Somebody whom the commit names.
    Named(Uuid),
    /// Anybody else.
    Anyone { role: Role, department: Department, is_on_duty: bool },
}

/// What one class of viewers sees of a commit.
struct View {
    before: Person,
    commit: Option<Commit>,
    after: Person,
    scope_changed: bool,
    deltas: Vec<(u64, Frame)>,
    events: Option<Vec<Text>>,
}

/// What a commit is to one viewer.
pub(super) struct Seen<'a> {
    /// Somebody whom the commit changes may see and do other things after it.
    pub(super) changed_person: Option<&'a Person>,
    /// Role or department have changed: what was sent before is no longer the whole picture.
    pub(super) scope_changed: bool,
    /// There is nothing in it for this viewer.
    pub(super) is_empty: bool,
}

/// A DELTA as it can be sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Frame {
    /// As it is.
    Whole(Text),
    /// It is over [`limits::FRAME_BYTES`]. In its place an empty one from its end on: the phone notices that the range
    /// before is missing and pulls it over HTTP, where nothing is too large.
    Gap(Text),
}

impl Frame {
    pub(super) fn text(&self) -> &Text {
        match self {
            Self::Whole(text) | Self::Gap(text) => text,
        }
    }
}

/// Writes a DELTA.
pub(super) fn write(delta: Delta) -> Frame {
    let end = Cursor { epoch: delta.epoch, seq: delta.to, mark: delta.mark };
    let text = ServerFrame::Delta(delta).to_json();
    if text.len() <= limits::FRAME_BYTES {
        return Frame::Whole(text.into());
    }
    Frame::Gap(gap(end))
}

/// An empty DELTA that begins and ends there: whoever is not there yet pulls what is missing.
pub(super) fn gap(at: Cursor) -> Text {
    let Cursor { epoch, seq, mark } = at;
    let (commits, results) = (Vec::new(), Vec::new());
    ServerFrame::Delta(Delta { epoch, from: seq, to: seq, mark, commits, results, more: false, digest: None })
        .to_json()
        .into()
}

/// One commit on its way.
pub(super) struct Fanout<'a> {
    committed: &'a Committed,
    epoch: u64,
    named: BTreeSet<Uuid>,
    views: BTreeMap<Class, View>,
}

impl<'a> Fanout<'a> {
    pub(super) fn new(committed: &'a Committed, epoch: u64) -> Self {
        Self { committed, epoch, named: named(committed), views: BTreeMap::new() }
    }

    /// What the commit is to a viewer.
    pub(super) fn seen(&mut self, viewer: &Person) -> Seen<'_> {
        let is_named = self.named.contains(&viewer.id);
        let is_author = self.is_answered(viewer.id);
        let view = self.view(viewer);
        Seen {
            changed_person: is_named.then_some(&view.after),
            scope_changed: view.scope_changed,
            is_empty: view.commit.is_none() && !is_author,
        }
    }

    /// The frame for a viewer's InnSync connection that stands at `from`.
    pub(super) fn delta(&mut self, viewer: &Person, from: u64) -> Frame {
        let Committed { seq, mark, .. } = *self.committed;
        let epoch = self.epoch;
        let results = match &self.committed.result {
            Some((author, result)) if *author == viewer.id => vec![result.clone()],
            _ => Vec::new(),
        };
        let view = self.view(viewer);
        if let Some((_, frame)) = view.deltas.iter().find(|(written, _)| *written == from) {
            return frame.clone();
        }
        let commits = view.commit.iter().cloned().collect();
        let frame = write(Delta { epoch, from, to: seq, mark, commits, results, more: false, digest: None });
        view.deltas.push((from, frame.clone()));
        frame
    }

    /// The seed's events for a viewer, in order.
    pub(super) fn events(&mut self, viewer: &Person) -> &[Text] {
        let (by, at) = (self.committed.by, self.committed.at);
        let changes = &self.committed.changes;
        let View { before, after, commit, scope_changed, events, .. } = self.view(viewer);
        events.get_or_insert_with(|| {
            // The seed knows no RESET: of a change of their own role its clients are told as of any other.
            let own: Vec<_> = match scope_changed {
                true => changes.iter().filter_map(|change| project(change, before, after)).collect(),
                false => Vec::new(),
            };
            let seen = commit.iter().flat_map(|commit| &commit.changes).chain(&own);
            let events = seen.flat_map(|change| derive(change, by, at, before.id));
            events.map(|event| event.to_json().to_string().into()).collect()
        })
    }

    /// The rooms that the commit concerns.
    pub(super) fn rooms(&self) -> BTreeSet<Room> {
        let mut rooms = BTreeSet::from([Room::AllStaff]);
        for change in self.committed.changes.iter() {
            for entity in [&change.before, &change.after].into_iter().flatten() {
                rooms.insert(Room::Kind(entity.kind()));
                rooms.insert(Room::Entity(entity.reference()));
                if let Entity::Task(task) = entity
                    && let Some(department) = &task.department
                {
                    rooms.insert(Room::Department(department.clone()));
                }
                if let Entity::Notification(notification) = entity {
                    rooms.insert(Room::User(notification.recipient_id));
                }
            }
        }
        rooms
    }

    /// Whether the commit takes somebody off the staff.
    pub(super) fn dismisses(&self, person: Uuid) -> bool {
        self.named.contains(&person)
            && self.committed.changes.iter().any(|change| {
                change.after.is_none()
                    && change
                        .before
                        .as_ref()
                        .is_some_and(|it| it.kind() == EntityKind::Employee && it.id() == person)
            })
    }

    fn is_answered(&self, person: Uuid) -> bool {
        self.committed.result.as_ref().is_some_and(|(author, _)| *author == person)
    }

    fn view(&mut self, viewer: &Person) -> &mut View {
        let Person { id, role, department, is_on_duty } = viewer;
        let class = if self.named.contains(id) {
            Class::Named(*id)
        } else {
            Class::Anyone { role: role.clone(), department: department.clone(), is_on_duty: *is_on_duty }
        };
        let committed = self.committed;
        self.views.entry(class).or_insert_with(|| {
            let (commit, after, scope_changed) = view_commit(committed, viewer);
            View { before: viewer.clone(), commit, after, scope_changed, deltas: Vec::new(), events: None }
        })
    }
}

/// Everybody whose own sight may differ from that of others of their role: see [`innsync_domain::may_see`] and
/// [`innsync_domain::redact`].
fn named(committed: &Committed) -> BTreeSet<Uuid> {
    let mut people: BTreeSet<Uuid> = committed.result.iter().map(|(author, _)| *author).collect();
    let entities = committed.changes.iter().flat_map(|change| [&change.before, &change.after]).flatten();
    for entity in entities {
        match entity {
            Entity::Task(task) => people.extend([task.created_by].into_iter().chain(task.assigned_to)),
            Entity::Note(note) => {
                people.insert(note.created_by);
                if let Audience::People { people: readers } = &note.audience {
                    people.extend(readers);
                }
            }
            Entity::Notification(notification) => people.extend([notification.recipient_id]),
            Entity::Conflict(conflict) => people.extend([conflict.lost_by]),
            Entity::Alert(alert) => {
                people.insert(alert.raised_by);
                people.extend(alert.acknowledgements.iter().map(|it| it.employee_id));
            }
            Entity::Employee(employee) => people.extend([employee.id]),
            Entity::Suite(_) | Entity::Announcement(_) | Entity::Shift(_) => {}
        }
    }
    people
}

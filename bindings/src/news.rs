//! What happened, and what must be shown or sounded.

use std::collections::HashMap;

use innsync_client::{ClientEvent, Timestamp, Uuid};

use crate::entities::{Alert, Announcement, Comment, Entity, EntityRef, Notification, Shift, Task};
use crate::mirror::{ToShell, choice, record};
use crate::vocabulary::{EmployeeStatus, TaskStatus};

record!(
    /// Something that the shell shows or sounds, once.
    Effect = innsync_client::Effect {
        /// Its id, from what caused it: the same cause never gives another.
        id: Uuid,
        /// When it arose, by the phone's clock.
        at: Timestamp,
        /// What to do.
        body: EffectBody,
    }
);
choice!(
    /// How a toast looks.
    ToastLevel = innsync_client::ToastLevel {
        /// News.
        Info,
        /// Something went well.
        Success,
        /// Look at it.
        Warning,
        /// Something went wrong.
        Error,
    }
);

/// What to show or sound. Texts are message keys with arguments, for the shell to say in the person's language.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum EffectBody {
    /// A short message.
    Toast {
        /// How it looks.
        level: ToastLevel,
        /// The message's key: `suite.created`, `task.assigned`, `connection.lost`, …
        key: String,
        /// Its arguments by name.
        args: HashMap<String, String>,
        /// Milliseconds on the screen.
        duration_ms: u32,
    },
    /// The emergency screen, until acknowledged.
    EmergencyModal {
        /// The alert.
        alert_id: Uuid,
        /// Its heading.
        title: String,
        /// What is the matter.
        message: String,
    },
    /// An emergency does not concern this person any more (resolved, acknowledged, out of sight): its screen goes, its sound
    /// ends. May also come where neither was shown.
    EmergencyOver {
        /// The alert.
        alert_id: Uuid,
    },
    /// A sound.
    Sound {
        /// `task-assigned` or `emergency`.
        name: String,
        /// Whether it goes on until stopped.
        looping: bool,
    },
    /// A system notification, for when the app is in the background.
    SystemNotification {
        /// The message's key.
        key: String,
        /// Its arguments by name.
        args: HashMap<String, String>,
    },
}

impl ToShell for innsync_client::EffectBody {
    type Shell = EffectBody;
    fn to_shell(self) -> EffectBody {
        match self {
            Self::Toast { level, key, args, duration_ms } => {
                EffectBody::Toast { level: level.to_shell(), key, args: args.to_shell(), duration_ms }
            }
            Self::EmergencyModal { alert_id, title, message } => {
                EffectBody::EmergencyModal { alert_id, title, message }
            }
            Self::EmergencyOver { alert_id } => EffectBody::EmergencyOver { alert_id },
            Self::Sound { name, looping } => EffectBody::Sound { name, looping },
            Self::SystemNotification { key, args } => {
                EffectBody::SystemNotification { key, args: args.to_shell() }
            }
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Event {
    /// The name that the wire has for it: `connected`, `disconnected`, `error`, `reconnect_failed`, `notification`, or
    /// a type as `TASK_ASSIGNED`.
    pub name: String,
    /// What it is.
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum EventBody {
    /// The server took the connection.
    Connected,
    /// The connection ended.
    Disconnected {
        /// The close code (RFC 6455 §7.4); 1006 where the link broke.
        code: u16,
        /// The reason.
        reason: String,
    },
    /// Something went wrong, for a log.
    Failed {
        /// What.
        detail: String,
    },
    /// A mistake in InnSync; it goes on from what is on disk.
    BugFound {
        /// What the log has, too; to be told to support.
        id: String,
    },
    /// Connecting has failed for long; it is tried further.
    ReconnectFailed,
    /// Something is new, or came into the person's sight.
    EntityCreated {
        /// It.
        entity: Entity,
        /// Who did it.
        by: Uuid,
        /// When.
        at: Timestamp,
    },
    /// Fields changed.
    EntityUpdated {
        /// Of what.
        entity: EntityRef,
        /// The fields as they were, a JSON object.
        before: String,
        /// The fields as they are, a JSON object.
        after: String,
        /// Who did it.
        by: Uuid,
        /// When.
        at: Timestamp,
    },
    /// Something is gone, or went out of the person's sight.
    EntityDeleted {
        /// What.
        entity: EntityRef,
        /// Who did it.
        by: Uuid,
        /// When.
        at: Timestamp,
    },
    /// A task was given to somebody.
    TaskAssigned {
        /// The task.
        task: Task,
        /// To whom.
        assigned_to: Uuid,
        /// Who did it.
        by: Uuid,
        /// When.
        at: Timestamp,
    },
    /// A task has come further.
    TaskStatusChanged {
        /// Which one.
        task_id: Uuid,
        /// What it was.
        old_status: TaskStatus,
        /// What it is.
        new_status: TaskStatus,
        /// Who did it.
        by: Uuid,
        /// When.
        at: Timestamp,
    },
    /// Somebody does something else now.
    EmployeeStatusChanged {
        /// Who.
        employee_id: Uuid,
        /// What it was.
        old_status: EmployeeStatus,
        /// What it is.
        new_status: EmployeeStatus,
        /// Whether they are at work.
        is_on_duty: bool,
        /// When.
        at: Timestamp,
    },
    /// Somebody said something to a note.
    NoteCommentAdded {
        /// Which note.
        note_id: Uuid,
        /// What.
        comment: Comment,
        /// When.
        at: Timestamp,
    },
    /// There is news for the person.
    NotificationReceived {
        /// It.
        notification: Notification,
        /// When.
        at: Timestamp,
    },
    /// There is an emergency.
    EmergencyRaised {
        /// The alert.
        alert: Alert,
        /// When.
        at: Timestamp,
    },
    /// All staff are told something.
    Announced {
        /// What.
        announcement: Announcement,
        /// When.
        at: Timestamp,
    },
    /// The shift changed.
    ShiftChanged {
        /// How.
        shift: Shift,
        /// When.
        at: Timestamp,
    },
    /// A frame of a type that this release does not know.
    OtherFrame {
        /// Its whole JSON text.
        json: String,
    },
}

impl ToShell for ClientEvent {
    type Shell = Event;
    fn to_shell(self) -> Event {
        let name = self.name().to_owned();
        let body = match self {
            Self::Connected => EventBody::Connected,
            Self::Disconnected { code, reason } => EventBody::Disconnected { code, reason },
            Self::Error { detail } => EventBody::Failed { detail },
            Self::Bug { id } => EventBody::BugFound { id },
            Self::ReconnectFailed => EventBody::ReconnectFailed,
            Self::Domain(event) => event.to_shell(),
            Self::Other { text, .. } => EventBody::OtherFrame { json: text },
        };
        Event { name, body }
    }
}

impl ToShell for innsync_client::Event {
    type Shell = EventBody;
    fn to_shell(self) -> EventBody {
        match self {
            Self::EntityCreated { entity, created_by: by, timestamp: at } => {
                EventBody::EntityCreated { entity: entity.to_shell(), by, at }
            }
            Self::EntityUpdated { entity, before, after, updated_by: by, timestamp: at } => {
                EventBody::EntityUpdated {
                    entity: entity.to_shell(),
                    before: before.to_shell(),
                    after: after.to_shell(),
                    by,
                    at,
                }
            }
            Self::EntityDeleted { entity, deleted_by: by, timestamp: at } => {
                EventBody::EntityDeleted { entity: entity.to_shell(), by, at }
            }
            Self::TaskAssigned { task, assigned_to, assigned_by: by, timestamp: at } => {
                EventBody::TaskAssigned { task: task.to_shell(), assigned_to, by, at }
            }
            Self::TaskStatusChanged { task_id, old_status, new_status, changed_by: by, timestamp: at } => {
                EventBody::TaskStatusChanged {
                    task_id,
                    old_status: old_status.to_shell(),
                    new_status: new_status.to_shell(),
                    by,
                    at,
                }
            }
            Self::EmployeeStatusChanged {
                employee_id,
                old_status,
                new_status,
                is_on_duty,
                timestamp: at,
            } => EventBody::EmployeeStatusChanged {
                employee_id,
                old_status: old_status.to_shell(),
                new_status: new_status.to_shell(),
                is_on_duty,
                at,
            },
            Self::NoteCommentAdded { note_id, comment, timestamp: at } => {
                EventBody::NoteCommentAdded { note_id, comment: comment.to_shell(), at }
            }
            Self::Notification { notification, timestamp: at } => {
                EventBody::NotificationReceived { notification: notification.to_shell(), at }
            }
            Self::EmergencyAlert { alert, timestamp: at } => {
                EventBody::EmergencyRaised { alert: alert.to_shell(), at }
            }
            Self::SystemAnnouncement { announcement, timestamp: at } => {
                EventBody::Announced { announcement: announcement.to_shell(), at }
            }
            Self::ShiftChange { shift, timestamp: at } => {
                EventBody::ShiftChanged { shift: shift.to_shell(), at }
            }
        }
    }
}

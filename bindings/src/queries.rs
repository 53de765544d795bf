//! Queries, and what changes of their results.

use innsync_client::{Timestamp, Uuid};

use crate::entities::Entity;
use crate::mirror::{ToCore, ToShell};
use crate::vocabulary::{
    Department, EmployeeStatus, EntityKind, NotificationPriority, Priority, Severity, SuiteStatus, TaskStatus,
};

/// Which entities, and in which order. All conditions must hold.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Query {
    /// Of which kind.
    pub kind: EntityKind,
    /// Of which these hold.
    #[uniffi(default = [])]
    pub conditions: Vec<Condition>,
    /// In which order.
    #[uniffi(default = None)]
    pub order: Option<Order>,
    /// At most so many.
    #[uniffi(default = None)]
    pub limit: Option<u32>,
    /// Without the first so many.
    #[uniffi(default = 0)]
    pub offset: u32,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum Condition {
    /// A suite in one of these states.
    SuiteStatusIn {
        /// Which.
        any_of: Vec<SuiteStatus>,
    },
    /// A task in one of these states.
    TaskStatusIn {
        /// Which.
        any_of: Vec<TaskStatus>,
    },
    /// A person who does one of these.
    EmployeeStatusIn {
        /// Which.
        any_of: Vec<EmployeeStatus>,
    },
    /// A task of one of these priorities.
    PriorityIn {
        /// Which.
        any_of: Vec<Priority>,
    },
    /// A notification of one of these priorities.
    NotificationPriorityIn {
        /// Which.
        any_of: Vec<NotificationPriority>,
    },
    /// An alert of one of these.
    SeverityIn {
        /// Which.
        any_of: Vec<Severity>,
    },
    /// A suite on that storey.
    OnFloor {
        /// Which.
        floor: i32,
    },
    /// A task to be done by that person.
    AssignedTo {
        /// Whom.
        employee_id: Uuid,
    },
    /// A task to be done by whoever takes it.
    NotAssigned,
    /// A task, note or alert about that suite.
    AboutSuite {
        /// Which.
        suite_id: Uuid,
    },
    /// A note, alert or notification about that task.
    AboutTask {
        /// Which.
        task_id: Uuid,
    },
    /// A task for that department or for all; a person of that department.
    ForDepartment {
        /// Which.
        department: Department,
    },
    /// A notification not yet read.
    Unread,
    /// A task still to be done; an alert not resolved.
    Open,
    /// A person at work.
    OnDuty,
    /// A task due before that moment.
    DueBefore {
        /// When.
        moment: Timestamp,
    },
    /// An announcement still of interest at that moment.
    UnexpiredAt {
        /// When.
        moment: Timestamp,
    },
}

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Order {
    /// As a person looks for them: suites by floor and number, tasks by urgency and time, people by name, all else the
    /// newest first.
    Usual,
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
    /// By id.
    ById,
}

impl ToCore for Query {
    type Core = innsync_client::Query;
    fn to_core(self) -> Self::Core {
        let mut query = self
            .conditions
            .into_iter()
            .fold(innsync_client::Query::of(self.kind.to_core()), |query, condition| condition.add_to(query));
        if let Some(order) = self.order {
            query = query.order(match order {
                Order::Usual => innsync_client::Order::Usual,
                Order::Newest => innsync_client::Order::Newest,
                Order::Oldest => innsync_client::Order::Oldest,
                Order::ById => innsync_client::Order::Id,
            });
        }
        if let Some(limit) = self.limit {
            query = query.limit(limit);
        }
        query.offset(self.offset)
    }
}

impl Condition {
    fn add_to(self, query: innsync_client::Query) -> innsync_client::Query {
        match self {
            Self::SuiteStatusIn { any_of } => query.status(&any_of.to_core()),
            Self::TaskStatusIn { any_of } => query.status(&any_of.to_core()),
            Self::EmployeeStatusIn { any_of } => query.status(&any_of.to_core()),
            Self::PriorityIn { any_of } => query.priority(&any_of.to_core()),
            Self::NotificationPriorityIn { any_of } => query.priority(&any_of.to_core()),
            Self::SeverityIn { any_of } => query.priority(&any_of.to_core()),
            Self::OnFloor { floor } => query.floor(floor),
            Self::AssignedTo { employee_id } => query.assigned_to(employee_id),
            Self::NotAssigned => query.unassigned(),
            Self::AboutSuite { suite_id } => query.suite(suite_id),
            Self::AboutTask { task_id } => query.task(task_id),
            Self::ForDepartment { department } => query.department(department.to_core()),
            Self::Unread => query.unread(),
            Self::Open => query.open(),
            Self::OnDuty => query.on_duty(),
            Self::DueBefore { moment } => query.due_before(moment),
            Self::UnexpiredAt { moment } => query.unexpired_at(moment),
        }
    }
}

/// What happened to a live query's result. The first is always a `Reset`.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum Update {
    /// The whole result.
    Reset {
        /// In the query's order.
        rows: Vec<Entity>,
    },
    /// What changed since the update before.
    Diff {
        /// To be carried out in order: each position is that of the list as the changes before it left it.
        changes: Vec<Change>,
    },
}

/// One change of a list.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum Change {
    /// A new element stands at a position.
    Insert {
        /// The position.
        at: u32,
        /// The element.
        entity: Entity,
    },
    /// The element at a position is now so.
    Replace {
        /// The position.
        at: u32,
        /// The element.
        entity: Entity,
    },
    /// The element at a position is gone.
    Remove {
        /// The position.
        at: u32,
    },
}

impl ToShell for innsync_client::Update {
    type Shell = Update;
    fn to_shell(self) -> Update {
        match self {
            Self::Reset(rows) => Update::Reset { rows: rows.to_shell() },
            Self::Diff(changes) => Update::Diff { changes: changes.to_shell() },
        }
    }
}

impl ToShell for innsync_client::Change {
    type Shell = Change;
    fn to_shell(self) -> Change {
        match self {
            Self::Insert { at, entity } => Change::Insert { at: at.to_shell(), entity: entity.to_shell() },
            Self::Update { at, entity } => Change::Replace { at: at.to_shell(), entity: entity.to_shell() },
            Self::Remove { at } => Change::Remove { at: at.to_shell() },
        }
    }
}

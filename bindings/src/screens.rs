//! What screens show.

use innsync_client::{Timestamp, Uuid};

use crate::entities::{Alert, Employee, Suite, Task};
use crate::mirror::{ToShell, record};
use crate::vocabulary::{SuiteStatus, TaskStatus};

record!(
    /// A task as lists show it.
    TaskCard = innsync_client::TaskCard {
        /// The task.
        task: Task,
        /// Its suite's number.
        suite_number: Option<String>,
        /// Its suite's floor.
        floor: Option<i32>,
        /// The name of who is to do it.
        assignee: Option<String>,
        /// Whether something of it is not yet confirmed by the server.
        unsent: bool,
        /// The operation about it that waits for this person to settle a conflict; see `conflicts`.
        #[uniffi(default = None)]
        conflict: Option<Uuid>,
        /// Whether it is open and its time is over.
        overdue: bool,
    }
);
record!(
    /// My open tasks: the most urgent first, then by floor and suite.
    MyTasks = innsync_client::MyTasks {
        /// The tasks.
        tasks: Vec<TaskCard>,
    }
);
record!(
    /// Open tasks that nobody has taken and that I could take, ordered as mine.
    Unassigned = innsync_client::Unassigned {
        /// The tasks.
        tasks: Vec<TaskCard>,
    }
);
record!(
    /// Open tasks of priority URGENT or EMERGENCY, and open alerts, newest first.
    Urgent = innsync_client::Urgent {
        /// The tasks, emergencies first.
        tasks: Vec<TaskCard>,
        /// Alerts not yet resolved, the newest first.
        alerts: Vec<Alert>,
    }
);
record!(
    /// A suite as the board shows it.
    SuiteCard = innsync_client::SuiteCard {
        /// The suite.
        suite: Suite,
        /// How many open tasks it has, of those that I may see.
        open_tasks: u32,
        /// Whether something of it is not yet confirmed by the server.
        unsent: bool,
        /// The operation about it that waits for this person to settle a conflict; see `conflicts`.
        #[uniffi(default = None)]
        conflict: Option<Uuid>,
    }
);
record!(
    /// One floor of the board.
    Floor = innsync_client::Floor {
        /// The floor.
        floor: i32,
        /// Its suites, by number.
        suites: Vec<SuiteCard>,
    }
);
record!(
    /// The suites by floor.
    SuiteBoard = innsync_client::SuiteBoard {
        /// The floors, lowest first.
        floors: Vec<Floor>,
    }
);
record!(
    /// Figures for supervisors and managers (others: of what they may see).
    Dashboard = innsync_client::Dashboard {
        /// How many suites are in each status; every known status, zeros too, then unknown ones.
        suites: Vec<SuiteFigure>,
        /// How many tasks are in each status.
        tasks: Vec<TaskFigure>,
        /// Open tasks whose time is over.
        overdue: u32,
        /// Open tasks that nobody has taken.
        unassigned: u32,
        /// Who is on duty, by name.
        on_duty: Vec<Employee>,
        /// Emergencies not yet resolved, the newest first.
        emergencies: Vec<Emergency>,
    }
);
record!(
    /// An emergency, and whom it has reached.
    Emergency = innsync_client::Emergency {
        /// The alert.
        alert: Alert,
        /// Names of who has acknowledged.
        acknowledged: Vec<String>,
        /// Names of who is on duty and has not.
        not_yet: Vec<String>,
    }
);
record!(
    /// News for me.
    Inbox = innsync_client::Inbox {
        /// What is unread and announcements that have not expired, the newest first; then what was read.
        items: Vec<InboxItem>,
        /// How many notifications I have not read.
        unread_count: u32,
    }
);
record!(
    /// One piece of news.
    InboxItem = innsync_client::InboxItem {
        /// The notification's or announcement's id.
        id: Uuid,
        /// Whether it is an announcement to all (which has no read mark).
        is_announcement: bool,
        /// Its heading.
        title: String,
        /// Its text.
        message: String,
        /// `LOW`, `NORMAL`, `HIGH` or `URGENT`.
        priority: String,
        /// The task (or other entity) that it is about.
        related_entity_id: Option<Uuid>,
        /// When it was last changed on the server.
        at: Timestamp,
        /// Whether I have read it.
        read: bool,
    }
);

macro_rules! figure {
    ($(#[$doc:meta])* $name:ident of $status:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, uniffi::Record)]
        pub struct $name {
            /// The status.
            pub status: $status,
            /// How many are in it.
            pub count: u32,
        }
        impl ToShell for (innsync_client::domain::$status, u32) {
            type Shell = $name;
            fn to_shell(self) -> $name {
                $name { status: self.0.to_shell(), count: self.1 }
            }
        }
    };
}
figure!(
    /// How many suites are in a status.
    SuiteFigure of SuiteStatus
);
figure!(
    /// How many tasks are in a status.
    TaskFigure of TaskStatus
);

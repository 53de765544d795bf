//! What people do all day, picked by a seed from what their phone shows at that moment.

use innsync_client::domain::{
    AnnouncementPriority, Audience, Department, EmployeeStatus, NotePatch, Priority, Severity, SuiteStatus,
    TaskPatch, TaskStatus, TaskType,
};
use innsync_client::{Command, Entity, Error, InnSync, Query, Uuid};
use innsync_domain::{Note, Suite, Task};
use innsync_random::Random;

/// One person's day.
pub(super) struct Work {
    random: Random,
    me: Uuid,
    is_manager: bool,
    done: u64,
}

impl Work {
    pub(super) fn new(random: Random, me: Uuid, is_manager: bool) -> Self {
        Self { random, me, is_manager, done: 0 }
    }

    /// How long until the next deed, in milliseconds: people work in bursts.
    pub(super) fn pause_ms(&mut self) -> u64 {
        if self.random.chance(700) { self.random.between(2, 20) } else { self.random.between(20, 150) }
    }

    /// The next command; `None` where what was meant cannot be done just now.
    pub(super) async fn next(&mut self, innsync: &InnSync) -> Result<Option<Command>, Error> {
        self.done += 1;
        let id = innsync.new_id();
        let r = self.random.below(100);
        Ok(match r {
            0..8 => Some(self.create_task(innsync, id).await?),
            8..18 => self.assign_or_take(innsync).await?,
            18..42 => self.task_step(innsync).await?,
            42..57 => self.suite_status(innsync).await?,
            57..66 => Some(Command::CreateNote {
                note_id: id,
                title: format!("note {}", self.done),
                content: String::new(),
                suite_id: None,
                task_id: None,
                audience: self.audience(),
            }),
            66..80 => self.note(innsync).await?.map(|note| Command::AddComment {
                note_id: note.id,
                comment_id: id,
                text: format!("comment {}", self.done),
            }),
            80..85 => self.note(innsync).await?.map(|note| Command::EditNote {
                note_id: note.id,
                patch: NotePatch {
                    title: Some(format!("title {}", self.random.below(5))),
                    ..NotePatch::default()
                },
            }),
            85..89 => Some(Command::SetDuty { employee_id: self.me, is_on_duty: self.random.chance(850) }),
            89..92 => Some(Command::SetEmployeeStatus {
                employee_id: self.me,
                status: self
                    .random
                    .pick(&[EmployeeStatus::Available, EmployeeStatus::Busy, EmployeeStatus::OnBreak])
                    .cloned()
                    .unwrap_or(EmployeeStatus::Available),
            }),
            92..96 => self.mark_read(innsync).await?,
            96 => Some(Command::RaiseEmergency {
                task_id: id,
                title: "Water".to_owned(),
                description: "It comes through the ceiling.".to_owned(),
                severity: Severity::Critical,
                suite_id: None,
            }),
            _ if self.is_manager => Some(Command::Announce {
                announcement_id: id,
                title: "Pool".to_owned(),
                message: "It is closed.".to_owned(),
                priority: AnnouncementPriority::Normal,
                expires_at: None,
            }),
            _ => None,
        })
    }

    async fn create_task(&mut self, innsync: &InnSync, task_id: Uuid) -> Result<Command, Error> {
        let suite = self.suite(innsync).await?.filter(|_| self.random.chance(500));
        let task_type = match self.random.below(3) {
            0 if self.is_manager => TaskType::Inspection,
            1 => TaskType::General,
            _ => TaskType::Maintenance,
        };
        let assigned_to = match self.is_manager && self.random.chance(500) {
            true => self.anybody(innsync).await?,
            false => None,
        };
        Ok(Command::CreateTask {
            task_id,
            title: format!("task {}", self.done),
            description: String::new(),
            task_type,
            priority: Priority::Normal,
            suite_id: suite.map(|suite| suite.id),
            assigned_to,
            due_at: None,
            severity: None,
        })
    }

    async fn assign_or_take(&mut self, innsync: &InnSync) -> Result<Option<Command>, Error> {
        if !self.is_manager {
            let task = self.task(innsync, |task| task.assigned_to.is_none() && task.status.is_open()).await?;
            return Ok(task.map(|task| Command::TakeTask { task_id: task.id }));
        }
        let task = self.task(innsync, |task| task.status.is_open()).await?;
        let assignee = self.anybody(innsync).await?;
        Ok(task.zip(assignee).map(|(task, assignee)| Command::AssignTask { task_id: task.id, assignee }))
    }

    async fn task_step(&mut self, innsync: &InnSync) -> Result<Option<Command>, Error> {
        let (me, manages) = (self.me, self.is_manager);
        let task = self.task(innsync, |task| manages || task.assigned_to == Some(me)).await?;
        let Some(task) = task else { return Ok(None) };
        let (task_id, step) = (task.id, self.random.below(10));
        Ok(Some(match task.status {
            TaskStatus::Pending if step < 6 => Command::StartTask { task_id },
            TaskStatus::Pending | TaskStatus::InProgress if step < 8 => Command::CompleteTask { task_id },
            TaskStatus::InProgress => Command::ReleaseTask { task_id },
            TaskStatus::Pending if manages && step == 8 => Command::CancelTask { task_id },
            TaskStatus::Pending => Command::EditTask {
                task_id,
                patch: TaskPatch {
                    title: Some(format!("title {}", self.random.below(5))),
                    ..TaskPatch::default()
                },
            },
            _ if manages && step < 8 => Command::ReopenTask { task_id },
            _ if manages => Command::DeleteTask { task_id },
            _ => return Ok(None),
        }))
    }

    async fn suite_status(&mut self, innsync: &InnSync) -> Result<Option<Command>, Error> {
        use SuiteStatus::{Cleaning, Inspected, Occupied, OutOfService, VacantClean, VacantDirty};
        let Some(suite) = self.suite(innsync).await? else { return Ok(None) };
        let next = match suite.status {
            VacantClean | Inspected => Occupied,
            Occupied => VacantDirty,
            VacantDirty => Cleaning,
            _ => VacantClean,
        };
        let status = if self.random.chance(850) { next } else { OutOfService };
        Ok(Some(Command::SetSuiteStatus { suite_id: suite.id, status }))
    }

    async fn mark_read(&mut self, innsync: &InnSync) -> Result<Option<Command>, Error> {
        let unread = innsync.query(Query::notifications().unread().limit(3)).await?;
        let notification_ids: Vec<Uuid> = unread.iter().map(Entity::id).collect();
        Ok((!notification_ids.is_empty()).then_some(Command::MarkRead { notification_ids }))
    }

    fn audience(&mut self) -> Audience {
        match self.random.below(4) {
            0 => Audience::Department { department: Department::Housekeeping },
            1 => Audience::Managers,
            _ => Audience::AllStaff,
        }
    }

    /// One of the latest that suit, so that people meet.
    async fn task(
        &mut self,
        innsync: &InnSync,
        suits: impl Fn(&Task) -> bool,
    ) -> Result<Option<Task>, Error> {
        let mut tasks = innsync.stores().tasks().get_all().await?;
        tasks.retain(suits);
        Ok(self.random.pick(&tasks[tasks.len().saturating_sub(6)..]).cloned())
    }

    async fn suite(&mut self, innsync: &InnSync) -> Result<Option<Suite>, Error> {
        let suites = innsync.stores().suites().get_all().await?;
        Ok(self.random.pick(&suites[..suites.len().min(8)]).cloned())
    }

    async fn note(&mut self, innsync: &InnSync) -> Result<Option<Note>, Error> {
        let notes = innsync.stores().notes().get_all().await?;
        Ok(self.random.pick(&notes[notes.len().saturating_sub(4)..]).cloned())
    }

    async fn anybody(&mut self, innsync: &InnSync) -> Result<Option<Uuid>, Error> {
        let staff = innsync.stores().employees().get_all().await?;
        Ok(self.random.pick(&staff).map(|person| person.id))
    }
}

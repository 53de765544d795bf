//! Lists of tasks.

use innsync_domain::{Employee, Priority, Task};
use innsync_engine::StoreError;
use innsync_store::Query;

use super::glance::Glance;
use super::{MyTasks, Unassigned, Urgent};

pub(super) fn my_tasks(glance: &Glance<'_>) -> Result<MyTasks, StoreError> {
    let tasks = glance.query::<Task>(&Query::tasks().open().assigned_to(glance.me))?;
    Ok(MyTasks { tasks: glance.cards(tasks)? })
}

pub(super) fn unassigned(glance: &Glance<'_>) -> Result<Unassigned, StoreError> {
    let mut tasks = glance.query::<Task>(&Query::tasks().open().unassigned())?;
    let employees = glance.query::<Employee>(&Query::employees())?;
    // What I reported for another department I see, but could not take.
    if let Some(me) = employees.iter().find(|one| one.id == glance.me)
        && !me.role.directs()
    {
        tasks.retain(|task| task.department.as_ref().is_none_or(|department| *department == me.department));
    }
    Ok(Unassigned { tasks: glance.cards(tasks)? })
}

pub(super) fn urgent(glance: &Glance<'_>) -> Result<Urgent, StoreError> {
    let urgent = [Priority::Urgent, Priority::Emergency];
    let tasks = glance.query::<Task>(&Query::tasks().open().priority(&urgent))?;
    Ok(Urgent { tasks: glance.cards(tasks)?, alerts: glance.query(&Query::alerts().open())? })
}

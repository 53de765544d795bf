//! Notes and their comments.

use innsync_domain::{Audience, Command, EntityKind, EntityRef, Note, NotePatch, Uuid};
use innsync_protocol::Problem;

use super::answer::invalid;
use super::body::{Body, Expected as _};
use super::plan::{Ids, Plan, Shape};

fn about(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Note, id)
}

pub(super) fn create(mut body: Body, ids: &mut Ids<'_>) -> Result<Plan, Problem> {
    let note_id = ids.chosen(&mut body)?;
    let command = Command::CreateNote {
        note_id,
        title: body.required("title")?,
        content: body.maybe("content")?.unwrap_or_default(),
        suite_id: body.maybe("suiteId")?,
        task_id: body.maybe("taskId")?,
        audience: audience(&mut body)?.unwrap_or_default(),
    };
    body.ignore(&["createdBy", "createdAt"]);
    Plan::create(vec![command], about(note_id), body)
}

pub(super) fn patch(current: &Note, mut body: Body) -> Result<Plan, Problem> {
    let patch = NotePatch {
        title: body.optional("title")?,
        content: body.optional("content")?,
        suite_id: body.clearable("suiteId")?,
        task_id: body.clearable("taskId")?,
        audience: audience(&mut body)?,
    };
    let commands = match patch == NotePatch::default() {
        true => Vec::new(),
        false => vec![Command::EditNote { note_id: current.id, patch }],
    };
    Plan::change(commands, about(current.id), body, Some(&current.clone().into()))
}

fn audience(body: &mut Body) -> Result<Option<Audience>, Problem> {
    match body.maybe("audience")? {
        Some(Audience::Other(_)) => {
            Err(invalid("audience", format!("audience must be {}.", Audience::EXPECTED)))
        }
        audience => Ok(audience),
    }
}

/// Answers with the note, whose version is another now.
pub(super) fn comment(note_id: Uuid, mut body: Body, ids: &mut Ids<'_>) -> Result<Plan, Problem> {
    let comment_id = ids.chosen(&mut body)?;
    let command = Command::AddComment { note_id, comment_id, text: body.required("text")? };
    let plan = Plan::change(vec![command], about(note_id), body, None)?;
    Ok(Plan { shape: Shape::Created, ..plan })
}

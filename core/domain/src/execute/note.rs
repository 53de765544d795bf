//! Notes and their comments.

use crate::Uuid;
use crate::command::{Command, NotePatch};
use crate::entity::{Comment, EntityKind, EntityRef, Fields, Note};
use crate::execute::{Scratch, Stop, check, permission};
use crate::limits;
use crate::rejection::{Reason, Rejection};

fn reference(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Note, id)
}

/// Writes a note; anybody may.
pub(super) fn create(s: &mut Scratch<'_>, command: &Command) -> Result<(), Stop> {
    let Command::CreateNote { note_id, title, content, suite_id, task_id, audience } = command else {
        return Ok(());
    };
    check::audience(audience)?;
    check::title("title", title)?;
    check::length("content", content, limits::NOTE_CHARS)?;
    s.fresh::<Note>(*note_id)?;
    about(s, *suite_id, *task_id)?;
    let (at, by) = (s.context().at, s.actor().id);
    s.put(Note {
        id: *note_id,
        title: title.clone(),
        content: content.clone(),
        suite_id: *suite_id,
        task_id: *task_id,
        audience: audience.clone(),
        created_by: by,
        created_at: at,
        comments: Vec::new(),
        version: 0,
        updated_at: at,
        updated_by: by,
        extra: Fields::new(),
    })
}

/// Changes a note.
pub(super) fn edit(s: &mut Scratch<'_>, id: Uuid, patch: &NotePatch) -> Result<(), Stop> {
    let before = s.primary::<Note>(id)?;
    let message = "Only its author, a supervisor or a manager may edit a note; add a comment instead.";
    check::permitted(permission::may_edit_note(s.actor(), &before), reference(id), message)?;
    let mut after = before.clone();
    if let Some(audience) = &patch.audience {
        check::audience(audience)?;
        after.audience = audience.clone();
    }
    if let Some(title) = &patch.title {
        check::title("title", title)?;
        after.title.clone_from(title);
    }
    if let Some(content) = &patch.content {
        check::length("content", content, limits::NOTE_CHARS)?;
        after.content.clone_from(content);
    }
    after.suite_id = patch.suite_id.unwrap_or(before.suite_id);
    after.task_id = patch.task_id.unwrap_or(before.task_id);
    let changed = |now: Option<Uuid>, was: Option<Uuid>| now.filter(|_| now != was);
    about(s, changed(after.suite_id, before.suite_id), changed(after.task_id, before.task_id))?;
    s.put(after)
}

/// Removes a note with its comments.
pub(super) fn delete(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    let note = s.primary::<Note>(id)?;
    let message = "Only its author, a supervisor or a manager may delete a note.";
    check::permitted(permission::may_edit_note(s.actor(), &note), reference(id), message)?;
    s.remove(reference(id))
}

/// Says something to a note; whoever sees it may.
pub(super) fn comment(s: &mut Scratch<'_>, id: Uuid, comment_id: Uuid, text: &str) -> Result<(), Stop> {
    let mut note = s.primary::<Note>(id)?;
    check::filled("text", text, limits::TEXT_CHARS)?;
    if note.comments.iter().any(|comment| comment.id == comment_id) {
        let message = "This comment's id is taken; try again with a new one.";
        return Err(Rejection::permanent(Reason::AlreadyExists, message).about(reference(id)).into());
    }
    if note.comments.len() >= limits::COMMENTS_PER_NOTE {
        let most = limits::COMMENTS_PER_NOTE;
        let message = format!("This note has {most} comments, which is the most; write a new note.");
        return Err(check::invalid("noteId", message).about(reference(id)).into());
    }
    let (author, created_at) = (s.actor().id, s.context().at);
    note.comments.push(Comment {
        id: comment_id,
        author,
        text: text.to_owned(),
        created_at,
        extra: Fields::new(),
    });
    s.put(note)
}

/// What a note is about must not be missing for certain.
fn about(s: &mut Scratch<'_>, suite: Option<Uuid>, task: Option<Uuid>) -> Result<(), Stop> {
    if let Some(suite) = suite {
        check::suite_exists(s, suite)?;
    }
    if let Some(task) = task {
        check::task_exists(s, task)?;
    }
    Ok(())
}

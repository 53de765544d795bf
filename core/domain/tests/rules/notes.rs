//! Notes and comments.

use innsync_domain::{Audience, Command, Department, NotePatch, Reason, limits};

use crate::world::*;

fn comment(number: u128) -> Command {
    Command::AddComment { note_id: id(20), comment_id: id(number), text: "There are more in 12".into() }
}

#[test]
fn comments_are_appended_with_author_and_time() {
    let mut world = World::motel();
    world.does(ANA, new_note(20, Audience::AllStaff));
    world.does(BEN, comment(30));
    let commit = world.does(LUCIA, comment(31));
    let note = world.note(id(20));
    assert_eq!(note.comments.len(), 2);
    assert_eq!((note.comments[1].author, note.comments[1].created_at), (LUCIA, commit.at));
    assert_eq!(note.version, 3);
    world.refuses_as(BEN, comment(31), Reason::AlreadyExists);
}

#[test]
fn a_note_has_room_for_so_many_comments() {
    let mut world = World::motel();
    world.does(ANA, new_note(20, Audience::AllStaff));
    for number in 0..limits::COMMENTS_PER_NOTE as u128 {
        world.does(BEN, comment(1000 + number));
    }
    world.refuses_as(BEN, comment(9999), Reason::InvalidField);
}

#[test]
fn the_author_is_part_of_every_audience() {
    let mut world = World::motel();
    for (number, audience) in (20..).zip([
        Audience::Managers,
        Audience::People { people: vec![BEN] },
        Audience::Department { department: Department::FrontDesk },
    ]) {
        world.does(ANA, new_note(number, audience));
        let patch = NotePatch { content: Some("None left".into()), ..NotePatch::default() };
        world.does(ANA, Command::EditNote { note_id: id(number), patch });
    }
    world.does(LUCIA, Command::AddComment { note_id: id(22), comment_id: id(40), text: "Oh".into() });
    world.refuses_as(SAM, Command::DeleteNote { note_id: id(20) }, Reason::NotFound);
    world.does(MARIA, Command::DeleteNote { note_id: id(20) });
}

#[test]
fn a_note_is_about_what_is_there() {
    let mut world = World::motel();
    let about = |suite_id, task_id| Command::CreateNote {
        note_id: id(20),
        title: "Lamp".into(),
        content: String::new(),
        suite_id,
        task_id,
        audience: Audience::AllStaff,
    };
    let rejection = world.refuses_as(ANA, about(Some(id(999)), None), Reason::InvalidField);
    assert_eq!(rejection.field.as_deref(), Some("suiteId"));
    let rejection = world.refuses_as(ANA, about(None, Some(id(999))), Reason::InvalidField);
    assert_eq!(rejection.field.as_deref(), Some("taskId"));
    world.does(ANA, about(Some(S101), None));
    let patch = NotePatch { suite_id: Some(None), ..NotePatch::default() };
    world.does(ANA, Command::EditNote { note_id: id(20), patch });
    assert_eq!(world.note(id(20)).suite_id, None);
}

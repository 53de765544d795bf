//! Limits on what people write, in characters or items. What is over them is refused at once, with the field's name.

/// Characters in a title or name.
pub const TITLE_CHARS: usize = 200;
/// Characters in a task's description, a message or a comment.
pub const TEXT_CHARS: usize = 4_000;
/// Characters in a note's content.
pub const NOTE_CHARS: usize = 20_000;
/// Characters in a suite's number.
pub const SUITE_NUMBER_CHARS: usize = 20;
/// The lowest floor.
pub const FLOOR_MIN: i32 = -20;
/// The highest floor.
pub const FLOOR_MAX: i32 = 200;
/// Comments on one note.
pub const COMMENTS_PER_NOTE: usize = 500;
/// People named in an audience, a shift or a read mark.
pub const PEOPLE: usize = 500;
/// Notifications marked as read by one command.
pub const READ_MARKS: usize = 500;
/// Fields that one person gives up in one conflict.
pub const CONFLICT_FIELDS: usize = 32;

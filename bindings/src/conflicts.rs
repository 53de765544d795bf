//! Conflicts: what waits for a person's decision, and what of theirs lost.

use std::collections::HashMap;

use innsync_client::{Timestamp, Uuid, domain};

use crate::JsonValue;
use crate::entities::{Conflict, EntityRef};
use crate::mirror::{ToCore, choice, record};

record!(
    /// Conflicts: those that wait for this person's decision, and the values of theirs that lost in the last 30 days.
    Conflicts = innsync_client::Conflicts {
        /// To be settled, in the order of the outbox.
        open: Vec<ConflictSheet>,
        /// What lost, the newest first. It can be restored.
        lost: Vec<LostValue>,
        /// How many of those the person has not put aside yet.
        unseen: u32,
    }
);
record!(
    /// Everything that a conflict sheet shows. It follows what others do meanwhile: `theirs` and `version` are what is there
    /// now.
    ConflictSheet = innsync_client::ConflictSheet {
        /// The operation that waits.
        operation: Uuid,
        /// What the person did, `EDIT_TASK`.
        command: String,
        /// What it is about.
        entity: EntityRef,
        /// What that is called; empty where it is gone.
        title: String,
        /// Its version as shown, to be given back by `settle`; none: it is gone.
        version: Option<u64>,
        /// Who changed (or deleted) it last.
        updated_by: Option<Uuid>,
        /// Their name, for "This will overwrite changes made by …".
        updated_by_name: Option<String>,
        /// When that was.
        updated_at: Option<Timestamp>,
        /// Whether it is gone.
        deleted: bool,
        /// Why what the person wanted was not possible when it arrived, in English.
        explanation: Option<String>,
        /// The fields in conflict.
        fields: Vec<SheetField>,
        /// What can be chosen, in the order of display.
        choices: Vec<SheetChoice>,
    }
);
record!(
    /// One field in conflict. Values are JSON; `null`: empty.
    SheetField = innsync_client::SheetField {
        /// Its wire name.
        field: String,
        /// Its name's key in the shell's texts, `field.task.title`.
        label_key: String,
        /// What the person saw before.
        base: JsonValue,
        /// What they wanted.
        mine: JsonValue,
        /// What it is now.
        theirs: JsonValue,
        /// Who made it so, where that is known.
        by_name: Option<String>,
        /// When they meant that.
        at: Option<Timestamp>,
        /// Whether another value can be written by hand.
        editable: bool,
        /// Both edits in one text, where they are at different places.
        suggestion: Option<JsonValue>,
        /// Word by word, of texts alone: from what the person saw to what they wanted,
        base_to_mine: Vec<Span>,
        /// from what they saw to what it is now,
        base_to_theirs: Vec<Span>,
        /// and from what they wanted to what it is now.
        mine_to_theirs: Vec<Span>,
    }
);
record!(
    /// A piece of a text beside another.
    Span = domain::text::Span {
        /// Which of the two has it.
        kind: SpanKind,
        /// The piece, never empty.
        text: String,
    }
);
choice!(
    /// Which of two texts has a piece.
    SpanKind = domain::text::SpanKind {
        /// Both.
        Same,
        /// The one before.
        Removed,
        /// The one after.
        Added,
    }
);
record!(
    /// One of the choices of a sheet.
    SheetChoice = innsync_client::SheetChoice {
        /// Which one.
        choice: Choice,
        /// Whether it is chosen at first.
        recommended: bool,
        /// Whether the rules allow it on what is there now, as far as the phone can tell.
        possible: bool,
        /// Why not, in English.
        refusal: Option<String>,
    }
);
choice!(
    /// What can be done about a conflict.
    Choice = innsync_client::Choice {
        /// Keep what is on the server; the person's values are kept as records.
        Theirs,
        /// Overwrite it with what the person wanted.
        Mine,
        /// Write each field by hand.
        Merged,
        /// Leave it for later.
        Later,
    }
);
record!(
    /// A value of this person's that lost.
    LostValue = innsync_client::LostValue {
        /// The record.
        conflict: Conflict,
        /// What it is about; empty where that is gone.
        title: String,
        /// The field's key in the shell's texts, `field.task.title`.
        label_key: String,
        /// The name of whose value was kept.
        kept_by_name: Option<String>,
        /// Whether it can be restored: what it is about is here, and it was not restored before.
        restorable: bool,
    }
);

/// What a person chose in a conflict. To leave it for later nothing is called.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum Settlement {
    /// What is on the server stays; what they wanted is kept as a record, and can be restored.
    Theirs,
    /// What they wanted takes the place of what is on the server; whose value that was is told, and can restore it.
    Mine,
    /// These values, JSON by the wire names of the fields.
    Merged {
        /// Every field that is editable.
        values: HashMap<String, JsonValue>,
    },
}

impl ToCore for Settlement {
    type Core = innsync_client::Settlement;
    fn to_core(self) -> Self::Core {
        match self {
            Self::Theirs => Self::Core::Theirs,
            Self::Mine => Self::Core::Mine,
            Self::Merged { values } => {
                Self::Core::Merged(values.into_iter().map(|(name, value)| (name, value.0)).collect())
            }
        }
    }
}

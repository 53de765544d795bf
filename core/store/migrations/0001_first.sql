-- What a person sees: one table for each kind of entity, one column for each field. `extra` holds, as a JSON object, the
-- fields of releases newer than this one. Ids are the 16 bytes of a UUID, times milliseconds since 1970 (UTC), values of
-- closed sets their wire names.
--
-- With a rowid: rows of some 300 bytes are taken in and found faster so, and their indexes are half as large (measured by
-- tests/bench).

CREATE TABLE suites (
    id                 BLOB    NOT NULL PRIMARY KEY,
    suite_number       TEXT    NOT NULL,
    floor              INTEGER NOT NULL,
    status             TEXT    NOT NULL,
    open_cleaning_task BLOB,
    version            INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    updated_by         BLOB    NOT NULL,
    extra              TEXT
) STRICT;
CREATE INDEX suites_by_status ON suites (status);
CREATE INDEX suites_by_floor ON suites (floor);

CREATE TABLE tasks (
    id          BLOB    NOT NULL PRIMARY KEY,
    title       TEXT    NOT NULL,
    description TEXT    NOT NULL,
    task_type   TEXT    NOT NULL,
    priority    TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    suite_id    BLOB,
    assigned_to BLOB,
    department  TEXT,
    due_at      INTEGER,
    created_by  BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    updated_by  BLOB    NOT NULL,
    extra       TEXT
) STRICT;
CREATE INDEX tasks_by_assignee ON tasks (assigned_to, status, created_at);
CREATE INDEX tasks_by_status ON tasks (status);
CREATE INDEX tasks_by_suite ON tasks (suite_id);

CREATE TABLE employees (
    id         BLOB    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    department TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    is_on_duty INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by BLOB    NOT NULL,
    extra      TEXT
) STRICT;

CREATE TABLE notes (
    id         BLOB    NOT NULL PRIMARY KEY,
    title      TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    suite_id   BLOB,
    task_id    BLOB,
    audience   TEXT    NOT NULL,
    created_by BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    comments   TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by BLOB    NOT NULL,
    extra      TEXT
) STRICT;
CREATE INDEX notes_by_suite ON notes (suite_id);
CREATE INDEX notes_by_task ON notes (task_id);

CREATE TABLE notifications (
    id                BLOB    NOT NULL PRIMARY KEY,
    recipient_id      BLOB    NOT NULL,
    notification_type TEXT    NOT NULL,
    title             TEXT    NOT NULL,
    message           TEXT    NOT NULL,
    priority          TEXT    NOT NULL,
    related_entity_id BLOB,
    read_at           INTEGER,
    version           INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    updated_by        BLOB    NOT NULL,
    extra             TEXT
) STRICT;
CREATE INDEX notifications_unread ON notifications (updated_at) WHERE read_at IS NULL;

CREATE TABLE alerts (
    id               BLOB    NOT NULL PRIMARY KEY,
    title            TEXT    NOT NULL,
    message          TEXT    NOT NULL,
    severity         TEXT    NOT NULL,
    related_task_id  BLOB,
    related_suite_id BLOB,
    raised_by        BLOB    NOT NULL,
    raised_at        INTEGER NOT NULL,
    acknowledgements TEXT    NOT NULL,
    resolved_at      INTEGER,
    resolved_by      BLOB,
    version          INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    updated_by       BLOB    NOT NULL,
    extra            TEXT
) STRICT;

CREATE TABLE announcements (
    id         BLOB    NOT NULL PRIMARY KEY,
    title      TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    priority   TEXT    NOT NULL,
    expires_at INTEGER,
    created_by BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by BLOB    NOT NULL,
    extra      TEXT
) STRICT;

CREATE TABLE shifts (
    id                BLOB    NOT NULL PRIMARY KEY,
    old_shift         TEXT    NOT NULL,
    new_shift         TEXT    NOT NULL,
    on_duty_employees TEXT    NOT NULL,
    created_by        BLOB    NOT NULL,
    created_at        INTEGER NOT NULL,
    version           INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    updated_by        BLOB    NOT NULL,
    extra             TEXT
) STRICT;

-- The server's state of entities with pending operations, as JSON; NULL: the server has none.
CREATE TABLE base (
    kind TEXT NOT NULL,
    id   BLOB NOT NULL,
    doc  TEXT,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- What a person did and the server has not confirmed. `ord` and `state` repeat what `doc` says, for order and support.
CREATE TABLE outbox (
    id    BLOB    NOT NULL PRIMARY KEY,
    ord   INTEGER NOT NULL,
    state TEXT    NOT NULL,
    doc   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_in_order ON outbox (ord);

-- The few facts that stand by themselves: one row.
CREATE TABLE meta (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    doc TEXT    NOT NULL
) STRICT;

-- What was to be shown or sounded, in the order in which it was recorded. Once presented only the id is of interest.
CREATE TABLE effects (
    ord       INTEGER NOT NULL PRIMARY KEY,
    id        BLOB    NOT NULL UNIQUE,
    at        INTEGER NOT NULL,
    body      TEXT    NOT NULL,
    presented INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX effects_by_presented ON effects (presented, ord);

-- What could not be read, moved here so that it is neither in the way nor lost.
CREATE TABLE quarantine (
    ord    INTEGER NOT NULL PRIMARY KEY,
    source TEXT    NOT NULL,
    key    BLOB    NOT NULL,
    body   TEXT    NOT NULL,
    detail TEXT    NOT NULL
) STRICT;

-- A snapshot on its way in: each table of entities once more, in columns the same, without indexes and in
-- order of their ids, so that the copy is one pass.

CREATE TABLE stage_suites (
    id                 BLOB    NOT NULL PRIMARY KEY,
    suite_number       TEXT    NOT NULL,
    floor              INTEGER NOT NULL,
    status             TEXT    NOT NULL,
    open_cleaning_task BLOB,
    version            INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    updated_by         BLOB    NOT NULL,
    extra              TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE stage_tasks (
    id          BLOB    NOT NULL PRIMARY KEY,
    title       TEXT    NOT NULL,
    description TEXT    NOT NULL,
    task_type   TEXT    NOT NULL,
    priority    TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    suite_id    BLOB,
    assigned_to BLOB,
    department  TEXT,
    due_at      INTEGER,
    created_by  BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    updated_by  BLOB    NOT NULL,
    extra       TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE stage_employees (
    id         BLOB    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    department TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    is_on_duty INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by BLOB    NOT NULL,
    extra      TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE stage_notes (
    id         BLOB    NOT NULL PRIMARY KEY,
    title      TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    suite_id   BLOB,
    task_id    BLOB,
    audience   TEXT    NOT NULL,
    created_by BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    comments   TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by BLOB    NOT NULL,
    extra      TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE stage_notifications (
    id                BLOB    NOT NULL PRIMARY KEY,
    recipient_id      BLOB    NOT NULL,
    notification_type TEXT    NOT NULL,
    title             TEXT    NOT NULL,
    message           TEXT    NOT NULL,
    priority          TEXT    NOT NULL,
    related_entity_id BLOB,
    read_at           INTEGER,
    version           INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    updated_by        BLOB    NOT NULL,
    extra             TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE stage_alerts (
    id               BLOB    NOT NULL PRIMARY KEY,
    title            TEXT    NOT NULL,
    message          TEXT    NOT NULL,
    severity         TEXT    NOT NULL,
    related_task_id  BLOB,
    related_suite_id BLOB,
    raised_by        BLOB    NOT NULL,
    raised_at        INTEGER NOT NULL,
    acknowledgements TEXT    NOT NULL,
    resolved_at      INTEGER,
    resolved_by      BLOB,
    version          INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    updated_by       BLOB    NOT NULL,
    extra            TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE stage_announcements (
    id         BLOB    NOT NULL PRIMARY KEY,
    title      TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    priority   TEXT    NOT NULL,
    expires_at INTEGER,
    created_by BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by BLOB    NOT NULL,
    extra      TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE stage_shifts (
    id                BLOB    NOT NULL PRIMARY KEY,
    old_shift         TEXT    NOT NULL,
    new_shift         TEXT    NOT NULL,
    on_duty_employees TEXT    NOT NULL,
    created_by        BLOB    NOT NULL,
    created_at        INTEGER NOT NULL,
    version           INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    updated_by        BLOB    NOT NULL,
    extra             TEXT
) STRICT, WITHOUT ROWID;

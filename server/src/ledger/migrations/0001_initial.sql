-- A property's own counter is its head: the last commit and that commit's mark. The log is kept after `horizon`.
CREATE TABLE properties (
    id        TEXT    NOT NULL PRIMARY KEY,
    name      TEXT    NOT NULL,
    time_zone TEXT    NOT NULL,
    epoch     INTEGER NOT NULL,
    head_seq  INTEGER NOT NULL,
    head_mark INTEGER NOT NULL,
    horizon   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Everything as it is now, as JSON.
CREATE TABLE entities (
    property TEXT    NOT NULL REFERENCES properties (id),
    kind     TEXT    NOT NULL,
    id       BLOB    NOT NULL,
    version  INTEGER NOT NULL,
    doc      TEXT    NOT NULL,
    PRIMARY KEY (property, kind, id)
) STRICT;

CREATE INDEX suites_by_number ON entities (property, doc ->> '$.suiteNumber') WHERE kind = 'SUITE';
CREATE INDEX tasks_by_assignee ON entities (property, doc ->> '$.assignedTo', doc ->> '$.status') WHERE kind = 'TASK';
CREATE INDEX emergency_tasks ON entities (property, doc ->> '$.status')
    WHERE kind = 'TASK' AND doc ->> '$.type' = 'EMERGENCY';
CREATE INDEX unresolved_alerts ON entities (property) WHERE kind = 'ALERT' AND doc ->> '$.resolvedAt' IS NULL;
CREATE INDEX notifications_by_recipient ON entities (property, doc ->> '$.recipientId') WHERE kind = 'NOTIFICATION';

-- What was taken, in the property's order, without gaps. `forced`: over a version that its author had not seen.
CREATE TABLE commits (
    property TEXT    NOT NULL REFERENCES properties (id),
    seq      INTEGER NOT NULL,
    mark     INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    author   BLOB    NOT NULL,
    forced   INTEGER NOT NULL,
    PRIMARY KEY (property, seq)
) STRICT, WITHOUT ROWID;

-- What each commit changed, whole, before and after. NULL before: created; NULL after: deleted.
CREATE TABLE changes (
    property TEXT    NOT NULL,
    seq      INTEGER NOT NULL,
    ord      INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    id       BLOB    NOT NULL,
    before   TEXT,
    after    TEXT,
    PRIMARY KEY (property, seq, ord)
) STRICT;

CREATE INDEX employee_changes ON changes (property, id, seq, ord) WHERE kind = 'EMPLOYEE';

-- What became of each operation. `seq` 0: it took no effect.
CREATE TABLE outcomes (
    property  TEXT    NOT NULL,
    author    BLOB    NOT NULL,
    operation BLOB    NOT NULL,
    hash      BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    body      TEXT    NOT NULL,
    PRIMARY KEY (property, author, operation)
) STRICT, WITHOUT ROWID;

CREATE INDEX outcomes_by_seq ON outcomes (property, author, seq) WHERE seq > 0;

-- Answers to REST calls that named an Idempotency-Key.
CREATE TABLE answers (
    property TEXT    NOT NULL,
    author   BLOB    NOT NULL,
    key      TEXT    NOT NULL,
    hash     BLOB    NOT NULL,
    at       INTEGER NOT NULL,
    status   INTEGER NOT NULL,
    location TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (property, author, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_by_age ON answers (at);

-- How people sign in.
CREATE TABLE people (
    property      TEXT NOT NULL REFERENCES properties (id),
    login         TEXT NOT NULL,
    employee      BLOB NOT NULL,
    password_hash TEXT NOT NULL,
    PRIMARY KEY (property, login),
    UNIQUE (property, employee)
) STRICT, WITHOUT ROWID;

-- Refresh tokens, by the hash of the token. Those of one sign-in share its `session`. `superseded_at` 0: in use.
CREATE TABLE refresh_tokens (
    token_hash    BLOB    NOT NULL PRIMARY KEY,
    session       BLOB    NOT NULL,
    property      TEXT    NOT NULL,
    employee      BLOB    NOT NULL,
    device        TEXT    NOT NULL,
    issued_at     INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    superseded_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session);
CREATE INDEX refresh_tokens_by_employee ON refresh_tokens (property, employee);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

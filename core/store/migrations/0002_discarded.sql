-- What a person chose to forget, kept for a while: the operation as JSON, and when that was (milliseconds since 1970, UTC).
CREATE TABLE discarded (
    id  BLOB    NOT NULL PRIMARY KEY,
    at  INTEGER NOT NULL,
    doc TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

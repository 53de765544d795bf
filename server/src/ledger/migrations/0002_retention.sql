-- Sign-ins that were ended before their time: access tokens of theirs are no good any more.
CREATE TABLE ended_sessions (
    session  BLOB    NOT NULL PRIMARY KEY,
    ended_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX ended_sessions_by_age ON ended_sessions (ended_at);

-- For what is forgotten with time. An outcome's `body` is empty then: see `ledger/outcomes.rs`.
CREATE INDEX outcomes_by_age ON outcomes (at) WHERE body <> '';
CREATE INDEX refresh_tokens_superseded ON refresh_tokens (superseded_at) WHERE superseded_at > 0;

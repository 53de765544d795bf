-- Values of the person's own that lost to others', kept so that they can be restored. `base`, `lost` and `kept` are JSON;
-- NULL: empty.
CREATE TABLE conflicts (
    id          BLOB    NOT NULL PRIMARY KEY,
    entity_type TEXT    NOT NULL,
    entity_id   BLOB    NOT NULL,
    field       TEXT    NOT NULL,
    base        TEXT,
    lost        TEXT,
    kept        TEXT,
    lost_by     BLOB    NOT NULL,
    kept_by     BLOB    NOT NULL,
    meant_at    INTEGER NOT NULL,
    decided_at  INTEGER NOT NULL,
    policy      TEXT    NOT NULL,
    certain     INTEGER NOT NULL,
    seen_at     INTEGER,
    restored_at INTEGER,
    version     INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    updated_by  BLOB    NOT NULL,
    extra       TEXT
) STRICT;
CREATE INDEX conflicts_by_entity ON conflicts (entity_id);

CREATE TABLE stage_conflicts (
    id          BLOB    NOT NULL PRIMARY KEY,
    entity_type TEXT    NOT NULL,
    entity_id   BLOB    NOT NULL,
    field       TEXT    NOT NULL,
    base        TEXT,
    lost        TEXT,
    kept        TEXT,
    lost_by     BLOB    NOT NULL,
    kept_by     BLOB    NOT NULL,
    meant_at    INTEGER NOT NULL,
    decided_at  INTEGER NOT NULL,
    policy      TEXT    NOT NULL,
    certain     INTEGER NOT NULL,
    seen_at     INTEGER,
    restored_at INTEGER,
    version     INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    updated_by  BLOB    NOT NULL,
    extra       TEXT
) STRICT, WITHOUT ROWID;

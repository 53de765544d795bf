-- Who wrote the value that each field has, and when they meant it: JSON by the field's name. Fields that were not changed
-- since have none.
ALTER TABLE entities ADD COLUMN stamps TEXT NOT NULL DEFAULT '{}';

-- How the property decides between edits that did not know of each other, where it chose otherwise: JSON.
ALTER TABLE properties ADD COLUMN policies TEXT NOT NULL DEFAULT '{}';

CREATE INDEX conflicts_by_owner ON entities (property, doc ->> '$.lostBy') WHERE kind = 'CONFLICT';
CREATE INDEX conflicts_by_age ON entities (property, doc ->> '$.decidedAt') WHERE kind = 'CONFLICT';

-- Who deleted what.
CREATE INDEX deletions ON changes (property, kind, id) WHERE after IS NULL;

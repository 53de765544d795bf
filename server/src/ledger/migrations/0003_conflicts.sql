-- Who wrote the value that each field has, and when they meant it: JSON by the field's name. Fields that were not changed
-- since the entity came to be have none.
ALTER TABLE entities ADD COLUMN stamps TEXT NOT NULL DEFAULT '{}';

-- Of what was changed before, it is not known which field: each counts as written with the last change, at no certain time.
UPDATE entities SET stamps = (
    SELECT json_group_object(field.key, json_object(
        's', 0, 'v', entities.version, 't', entities.doc ->> '$.updatedAt', 'c', json('false'),
        'b', entities.doc ->> '$.updatedBy', 'o', '00000000-0000-0000-0000-000000000000'))
    FROM json_each(entities.doc) AS field
    WHERE field.key NOT IN ('id', 'version', 'updatedAt', 'updatedBy', 'createdBy', 'createdAt'))
WHERE version > 1;

-- How the property decides between edits that did not know of each other, where it chose otherwise: JSON.
ALTER TABLE properties ADD COLUMN policies TEXT NOT NULL DEFAULT '{}';

CREATE INDEX conflicts_by_owner ON entities (property, doc ->> '$.lostBy') WHERE kind = 'CONFLICT';
CREATE INDEX conflicts_by_age ON entities (property, doc ->> '$.decidedAt') WHERE kind = 'CONFLICT';

-- Who deleted what.
CREATE INDEX deletions ON changes (property, kind, id) WHERE after IS NULL;

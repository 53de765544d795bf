-- Keys of the server's own. Sessions and credentials are in the ledger's migrations.
CREATE TABLE IF NOT EXISTS auth_keys (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What needs a human and is no item to approve: conflicts, records that cannot be used, doubts. The body has names and keys.
CREATE TABLE concern (
    environment INTEGER NOT NULL REFERENCES environment (id),
    item        TEXT NOT NULL,
    place       INTEGER NOT NULL,
    since       TEXT NOT NULL,
    key         TEXT,
    card        TEXT,
    body        TEXT NOT NULL,
    PRIMARY KEY (environment, item)
) STRICT, WITHOUT ROWID;

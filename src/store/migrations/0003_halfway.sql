-- Changes of several requests that were begun and have not reached their end: what the next start must complete first.
CREATE TABLE halfway (
    environment INTEGER NOT NULL REFERENCES environment (id),
    run         TEXT NOT NULL,
    item        TEXT NOT NULL,
    plan        TEXT NOT NULL,
    -- The cards concerned, as a JSON array: a person who is forgotten is forgotten here as well.
    cards       TEXT NOT NULL,
    change      TEXT NOT NULL,
    operators   TEXT NOT NULL,
    begun_at    TEXT NOT NULL,
    PRIMARY KEY (environment, run, item)
) STRICT;

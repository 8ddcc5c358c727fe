-- What an undo took back, which the sync does not do again by itself. The body has values of the person.
CREATE TABLE pin (
    environment INTEGER NOT NULL REFERENCES environment (id),
    card        TEXT NOT NULL,
    place       TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (environment, card, place)
) STRICT, WITHOUT ROWID;

-- Which plan holds an item: '' is the sync's, else what is undone.
ALTER TABLE hold ADD COLUMN origin TEXT NOT NULL DEFAULT '';

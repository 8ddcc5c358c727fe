-- What became of each item of a run, for the history: also what was held or not reached, of which the journal has no row.
-- Without values; the requests and their images are in the journal.
CREATE TABLE run_item (
    environment INTEGER NOT NULL REFERENCES environment (id),
    run         TEXT NOT NULL,
    place       INTEGER NOT NULL,
    item        TEXT NOT NULL,
    action      TEXT NOT NULL,
    key         TEXT,
    card        TEXT,
    -- done, not_done, in_doubt, held, not_reached
    outcome     TEXT NOT NULL,
    -- Message, reasons of holds, operators that went along. Empty once the person was purged.
    detail      TEXT NOT NULL,
    PRIMARY KEY (environment, run, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_item_card ON run_item (environment, card);
CREATE INDEX run_item_key ON run_item (environment, key);

-- When what is older than its time was taken out last.
ALTER TABLE environment ADD COLUMN pruned_at TEXT;
-- Values were taken out since the file was last written anew; SQLite may have moved copies of them to unused places.
ALTER TABLE environment ADD COLUMN rewrite_due INTEGER NOT NULL DEFAULT 0;

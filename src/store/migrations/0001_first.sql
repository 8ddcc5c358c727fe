-- The first format. Times are text in UTC with nine decimals, so that they sort as they are. Columns hold what is
-- searched or counted; the rest of a value is JSON beside them. Personal data is only in ledger, journal and hold.

CREATE TABLE environment (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    host       TEXT NOT NULL UNIQUE,
    -- Random; the key of keyed hashes.
    hash_key   BLOB NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- The number of the last lease that was given out. A write with a lower number is refused.
CREATE TABLE lease (
    environment INTEGER PRIMARY KEY REFERENCES environment (id),
    fence       INTEGER NOT NULL,
    run         TEXT NOT NULL,
    holder      TEXT NOT NULL,
    taken_at    TEXT NOT NULL
) STRICT;

CREATE TABLE ledger (
    environment   INTEGER NOT NULL REFERENCES environment (id),
    card          TEXT NOT NULL,
    key           TEXT,
    key_hash      TEXT,
    origin        TEXT NOT NULL,
    since         TEXT NOT NULL,
    leaving_since TEXT,
    anonymized    INTEGER NOT NULL,
    -- Former keys, anchors, sightings, our archive.
    rest          TEXT NOT NULL,
    PRIMARY KEY (environment, card)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    environment    INTEGER NOT NULL REFERENCES environment (id),
    fence          INTEGER NOT NULL,
    run            TEXT NOT NULL,
    plan           TEXT NOT NULL,
    item           TEXT NOT NULL,
    action         TEXT NOT NULL,
    step_index     INTEGER NOT NULL,
    step_kind      TEXT NOT NULL,
    key            TEXT,
    -- Of a create: filled with its outcome.
    card           TEXT,
    -- Budget classes, each as its own JSON text.
    classes        TEXT NOT NULL,
    sent_at        TEXT NOT NULL,
    change         TEXT NOT NULL,
    step           TEXT NOT NULL,
    before         TEXT,
    operators      TEXT NOT NULL,
    approver       TEXT,
    approval       TEXT,
    -- What the run that sent it saw: done, not_done, in_doubt, held, not_reached. Null: it was cut off.
    outcome        TEXT,
    outcome_at     TEXT,
    outcome_detail TEXT,
    after          TEXT,
    -- What a later read found, where the outcome was missing or in doubt.
    settled        TEXT,
    settled_at     TEXT,
    settled_run    TEXT,
    settled_detail TEXT
) STRICT;

CREATE INDEX journal_open ON journal (environment, id)
    WHERE settled IS NULL AND (outcome IS NULL OR outcome = 'in_doubt');
CREATE INDEX journal_sent ON journal (environment, sent_at);
CREATE INDEX journal_card ON journal (environment, card);
CREATE INDEX journal_key ON journal (environment, key);
CREATE INDEX journal_run ON journal (environment, run);

CREATE TABLE decision (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL REFERENCES environment (id),
    item        TEXT NOT NULL,
    answer      TEXT NOT NULL,
    waives      TEXT NOT NULL,
    decided_by  TEXT NOT NULL,
    decided_at  TEXT NOT NULL,
    until       TEXT,
    note        TEXT
) STRICT;

CREATE INDEX decision_item ON decision (environment, item, id);

CREATE TABLE hold (
    environment INTEGER NOT NULL REFERENCES environment (id),
    item        TEXT NOT NULL,
    since       TEXT NOT NULL,
    last_held   TEXT NOT NULL,
    plan        TEXT NOT NULL,
    -- Its place in the plan. Null, as the body: it does not wait now, only the time of its first hold is kept.
    place       INTEGER,
    card        TEXT,
    body        TEXT,
    PRIMARY KEY (environment, item)
) STRICT;

CREATE TABLE contact (
    environment INTEGER PRIMARY KEY REFERENCES environment (id),
    body        TEXT NOT NULL
) STRICT;

CREATE TABLE snapshot (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL REFERENCES environment (id),
    run         TEXT NOT NULL,
    name        TEXT NOT NULL,
    role        TEXT NOT NULL,
    read_at     TEXT NOT NULL,
    generation  TEXT NOT NULL,
    records     INTEGER NOT NULL,
    keyless     INTEGER NOT NULL,
    unreadable  INTEGER NOT NULL,
    -- complete, degraded, rejected
    verdict     TEXT NOT NULL,
    findings    TEXT NOT NULL
) STRICT;

CREATE INDEX snapshot_name ON snapshot (environment, name, verdict, read_at);

CREATE TABLE run (
    environment INTEGER NOT NULL REFERENCES environment (id),
    id          TEXT NOT NULL,
    command     TEXT NOT NULL,
    started_at  TEXT NOT NULL,
    finished_at TEXT,
    plan        TEXT,
    fingerprint TEXT,
    verdict     TEXT,
    report      TEXT NOT NULL,
    PRIMARY KEY (environment, id)
) STRICT;

CREATE INDEX run_started ON run (environment, started_at);

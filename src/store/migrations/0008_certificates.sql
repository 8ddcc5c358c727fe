-- What is kept of an anonymization, without personal data: the card id, a keyed hash of the key, when, by whom, and what was
-- not reached.
CREATE TABLE certificate (
    environment INTEGER NOT NULL REFERENCES environment (id),
    card        TEXT NOT NULL,
    at          TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (environment, card, at)
) STRICT, WITHOUT ROWID;

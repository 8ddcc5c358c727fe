-- What a decision was about, for the log of decisions: the item's hold and its journal rows come and go.

ALTER TABLE decision ADD COLUMN action TEXT;
ALTER TABLE decision ADD COLUMN key TEXT;
ALTER TABLE decision ADD COLUMN card TEXT;

CREATE INDEX decision_card ON decision (environment, card);

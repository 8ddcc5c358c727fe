-- What a question showed beyond its id and reasons when it was decided, as a JSON list of marks: cards, operators with a hash of
-- what they are called, groups. An approval covers no more than that.

ALTER TABLE decision ADD COLUMN shown TEXT;

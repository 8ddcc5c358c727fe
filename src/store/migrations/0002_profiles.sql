-- What a read was like, in counts: how often attributes are filled, how large groups are, how fresh it is. No personal
-- data. Emptied once it is too old to compare with.
ALTER TABLE snapshot ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';

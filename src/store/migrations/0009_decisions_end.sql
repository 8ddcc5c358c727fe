-- When and why a decision ended: its question was answered or is gone, and it says nothing about the next time that it is
-- asked. `days`: the days that the evidence named when it was decided, as a JSON list.

ALTER TABLE decision ADD COLUMN ended TEXT;
ALTER TABLE decision ADD COLUMN ended_why TEXT;
ALTER TABLE decision ADD COLUMN ended_by TEXT;
ALTER TABLE decision ADD COLUMN days TEXT;

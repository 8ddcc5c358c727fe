-- The cards of a change that is half-way, as they were right before its first request, as a JSON array: its safe end writes a
-- number only onto a card that still is whose it was.

ALTER TABLE halfway ADD COLUMN before TEXT NOT NULL DEFAULT '[]';

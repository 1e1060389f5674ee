-- Kept answers tell secrets that are told once (where a channel sends its notices, what events are signed with).

-- In the place of `body`, which holds what was answered before, until it is forgotten within a day.
ALTER TABLE api_answer ADD COLUMN sealed bytea;

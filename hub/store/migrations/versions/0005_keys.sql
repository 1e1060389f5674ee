-- Whom a key answers for.

-- A key reaches no further than its maker does at the time; null: made at the terminal, by whoever runs the hub.
ALTER TABLE api_key ADD COLUMN made_by uuid;
-- Null: by a key that was made at the terminal.
ALTER TABLE invitation ALTER COLUMN invited_by DROP NOT NULL;

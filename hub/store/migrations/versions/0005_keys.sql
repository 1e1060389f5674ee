-- Whom a key answers for.

-- A key reaches no further than its maker does at the time; null: made at the terminal, by whoever runs the hub.
ALTER TABLE api_key ADD COLUMN made_by uuid;
-- Null: by a key that was made at the terminal.
ALTER TABLE invitation ALTER COLUMN invited_by DROP NOT NULL;
-- Both null: a program asked, and who may connect accounts may bring the answer.
ALTER TABLE consent ALTER COLUMN user_id DROP NOT NULL, ALTER COLUMN session_id DROP NOT NULL;
COMMENT ON COLUMN order_note.user_id IS 'a person''s, or an API key''s';

-- Settings: a role for the warehouse, and people who are asked to come.
ALTER TABLE membership DROP CONSTRAINT membership_role_check;
ALTER TABLE membership ADD CONSTRAINT membership_role_check
    CHECK (role IN ('owner', 'manager', 'operator', 'warehouse', 'viewer'));

CREATE TABLE invitation (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    email text NOT NULL CHECK (email = lower(email) AND position('@' IN email) > 1),
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'operator', 'warehouse', 'viewer')),
    invited_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    mailed_at timestamptz,
    accepted_at timestamptz,
    withdrawn_at timestamptz,
    PRIMARY KEY (seller_id, id)
);
-- One letter is out at a time for an address.
CREATE UNIQUE INDEX invitation_open ON invitation (seller_id, email) WHERE accepted_at IS NULL AND withdrawn_at IS NULL;

-- Sessions and second factors belong to a person, who may work for several sellers.
CREATE TABLE user_session (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    epoch integer NOT NULL,
    device text NOT NULL,
    address text NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX user_session_of ON user_session (user_id, seen_at);

CREATE TABLE user_factor (
    user_id uuid PRIMARY KEY REFERENCES app_user ON DELETE CASCADE,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_step bigint NOT NULL DEFAULT 0 -- a code counts once: its step must be later than the last one used
);

CREATE TABLE recovery_code (
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (user_id, code_hash)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['user_session', 'user_factor', 'recovery_code'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO balcao_app', name);
        EXECUTE format('CREATE POLICY installation ON %I TO balcao_app USING (true) WITH CHECK (true)', name);
    END LOOP;
END $$;

-- Who did it: told once per transaction (balcao.actor), as in the ledger. Entries of before know only that they were made.
ALTER TABLE audit_log ADD COLUMN actor text;
ALTER TABLE audit_log ALTER COLUMN actor SET DEFAULT coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow');
CREATE INDEX audit_log_by_actor ON audit_log (seller_id, actor, id);
CREATE INDEX audit_log_by_action ON audit_log (seller_id, action, id);

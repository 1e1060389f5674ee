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

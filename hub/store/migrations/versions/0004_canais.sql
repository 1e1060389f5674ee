-- Authorizations on their way: asked for at a channel, until its answer comes back; and the applications they name.

CREATE TABLE consent (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    channel text NOT NULL,
    account_id uuid,            -- the account that is connected again; null: a new one
    user_id uuid NOT NULL,      -- who asked, and in which session: nobody else may bring the answer
    session_id uuid NOT NULL,
    state_hash bytea NOT NULL,
    sealed bytea,               -- the PKCE verifier and what was typed; gone once it is used
    redirect_uri text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE
);
CREATE INDEX consent_ends ON consent (seller_id, expires_at);

CREATE TABLE consent_app (      -- an application's own fields, typed once
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    channel text NOT NULL,
    sealed bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, channel)
);

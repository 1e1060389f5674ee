-- The first run: who may make the first user, the steps that a seller put away, and sellers that are demonstrations.

-- Codes that the log tells while nobody may sign in, hashed; gone with the first user.
CREATE TABLE setup_code (
    code_hash bytea PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE setup_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE setup_code FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, DELETE ON setup_code TO balcao_app;
CREATE POLICY installation ON setup_code TO balcao_app USING (true) WITH CHECK (true);

-- Only what cannot be told from the seller's own rows: everything else about the steps is looked up.
CREATE TABLE first_run (
    seller_id uuid PRIMARY KEY REFERENCES seller ON DELETE CASCADE,
    put_away_at timestamptz NOT NULL DEFAULT now(),
    put_away_by uuid -- null: the run came to its end by itself
);

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

-- A demonstration: a seller of its own with channels that this machine plays. It is one from its making on or never, so
-- that nothing of a real seller can be thrown away with it; there is one at a time.
ALTER TABLE seller ADD COLUMN demo boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX seller_one_demo ON seller (demo) WHERE demo;
GRANT SELECT (demo) ON seller TO balcao_dispatch;

CREATE FUNCTION seller_stays_what_it_is() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a seller is a demonstration from its making on, or never';
END $$;
CREATE TRIGGER seller_stays_what_it_is BEFORE UPDATE OF demo ON seller FOR EACH ROW
    WHEN (OLD.demo IS DISTINCT FROM NEW.demo) EXECUTE FUNCTION seller_stays_what_it_is();

-- Where a demonstration's channels answer on this machine: the only private address that its accounts may call.
CREATE TABLE demo_place (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    account_id uuid NOT NULL,
    port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    PRIMARY KEY (seller_id, account_id),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE
);

-- The ledger and the audit log are append-only, and no seller is deleted; a demonstration ends with all of it. Policy and
-- trigger say so twice: the one leaves other sellers' rows out, the other says why.
CREATE FUNCTION demo_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'balcao_app' AND NOT EXISTS (SELECT FROM seller
            WHERE demo AND seller_id = nullif(current_setting('balcao.seller', true), '')::uuid) THEN
        RAISE EXCEPTION 'what was written down stays: only a demonstration is forgotten'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER demo_only BEFORE DELETE ON stock_movement FOR EACH STATEMENT EXECUTE FUNCTION demo_only();
CREATE TRIGGER demo_only BEFORE DELETE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION demo_only();
CREATE TRIGGER demo_only BEFORE DELETE ON seller FOR EACH STATEMENT EXECUTE FUNCTION demo_only();
CREATE POLICY demo_only ON stock_movement AS RESTRICTIVE FOR DELETE TO balcao_app
    USING (EXISTS (SELECT FROM seller s WHERE s.seller_id = stock_movement.seller_id AND s.demo));
CREATE POLICY demo_only ON audit_log AS RESTRICTIVE FOR DELETE TO balcao_app
    USING (EXISTS (SELECT FROM seller s WHERE s.seller_id = audit_log.seller_id AND s.demo));
CREATE POLICY demo_only ON seller AS RESTRICTIVE FOR DELETE TO balcao_app USING (demo);
GRANT DELETE ON stock_movement, audit_log, seller TO balcao_app;

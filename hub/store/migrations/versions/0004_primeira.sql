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

-- The ledger and the audit log are append-only for the application; a demonstration's end with it. The owner of the
-- tables sees no row but a demonstration's, and only that of the transaction's own seller.
CREATE POLICY demo_ends ON seller TO balcao_owner
    USING (demo AND seller_id = (SELECT nullif(current_setting('balcao.seller', true), '')::uuid));
CREATE POLICY demo_ends ON stock_movement TO balcao_owner
    USING (EXISTS (SELECT FROM seller s WHERE s.seller_id = stock_movement.seller_id));
CREATE POLICY demo_ends ON audit_log TO balcao_owner
    USING (EXISTS (SELECT FROM seller s WHERE s.seller_id = audit_log.seller_id));

CREATE FUNCTION demo_forgets_its_ledger() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM seller) THEN
        RAISE EXCEPTION 'only a demonstration is forgotten';
    END IF;
    DELETE FROM stock_movement;
    DELETE FROM audit_log;
END $$;
CREATE FUNCTION demo_ends() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    DELETE FROM seller;
END $$;
REVOKE ALL ON FUNCTION demo_forgets_its_ledger(), demo_ends() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION demo_forgets_its_ledger(), demo_ends() TO balcao_app;

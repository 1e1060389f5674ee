-- Sellers apart: forced row-level security on every table, and three roles with no way around it.
-- app: one seller at a time, named per transaction by balcao.seller. intake: may only add inbox rows.
-- dispatch: sees and frees due and lease columns across sellers, nothing else.

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO balcao_app', name);
        IF name NOT IN ('app_user', 'channel_app', 'seller') THEN
            EXECUTE format(
                'CREATE POLICY own_rows ON %I TO balcao_app '
                'USING (seller_id = (SELECT nullif(current_setting(''balcao.seller'', true), '''')::uuid)) '
                'WITH CHECK (seller_id = (SELECT nullif(current_setting(''balcao.seller'', true), '''')::uuid))',
                name);
        END IF;
    END LOOP;
END $$;

-- People and OAuth applications belong to the installation, not to a seller: sign-in looks a person up before
-- any seller is chosen, and one application serves many sellers. Their secrets are hashed or encrypted.
CREATE POLICY installation ON app_user TO balcao_app USING (true) WITH CHECK (true);
CREATE POLICY installation ON channel_app TO balcao_app USING (true) WITH CHECK (true);
REVOKE DELETE ON app_user, channel_app FROM balcao_app;

CREATE POLICY own_rows ON seller TO balcao_app
    USING (seller_id = (SELECT nullif(current_setting('balcao.seller', true), '')::uuid))
    WITH CHECK (seller_id = (SELECT nullif(current_setting('balcao.seller', true), '')::uuid));
REVOKE DELETE ON seller FROM balcao_app;
-- The ledger and the audit log are append-only.
REVOKE UPDATE, DELETE ON stock_movement FROM balcao_app;
REVOKE UPDATE, DELETE ON audit_log FROM balcao_app;

GRANT USAGE ON SEQUENCE fetch_seq TO balcao_app, balcao_intake;

GRANT INSERT ON inbox TO balcao_intake;
CREATE POLICY add_only ON inbox FOR INSERT TO balcao_intake WITH CHECK (true);

GRANT SELECT (seller_id, id, channel, external_id, app_id, status, callback_hash) ON account TO balcao_dispatch;
CREATE POLICY across ON account FOR SELECT TO balcao_dispatch USING (true);
GRANT SELECT (id, channel, app_key, callback_hash) ON channel_app TO balcao_dispatch;
CREATE POLICY across ON channel_app FOR SELECT TO balcao_dispatch USING (true);
GRANT SELECT (seller_id, user_id, role) ON membership TO balcao_dispatch;
CREATE POLICY across ON membership FOR SELECT TO balcao_dispatch USING (true);
GRANT SELECT (seller_id, name) ON seller TO balcao_dispatch;
CREATE POLICY across ON seller FOR SELECT TO balcao_dispatch USING (true);
GRANT SELECT (seller_id, key_hash, revoked_at) ON api_key TO balcao_dispatch;
CREATE POLICY across ON api_key FOR SELECT TO balcao_dispatch USING (true);

GRANT SELECT (seller_id, account_id, kind, due_at, lease_token, lease_until, lease_by) ON task TO balcao_dispatch;
GRANT UPDATE (lease_token, lease_until, lease_by) ON task TO balcao_dispatch;
GRANT SELECT (seller_id, id, account_id, state, due_at, lease_token, lease_until, lease_by) ON inbox TO balcao_dispatch;
GRANT SELECT (seller_id, id, account_id, due_at, lease_token, lease_until, lease_by) ON stock_slot TO balcao_dispatch;
GRANT UPDATE (lease_until) ON inbox, stock_slot TO balcao_dispatch;
GRANT SELECT (seller_id, id, account_id, carrier_account_id, track_due_at, news_due_at, lease_token, lease_until, lease_by)
    ON shipment TO balcao_dispatch;
GRANT UPDATE (lease_until) ON shipment TO balcao_dispatch;
CREATE POLICY due_read ON task FOR SELECT TO balcao_dispatch USING (true);
CREATE POLICY due_free ON task FOR UPDATE TO balcao_dispatch USING (true);
CREATE POLICY due_read ON inbox FOR SELECT TO balcao_dispatch USING (true);
CREATE POLICY due_free ON inbox FOR UPDATE TO balcao_dispatch USING (true);
CREATE POLICY due_read ON stock_slot FOR SELECT TO balcao_dispatch USING (true);
CREATE POLICY due_free ON stock_slot FOR UPDATE TO balcao_dispatch USING (true);
CREATE POLICY due_read ON shipment FOR SELECT TO balcao_dispatch USING (true);
CREATE POLICY due_free ON shipment FOR UPDATE TO balcao_dispatch USING (true);

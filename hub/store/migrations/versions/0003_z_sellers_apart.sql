-- Every table that 0002 has not seen: forced row-level security, and the app role held to one seller's rows.

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
          AND NOT c.relforcerowsecurity
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO balcao_app', name);
        EXECUTE format(
            'CREATE POLICY own_rows ON %I TO balcao_app '
            'USING (seller_id = (SELECT nullif(current_setting(''balcao.seller'', true), '''')::uuid)) '
            'WITH CHECK (seller_id = (SELECT nullif(current_setting(''balcao.seller'', true), '''')::uuid))',
            name);
    END LOOP;
END $$;

-- Events out: what happens in the hub, told to a seller's own programs.

-- Who wants to be told what. Without a row, or one that wants nothing, nothing is written down. The triggers below keep it.
CREATE TABLE event_interest (
    seller_id uuid PRIMARY KEY REFERENCES seller ON DELETE CASCADE,
    every boolean NOT NULL DEFAULT false,       -- an endpoint takes all kinds, or a key that reads the feed is in force
    kinds text[] NOT NULL DEFAULT '{}',
    last_number bigint NOT NULL DEFAULT 0
);
GRANT SELECT (seller_id) ON event_interest TO balcao_dispatch;
CREATE POLICY due_read ON event_interest FOR SELECT TO balcao_dispatch USING (true);

-- A UUIDv7, as hub.store.new_id makes them.
CREATE FUNCTION event_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1),
        'hex')::uuid
$$;

-- The outbox: written by the transaction that makes the change. `seq` is drawn while the change holds its row, so that
-- events of one thing follow each other; `number` is given afterwards, by one at a time, so that a feed read by number
-- misses nothing that commits late. No reference to the seller: the hot path locks nothing beside what it writes.
CREATE SEQUENCE event_seq AS bigint;
GRANT USAGE ON SEQUENCE event_seq TO balcao_app;
CREATE TABLE event (
    seller_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT event_id(),
    seq bigint NOT NULL DEFAULT nextval('event_seq'),
    number bigint,                              -- null: nobody has looked at it yet
    kind text NOT NULL,
    subject text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    facts jsonb NOT NULL,                       -- as the change left them
    body text,                                  -- what is sent, to the byte
    PRIMARY KEY (seller_id, id),
    CONSTRAINT event_numbered CHECK ((number IS NULL) = (body IS NULL))
);
CREATE INDEX event_pending ON event (seller_id, seq) WHERE number IS NULL;
CREATE UNIQUE INDEX event_feed ON event (seller_id, number) WHERE number IS NOT NULL;
GRANT SELECT (seller_id, number) ON event TO balcao_dispatch;
CREATE POLICY due_read ON event FOR SELECT TO balcao_dispatch USING (true);

-- A SKU's availability is told as it is, not as it moved: a sale only marks the SKU, once until it is told.
CREATE TABLE sku_news (
    seller_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    due_at timestamptz,                         -- its availability is looked at then; null: nothing moved
    available integer,                          -- as told last
    told_at timestamptz,
    PRIMARY KEY (seller_id, sku_id),
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku ON DELETE CASCADE
);
CREATE INDEX sku_news_due ON sku_news (seller_id, due_at) WHERE due_at IS NOT NULL;
GRANT SELECT (seller_id, due_at) ON sku_news TO balcao_dispatch;
CREATE POLICY due_read ON sku_news FOR SELECT TO balcao_dispatch USING (true);

CREATE TABLE event_endpoint (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    url text NOT NULL,
    description text NOT NULL DEFAULT '',
    kinds text[],                               -- null: all of them
    sealed bytea NOT NULL,
    old_sealed bytea,                           -- signs too until then
    old_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    disabled_why text CHECK (disabled_why IN ('person', 'gone', 'failing')),
    failures integer NOT NULL DEFAULT 0,        -- in a row
    failing_since timestamptz,
    rest_until timestamptz,
    succeeded_at timestamptz,
    failed_at timestamptz,
    problem text,                               -- of the last failure
    PRIMARY KEY (seller_id, id),
    CONSTRAINT event_endpoint_disabled CHECK ((disabled_at IS NULL) = (disabled_why IS NULL))
);
GRANT SELECT (seller_id, id, disabled_at, rest_until, failures) ON event_endpoint TO balcao_dispatch;
CREATE POLICY due_read ON event_endpoint FOR SELECT TO balcao_dispatch USING (true);

CREATE TABLE event_delivery (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    -- superseded: a newer event says how the same thing stands
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sent', 'failed', 'superseded')),
    reason text CHECK (reason IN ('attempts', 'gone', 'disabled')),
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,        -- since it was last begun
    lease_token uuid,
    lease_until timestamptz,
    lease_by bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, event_id, endpoint_id),
    FOREIGN KEY (seller_id, endpoint_id) REFERENCES event_endpoint ON DELETE CASCADE,
    FOREIGN KEY (seller_id, event_id) REFERENCES event ON DELETE CASCADE,
    CONSTRAINT event_delivery_open CHECK ((due_at IS NOT NULL) = (state = 'due'))
);
CREATE INDEX event_delivery_due ON event_delivery (seller_id, endpoint_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX event_delivery_stock ON event_delivery (seller_id, endpoint_id, subject)
    WHERE due_at IS NOT NULL AND kind = 'stock.changed';
CREATE INDEX event_delivery_of ON event_delivery (seller_id, endpoint_id, id);
CREATE INDEX event_delivery_in ON event_delivery (seller_id, endpoint_id, state, id) WHERE state <> 'sent';
CREATE INDEX event_delivery_flying ON event_delivery (seller_id, endpoint_id) WHERE lease_token IS NOT NULL;
CREATE INDEX event_delivery_leased ON event_delivery (lease_by) WHERE lease_by IS NOT NULL;
GRANT SELECT (seller_id, id, endpoint_id, due_at, lease_token, lease_until, lease_by) ON event_delivery
    TO balcao_dispatch;
GRANT UPDATE (lease_until) ON event_delivery TO balcao_dispatch;
CREATE POLICY due_read ON event_delivery FOR SELECT TO balcao_dispatch USING (true);
CREATE POLICY due_free ON event_delivery FOR UPDATE TO balcao_dispatch USING (true);

CREATE TABLE event_attempt (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    at timestamptz NOT NULL,
    ms integer NOT NULL,
    status integer,                             -- null: no answer
    problem text,                               -- null: it was taken
    answer text NOT NULL DEFAULT '',            -- its beginning, secrets masked
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, delivery_id) REFERENCES event_delivery ON DELETE CASCADE
);
CREATE INDEX event_attempt_of ON event_attempt (seller_id, delivery_id, id);

-- ── who wants what ──────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION event_interest_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.seller_id ELSE NEW.seller_id END;
BEGIN
    -- The row first, and what it says in a statement of its own: of two changes at once the later sees the earlier.
    INSERT INTO event_interest (seller_id) VALUES (whose)
        ON CONFLICT (seller_id) DO UPDATE SET last_number = event_interest.last_number;
    UPDATE event_interest SET
        every = EXISTS (SELECT FROM event_endpoint e WHERE e.seller_id = whose AND e.disabled_at IS NULL AND e.kinds IS NULL)
            OR EXISTS (SELECT FROM api_key k WHERE k.seller_id = whose AND k.revoked_at IS NULL
                       AND 'events:read' = ANY (k.scopes)),
        kinds = ARRAY(SELECT DISTINCT unnest(e.kinds) FROM event_endpoint e
                      WHERE e.seller_id = whose AND e.disabled_at IS NULL)
    WHERE seller_id = whose;
    RETURN NULL;
END $$;
CREATE TRIGGER event_interest_moved AFTER INSERT OR DELETE OR UPDATE OF kinds, disabled_at ON event_endpoint
    FOR EACH ROW EXECUTE FUNCTION event_interest_moved();
CREATE TRIGGER event_interest_moved AFTER INSERT OR DELETE OR UPDATE OF scopes, revoked_at ON api_key
    FOR EACH ROW EXECUTE FUNCTION event_interest_moved();

-- ── what happens ────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION event_wanted(whose uuid, what text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM event_interest i WHERE i.seller_id = whose AND (i.every OR what = ANY (i.kinds)));
END $$;

-- An order is made empty and then told: that is when it is created. What only the channel's own words or clock say is
-- no change of ours.
CREATE FUNCTION event_of_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    what text;
    wordless text[] := ARRAY['changed_at', 'raw_status', 'clocks'];
BEGIN
    IF NOT EXISTS (SELECT FROM event_interest i WHERE i.seller_id = NEW.seller_id AND (i.every OR i.kinds <> '{}')) THEN
        RETURN NULL;
    END IF;
    what := CASE WHEN OLD.versions = '{}' AND NEW.versions <> '{}' THEN 'order.created'
                 WHEN NEW.status = 'cancelled' AND OLD.status <> 'cancelled' THEN 'order.cancelled'
                 WHEN NEW.versions <> '{}' AND ((NEW.status, NEW.ship_by) IS DISTINCT FROM (OLD.status, OLD.ship_by)
                     OR NEW.told - wordless <> OLD.told - wordless) THEN 'order.updated' END;
    IF what IS NULL OR NOT event_wanted(NEW.seller_id, what) THEN
        RETURN NULL;
    END IF;
    INSERT INTO event (seller_id, kind, subject, facts) VALUES (NEW.seller_id, what, NEW.id::text, jsonb_build_object(
        'order_id', NEW.id, 'account_id', NEW.account_id, 'ref', NEW.ref, 'number', NEW.number,
        'status', NEW.status, 'payment', NEW.payment, 'fulfilment', NEW.fulfilment, 'hold', NEW.hold,
        'fulfilled_by', NEW.fulfilled_by, 'currency', NEW.currency, 'total_cents', NEW.total_cents,
        'placed_at', NEW.placed_at, 'changed_at', NEW.changed_at, 'ship_by', NEW.ship_by, 'deliver_by', NEW.deliver_by,
        'lines', coalesce((SELECT jsonb_agg(jsonb_build_object('ref', l -> 'ref', 'sku', l -> 'sku',
            'quantity', l -> 'quantity', 'cancelled_quantity', l -> 'cancelled_quantity',
            'dispatched_quantity', l -> 'dispatched_quantity', 'returned_quantity', l -> 'returned_quantity'))
            FROM jsonb_array_elements(NEW.told -> 'lines') l), '[]')));
    RETURN NULL;
END $$;
CREATE TRIGGER event_of_order AFTER UPDATE OF told, status, ship_by ON orders
    FOR EACH ROW EXECUTE FUNCTION event_of_order();

CREATE FUNCTION event_of_shipment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    what text := CASE TG_OP WHEN 'INSERT' THEN 'shipment.created' ELSE 'shipment.updated' END;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.carrier, NEW.service, NEW.tracking_code, NEW.status, NEW.deliver_by) IS NOT DISTINCT FROM
                (OLD.carrier, OLD.service, OLD.tracking_code, OLD.status, OLD.deliver_by) THEN
            RETURN NULL;
        END IF;
    END IF;
    IF event_wanted(NEW.seller_id, what) THEN
        INSERT INTO event (seller_id, kind, subject, facts) VALUES (NEW.seller_id, what, NEW.id::text,
            jsonb_build_object('shipment_id', NEW.id, 'account_id', NEW.account_id, 'ref', NEW.ref,
                'carrier', NEW.carrier, 'service', NEW.service, 'tracking_code', NEW.tracking_code,
                'status', NEW.status, 'deliver_by', NEW.deliver_by));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER event_of_shipment AFTER INSERT OR UPDATE OF carrier, service, tracking_code, status, deliver_by
    ON shipment FOR EACH ROW EXECUTE FUNCTION event_of_shipment();

CREATE FUNCTION event_of_slot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF event_wanted(NEW.seller_id, 'listing.parked') THEN
        INSERT INTO event (seller_id, kind, subject, facts) VALUES (NEW.seller_id, 'listing.parked', NEW.id::text,
            jsonb_build_object('slot_id', NEW.id, 'account_id', NEW.account_id, 'slot_ref', NEW.ref,
                'listing_ref', NEW.listing_ref, 'variation_ref', NEW.variation_ref, 'sku_id', NEW.sku_id,
                'desired', NEW.desired, 'code', NEW.parked_code));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER event_of_slot AFTER UPDATE OF parked_code ON stock_slot FOR EACH ROW
    WHEN (OLD.parked_code IS NULL AND NEW.parked_code IS NOT NULL) EXECUTE FUNCTION event_of_slot();

CREATE FUNCTION event_of_shortage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF event_wanted(NEW.seller_id, 'shortage.opened') THEN
        INSERT INTO event (seller_id, kind, subject, facts) VALUES (NEW.seller_id, 'shortage.opened', NEW.id::text,
            jsonb_build_object('shortage_id', NEW.id, 'order_id', NEW.order_id, 'line_ref', NEW.line_ref,
                'sku_id', NEW.sku_id, 'quantity', NEW.units));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER event_of_shortage AFTER INSERT ON shortage_case FOR EACH ROW EXECUTE FUNCTION event_of_shortage();

CREATE FUNCTION event_of_alert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    what text := CASE WHEN NEW.resolved_at IS NULL THEN 'alert.opened' ELSE 'alert.closed' END;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.resolved_at IS NULL) = (OLD.resolved_at IS NULL) THEN
            RETURN NULL;
        END IF;
    END IF;
    IF event_wanted(NEW.seller_id, what) THEN
        INSERT INTO event (seller_id, kind, subject, facts) VALUES (NEW.seller_id, what, NEW.id::text,
            jsonb_build_object('alert_id', NEW.id, 'alert', NEW.kind, 'about', NEW.subject, 'severity', NEW.severity,
                'opened_at', NEW.opened_at, 'due_at', NEW.due_at, 'closed_at', NEW.resolved_at));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER event_of_alert AFTER INSERT OR UPDATE OF resolved_at ON alert
    FOR EACH ROW EXECUTE FUNCTION event_of_alert();

CREATE FUNCTION event_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF event_wanted(NEW.seller_id, 'account.held') THEN
        INSERT INTO event (seller_id, kind, subject, facts) VALUES (NEW.seller_id, 'account.held', NEW.id::text,
            jsonb_build_object('account_id', NEW.id, 'name', NEW.name));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER event_of_account AFTER UPDATE OF status ON account FOR EACH ROW
    WHEN (NEW.status = 'held' AND OLD.status <> 'held') EXECUTE FUNCTION event_of_account();

CREATE FUNCTION event_of_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF event_wanted(NEW.seller_id, 'return.opened') THEN
        INSERT INTO event (seller_id, kind, subject, facts) VALUES (NEW.seller_id, 'return.opened', NEW.id::text,
            jsonb_build_object('return_id', NEW.id, 'order_id', NEW.order_id, 'ref', NEW.ref, 'status', NEW.status,
                'lines', coalesce((SELECT jsonb_agg(jsonb_build_object('line_ref', l -> 'line_ref',
                    'quantity', l -> 'quantity', 'disposition', l -> 'disposition'))
                    FROM jsonb_array_elements(NEW.lines) l), '[]')));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER event_of_return AFTER INSERT ON order_return FOR EACH ROW EXECUTE FUNCTION event_of_return();

-- Whole statements, in id order: two that move many SKUs at once mark them in one order.
CREATE FUNCTION event_of_levels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sku_news (seller_id, sku_id, due_at)
        SELECT DISTINCT m.seller_id, m.sku_id, now() FROM moved m JOIN event_interest i ON i.seller_id = m.seller_id
            AND (i.every OR 'stock.changed' = ANY (i.kinds)) ORDER BY 1, 2
        ON CONFLICT (seller_id, sku_id) DO UPDATE
            SET due_at = greatest(now(), sku_news.told_at + interval '5 seconds') WHERE sku_news.due_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER event_of_new_levels AFTER INSERT ON stock_level REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION event_of_levels();
CREATE TRIGGER event_of_levels AFTER UPDATE ON stock_level REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION event_of_levels();

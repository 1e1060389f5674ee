-- Deadlines of orders and parcels.

-- ship_by is what holds: what the channel tells, else what the seller's own policy says.
ALTER TABLE orders
    ADD COLUMN ship_by_policy timestamptz,
    ADD COLUMN ship_stage smallint NOT NULL DEFAULT 0 CHECK (ship_stage BETWEEN 0 AND 3),   -- alerted: 4 h, 1 h, late
    ADD COLUMN deadline_at timestamptz;     -- its deadline is looked at then; null: nothing to look at
CREATE INDEX orders_deadline ON orders (deadline_at) WHERE deadline_at IS NOT NULL;
GRANT SELECT (seller_id, deadline_at) ON orders TO balcao_dispatch;
CREATE POLICY due_read ON orders FOR SELECT TO balcao_dispatch USING (true);

ALTER TABLE shipment
    ADD COLUMN look_at timestamptz,         -- how it stands is looked at then
    ADD COLUMN ended_at timestamptz;
CREATE INDEX shipment_look ON shipment (look_at) WHERE look_at IS NOT NULL;
GRANT SELECT (look_at) ON shipment TO balcao_dispatch;

-- Whichever flow moves a parcel (a carrier that is asked, one that tells, a channel): it is looked at.
CREATE FUNCTION parcel_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR (NEW.status, NEW.deliver_by, NEW.last_event_at, NEW.tracking_code) IS DISTINCT FROM
            (OLD.status, OLD.deliver_by, OLD.last_event_at, OLD.tracking_code) THEN
        NEW.look_at := now();
        NEW.ended_at := CASE WHEN NEW.status IN ('delivered', 'returned', 'cancelled', 'lost')
                             THEN coalesce(NEW.ended_at, now()) END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER parcel_moved BEFORE INSERT OR UPDATE ON shipment FOR EACH ROW EXECUTE FUNCTION parcel_moved();

-- What is open already. The owner sees rows only while row-level security is not forced.
ALTER TABLE orders NO FORCE ROW LEVEL SECURITY;
ALTER TABLE shipment NO FORCE ROW LEVEL SECURITY;
UPDATE orders SET deadline_at = now() WHERE status = 'paid';
UPDATE shipment SET look_at = now() WHERE status IS NULL OR status NOT IN ('delivered', 'returned', 'cancelled');
UPDATE shipment SET ended_at = coalesce(last_event_at, created_at)
WHERE status IN ('delivered', 'returned', 'cancelled', 'lost');
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
ALTER TABLE shipment FORCE ROW LEVEL SECURITY;

-- What buyers are told by e-mail: once for each order and event, whatever is told again. The address is read from the
-- order when it is sent, and kept nowhere else. sending: the message is about to leave, or left, and nobody noted it yet.
CREATE TABLE buyer_mail (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    event text NOT NULL CHECK (event IN ('dispatched', 'out_for_delivery', 'awaiting_pickup', 'delivered')),
    shipment_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sending', 'sent', 'doubt', 'skipped', 'failed')),
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    reason text,
    lease_token uuid,
    sent_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, order_id, event),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE,
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipment ON DELETE CASCADE,
    CONSTRAINT buyer_mail_open CHECK ((due_at IS NOT NULL) = (state IN ('due', 'sending')))
);
CREATE INDEX buyer_mail_due ON buyer_mail (due_at) WHERE due_at IS NOT NULL;
GRANT SELECT (seller_id, due_at) ON buyer_mail TO balcao_dispatch;
CREATE POLICY due_read ON buyer_mail FOR SELECT TO balcao_dispatch USING (true);

-- A seller's own words for an event; without a row, the hub's.
CREATE TABLE mail_template (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    event text NOT NULL,
    locale text NOT NULL CHECK (locale IN ('pt_BR', 'en')),
    subject text NOT NULL CHECK (subject <> ''),
    body text NOT NULL CHECK (body <> ''),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, event, locale)
);

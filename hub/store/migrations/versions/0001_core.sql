-- The whole core schema. Every key starts with seller_id (also the distribution key on Citus).
-- Global tables, which no seller owns: app_user (people) and channel_app (one per OAuth application).

CREATE TABLE app_user (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE CHECK (email = lower(email) AND position('@' IN email) > 1),
    name text NOT NULL,
    password_hash text NOT NULL,
    locale text NOT NULL DEFAULT 'pt_BR',
    session_epoch integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);

CREATE TABLE channel_app (
    id uuid PRIMARY KEY,
    channel text NOT NULL,
    app_key text NOT NULL,
    callback_hash bytea NOT NULL UNIQUE,
    callback_sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (channel, app_key)
);

CREATE TABLE seller (
    seller_id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE membership (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'operator', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, user_id)
);
CREATE INDEX membership_user ON membership (user_id);

CREATE TABLE company (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    cnpj text NOT NULL CHECK (cnpj ~ '^[0-9A-Z]{12}[0-9]{2}$'),
    name text NOT NULL,
    address jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, cnpj)
);

CREATE TABLE api_key (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    key_hash bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (seller_id, id)
);

CREATE TABLE account (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    channel text NOT NULL,
    name text NOT NULL,
    external_id text,
    app_id uuid REFERENCES channel_app,
    company_id uuid,
    -- preview: everything is read, nothing is written there; live: approved; held: the channel refused our
    -- credentials; paused: by the seller; closed: disconnected, kept for its history
    status text NOT NULL DEFAULT 'preview' CHECK (status IN ('preview', 'live', 'held', 'paused', 'closed')),
    resume_status text CHECK (resume_status IN ('preview', 'live')),
    held_reason text,
    stock_role text NOT NULL DEFAULT 'target' CHECK (stock_role IN ('source', 'target', 'none')),
    settings jsonb NOT NULL DEFAULT '{}',
    facts jsonb NOT NULL DEFAULT '{}',
    callback_hash bytea NOT NULL UNIQUE,
    checked_at timestamptz,
    approved_at timestamptz,
    braked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, company_id) REFERENCES company
);
CREATE UNIQUE INDEX account_external ON account (channel, external_id) WHERE status <> 'closed';

CREATE TABLE credential (
    seller_id uuid NOT NULL,
    account_id uuid NOT NULL,
    sealed bytea NOT NULL,          -- what the seller typed, the webhook secret and the callback token
    token_sealed bytea,
    token_expires_at timestamptz,
    token_generation bigint NOT NULL DEFAULT 0,
    lease_token uuid,
    lease_until timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, account_id),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE
);

-- Recurring work of an account: the scheduler and the sweep read due_at, the flow moves it on.
CREATE TABLE task (
    seller_id uuid NOT NULL,
    account_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('poll', 'missed', 'listings', 'reconcile', 'subscribe')),
    due_at timestamptz NOT NULL DEFAULT now(),
    cursor text,
    attempts integer NOT NULL DEFAULT 0,
    error text,
    succeeded_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    lease_by bigint,
    PRIMARY KEY (seller_id, account_id, kind),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE
);
CREATE INDEX task_due ON task (due_at);

CREATE TABLE warehouse (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    code text NOT NULL CHECK (code <> ''),
    name text NOT NULL,
    kind text NOT NULL DEFAULT 'own' CHECK (kind IN ('own', 'marketplace', 'transit', 'damaged')),
    rank integer NOT NULL DEFAULT 100,
    postal_code text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, code)
);

-- Which warehouses a channel draws from; an account without rows draws from every own warehouse.
CREATE TABLE account_warehouse (
    seller_id uuid NOT NULL,
    account_id uuid NOT NULL,
    warehouse_id uuid NOT NULL,
    PRIMARY KEY (seller_id, account_id, warehouse_id),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE,
    FOREIGN KEY (seller_id, warehouse_id) REFERENCES warehouse
);

CREATE TABLE sku (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    code text NOT NULL CHECK (code <> ''),
    title text NOT NULL DEFAULT '',
    gtin text,
    category text,
    weight_g integer CHECK (weight_g > 0),
    length_cm integer CHECK (length_cm > 0),
    width_cm integer CHECK (width_cm > 0),
    height_cm integer CHECK (height_cm > 0),
    cost_cents bigint,
    opened_at timestamptz,      -- first opening movement; null: availability is null and nothing is pushed
    stock_since timestamptz,    -- orders dispatched before it never move stock
    split_allowed boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, code)
);
CREATE INDEX sku_gtin ON sku (seller_id, gtin) WHERE gtin IS NOT NULL;

CREATE TABLE kit_component (
    seller_id uuid NOT NULL,
    kit_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (seller_id, kit_id, sku_id),
    CHECK (kit_id <> sku_id),
    FOREIGN KEY (seller_id, kit_id) REFERENCES sku ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku
);
CREATE INDEX kit_component_of ON kit_component (seller_id, sku_id);

CREATE TABLE stock_level (
    seller_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    warehouse_id uuid NOT NULL,
    on_hand integer NOT NULL DEFAULT 0,
    reserved integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    PRIMARY KEY (seller_id, sku_id, warehouse_id),
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku,
    FOREIGN KEY (seller_id, warehouse_id) REFERENCES warehouse
);

-- The append-only ledger: on_hand is the sum of its deltas, by sku and warehouse.
CREATE TABLE stock_movement (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    sku_id uuid NOT NULL,
    warehouse_id uuid NOT NULL,
    delta integer NOT NULL CHECK (delta <> 0),
    reason text NOT NULL CHECK (reason IN
        ('opening', 'count', 'adjustment', 'dispatch', 'return', 'receipt', 'transfer', 'undo')),
    source_ref text NOT NULL,
    line_ref text NOT NULL DEFAULT '',
    order_id uuid,
    note text,
    user_id uuid,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, reason, source_ref, line_ref, sku_id, warehouse_id),
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku,
    FOREIGN KEY (seller_id, warehouse_id) REFERENCES warehouse
);
CREATE INDEX stock_movement_of ON stock_movement (seller_id, sku_id, at);
CREATE INDEX stock_movement_order ON stock_movement (seller_id, order_id) WHERE order_id IS NOT NULL;

CREATE TABLE buffer (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    scope text NOT NULL CHECK (scope IN ('channel', 'category', 'sku', 'listing')),
    scope_ref text NOT NULL,
    account_id uuid,
    kind text NOT NULL CHECK (kind IN ('units', 'percent', 'most', 'least', 'fixed_pool')),
    value integer NOT NULL CHECK (value >= 0),
    ends_at timestamptz,
    PRIMARY KEY (seller_id, id),
    UNIQUE NULLS NOT DISTINCT (seller_id, scope, scope_ref, account_id, kind)
);

-- What a stock write addresses; several listings may share one.
CREATE TABLE stock_slot (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    ref text NOT NULL,
    location_ref text,
    listing_ref text NOT NULL,
    variation_ref text,
    sku_id uuid,
    multiplier integer NOT NULL DEFAULT 1 CHECK (multiplier > 0),
    desired integer CHECK (desired >= 0),   -- what the hub computes; null is not zero and is never pushed
    pushed integer,                         -- last value the channel confirmed; null: never, or in doubt
    expected integer,                       -- what the channel shows by our reckoning (pushed less its own sales)
    seen integer,                           -- last value read there
    seen_at timestamptz,
    version text,                           -- for compare-and-set
    generation bigint NOT NULL DEFAULT 0,   -- moves with each change of desired
    dirty_at timestamptz,                   -- when the change behind the next push reached the hub
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    lease_token uuid,
    lease_until timestamptz,
    lease_by bigint,
    synced_from timestamptz,                -- window of the last write or read that set `expected`:
    synced_to timestamptz,                  -- null while it is under way; set to null before a write leaves
    doubt_until timestamptz,                -- read it back, not before then: a write in doubt may still land
    pending text,                           -- what to ask the channel about an accepted, unfinished write
    pending_until timestamptz,
    last_pushed_at timestamptz,
    parked_code text,
    parked_reason text,
    cause text NOT NULL DEFAULT 'import',    -- what moved desired last: sale, count, link, import
    braked boolean NOT NULL DEFAULT false,
    managed_by text NOT NULL DEFAULT 'seller' CHECK (managed_by IN ('seller', 'marketplace')),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'closed')),
    PRIMARY KEY (seller_id, id),
    UNIQUE NULLS NOT DISTINCT (seller_id, account_id, ref, location_ref),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku
);
CREATE INDEX stock_slot_due ON stock_slot (seller_id, account_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX stock_slot_sku ON stock_slot (seller_id, sku_id) WHERE sku_id IS NOT NULL;
CREATE INDEX stock_slot_parked ON stock_slot (seller_id, account_id) WHERE parked_code IS NOT NULL;
CREATE INDEX stock_slot_leased ON stock_slot (lease_by) WHERE lease_by IS NOT NULL;

CREATE TABLE listing (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    ref text NOT NULL,
    variation_ref text,
    slot_id uuid NOT NULL,
    sku_id uuid,
    multiplier integer NOT NULL DEFAULT 1 CHECK (multiplier > 0),
    linked_by text CHECK (linked_by IN ('sku', 'gtin', 'person', 'file')),
    channel_sku text,
    gtin text,
    title text,
    url text,
    status text NOT NULL CHECK (status IN ('active', 'paused', 'closed')),
    quantity integer,
    price_cents bigint,
    currency text,
    managed_by text NOT NULL CHECK (managed_by IN ('seller', 'marketplace')),
    seen_at timestamptz NOT NULL,
    gone_at timestamptz,
    PRIMARY KEY (seller_id, id),
    UNIQUE NULLS NOT DISTINCT (seller_id, account_id, ref, variation_ref),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE,
    FOREIGN KEY (seller_id, slot_id) REFERENCES stock_slot ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku
);
CREATE INDEX listing_slot ON listing (seller_id, slot_id);
CREATE INDEX listing_sku ON listing (seller_id, sku_id) WHERE sku_id IS NOT NULL;

CREATE TABLE push_log (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    slot_id uuid NOT NULL,
    sku_id uuid,
    quantity integer NOT NULL,
    previous integer,
    outcome text NOT NULL,
    code text,
    message text,
    dirty_at timestamptz,
    sent_at timestamptz NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE
);
CREATE INDEX push_log_recent ON push_log (seller_id, answered_at);
CREATE INDEX push_log_slot ON push_log (seller_id, slot_id, answered_at);

-- A difference between what a channel shows and what the hub reckons, as the audit classed it.
CREATE TABLE drift (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    slot_id uuid NOT NULL,
    class text NOT NULL CHECK (class IN ('external_edit', 'lost_push', 'unknown_sale', 'wrong_link',
        'fulfilled_by_marketplace', 'paused', 'gone', 'in_doubt')),
    seen integer,
    expected integer,
    desired integer,
    repaired boolean NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE
);
CREATE INDEX drift_recent ON drift (seller_id, at);

CREATE TABLE customer (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    document text,
    name text,
    email text,
    phone text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id)
);
CREATE UNIQUE INDEX customer_document ON customer (seller_id, document) WHERE document IS NOT NULL;

CREATE TABLE orders (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    ref text NOT NULL,
    number text,
    group_ref text,
    origin_channel text,
    origin_ref text,
    stock_key text NOT NULL,
    status text NOT NULL CHECK (status IN ('placed', 'paid', 'dispatched', 'delivered', 'cancelled')),
    payment text,
    fulfilment text,
    hold text,
    fulfilled_by text,
    currency text NOT NULL DEFAULT 'BRL',
    total_cents bigint,
    placed_at timestamptz,
    changed_at timestamptz,
    ship_by timestamptz,
    deliver_by timestamptz,
    buyer_name text,
    buyer_document text,
    customer_id uuid,
    told jsonb NOT NULL,            -- the canonical order as known
    versions jsonb NOT NULL,        -- per field: [clock, fetch_seq]
    fulfilled_by_due timestamptz,   -- who fulfils is not known yet: ask again, count as seller from then on
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, account_id, ref),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE,
    FOREIGN KEY (seller_id, customer_id) REFERENCES customer
);
CREATE INDEX orders_recent ON orders (seller_id, placed_at DESC, id);
CREATE INDEX orders_account ON orders (seller_id, account_id, placed_at DESC, id);
CREATE INDEX orders_number ON orders (seller_id, number);
CREATE INDEX orders_group ON orders (seller_id, account_id, group_ref) WHERE group_ref IS NOT NULL;
CREATE INDEX orders_open ON orders (seller_id, ship_by) WHERE status IN ('placed', 'paid');
CREATE INDEX orders_fulfiller ON orders (fulfilled_by_due) WHERE fulfilled_by_due IS NOT NULL;

-- One origin has one stock effect: the order that owns it.
CREATE TABLE stock_effect (
    seller_id uuid NOT NULL,
    stock_key text NOT NULL,
    order_id uuid NOT NULL,
    PRIMARY KEY (seller_id, stock_key),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE
);

CREATE TABLE order_line (
    seller_id uuid NOT NULL,
    order_id uuid NOT NULL,
    ref text NOT NULL,
    listing_ref text,
    variation_ref text,
    channel_sku text,
    sku_id uuid,
    multiplier integer NOT NULL DEFAULT 1 CHECK (multiplier > 0),
    title text,
    quantity integer NOT NULL CHECK (quantity > 0),
    cancelled_quantity integer NOT NULL DEFAULT 0 CHECK (cancelled_quantity >= 0),
    dispatched_quantity integer NOT NULL DEFAULT 0 CHECK (dispatched_quantity >= 0),
    returned_quantity integer NOT NULL DEFAULT 0 CHECK (returned_quantity >= 0),
    total_cents bigint,
    fulfilled_by text,
    PRIMARY KEY (seller_id, order_id, ref),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku
);
CREATE INDEX order_line_unlinked ON order_line (seller_id, listing_ref, variation_ref) WHERE sku_id IS NULL;
CREATE INDEX order_line_sku ON order_line (seller_id, sku_id);

-- The last raw document of each part of an order (order, shipment, billing), for replay and the timeline.
CREATE TABLE order_part (
    seller_id uuid NOT NULL,
    order_id uuid NOT NULL,
    part text NOT NULL,
    clock timestamptz,
    fetch_seq bigint NOT NULL,
    digest text NOT NULL,
    raw bytea NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, order_id, part),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE
);

CREATE TABLE order_event (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL,
    params jsonb NOT NULL DEFAULT '{}',
    inbox_id uuid,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE
);
CREATE INDEX order_event_of ON order_event (seller_id, order_id, at);

CREATE TABLE reservation (
    seller_id uuid NOT NULL,
    order_id uuid NOT NULL,
    line_ref text NOT NULL,
    sku_id uuid NOT NULL,
    warehouse_id uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, order_id, line_ref, sku_id, warehouse_id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders,
    FOREIGN KEY (seller_id, sku_id, warehouse_id) REFERENCES stock_level
);
CREATE INDEX reservation_sku ON reservation (seller_id, sku_id, warehouse_id);

-- Sold, and not there: kept, named and alerted; every increase fills these first.
CREATE TABLE shortage (
    seller_id uuid NOT NULL,
    order_id uuid NOT NULL,
    line_ref text NOT NULL,
    sku_id uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, order_id, line_ref, sku_id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku
);
CREATE INDEX shortage_sku ON shortage (seller_id, sku_id);

CREATE TABLE order_return (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    ref text NOT NULL,
    status text,
    lines jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, order_id, ref),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE
);

CREATE TABLE invoice (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    key text,
    number text,
    series text,
    issued_at timestamptz,
    total_cents bigint,
    status text,
    PRIMARY KEY (seller_id, id),
    UNIQUE NULLS NOT DISTINCT (seller_id, order_id, key, number, series),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE
);

-- A parcel: unique per account and ref, since a pack's shipment spans orders.
CREATE TABLE shipment (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    ref text NOT NULL,
    carrier_account_id uuid,
    carrier text,
    service text,
    tracking_code text,
    tracking_url text,
    status text,
    source text NOT NULL DEFAULT 'channel' CHECK (source IN ('channel', 'hub')),
    deliver_by timestamptz,
    delayed boolean NOT NULL DEFAULT false,
    last_event_at timestamptz,
    next_code text,
    next_carrier text,
    track_due_at timestamptz,
    track_attempts integer NOT NULL DEFAULT 0,
    track_error text,
    news_told text[] NOT NULL DEFAULT '{}',
    news_due_at timestamptz,
    news_attempts integer NOT NULL DEFAULT 0,
    news_error text,
    news_parked text,
    news_dirty_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    lease_by bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    UNIQUE (seller_id, account_id, ref),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE,
    FOREIGN KEY (seller_id, carrier_account_id) REFERENCES account
);
CREATE INDEX shipment_track_due ON shipment (seller_id, carrier_account_id, track_due_at)
    WHERE track_due_at IS NOT NULL;
CREATE INDEX shipment_news_due ON shipment (seller_id, account_id, news_due_at) WHERE news_due_at IS NOT NULL;
CREATE INDEX shipment_code ON shipment (seller_id, tracking_code) WHERE tracking_code IS NOT NULL;
CREATE INDEX shipment_leased ON shipment (lease_by) WHERE lease_by IS NOT NULL;

CREATE TABLE shipment_line (
    seller_id uuid NOT NULL,
    shipment_id uuid NOT NULL,
    order_id uuid NOT NULL,
    line_ref text NOT NULL DEFAULT '',      -- '' is the whole order
    quantity integer,
    PRIMARY KEY (seller_id, shipment_id, order_id, line_ref),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipment ON DELETE CASCADE,
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE
);
CREATE INDEX shipment_line_order ON shipment_line (seller_id, order_id);

CREATE TABLE tracking_event (
    seller_id uuid NOT NULL,
    shipment_id uuid NOT NULL,
    at timestamptz NOT NULL,
    raw_code text NOT NULL,
    place text,
    state text,
    status text NOT NULL,
    description text,
    revokes boolean NOT NULL DEFAULT false,
    revoked boolean NOT NULL DEFAULT false,
    position integer NOT NULL DEFAULT 0,
    noted_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (seller_id, shipment_id, at, raw_code, place, state),
    FOREIGN KEY (seller_id, shipment_id) REFERENCES shipment ON DELETE CASCADE
);

-- Units of a line that had left or come back before their component's stock was opened: they never move it.
CREATE TABLE stock_base (
    seller_id uuid NOT NULL,
    order_id uuid NOT NULL,
    line_ref text NOT NULL,
    sku_id uuid NOT NULL,
    dispatched integer NOT NULL DEFAULT 0 CHECK (dispatched >= 0),
    returned integer NOT NULL DEFAULT 0 CHECK (returned >= 0),
    PRIMARY KEY (seller_id, order_id, line_ref, sku_id),
    FOREIGN KEY (seller_id, order_id) REFERENCES orders ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku
);

-- What channels told us, kept raw before anything is read from it. Due rows are work; done rows are kept for a
-- set number of days. `seq` orders documents: it is drawn before a fetch leaves, or when a notice arrives.
CREATE SEQUENCE fetch_seq AS bigint;
CREATE TABLE inbox (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    seq bigint NOT NULL DEFAULT nextval('fetch_seq'),
    source text NOT NULL CHECK (source IN ('webhook', 'poll', 'missed', 'manual')),
    topic text NOT NULL,
    ref text,
    dedupe_key text NOT NULL,
    told_at timestamptz,
    received_at timestamptz NOT NULL DEFAULT now(),
    raw bytea,
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'done', 'parked', 'kept')),
    due_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    error text,
    lease_token uuid,
    lease_until timestamptz,
    lease_by bigint,
    done_at timestamptz,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, account_id) REFERENCES account ON DELETE CASCADE
);
-- Without a proven event id a notice coalesces only with rows that nobody has claimed yet.
CREATE UNIQUE INDEX inbox_unclaimed ON inbox (seller_id, account_id, dedupe_key)
    WHERE state = 'due' AND lease_token IS NULL;
CREATE INDEX inbox_due ON inbox (seller_id, account_id, due_at, seq) WHERE state = 'due';
CREATE INDEX inbox_done ON inbox (seller_id, done_at) WHERE state IN ('done', 'kept');
CREATE INDEX inbox_parked ON inbox (seller_id, account_id, seq) WHERE state = 'parked';
CREATE INDEX inbox_leased ON inbox (lease_by) WHERE lease_by IS NOT NULL;

CREATE TABLE alert (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    severity text NOT NULL DEFAULT 'warning' CHECK (severity IN ('info', 'warning', 'urgent')),
    params jsonb NOT NULL DEFAULT '{}',
    owner_id uuid,
    due_at timestamptz,
    opened_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    PRIMARY KEY (seller_id, id)
);
CREATE UNIQUE INDEX alert_open ON alert (seller_id, kind, subject) WHERE resolved_at IS NULL;

CREATE TABLE playbook (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    owner_id uuid,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id)
);

CREATE TABLE supplier (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    document text,
    lead_time_days integer CHECK (lead_time_days >= 0),
    PRIMARY KEY (seller_id, id)
);

CREATE TABLE purchase_order (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    supplier_id uuid NOT NULL,
    number text,
    status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'sent', 'partial', 'received', 'cancelled')),
    expected_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, supplier_id) REFERENCES supplier
);

CREATE TABLE purchase_order_line (
    seller_id uuid NOT NULL,
    purchase_order_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    received_quantity integer NOT NULL DEFAULT 0 CHECK (received_quantity >= 0),
    cost_cents bigint,
    PRIMARY KEY (seller_id, purchase_order_id, sku_id),
    FOREIGN KEY (seller_id, purchase_order_id) REFERENCES purchase_order ON DELETE CASCADE,
    FOREIGN KEY (seller_id, sku_id) REFERENCES sku
);

CREATE TABLE message (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid,
    order_id uuid,
    customer_id uuid,
    direction text NOT NULL CHECK (direction IN ('in', 'out')),
    ref text,
    body text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, account_id) REFERENCES account,
    FOREIGN KEY (seller_id, order_id) REFERENCES orders,
    FOREIGN KEY (seller_id, customer_id) REFERENCES customer
);

CREATE TABLE audit_log (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    user_id uuid,
    action text NOT NULL,
    subject text NOT NULL,
    params jsonb NOT NULL DEFAULT '{}',
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id)
);
CREATE INDEX audit_log_recent ON audit_log (seller_id, at);

CREATE TABLE invariant_check (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    broken jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (seller_id, id)
);
CREATE INDEX invariant_check_recent ON invariant_check (seller_id, at);

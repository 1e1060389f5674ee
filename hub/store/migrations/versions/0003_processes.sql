-- Alerts as work: whose it is, by when, what was done; playbooks by kind; who is away and who stands in.

ALTER TABLE alert
    ADD COLUMN urgency smallint GENERATED ALWAYS AS
        (CASE severity WHEN 'urgent' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END) STORED,
    ADD COLUMN owner_role text NOT NULL DEFAULT 'operator',     -- whose it is while it is nobody's by name
    ADD COLUMN taken_at timestamptz,                            -- its owner said so; null: given, not taken up yet
    ADD COLUMN snoozed_until timestamptz,
    ADD COLUMN escalated_at timestamptz,
    ADD COLUMN ticked text[] NOT NULL DEFAULT '{}',             -- steps of its playbook that are done
    ADD COLUMN times integer NOT NULL DEFAULT 1 CHECK (times > 0),  -- how often it has come about this subject
    ADD COLUMN closed_by uuid,                                  -- null: the hub saw its cause end
    ADD COLUMN note text,                                       -- what closed it
    ADD COLUMN look_at timestamptz;                             -- whose it is is looked at then
CREATE INDEX alert_work ON alert (seller_id, urgency, (coalesce(due_at, 'infinity')), id) WHERE resolved_at IS NULL;
CREATE INDEX alert_owner ON alert (seller_id, owner_id) WHERE resolved_at IS NULL AND owner_id IS NOT NULL;
CREATE INDEX alert_done ON alert (seller_id, resolved_at DESC, id) WHERE resolved_at IS NOT NULL;
CREATE INDEX alert_subject ON alert (seller_id, subject, opened_at DESC);
CREATE INDEX alert_look ON alert (look_at) WHERE look_at IS NOT NULL AND resolved_at IS NULL;
GRANT SELECT (seller_id, look_at, resolved_at) ON alert TO balcao_dispatch;
CREATE POLICY due_read ON alert FOR SELECT TO balcao_dispatch USING (true);

-- One that gets worse is not put off any longer.
CREATE FUNCTION alert_worse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.severity <> 'urgent' AND (NEW.severity = 'urgent' OR OLD.severity = 'info' AND NEW.severity = 'warning') THEN
        NEW.look_at := now();
        NEW.snoozed_until := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER alert_worse BEFORE UPDATE OF severity ON alert FOR EACH ROW EXECUTE FUNCTION alert_worse();

CREATE TABLE alert_event (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    alert_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL,
    user_id uuid,                       -- null: the hub itself
    params jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, alert_id) REFERENCES alert ON DELETE CASCADE
);
CREATE INDEX alert_event_of ON alert_event (seller_id, alert_id, at, id);

-- A seller's own way for a kind of alert; without a row, the hub's (hub.playbooks).
ALTER TABLE playbook
    ADD COLUMN kind text NOT NULL,
    ADD COLUMN owner_role text NOT NULL DEFAULT 'operator',
    ADD COLUMN due_minutes integer CHECK (due_minutes > 0),     -- null: only what the alert itself tells
    ADD COLUMN escalate_role text,
    ADD COLUMN escalate_id uuid,
    ADD COLUMN updated_by uuid,
    ADD UNIQUE (seller_id, kind);

CREATE TABLE absence (
    seller_id uuid NOT NULL REFERENCES seller ON DELETE CASCADE,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    stand_in uuid NOT NULL,
    look_at timestamptz,                -- what the person has open is handed over then
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid,
    PRIMARY KEY (seller_id, id),
    CHECK (from_at < until_at),
    CHECK (user_id <> stand_in)
);
CREATE INDEX absence_of ON absence (seller_id, until_at);
CREATE INDEX absence_look ON absence (look_at) WHERE look_at IS NOT NULL;
GRANT SELECT (seller_id, look_at) ON absence TO balcao_dispatch;
CREATE POLICY due_read ON absence FOR SELECT TO balcao_dispatch USING (true);

CREATE INDEX push_log_zero ON push_log (seller_id, answered_at) WHERE quantity = 0;

-- What is open already. The owner sees rows only while row-level security is not forced.
ALTER TABLE alert NO FORCE ROW LEVEL SECURITY;
UPDATE alert SET look_at = now(), due_at = coalesce(due_at, now() + interval '1 day') WHERE resolved_at IS NULL;
ALTER TABLE alert FORCE ROW LEVEL SECURITY;

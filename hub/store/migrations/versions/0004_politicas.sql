-- How each person is told of alerts: their ways, what goes through each, and what was answered.

-- A way ends with its person's work for the seller.
CREATE TABLE notice_way (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    format text NOT NULL CHECK (format IN ('email', 'slack', 'discord', 'google_chat', 'teams', 'telegram')),
    name text NOT NULL CHECK (name <> ''),
    sealed bytea,                       -- a chat's address; an e-mail goes to the person's own
    least text NOT NULL DEFAULT 'urgent' CHECK (least IN ('urgent', 'warning', 'info')),
    scope text NOT NULL DEFAULT 'mine' CHECK (scope IN ('mine', 'all')),
    kinds text[],                       -- null: every kind
    handed boolean NOT NULL DEFAULT true,   -- also what is handed or escalated to the person, whatever it is
    quiet text,                         -- HH:MM-HH:MM; null: none
    digest_at time,                     -- of the morning's summary; null: none
    digest_on date,                     -- the last day that had one
    created_at timestamptz NOT NULL DEFAULT now(),
    look_at timestamptz,                -- something is to be told then
    sent_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    off_at timestamptz,
    off_reason text,                    -- null: the person turned it off
    lease_token uuid,
    lease_until timestamptz,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, user_id) REFERENCES membership ON DELETE CASCADE,
    CHECK ((format = 'email') = (sealed IS NULL))
);
CREATE UNIQUE INDEX notice_way_email ON notice_way (seller_id, user_id) WHERE format = 'email';
CREATE INDEX notice_way_of ON notice_way (seller_id, user_id, id);
CREATE INDEX notice_way_look ON notice_way (look_at) WHERE look_at IS NOT NULL;
GRANT SELECT (seller_id, look_at, lease_until) ON notice_way TO balcao_dispatch;

-- What happened to alerts that somebody may want to hear of: written with it, gone once it was looked at.
CREATE TABLE alert_news (
    seller_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    alert_id uuid NOT NULL,
    occasion text NOT NULL,
    user_id uuid,                       -- who did it; null: the hub
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, alert_id) REFERENCES alert ON DELETE CASCADE
);
CREATE INDEX alert_news_at ON alert_news (at);
CREATE INDEX alert_news_alert ON alert_news (seller_id, alert_id);
GRANT SELECT (seller_id, at) ON alert_news TO balcao_dispatch;

CREATE TABLE notice_message (
    seller_id uuid NOT NULL,
    id uuid NOT NULL,
    way_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('alerts', 'digest', 'test')),
    state text NOT NULL CHECK (state IN ('sending', 'sent', 'failed', 'doubt')),
    headline text NOT NULL,
    alerts integer NOT NULL DEFAULT 0,
    answer text,                        -- reason and the other side's own words
    at timestamptz NOT NULL,
    PRIMARY KEY (seller_id, id),
    FOREIGN KEY (seller_id, way_id) REFERENCES notice_way ON DELETE CASCADE
);
CREATE INDEX notice_message_of ON notice_message (seller_id, way_id, id);

-- One alert's occasion through one way: told at most once.
CREATE TABLE notice (
    seller_id uuid NOT NULL,
    way_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    occasion text NOT NULL,
    at timestamptz NOT NULL,
    due_at timestamptz,
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sending', 'sent', 'skipped', 'failed', 'doubt')),
    message_id uuid,
    PRIMARY KEY (seller_id, way_id, alert_id, occasion),
    FOREIGN KEY (seller_id, way_id) REFERENCES notice_way ON DELETE CASCADE,
    FOREIGN KEY (seller_id, alert_id) REFERENCES alert ON DELETE CASCADE,
    CONSTRAINT notice_open CHECK ((due_at IS NOT NULL) = (state = 'due'))
);
CREATE INDEX notice_due ON notice (seller_id, way_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notice_sending ON notice (seller_id, message_id) WHERE state = 'sending';
CREATE INDEX notice_alert ON notice (seller_id, alert_id);
CREATE INDEX notice_at ON notice (seller_id, at);

-- Whichever flow raises an alert or hands it on: it is news, where anybody of the seller wants news.
CREATE FUNCTION alert_is_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM notice_way w WHERE w.seller_id = NEW.seller_id) THEN
        INSERT INTO alert_news (seller_id, alert_id, occasion) VALUES (NEW.seller_id, NEW.id, 'opened');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER alert_is_news AFTER INSERT ON alert FOR EACH ROW EXECUTE FUNCTION alert_is_news();

CREATE FUNCTION alert_handed_is_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM notice_way w WHERE w.seller_id = NEW.seller_id) THEN
        INSERT INTO alert_news (seller_id, alert_id, occasion, user_id)
        VALUES (NEW.seller_id, NEW.alert_id, NEW.kind, NEW.user_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER alert_handed_is_news AFTER INSERT ON alert_event FOR EACH ROW
    WHEN (NEW.kind IN ('assigned', 'handed_over', 'escalated')) EXECUTE FUNCTION alert_handed_is_news();

CREATE POLICY due_read ON notice_way FOR SELECT TO balcao_dispatch USING (true);
CREATE POLICY due_read ON alert_news FOR SELECT TO balcao_dispatch USING (true);

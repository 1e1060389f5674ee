-- What a program asked with an Idempotency-Key, and what it was answered. An answer that is null is being worked on, or
-- was when the process died.

CREATE TABLE api_answer (
    seller_id uuid NOT NULL REFERENCES seller,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    started_at timestamptz NOT NULL,
    status smallint,
    body bytea,
    PRIMARY KEY (seller_id, key)
);
CREATE INDEX api_answer_age ON api_answer (seller_id, started_at);

-- Programs follow orders in the sequence of their changes.
CREATE INDEX orders_updated ON orders (seller_id, updated_at, id);

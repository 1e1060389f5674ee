"""Every look for due work goes through an index made for it, among thousands of rows that are at rest."""

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
import pytest
from psycopg.rows import dict_row

from hub.store import Tx, deadlines, due, endpoints, events, inbox, mails, shipments, slots, tracking, url_as
from tests.services import database

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SELLER, OTHER, ACCOUNT = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
TOKEN = uuid.uuid4()
ROWS = 4000
# One row in a hundred is due; two sellers, twenty accounts.
FILL = {
    "account": """INSERT INTO account (seller_id, id, channel, name, callback_hash, status)
        SELECT CASE WHEN n < 10 THEN %(seller)s ELSE %(other)s END, CASE WHEN n = 0 THEN %(account)s
               ELSE gen_random_uuid() END, 'woocommerce', 'x', n::text::bytea, 'live' FROM generate_series(0, 19) n""",
    "task": """INSERT INTO task (seller_id, account_id, kind, due_at)
        SELECT seller_id, id, kind, now() + interval '1 year' FROM account,
               unnest('{poll,missed,listings,reconcile,subscribe}'::text[]) kind""",
    "inbox": """INSERT INTO inbox (seller_id, id, account_id, source, topic, dedupe_key, state, due_at)
        SELECT a.seller_id, gen_random_uuid(), a.id, 'webhook', 'order', gen_random_uuid()::text,
               CASE WHEN n %% 100 = 0 THEN 'due' ELSE 'done' END, now()
        FROM account a, generate_series(1, %(rows)s / 20) n""",
    "stock_slot": """INSERT INTO stock_slot (seller_id, id, account_id, ref, listing_ref, due_at, approved_at)
        SELECT a.seller_id, gen_random_uuid(), a.id, n::text, n::text, CASE WHEN n %% 100 = 0 THEN now() END, now()
        FROM account a, generate_series(1, %(rows)s / 20) n""",
    "shipment": """INSERT INTO shipment (seller_id, id, account_id, carrier_account_id, ref, track_due_at, news_due_at)
        SELECT a.seller_id, gen_random_uuid(), a.id, a.id, n::text, CASE WHEN n %% 100 = 0 THEN now() END,
               CASE WHEN n %% 100 = 1 THEN now() END FROM account a, generate_series(1, %(rows)s / 20) n""",
    "looks": "UPDATE shipment SET look_at = CASE WHEN track_due_at IS NOT NULL THEN now() END",
    "orders": """INSERT INTO orders (seller_id, id, account_id, ref, stock_key, status, told, versions, deadline_at)
        SELECT a.seller_id, gen_random_uuid(), a.id, n::text, n::text, 'paid', '{}', '{}',
               CASE WHEN n %% 100 = 0 THEN now() END FROM account a, generate_series(1, %(rows)s / 20) n""",
    "buyer_mail": """INSERT INTO buyer_mail (seller_id, id, order_id, event, shipment_id, state, due_at)
        SELECT o.seller_id, gen_random_uuid(), o.id, 'delivered', s.id,
               CASE WHEN o.deadline_at IS NULL THEN 'sent' ELSE 'due' END, o.deadline_at
        FROM orders o JOIN shipment s ON s.seller_id = o.seller_id AND s.account_id = o.account_id AND s.ref = o.ref""",
    "event_endpoint": """INSERT INTO event_endpoint (seller_id, id, url, sealed)
        SELECT seller_id, id, 'https://erp.example', '' FROM account""",
    "event": """INSERT INTO event (seller_id, id, kind, subject, facts, number, body)
        SELECT seller_id, id, 'order.created', ref, '{}', CASE WHEN deadline_at IS NULL THEN row_number() OVER () END,
               CASE WHEN deadline_at IS NULL THEN '' END FROM orders""",
    "event_delivery": """INSERT INTO event_delivery (seller_id, id, endpoint_id, event_id, kind, subject, state, due_at)
        SELECT seller_id, id, account_id, id, 'order.created', ref,
               CASE WHEN deadline_at IS NULL THEN 'sent' ELSE 'due' END, deadline_at FROM orders""",
    "sku": """INSERT INTO sku (seller_id, id, code)
        SELECT seller_id, gen_random_uuid(), number FROM event WHERE number IS NOT NULL""",
    "sku_news": """INSERT INTO sku_news (seller_id, sku_id, due_at)
        SELECT seller_id, id, CASE WHEN code::int % 100 = 0 THEN now() END FROM sku""".replace("%", "%%"),
}


class Spy:
    """Takes a Tx's place and notes what it is asked."""

    seller = SELLER

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    async def all(self, statement: str, params: Any = ()) -> list[Any]:
        self.asked.append((statement, params))
        return []

    async def one(self, statement: str, params: Any = ()) -> None:
        self.asked.append((statement, params))

    value = one

    async def run(self, statement: str, params: Any = ()) -> int:
        self.asked.append((statement, params))
        return 0


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A database with many rows, a few of them due."""
    with database() as found:
        params = {"seller": SELLER, "other": OTHER, "account": ACCOUNT, "rows": ROWS}
        with psycopg.connect(found, autocommit=True) as conn:
            for seller_id in (SELLER, OTHER):
                conn.execute("INSERT INTO seller (seller_id, name) VALUES (%s, 'x')", [seller_id])
            for statement in FILL.values():
                conn.execute(statement, params)
            conn.execute("ANALYZE")
        yield found


def indexes(plan: Any) -> set[str]:
    """Names of the indexes in a plan."""
    if isinstance(plan, list):
        return {name for each in plan for name in indexes(each)}
    if not isinstance(plan, Mapping):
        return set()
    own = {plan["Index Name"]} if "Index Name" in plan else set()
    return own | {name for each in plan.values() for name in indexes(each)}


def planned(url: str, role: str, statement: str, params: Any) -> set[str]:
    with psycopg.connect(url_as(url, role), row_factory=dict_row) as conn:
        if role == "balcao_app":
            conn.execute("SELECT set_config('balcao.seller', %s, true)", [str(SELLER)])
        conn.execute("SET LOCAL enable_seqscan = off")
        row = conn.execute("EXPLAIN (FORMAT JSON) " + statement, params).fetchone()
        conn.rollback()
    assert row
    return indexes(row["QUERY PLAN"])


LANES = {
    "intake": "inbox_due",
    "stock": "stock_slot_due",
    "shipments": "shipment_news_due",
    "tracking": "shipment_track_due",
    "catalogue": "task_due",
}
Ask = Callable[[Tx], Awaitable[Any]]
CLAIMS: dict[str, tuple[Ask, str]] = {
    "inbox": (lambda tx: inbox.claim(tx, ACCOUNT, TOKEN, 7, NOW, 50), "inbox_due"),
    "slots": (lambda tx: slots.claim(tx, ACCOUNT, TOKEN, 7, NOW, 50), "stock_slot_due"),
    "tracking": (lambda tx: tracking.claim(tx, ACCOUNT, TOKEN, 7, NOW, 50), "shipment_track_due"),
    "news": (lambda tx: shipments.claim_news(tx, ACCOUNT, TOKEN, 7, NOW, 50), "shipment_news_due"),
    "orders": (lambda tx: deadlines.due_orders(tx, NOW, 50), "orders_deadline"),
    "parcels": (lambda tx: deadlines.due_parcels(tx, NOW, 50), "shipment_look"),
    "mails": (lambda tx: mails.claim(tx, TOKEN, NOW, 50), "buyer_mail_due"),
    "events": (lambda tx: endpoints.claim(tx, ACCOUNT, TOKEN, 7, NOW, 4), "event_delivery_due"),
    "unnumbered": (lambda tx: events.pending(tx, 50), "event_pending"),
    "availability": (lambda tx: events.moved_skus(tx, NOW, 50), "sku_news_due"),
    "tasks": (lambda tx: due.claim_tasks(tx, ACCOUNT, TOKEN, 7, NOW), "task_due"),
}


async def asked(ask: Ask) -> Sequence[tuple[str, Any]]:
    spy = Spy()
    await ask(cast("Tx", spy))
    assert spy.asked
    return spy.asked


def test_every_lane_is_looked_at_here():
    assert set(LANES) == set(due.LANES)


@pytest.mark.parametrize("lane", due.LANES)
async def test_what_is_due_is_found_by_its_index(url: str, lane: str):
    ((statement, params),) = await asked(lambda tx: due.accounts(tx, lane, NOW))
    assert LANES[lane] in planned(url, "balcao_dispatch", statement, params)


@pytest.mark.parametrize("claim", CLAIMS)
async def test_what_is_due_is_claimed_by_its_index(url: str, claim: str):
    ask, index = CLAIMS[claim]
    ((statement, params),) = await asked(ask)
    assert index in planned(url, "balcao_app", statement, params)


@pytest.mark.parametrize(
    ("ask", "found"),
    [(deadlines.due_sellers, {"orders_deadline", "shipment_look"}), (mails.due_sellers, {"buyer_mail_due"})],
)
async def test_sellers_with_deadlines_or_mail_are_found_by_their_index(url: str, ask: Any, found: set[str]):
    ((statement, params),) = await asked(lambda tx: ask(tx, NOW))
    assert planned(url, "balcao_dispatch", statement, params) == found


async def test_events_to_number_and_to_send_are_found_by_their_indexes(url: str):
    for ask, found in (
        (events.sellers_with_news, {"event_pending", "sku_news_due"}),
        (endpoints.busy, {"event_delivery_due"}),
    ):
        ((statement, params),) = await asked(lambda tx, ask=ask: ask(tx, NOW))  # type: ignore[misc] # of either kind
        assert found <= planned(url, "balcao_dispatch", statement, params)


async def test_a_dead_workers_leases_are_found_by_their_index(url: str):
    for statement, params in await asked(lambda tx: due.free_dead(tx, 7)):
        table = statement.split()[1]
        if table != "task":  # five rows an account: no index is kept
            assert f"{table}_leased" in planned(url, "balcao_dispatch", statement, params), table


async def test_who_holds_leases_is_found_by_their_index(url: str):
    for statement, params in await asked(due.lease_holders):
        table = statement.split("FROM ")[1].split()[0]
        if table != "task":
            assert f"{table}_leased" in planned(url, "balcao_dispatch", statement, params), table


def test_a_claim_is_a_claim(url: str):
    """What was explained above also runs, and takes what is due and nothing else."""
    with psycopg.connect(url, row_factory=dict_row) as conn:
        rows = conn.execute(
            "SELECT count(*) FILTER (WHERE due_at IS NOT NULL) AS due, count(*) AS every FROM stock_slot"
        ).fetchone()
    assert rows == {"due": ROWS // 100, "every": ROWS}

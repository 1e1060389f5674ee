"""The table: what each part of the hub does while something is broken. Every cell is a test.

Each prepares work, breaks something, looks at what becomes of the work meanwhile, makes it whole again and then asks:
nothing lost, nothing doubled, every shelf right, no invariant broken.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import psycopg
import pytest

from jobs import ingest
from tests.faults.breaking import FAULTS
from tests.faults.place import Place
from tests.faults.shop import Shop, shop

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.flaky(reruns=2), pytest.mark.timeout(150)]

# ── what becomes of work, as the database says ─────────────────────────────────────────────────────────────────


def _word(s: Shop, sql: str) -> str:
    try:
        return str(s.rows(f"SELECT ({sql}) AS word")[0]["word"])
    except psycopg.OperationalError:
        return "no database"


INBOX = """SELECT CASE WHEN bool_or(a.status = 'held') THEN 'held' WHEN count(*) = 0 THEN 'done'
    WHEN bool_or(i.attempts > 0 AND i.due_at > now()) THEN 'waits' ELSE 'untouched' END
    FROM inbox i JOIN account a ON a.id = i.account_id WHERE i.topic = 'order' AND i.state = 'due'"""
SLOTS = """SELECT CASE WHEN bool_or(a.status = 'held') THEN 'held' WHEN bool_and(l.expected = l.desired) THEN 'done'
    WHEN bool_or(l.attempts > 0 AND l.due_at > now()) THEN 'waits' ELSE 'untouched' END
    FROM stock_slot l JOIN account a ON a.id = l.account_id"""
PARCELS = """SELECT CASE WHEN bool_or(a.status = 'held') THEN 'held'
    WHEN bool_and(h.status <> 'label_created') THEN 'done'
    WHEN bool_or(h.track_attempts > 0 AND h.track_due_at > now()) THEN 'waits' ELSE 'untouched' END
    FROM shipment h JOIN account a ON a.id = h.carrier_account_id"""

# ── the parts of the hub ───────────────────────────────────────────────────────────────────────────────────────


async def nothing(s: Shop) -> None:
    """No work beforehand."""


async def knock(s: Shop) -> str:
    """A sale's signed webhooks; the answers. What was answered 200 is in the inbox."""
    ref = await s.buy()
    await s.quiet()
    if 200 in s.statuses:
        kept = s.rows("SELECT 1 FROM inbox WHERE ref = %s AND source = 'webhook'", ref)
        assert kept, "answered 200 and not kept"
    return " ".join(sorted({str(status) for status in s.statuses}))


async def orders_wait(s: Shop) -> None:
    """A sale told whole and one that is only named, both in the inbox."""
    await s.buy()
    await s.quiet()
    s.one.sandbox.courier.knobs.webhook_drop = 1.0
    await s.name(await s.buy())
    s.one.sandbox.courier.knobs.webhook_drop = 0.0


async def slot_waits(s: Shop) -> None:
    """A sale on one store is in the hub, and the other store does not know it."""
    await s.buy()
    await s.quiet()
    account = await s.rt.account(s.seller_id, s.one.account.id)
    while await ingest.drain(s.rt, account):
        pass
    assert _word(s, SLOTS) == "untouched"


async def parcel_waits(s: Shop) -> None:
    """A parcel is due to be asked about, by whoever has the carrier's token."""
    tokens = (await s.rt.api(s.carrier.account)).tokens
    assert tokens is not None
    await tokens.current()
    await s.post()


def worked(sql: str) -> Callable[[Shop, str], Awaitable[str]]:
    """The worker does what it can; what became of the work."""

    async def act(s: Shop, wanted: str) -> str:
        least = 2.5 if wanted in ("untouched", "no database") else 0.0
        came = await s.work(lambda: _word(s, sql) == wanted, 30, least=least)
        return wanted if came else _word(s, sql)

    return act


async def knocked(s: Shop, _wanted: str) -> str:
    return await knock(s)


async def looked(s: Shop, _wanted: str) -> str:
    """The health page and the first page; neither may take long."""
    began = time.monotonic()
    health, told = await s.get("/health")
    page, _text = await s.get("/entrar")
    assert time.monotonic() - began < 8
    return f"{health} {page}" + (" redis away" if '"redis": "away"' in told else "")


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the hub: the work that waits for it, and what it makes of it."""

    before: Callable[[Shop], Awaitable[None]]
    act: Callable[[Shop, str], Awaitable[str]]


STAGES = {
    "intake": Stage(nothing, knocked),
    "ingest": Stage(orders_wait, worked(INBOX)),
    "push": Stage(slot_waits, worked(SLOTS)),
    "tracking": Stage(parcel_waits, worked(PARCELS)),
    "UI": Stage(nothing, looked),
}

# ── the table ──────────────────────────────────────────────────────────────────────────────────────────────────
# Intake: what webhooks are answered. UI: the status of /health and of /entrar. The others, of the work:
#   done: as if nothing were broken; waits: it was tried, and has a next time; held: the account is held, its seller
#   told, its work kept; untouched: not due yet; no database: nothing can be done, and the worker lives on.

TABLE: dict[str, dict[str, str]] = {
    # Rings are lost, rows are not: workers drain on their own timer.
    "Redis down": {"intake": "200", "ingest": "done", "push": "done", "tracking": "done", "UI": "200 200 redis away"},
    "DB slow": {"intake": "200", "ingest": "done", "push": "done", "tracking": "done", "UI": "200 200"},
    # Never 200 for what is not kept: the sender comes again, or the poll finds it.
    "DB down": {
        "intake": "503", "ingest": "no database", "push": "no database", "tracking": "no database", "UI": "503 200",
    },
    # Intake and pages call no channel. A write that timed out is in doubt, and read back before the next.
    "channel slow": {"intake": "200", "ingest": "waits", "push": "waits", "tracking": "waits", "UI": "200 200"},
    "channel down": {"intake": "200", "ingest": "waits", "push": "waits", "tracking": "waits", "UI": "200 200"},
    "429 storm": {"intake": "200", "ingest": "waits", "push": "waits", "tracking": "waits", "UI": "200 200"},
    # Webhooks are signed with another secret: what is sold meanwhile is kept for when the seller has reconnected.
    "bad token": {"intake": "200", "ingest": "held", "push": "held", "tracking": "held", "UI": "200 200"},
    "clock 90 s fast": {"intake": "200", "ingest": "done", "push": "done", "tracking": "done", "UI": "200 200"},
    # What the database stamped with its own now is not due yet on this worker's clock: late by the skew, not lost.
    "clock 90 s slow": {
        "intake": "200", "ingest": "untouched", "push": "untouched", "tracking": "done", "UI": "200 200",
    },
    # The web process does not need workers; of the others one that lives frees the leases of the dead at once.
    "worker killed": {"intake": "200", "ingest": "done", "push": "done", "tracking": "done", "UI": "200 200"},
}  # fmt: skip
ALERTED = {("bad token", stage) for stage in ("ingest", "push", "tracking")}

# ── the test ───────────────────────────────────────────────────────────────────────────────────────────────────


class Shops:
    """One shop for all cells, as long as each leaves it as it found it."""

    def __init__(self, place: Place) -> None:
        self._place, self._exits = place, AsyncExitStack()
        self._shop: Shop | None = None

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Shop]:
        """The shop at rest. One in which a test failed is not used again."""
        if self._shop is None:
            self._shop = await self._exits.enter_async_context(shop(self._place))
        self._shop.statuses.clear()
        try:
            yield self._shop
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let it go."""
        self._shop = None
        await self._exits.aclose()


@pytest.fixture(scope="module")
async def shops(broken_place: Place) -> AsyncIterator[Shops]:
    made = Shops(broken_place)
    yield made
    await made.close()


def test_every_fault_meets_every_part():
    assert TABLE.keys() == FAULTS.keys()
    assert all(row.keys() == STAGES.keys() for row in TABLE.values())


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", FAULTS)
async def test_cell(shops: Shops, fault: str, stage: str) -> None:
    wanted, part = TABLE[fault][stage], STAGES[stage]
    async with shops.use() as s:
        await part.before(s)
        async with FAULTS[fault](s, stage):
            assert await part.act(s, wanted) == wanted
        if (fault, stage) in ALERTED:
            assert s.rows("SELECT 1 FROM alert WHERE kind = 'account_held' AND resolved_at IS NULL")
        await s.rest()
        await s.check()

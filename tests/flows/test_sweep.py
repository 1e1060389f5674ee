"""The sweep: with Redis away, with workers dead, nothing due stays undone."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

from hub.sandbox import Product
from hub.secrets import Vault
from hub.store import due, inbox, slots
from hub.store.pulse import Pulse
from jobs import sweep
from jobs.runtime import Runtime, running
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
NOWHERE = "unix:///nonexistent/valkey.sock?db=0"


@asynccontextmanager
async def deaf(w: World) -> AsyncIterator[tuple[Runtime, Pulse]]:
    """A worker whose Redis is away."""
    worker = random.randrange(1, 2**31 - 1)
    async with (
        Pulse(w.url, worker) as pulse,
        running(
            database_url=w.url, redis_url=NOWHERE, vault=Vault([w.key]), policy=w.rt.policy, allow_private="*",
            shards=1, workers=1, worker=worker, pool=8,
        ) as rt,
    ):  # fmt: skip
        yield rt, pulse


async def shows(channel: Channel, units: int, seconds: float = 10.0) -> None:
    until = asyncio.get_running_loop().time() + seconds
    while channel.shelf() != {"CANECA": units}:
        assert asyncio.get_running_loop().time() < until, f"{channel.account.name} shows {channel.shelf()}"
        await asyncio.sleep(0.02)


async def two(w: World) -> tuple[Channel, Channel]:
    store = await w.connect("woocommerce", [CANECA], seed=1)
    market = await w.connect("mercadolivre", [CANECA], seed=2)
    await w.open_stock(CANECA=10)
    await w.pass_time()
    return store, market


async def test_with_redis_away_the_workers_drain_by_themselves() -> None:
    async with world() as w:
        store, market = await two(w)
        async with deaf(w) as (rt, pulse):
            stop = asyncio.Event()
            sweeping = asyncio.create_task(sweep.run(rt, pulse, stop))
            await store.buy("CANECA", 3)
            await shows(market, 7)
            await market.buy("CANECA", 2)
            await shows(store, 5)
            stop.set()
            await sweeping
        await w.at_rest(CANECA=5)


async def test_of_two_workers_with_redis_away_each_lane_is_drained_by_one() -> None:
    async with world() as w:
        store, market = await two(w)
        async with deaf(w) as (one, pulse_one), deaf(w) as (other, pulse_other):
            stop = asyncio.Event()
            sweeping = [
                asyncio.create_task(sweep.run(rt, pulse, stop))
                for rt, pulse in ((one, pulse_one), (other, pulse_other))
            ]
            await store.buy("CANECA", 3)
            await shows(market, 7)
            stop.set()
            await asyncio.gather(*sweeping)
            held = [await pulse.on_duty(sweep.SWEEPER) for pulse in (pulse_one, pulse_other)]
            assert sorted(held) == [False, True]
        await w.at_rest(CANECA=7)


async def test_a_dead_workers_leases_are_freed_at_once() -> None:
    async with world() as w:
        store, market = await two(w)
        doomed, pulse = await w.process()
        await store.buy("CANECA", 3)
        await w.until("SELECT 1 FROM orders")
        await w.count(CANECA=9)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE inbox SET state = 'due', due_at = now(), raw = raw WHERE topic = 'order'")
            taken = await slots.claim(
                tx, market.account.id, uuid4(), doomed.worker, w.rt.now() + timedelta(seconds=2), 9
            )
            rows = await inbox.claim(tx, store.account.id, uuid4(), doomed.worker, w.rt.now(), 9)
            tasks = await due.claim_tasks(tx, market.account.id, uuid4(), doomed.worker, w.rt.now(), early=True)
        assert taken
        assert rows
        assert tasks

        await sweep.free_dead(w.rt, w.pulse)
        assert await sweep.DRAINS["stock"](w.rt, market.account) == 0  # its worker lives
        await pulse.__aexit__(None, None, None)
        await sweep.free_dead(w.rt, w.pulse)
        async with w.rt.db.dispatch() as tx:
            assert await due.lease_holders(tx) == set()
        began = asyncio.get_running_loop().time()
        await w.hurry("poll", "listings")
        await w.at_rest(CANECA=6)
        assert asyncio.get_running_loop().time() - began < 10  # its leases would have kept it for half a minute


async def test_the_sweep_survives_a_database_that_goes_away() -> None:
    async with world() as w:
        store, market = await two(w)
        stop = asyncio.Event()
        sweeping = asyncio.create_task(sweep.run(w.rt, w.pulse, stop, drains=False))
        await asyncio.sleep(0.1)
        conn = w.pulse._conn
        assert conn is not None
        await conn.close()  # its session locks are gone with it
        await store.buy("CANECA", 3)
        await asyncio.sleep(1.5)
        assert not sweeping.done()
        stop.set()
        await sweeping
        await w.at_rest(CANECA=7)
        assert market.shelf() == {"CANECA": 7}


async def test_old_inbox_rows_are_dropped_and_work_is_kept() -> None:
    async with world() as w:
        store, _market = await two(w)
        await store.buy("CANECA", 3)
        await w.at_rest(CANECA=7)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE inbox SET done_at = now() - interval '31 days'")
            await tx.run(
                "INSERT INTO inbox (seller_id, id, account_id, source, topic, dedupe_key, state, received_at) "
                "VALUES (%s, %s, %s, 'webhook', 'order', 'x', 'parked', now() - interval '1 year')",
                [w.seller_id, uuid4(), store.account.id],
            )
        await sweep.prune(w.rt)
        assert [row["state"] for row in await w.rows("SELECT state FROM inbox")] == ["parked"]

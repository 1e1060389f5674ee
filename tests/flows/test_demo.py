"""The demonstration: opened, played on this machine alone, never mixed with a real seller, thrown away whole."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import patch
from uuid import UUID

import aiohttp
import psycopg
import pytest

from hub.faults import ChannelError
from hub.gate import Gate
from hub.model import Request
from hub.store import demos, people
from hub.store.due import LANES
from jobs import connect, sweep
from jobs.connect import Refused
from jobs.demo import booth, flow
from jobs.demo.stand import Stand
from tests.web.site import HASH
from tests.world import World, world

KEPT = """SELECT (SELECT count(*) FROM stock_movement) AS moves,
    (SELECT count(*) FROM audit_log WHERE action <> 'account_add') AS log"""


async def person(w: World, email: str = "ana@loja.example") -> UUID:
    """Somebody with a shop of their own."""
    async with w.rt.db.people() as tx:
        user_id = await people.user_put(tx, email, "Ana", HASH, "pt_BR")
    async with w.rt.db.seller(w.seller_id) as tx:
        await people.member_put(tx, user_id, "owner")
    return user_id


@asynccontextmanager
async def playing(w: World, seller_id: UUID) -> AsyncIterator[Stand]:
    """The stand, and workers; ready."""

    async def work() -> None:
        while True:
            if not sum([await sweep.drain(w.rt, lane) for lane in LANES]):
                await asyncio.sleep(0.02)

    stand, worker = Stand(w.rt, w.pulse, str(w.web.make_url("")).rstrip("/")), asyncio.create_task(work())
    stand.start()
    try:
        with patch.object(booth, "BEFORE", 5):
            await stand.until_ready(240)
        yield stand
    finally:
        await stand.close()
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker
        async with w.rt.db.seller(seller_id) as tx:
            assert await tx.all("SELECT FROM demo_place") == [], "nothing may be called any more"


async def ports(w: World, seller_id: UUID) -> dict[str, int]:
    async with w.rt.db.seller(seller_id) as tx:
        rows = await tx.all(
            "SELECT a.channel, p.port FROM demo_place p JOIN account a ON a.seller_id = p.seller_id "
            "AND a.id = p.account_id"
        )
    return {row["channel"]: row["port"] for row in rows}


async def test_it_is_played_thrown_away_whole_and_nothing_else_is_touched() -> None:
    async with world() as w:
        user = await person(w)
        await w.open_stock(**{"CAN-01": 5})
        kept = await w.rows(KEPT)
        demo = await flow.open_(w.rt, user, "pt_BR")
        with pytest.raises(Refused):
            await flow.open_(w.rt, await person(w, "bia@loja.example"), "pt_BR")
        with pytest.raises(Refused):  # what was bought in the demonstration must never reach a real channel
            await connect.account_add(w.rt, demo, "woocommerce", {
                "store_url": "https://loja.example", "consumer_key": "ck_1", "consumer_secret": "cs_1"})  # fmt: skip
        async with playing(w, demo) as stand:
            there = await ports(w, demo)
            assert set(there) == {"mercadolivre", "woocommerce", "correios"}
            await _only_its_own(w, demo, there)
            w.seller_id, own = demo, w.seller_id
            for sql in ("SELECT FROM shortage", "SELECT FROM orders OFFSET 4", "SELECT FROM purchase_order",
                        "SELECT FROM listing WHERE sku_id IS NULL"):  # fmt: skip
                await w.until(sql, seconds=60)
            assert await w.alerts()
            w.seller_id = own
            first = stand
        # a restart: it is open still, so it comes back, begun anew; its people stay
        async with playing(w, demo) as second:
            assert second is not first
            assert set((await ports(w, demo)).values()).isdisjoint(there.values())
            for port in there.values():
                with pytest.raises(aiohttp.ClientConnectionError):
                    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/"):
                        pass
            async with w.rt.db.seller(demo) as tx:
                assert await tx.value("SELECT count(*) FROM account") == 3
                assert await tx.value("SELECT count(*) FROM membership WHERE seller_id = %s", [demo]) == 1
            await second.leave()
            await flow.throw_away(w.rt, demo)
        async with w.rt.db.seller(demo) as tx:
            for row in await tx.all(demos._TABLES):
                left = await tx.conn.execute(f'SELECT count(*) AS n FROM "{row["name"]}"')
                assert (await left.fetchone() or {})["n"] == 0, row["name"]
        assert await flow.the_one(w.rt) is None
        again = await flow.open_(w.rt, user, "en")
        assert again != demo
        await flow.throw_away(w.rt, again)
        assert kept == await w.rows(KEPT)
        assert await w.level("CAN-01") == (5, 0)


async def _only_its_own(w: World, demo: UUID, there: dict[str, int]) -> None:
    """With private addresses refused, as by default: the account's own port, nothing else, nobody else."""
    everywhere, w.rt.http.gate = w.rt.http.gate, Gate("")
    try:
        async with w.rt.db.seller(demo) as tx:
            rows = {row["channel"]: row["id"] for row in await tx.all("SELECT channel, id FROM account")}
        account = await w.rt.account(demo, rows["woocommerce"])
        api = await w.rt.api(account)
        reply = await api.call(Request(method="GET", path="/wp-json/wc/v3/products"))
        assert reply.status == 200
        other = there["correios"]
        for address in (f"http://127.0.0.1:{other}/", "http://127.0.0.1/", "https://127.0.0.1:1/", "https://10.0.0.1/",
                        f"https://127.0.0.1:{other}/"):  # fmt: skip
            with pytest.raises(ChannelError) as refused:
                await api.call(Request(method="GET", path=address))
            assert refused.value.code == ("foreign_address" if address.startswith("http:") else "private_address")
        # another account, of a real seller, that says it is there
        port = there["woocommerce"]
        told = {"store_url": f"http://127.0.0.1:{port}", "consumer_key": "ck_1", "consumer_secret": "cs_1"}
        made = await connect.account_add(w.rt, w.seller_id, "woocommerce", told)
        assert made.problem is not None
        assert "BALCAO_ALLOW_PRIVATE_HOSTS" in made.problem
        async with w.rt.db.seller(w.seller_id) as tx:
            with pytest.raises(LookupError):
                await demos.place(tx, made.account_id, port)
            # and were the row there, it would allow nothing
            await tx.run("INSERT INTO demo_place VALUES (%s, %s, %s)", [w.seller_id, made.account_id, port])
            assert await demos.port(tx, made.account_id) is None
            await tx.run("DELETE FROM demo_place")
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("DELETE FROM account WHERE id = %s", [made.account_id])
    finally:
        w.rt.http.gate = everywhere


async def test_a_real_seller_is_never_thrown_away() -> None:
    async with world() as w:
        await person(w)
        await w.open_stock(**{"CAN-01": 5})
        with pytest.raises(LookupError):
            await flow.throw_away(w.rt, w.seller_id)
        with pytest.raises(LookupError):
            await flow.clear(w.rt, w.seller_id, whole=False)
        with pytest.raises(psycopg.errors.RaiseException):
            await w.rows("UPDATE seller SET demo = true RETURNING 1")
        for table in ("stock_movement", "audit_log", "seller"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await w.rows(f"DELETE FROM {table} RETURNING 1")
        async with w.rt.db.seller(w.seller_id) as tx:
            with pytest.raises(LookupError):
                await demos.forget(tx, whole=True)
        assert await w.level("CAN-01") == (5, 0)
        assert await w.rows("SELECT FROM seller") != []

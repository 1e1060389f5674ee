"""Whatever knocks, each is answered for what it is, and only what is true is kept."""

import asyncio
import base64
import gc
import hmac
import json
import logging
import random
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import aiohttp
import psycopg
import pytest

from hub.sandbox import Product
from hub.store import inbox
from jobs import intake
from jobs.intake import Intake
from tests.knocks import address, store_knock
from tests.services import stack
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
DEEP = b"[" * 100_000
HUGE = b'{"id": 1, "note": "' + b"x" * 2**20 + b'"}'
Knock = dict[str, Any]


class Door:
    """A store and a marketplace that are connected, and somebody who knocks."""

    def __init__(self, w: World, store: Channel, market: Channel, session: aiohttp.ClientSession) -> None:
        self.w, self.store, self.market, self.session = w, store, market, session
        self.app_url = ""

    async def knock(self, knock: Knock) -> int:
        told = dict(knock)
        async with self.session.request(told.pop("method", "POST"), told.pop("url"), **told) as answer:
            await answer.read()
            return answer.status

    async def knocks(self, all_: Sequence[Knock], at_once: int = 50) -> list[int]:
        gate = asyncio.Semaphore(at_once)

        async def one(knock: Knock) -> int:
            async with gate:
                return await self.knock(knock)

        return await asyncio.gather(*(one(knock) for knock in all_))

    async def order(self, body: Any, topic: str = "order.updated") -> Knock:
        """A truly signed knock of the store; bytes as they are, anything else as JSON."""
        return await store_knock(
            self.w, self.store, topic, body if isinstance(body, bytes) else json.dumps(body).encode()
        )

    def notice(self, **told: Any) -> Knock:
        """A notification of the marketplace, as it comes."""
        body = {
            "resource": "/orders/2000000000000001", "user_id": 123456789, "topic": "orders_v2",
            "application_id": 5503910054141466, "attempts": 1, "sent": "2026-03-02T14:17:21.000Z",
            "received": "2026-03-02T14:17:20.900Z", **told,
        }  # fmt: skip
        return {"url": self.app_url, "data": json.dumps(body).encode(), "headers": {"Content-Type": "application/json"}}

    def thrown(self, body: bytes) -> Knock:
        """Anything at all, at the marketplace's address."""
        return {"url": self.app_url, "data": body}

    async def kept(self) -> list[dict[str, Any]]:
        return await self.w.rows("SELECT topic, ref, state, raw FROM inbox ORDER BY seq")


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with world() as w, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        market = await w.connect("mercadolivre", [CANECA], seed=2)
        await w.settle()
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("DELETE FROM inbox")
        w.intake.counted.clear()
        made = Door(w, store, market, session)
        made.app_url = await address(w, market)
        yield made


async def malformed(door: Door) -> list[tuple[Knock, set[int]]]:
    """Every kind of knock that is wrong, with the statuses that it may get."""
    good = json.dumps({"id": 1, "status": "processing"}).encode()
    signed = await door.order(good)
    base = str(door.w.web.make_url("")).rstrip("/")
    bare = {name: told for name, told in signed["headers"].items() if name != "X-WC-Webhook-Signature"}
    forged = signed["headers"] | {"X-WC-Webhook-Signature": "QUJD" * 11}
    odd = signed["headers"] | {"X-WC-Webhook-Signature": "não é base64"}
    return [
        ({**signed, "headers": forged}, {401}),
        ({**signed, "headers": bare}, {401}),
        ({**signed, "headers": odd}, {401}),
        ({**signed, "data": good + b" "}, {401}),  # one byte more than was signed
        (await door.order(good[:-7]), {400}),
        (await door.order(b""), {400}),
        (await door.order(b"\x00" * 64), {400}),
        (await door.order(b'{"id": 1\x00}'), {400}),
        (await door.order('{"id": 1, "name": "João"}'.encode("latin-1")), {400}),
        (await door.order(b"\xff\xfe\xfd"), {400}),
        (await door.order([good.decode()]), {400}),
        (await door.order("order"), {400}),
        (await door.order(None), {400}),
        (await door.order({"status": "processing"}), {400}),
        (await door.order({"id": {"id": 1}, "status": "processing"}), {400}),
        (await door.order({"id": "1\x00", "status": "processing"}), {400}),
        (await door.order({"id": "\ud800", "status": "processing"}), {400}),
        (await door.order(DEEP), {400}),
        (await door.order(b'{"id": 1, "status": ' + DEEP), {400}),
        (await door.order(HUGE), {413}),
        ({**signed, "url": f"{base}/in/{uuid4().hex}"}, {404}),
        ({**signed, "url": f"{base}/in/app/{uuid4().hex}"}, {404}),
        ({**signed, "url": f"{base}/in/%00%ff"}, {404}),
        ({**signed, "method": "GET"}, {200}),
        ({**signed, "method": "PUT"}, {405}),
        ({**signed, "url": door.app_url}, {200}),  # names no topic and no seller: nobody's
        (door.thrown(b""), {400}),
        (door.thrown(b"topic=orders_v2&user_id=1"), {400}),
        (door.thrown(b"[]"), {400}),
        (door.thrown(DEEP), {400}),
        (door.thrown(HUGE), {413}),
        (door.notice(resource=None), {400}),
        (door.notice(resource="/orders/1\x002"), {400}),
        (door.notice(resource="/orders/\udfff"), {400}),
        (door.notice(topic=["orders_v2"]), {400}),
        (door.notice(user_id={"id": 1}), {400}),
        (door.notice(user_id=999), {200}),  # of a seller who is not here: a 4xx would switch the topic off for all
        (door.notice(user_id=None), {200}),
        (door.notice(user_id="\x00"), {200}),
    ]


async def test_a_thousand_malformed_knocks_leave_nothing(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    kinds = await malformed(door)
    chance = random.Random(7)
    # few of the heavy ones, for they say nothing new
    weights = [0.05 if len(knock.get("data") or b"") > 50_000 else 1.0 for knock, _allowed in kinds]
    drawn = [*range(len(kinds)), *chance.choices(range(len(kinds)), weights, k=1000 - len(kinds))]
    await door.knocks([kinds[n][0] for n in drawn[:200]])
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        answered = await door.knocks([kinds[n][0] for n in drawn])
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    wrong = {
        (n, status): kinds[n][0].get("data", b"")[:60]
        for n, status in zip(drawn, answered, strict=True)
        if status not in kinds[n][1]
    }
    assert not wrong
    assert await door.kept() == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert door.w.intake.counted["nobody"] > 0
    assert door.w.intake.counted["nobody"] == door.w.intake.counted["200"]
    assert grown < 3_000_000

    assert await door.knock(await door.order({"id": 5, "status": "processing"})) == 200
    assert len(await door.kept()) == 1


async def test_a_ping_is_welcome_and_not_kept(door: Door) -> None:
    knock = {"url": await address(door.w, door.store), "data": b"webhook_id=12"}
    assert await door.knock(knock) == 200  # unsigned, as a store posts it when a webhook is saved
    assert await door.knock({**knock, "data": b"webhook_id=12&x=1"}) == 401
    assert await door.kept() == []
    assert door.w.intake.counted["ping"] == 1


async def test_an_unknown_topic_is_kept_and_is_no_work(door: Door) -> None:
    assert await door.knock(await door.order({"id": 5, "what": "new"}, topic="subscription.created")) == 200
    assert await door.knock(door.notice(topic="brand_new_topic")) == 200
    rows = await door.kept()
    assert [(row["topic"], row["state"]) for row in rows] == [("unknown", "kept")] * 2
    assert b'"what"' in bytes(rows[0]["raw"])
    await door.w.settle()
    assert [row["state"] for row in await door.kept()] == ["kept", "kept"]


async def test_what_is_not_for_us_is_welcome_and_not_kept(door: Door) -> None:
    assert await door.knock(await door.order({"id": 5}, topic="customer.created")) == 200
    assert await door.knock(door.notice(topic="questions", resource="/questions/1")) == 200
    assert await door.kept() == []


async def test_three_hundred_at_once_are_each_kept_once_in_few_commits(door: Door) -> None:
    inserts: Counter[int] = Counter()
    insert = Intake._insert

    async def counting(self: Intake, arrivals: Sequence[Any]) -> None:
        inserts[len(arrivals)] += 1
        await insert(self, arrivals)

    knocks = [await door.order({"id": 1000 + n, "status": "processing"}) for n in range(300)]
    with patch.object(Intake, "_insert", counting):
        assert await door.knocks(knocks, at_once=300) == [200] * 300
    rows = await door.kept()
    assert sorted(int(row["ref"]) for row in rows) == list(range(1000, 1300))
    assert inserts.total() < 100
    assert sum(size * count for size, count in inserts.items()) == 300


async def test_one_row_that_cannot_be_kept_does_not_take_others_with_it(door: Door) -> None:
    bad = [door.notice(resource="/orders/1\x002"), door.notice(resource="/orders/\udfff")]
    good = [await door.order({"id": 1000 + n, "status": "processing"}) for n in range(40)]
    answers = await door.knocks([*good[:20], *bad, *good[20:]], at_once=60)
    assert Counter(answers) == {200: 40, 400: 2}
    assert len(await door.kept()) == 40


async def test_a_twin_joins_only_what_nobody_has_claimed(door: Door) -> None:
    twin = await door.order({"id": 5, "status": "processing", "date_modified_gmt": "2026-03-02T14:17:21"})
    for _ in range(3):
        assert await door.knock(twin) == 200
    assert len(await door.kept()) == 1

    async with door.w.rt.db.seller(door.w.seller_id) as tx:
        (claimed,) = await inbox.claim(tx, door.store.account.id, token := uuid4(), 1, door.w.rt.now(), 9)
    for _ in range(2):
        assert await door.knock(twin) == 200  # the claimed one may have been read already
    assert len(await door.kept()) == 2

    async with door.w.rt.db.seller(door.w.seller_id) as tx:
        await inbox.done(tx, [claimed.id], token)
    assert await door.knock(twin) == 200
    assert [row["state"] for row in await door.kept()] == ["done", "due"]


async def test_nothing_is_answered_before_it_is_committed(door: Door) -> None:
    may, insert = asyncio.Event(), Intake._insert

    async def slow(self: Intake, arrivals: Sequence[Any]) -> None:
        await may.wait()
        await insert(self, arrivals)

    with patch.object(Intake, "_insert", slow):
        knocking = asyncio.create_task(door.knock(await door.order({"id": 5, "status": "processing"})))
        await asyncio.sleep(0.3)
        assert not knocking.done()
        assert await door.kept() == []
        may.set()
        assert await knocking == 200
    assert len(await door.kept()) == 1


@pytest.mark.faults
async def test_with_the_database_down_senders_are_told_to_come_again(door: Door) -> None:
    knock = await door.order({"id": 5, "status": "processing"})
    assert await door.knock(knock) == 200
    name = door.w.url.rpartition("/")[2].partition("?")[0]
    with patch.object(intake, "ANSWER_SECONDS", 0.5), psycopg.connect(stack().database_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        began = asyncio.get_running_loop().time()
        answers = await asyncio.gather(*(door.knock(knock) for _ in range(10)))
        assert set(answers) == {503}
        stranger = {"url": str(door.w.web.make_url(f"/in/{uuid4().hex}")), "data": b"{}"}
        assert await door.knock(stranger) == 503  # nobody can say now that it is nobody's
        assert asyncio.get_running_loop().time() - began < 15
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        async with asyncio.timeout(30):
            while await door.knock(knock) != 200:  # noqa: ASYNC110 - a sender comes again
                await asyncio.sleep(0.1)
    assert [row["ref"] for row in await door.kept()] == ["5"]


async def test_who_was_connected_a_moment_ago_is_not_nobody(door: Door) -> None:
    unknown = {"url": str(door.w.web.make_url("/in/nobody")), "data": b"{}"}
    assert await door.knock(unknown) == 404  # the routes were read just now
    later = await door.w.connect("woocommerce", [CANECA], name="Nova", approve=False, seed=9)
    knocks = [await store_knock(door.w, later, "order.created", json.dumps({"id": n, "status": "processing"}).encode())
              for n in range(1, 21)]  # fmt: skip
    assert set(await door.knocks(knocks)) == {200}


async def test_a_second_account_of_a_known_application_is_not_nobody(door: Door) -> None:
    assert await door.knock(door.notice()) == 200
    await door.w.connect("mercadolivre", [CANECA], name="Dois", approve=False, seed=9, user_id=987654321)
    assert await door.knock(door.notice(user_id=987654321, resource="/orders/2000000000000002")) == 200
    assert door.w.intake.counted["nobody"] == 0


async def test_unknown_addresses_do_not_make_us_read_the_routes_each_time(door: Door) -> None:
    read = Intake._read_routes
    count = 0

    async def counting(self: Intake) -> None:
        nonlocal count
        count += 1
        await read(self)

    unknown = [{"url": str(door.w.web.make_url(f"/in/{uuid4().hex}")), "data": b"{}"} for _ in range(24)]
    with patch.object(Intake, "_read_routes", counting):
        began = asyncio.get_running_loop().time()
        assert set(await door.knocks(unknown, at_once=4)) == {404}
        seconds = asyncio.get_running_loop().time() - began
    assert count <= 2 + seconds / intake.MISS_SECONDS


async def test_a_vendors_own_key_signs_and_until_it_is_given_every_knock_is_refused(door: Door) -> None:
    keys: dict[str, str | None] = {"key": None}
    woo = door.w.rt.adapter("woocommerce")
    assert woo.webhook is not None
    theirs = replace(woo, webhook=replace(woo.webhook, secret=lambda _credentials: keys["key"]))
    body = json.dumps({"id": 77, "status": "processing"}).encode()
    ours = await door.order(body)
    with patch.object(door.w.rt.__class__, "adapter", lambda _rt, name: theirs if name == "woocommerce" else None):
        door.w.intake._secrets.clear()
        for key in ("", "vendor-key"):  # also a knock that is signed with nothing
            assert await door.knock(_signed(ours, body, key)) == 401
        keys["key"] = "vendor-key"
        door.w.intake._secrets.clear()
        assert await door.knock(ours) == 401  # signed with the key that we would have made
        assert await door.knock(_signed(ours, body, "vendor-key")) == 200


def _signed(knock: Knock, body: bytes, key: str) -> Knock:
    digest = base64.b64encode(hmac.digest(key.encode(), body, "sha256")).decode()
    return {**knock, "headers": knock["headers"] | {"X-WC-Webhook-Signature": digest}}

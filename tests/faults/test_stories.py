"""Faults that fit no cell: a web process killed among webhooks, a database that hangs, a write that lands late."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from unittest.mock import patch
from urllib.parse import urlsplit

import aiohttp
import pytest

from jobs import intake
from jobs.poll import webhook_url
from tests.bench.stand import answers, free_port
from tests.faults.breaking import knobs, start_worker
from tests.faults.place import Place
from tests.faults.shop import SKU, Shop, shop
from tests.faults.test_table import slot_waits

pytestmark = [pytest.mark.faults, pytest.mark.flaky(reruns=2), pytest.mark.timeout(120)]


@pytest.fixture
async def s(broken_place: Place) -> AsyncIterator[Shop]:
    async with shop(broken_place) as made:
        yield made


def signed(secret: str, body: bytes) -> dict[str, str]:
    """The headers of a WooCommerce webhook."""
    signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    return {
        "X-WC-Webhook-Topic": "order.updated",
        "X-WC-Webhook-Signature": signature,
        "Content-Type": "application/json",
    }


async def told(s: Shop, session: aiohttp.ClientSession, url: str, body: bytes) -> int:
    """The status that a signed webhook is answered; 0 when the connection broke."""
    secret = await s.rt.hook_secret(s.seller_id, s.one.account.id)
    try:
        async with session.post(url, data=body, headers=signed(secret, body)) as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0


async def address(s: Shop, base: str = "") -> str:
    """Where store one's webhooks go."""
    return (
        base + urlsplit(await webhook_url(s.rt, s.one.account)).path if base else await webhook_url(s.rt, s.one.account)
    )


async def test_what_a_killed_web_process_had_acknowledged_is_kept(s: Shop) -> None:
    port = free_port()
    environment = {
        **os.environ, "DATABASE_URL": s.place.url(s.database, wired=False), "REDIS_URL": s.installation.redis_url,
        "BALCAO_HOME": str(s.place.home), "BALCAO_SECRET_KEYS": s.key, "BALCAO_PORT": str(port),
        "BALCAO_LOG_LEVEL": "error",
    }  # fmt: skip
    argv = [sys.executable, "-c", "from hub.web.app import main; main()"]
    web = await asyncio.create_subprocess_exec(*argv, env=environment)
    statuses: dict[int, int] = {}
    try:
        await answers(f"http://127.0.0.1:{port}/health", web)
        url = await address(s, f"http://127.0.0.1:{port}")
        async with aiohttp.ClientSession() as session:

            async def one(first: int) -> None:
                for number in range(first, 4_000, 16):
                    statuses[number] = await told(s, session, url, json.dumps({"id": number + 10**6}).encode())
                    if statuses[number] == 0:
                        return

            senders = [asyncio.create_task(one(first)) for first in range(16)]
            while sum(status == 200 for status in statuses.values()) < 200:  # noqa: ASYNC110 - polled on purpose
                await asyncio.sleep(0.01)
            os.kill(web.pid, signal.SIGKILL)
            await asyncio.gather(*senders)
    finally:
        if web.returncode is None:
            web.kill()
        await web.wait()
    acknowledged = {str(number + 10**6) for number, status in statuses.items() if status == 200}
    kept = {row["ref"] for row in s.rows("SELECT ref FROM inbox")}
    assert len(acknowledged) >= 200
    assert 0 in statuses.values(), "it was killed too late"
    assert acknowledged <= kept


async def test_a_database_that_hangs_is_answered_503_and_the_next_webhook_200_when_it_is_back(s: Shop) -> None:
    url = await address(s)
    body = b'{"id": 2000001}'
    async with aiohttp.ClientSession() as session:
        with patch.object(intake, "ANSWER_SECONDS", 1.0):
            assert await told(s, session, url, body) == 200
            secret = await s.rt.hook_secret(s.seller_id, s.one.account.id)
            with s.place.frozen():
                began = time.monotonic()
                asked = [session.post(url, data=body, headers=signed(secret, body)) for _ in range(8)]
                found = {answer.status for answer in await asyncio.gather(*asked)}
                assert time.monotonic() - began < 5
            assert found == {503}
        until = time.monotonic() + 15
        while (status := await told(s, session, url, b'{"id": 2000002}')) != 200:
            assert time.monotonic() < until, f"still {status} with the database back"
            await asyncio.sleep(0.2)
    assert s.rows("SELECT 1 FROM inbox WHERE ref = '2000002'")


async def test_with_the_database_down_all_who_wait_are_answered_at_once_not_one_after_another(s: Shop) -> None:
    url = await address(s)
    async with aiohttp.ClientSession() as session:
        secret = await s.rt.hook_secret(s.seller_id, s.one.account.id)
        assert await told(s, session, url, b'{"id": 2100000}') == 200
        s.place.kill_postgres()
        began = time.monotonic()
        bodies = [json.dumps({"id": 2_100_001 + number}).encode() for number in range(30)]
        asked = [session.post(url, data=body, headers=signed(secret, body)) for body in bodies]
        found = [answer.status for answer in await asyncio.gather(*asked)]
        assert set(found) == {503}
        assert time.monotonic() - began < 10, "row by row, each waits as long as the pool does"
        # Of an address that is not known here nobody can say now that it is nobody's.
        with patch.object(intake, "MISS_SECONDS", 0.0):
            async with session.post(f"{url}x", data=bodies[0]) as answer:
                assert answer.status == 503
        await asyncio.to_thread(s.place.start)
        await s.reconnected()
        assert await told(s, session, url, bodies[0]) == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"id": 1, "status": "processing", "note": "\\ud800"}', 200), (b'{"id": "\\ud83d"}', 400)],
)
async def test_half_a_character_is_kept_or_refused_and_the_door_stays_open(s: Shop, body: bytes, status: int) -> None:
    async with aiohttp.ClientSession() as session:
        url = await address(s)
        assert await told(s, session, url, body) == status
        assert await told(s, session, url, b'{"id": 2200001}') == 200
    kept = [row["raw"] for row in s.rows("SELECT raw FROM inbox WHERE ref = '1'")]
    assert [json.loads(bytes(raw)) for raw in kept] == [json.loads(body)] * (status == 200)


@pytest.mark.slow
async def test_a_killed_workers_write_that_lands_after_all_is_made_good(s: Shop) -> None:
    await slot_waits(s)
    s.two.sandbox.courier.knobs.webhook_drop = 1.0  # the store's own word of the change is lost as well
    worker = await start_worker(s)
    try:
        async with knobs(latency=1.5)(s, "push"):
            before = s.two.sandbox.shelf()[SKU]
            s.rt.bell.ring("stock", 0)
            until = time.monotonic() + 20
            while not s.rows("SELECT 1 FROM stock_slot WHERE pushed IS NULL AND doubt_until > now()"):
                assert time.monotonic() < until, "nothing was written"
                s.rt.bell.ring("stock", 0)
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.3)
        os.kill(worker.pid, signal.SIGKILL)  # its write waits inside the store, and lands a second later
        await s.buy()
        await s.work(lambda: s.two.sandbox.shelf()[SKU] == before - 2, 10)
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()
    await asyncio.sleep(1.5)
    await s.rest()
    await s.check()

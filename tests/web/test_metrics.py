"""/metrics: who may read it, and that its figures are those of the rows."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, make_mocked_request

from hub.sandbox import Product
from hub.web import metrics
from hub.web.keys import RUNTIME
from jobs import prove
from tests.world import World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)
TOKEN = "um-token-comprido"


@asynccontextmanager
async def scraped(w: World) -> AsyncIterator[str]:
    app = web.Application()
    app[RUNTIME] = w.rt
    metrics.setup(app, TOKEN)
    server = TestServer(app)
    await w.stack.enter_async_context(server)
    yield str(server.make_url("/metrics"))


async def read(url: str, **headers: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.text()


def value(text: str, name: str) -> float | None:
    found = [line for line in text.splitlines() if line.startswith(name + " ")]
    return float(found[0].rpartition(" ")[2]) if found else None


@pytest.mark.parametrize(
    ("remote", "headers", "token", "may"),
    [
        ("127.0.0.1", {}, None, True),
        ("::1", {}, TOKEN, True),
        ("10.0.0.7", {}, None, False),
        ("10.0.0.7", {}, TOKEN, False),
        ("10.0.0.7", {"Authorization": f"Bearer {TOKEN}"}, TOKEN, True),
        ("10.0.0.7", {"Authorization": "Bearer "}, None, False),
        ("10.0.0.7", {"Authorization": f"Bearer {TOKEN}x"}, TOKEN, False),
        ("10.0.0.7", {"Authorization": f"Basic {TOKEN}"}, TOKEN, False),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, None, False),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}, TOKEN, False),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {TOKEN}"}, TOKEN, True),
        (None, {}, None, False),
    ],
)
def test_who_may_read(remote: str | None, headers: Mapping[str, str], token: str | None, *, may: bool) -> None:
    request = make_mocked_request("GET", "/metrics", headers=headers).clone(remote=remote or "")
    assert metrics.may_read(request, token) is may


async def test_a_stranger_is_refused_over_the_wire() -> None:
    async with world() as w, scraped(w) as url:
        assert (await read(url, **{"X-Forwarded-For": "203.0.113.9"}))[0] == 401
        assert (await read(url, **{"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {TOKEN}"}))[0] == 200


async def test_the_figures_are_those_of_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "SETTLED", timedelta(seconds=0))
    async with world() as w, scraped(w) as url:
        one = await w.connect("woocommerce", [CANECA], name="Loja Secreta", seed=1)
        two = await w.connect("woocommerce", [CANECA], name="Outra", seed=2)
        await w.open_stock(CANECA=10)
        await w.pass_time()
        text = (await read(url))[1]
        assert value(text, "balcao_invariants_sellers_unchecked") == 1
        assert value(text, 'balcao_due{lane="stock"}') == 0
        before = value(text, 'balcao_pushes_total{outcome="accepted"}') or 0

        await one.buy("CANECA", 1)
        await w.at_rest(CANECA=9)
        assert await prove.prove(w.rt) == 1
        assert await prove.prove(w.rt) == 0, "not again so soon"
        vars(two.sandbox)["by_sku"]["CANECA"].units = 3
        await w.hurry("reconcile")
        await w.drain()
        await w.rows("UPDATE stock_slot SET due_at = now() - interval '1 hour' WHERE account_id = %s RETURNING 1",
                     one.account.id)  # fmt: skip
        text = (await read(url))[1]
        assert value(text, 'balcao_pushes_total{outcome="accepted"}') == before + 1
        assert value(text, "balcao_propagation_seconds_count") == before + 1
        assert (value(text, "balcao_propagation_seconds_sum") or 0) > 0
        assert value(text, "balcao_invariants_broken") == 0
        assert value(text, "balcao_invariants_sellers_unchecked") == 0
        assert (value(text, "balcao_invariants_checked_timestamp_seconds") or 0) > 1.7e9
        assert value(text, 'balcao_drift_open{class="unknown_sale",state="waiting"}') == 1
        assert value(text, 'balcao_due{lane="stock"}') == 1
        assert 3599 < (value(text, 'balcao_due_oldest_seconds{lane="stock"}') or 0) < 3700
        for secret in ("Secreta", "CANECA", str(w.seller_id), str(one.account.id)):
            assert secret not in text

        assert (await read(url))[1].count("balcao_pushes_total{") == 1
        assert value((await read(url))[1], "balcao_propagation_seconds_count") == before + 1, "counted once"


async def test_without_a_database_the_process_still_tells_of_itself() -> None:
    async with world() as w, scraped(w) as url:
        await w.rt.db._pools["balcao_dispatch"].close()
        status, text = await read(url)
        assert status == 200
        assert "python_info" in text
        assert "balcao_due" not in text

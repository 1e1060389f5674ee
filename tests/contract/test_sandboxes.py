"""Every channel's sandbox over real HTTP, through the hub's own client: who we are there, and bad days."""

import importlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import adapters
from hub.contract import Adapter, Credentials
from hub.faults import Fault
from hub.http import AccountApi
from hub.model import Request, Unsigned
from tests.contract.deeds import (
    a_listing,
    addressed,
    posting,
    services,
)
from tests.contract.payloads import ROOT, channels, write_of
from tests.contract.shops import Shop, failure, opened

EVERY = pytest.mark.parametrize("channel", adapters.names())
STORES = pytest.mark.parametrize("channel", channels("orders"))
LISTED = pytest.mark.parametrize("channel", channels("listings"))
STOCKED = pytest.mark.parametrize("channel", channels("orders", "listings", "stock"))


@EVERY
def test_there_is_a_sandbox(channel: str):
    if not (ROOT / "adapters" / channel).is_dir():
        pytest.skip("a package of somebody else's")
    assert (ROOT / "adapters" / channel / "sandbox.py").exists(), (
        f"write adapters/{channel}/sandbox.py: an aiohttp app that behaves as the vendor's documentation says, made by "
        f"`create(products, *, seed=0, **options) -> hub.sandbox.Sandbox`"
    )
    assert callable(importlib.import_module(f"adapters.{channel}.sandbox").create)


# ── Who we are there ───────────────────────────────────────────────────────────────────────────────────────────────


@EVERY
async def test_says_who_we_are(channel: str):
    async with opened(channel) as shop:
        await shop.api()
        told = shop.identity
        assert told
        assert told.external_id.strip()
        assert told.name.strip()
        again = shop.stranger()
        found = await shop.adapter.check(again)
        assert (found.external_id, found.name) == (told.external_id, told.name)


def only_signs_webhooks(shop: Shop) -> set[str]:
    """The key that webhooks are signed with, where no request shows it: nothing can prove it."""
    webhook, kind = shop.adapter.webhook, shop.adapter.credentials
    if webhook is None or webhook.secret is None:
        return set()
    good = kind.model_validate(shop.typed())
    signs, shown = webhook.secret(good), shown_by(shop.adapter, good)
    changed = {name: kind.model_validate(shop.typed() | {name: "other"}) for name in shop.secrets()}
    return {
        name
        for name, other in changed.items()
        if webhook.secret(other) != signs and shown_by(shop.adapter, other) == shown
    }


def shown_by(adapter: Adapter, credentials: Credentials) -> tuple[Any, ...]:
    """What requests show of these credentials: headers, the token's request, a signed request."""
    unsigned = Unsigned(
        request=Request(method="GET", path="/"), url=credentials.base_url(), content=None, shown={},
        credentials=credentials, facts={}, external_id="1", now=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    token = adapter.token.request(credentials, None) if adapter.token else None
    return credentials.headers(), token, adapter.sign(unsigned) if adapter.sign else None


@EVERY
async def test_a_wrong_secret_is_refused_as_such(channel: str):
    async with opened(channel) as shop:
        assert shop.secrets(), "a sandbox's credentials have a secret too"
        for name in shop.secrets():
            good = shop.typed()[name]
            wrong = good[:-1] + ("x" if good[-1] != "x" else "y")
            if name in only_signs_webhooks(shop):
                continue
            problem = await failure(shop.adapter.check(shop.stranger(**{name: wrong})))
            assert problem.fault is Fault.AUTH, f"{name}: {problem}"
            assert wrong not in str(problem), "an error never tells a secret"
            assert good not in str(problem)


# ── Bad days ───────────────────────────────────────────────────────────────────────────────────────────────────────


def reading(shop: Shop, api: AccountApi) -> Callable[[], Awaitable[Any]]:
    """Some call that only reads."""
    if shop.adapter.orders:
        since = shop.adapter.orders.since
        return lambda: since(api, None)
    assert shop.adapter.tracking
    fetch, feed = shop.adapter.tracking.fetch, shop.adapter.tracking.feed
    if fetch:
        return lambda: fetch(api, ["AA000000005BR"])
    assert feed, "a carrier answers for codes, or has a feed"
    return lambda: feed(api, None)


@EVERY
@pytest.mark.parametrize(
    ("knob", "fault"),
    [
        ({"throttle": 1.0}, Fault.THROTTLED),
        ({"fail": 1.0}, Fault.TRANSIENT),
        ({"down": True}, Fault.TRANSIENT),
        ({"hang": 1.0, "hang_seconds": 0.01}, Fault.TRANSIENT),
    ],
    ids=["429", "503", "down", "hangs"],
)
async def test_bad_days_are_classed(channel: str, knob: dict[str, Any], fault: Fault):
    async with opened(channel) as shop:
        read = reading(shop, await shop.api())
        await read()
        shop.sandbox.knobs.turn(knob)
        problem = await failure(read())
        assert problem.fault is fault, problem
        assert not getattr(problem, "in_doubt", False), "a read leaves nothing in doubt"


@EVERY
async def test_a_write_without_an_answer_is_in_doubt(channel: str):
    async with opened(channel) as shop:
        api, sink, freight = await shop.api(), shop.adapter.stock, shop.adapter.freight
        if sink:
            listing = await a_listing(shop, api)
            ((write, _covered),) = sink.render([await addressed(shop, api, write_of(listing, 23))])
        elif freight:
            write = freight.order(api, posting(services(channel)[0]))
        else:
            pytest.skip("nothing is written there")
        shop.sandbox.knobs.turn({"hang": 1.0, "hang_seconds": 0.01})
        problem = await failure(api.call(write))
        assert problem.fault is Fault.TRANSIENT
        assert getattr(problem, "in_doubt", False), "it may have been carried out: the hub must read it back"
        if sink:
            assert shop.sandbox.shelf()["SKU-000"] == 23, "what the sandbox does not answer, it has done"

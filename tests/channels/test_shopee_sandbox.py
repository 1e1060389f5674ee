"""Shopee's client against its sandbox over real HTTP: windows, tokens, lost pushes, the application's callback."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.shopee import ADAPTER, client, sandbox
from hub.faults import ChannelError, Fault
from hub.model import News, Reply, Request, ShipmentNews, StockWrite
from hub.sandbox import Product
from tests.channels.conftest import Connect, PlainApi

CUP = Product(sku="CUP", title="Caneca", quantity=500, price_cents=3990)
THEIRS = Product(sku="FBS", title="Pote", quantity=9, price_cents=990, managed_by="marketplace")
SHIRTS = [Product(sku=f"CAM-{n}", title=n, quantity=10, price_cents=5990, parent="Camiseta") for n in ("P", "M")]
CUPS = [{"sku": "CUP", "quantity": 1}]


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


async def opened(connect: Connect, *products: Product, **options: Any) -> tuple[PlainApi, Any]:
    place = sandbox.create([CUP, *products], **options)
    return await connect(ADAPTER, place), place


async def polled(api: PlainApi, cursor: str | None = None) -> tuple[list[str], str | None, int]:
    """Refs of a whole round, its cursor, and how many pages it took."""
    found, pages, more = [], 0, True
    while more:
        page = await client.orders_since(api, cursor)
        found += [str(row["order_sn"]) for row in page.documents] + list(page.refs)
        cursor, more, pages = page.cursor, page.more, pages + 1
    return found, cursor, pages


def calls(api: PlainApi, end: str) -> int:
    return sum(request.path.endswith(end) for request in api.calls)


async def test_orders_of_many_days_come_in_windows_that_one_page_holds(connect: Connect):
    clock = Hands()
    api, place = await opened(connect, now=clock)
    api.now = clock  # type: ignore[method-assign]  # time passes by hand
    refs = []
    for _ in range(230):
        clock.at += timedelta(minutes=20)
        refs.append((await place.act("buy", {"lines": CUPS}))["order_ref"])
        place.tokens = dict.fromkeys(place.tokens, clock.at + timedelta(hours=1))
    found, cursor, pages = await polled(api)
    assert set(found) == set(refs)
    assert pages >= 3
    assert calls(api, "get_order_detail") <= 8, "50 at a time"
    assert json.loads(str(cursor)) == {"from": int(clock.at.timestamp()) - 300}
    again, _cursor, pages = await polled(api, cursor)
    assert (again, pages) == (refs[-1:], 1), "what changed within the overlap"


async def test_more_orders_in_one_second_than_a_page_holds(connect: Connect):
    clock = Hands()
    api, place = await opened(connect, now=clock)
    api.now = clock  # type: ignore[method-assign]  # time stands still
    refs = {(await place.act("buy", {"lines": CUPS}))["order_ref"] for _ in range(205)}
    clock.at += timedelta(seconds=30)
    found, _cursor, _pages = await polled(api)
    assert set(found) == refs


async def test_an_order_that_moves_on_between_two_pages_hides_no_other(connect: Connect):
    """The page's cursor is taken for an offset: the row behind one that leaves is then on no page."""
    clock = Hands()
    api, place = await opened(connect, now=clock)
    api.now = clock  # type: ignore[method-assign]  # time stands still
    refs = [(await place.act("buy", {"lines": CUPS}))["order_ref"] for _ in range(205)]
    clock.at += timedelta(seconds=30)
    moved: list[str] = []
    call = api.call

    async def calling(request: Request) -> Reply:
        if ("cursor", "100") in request.params and not moved:
            moved.append(refs[0])
            await place.act("cancel", {"order_ref": refs[0]})
        return await call(request)

    api.call = calling  # type: ignore[method-assign]  # a buyer who acts in between
    found, _cursor, _pages = await polled(api)
    assert moved
    assert set(found) == set(refs)


async def test_after_a_month_away_no_search_asks_for_fifteen_days(connect: Connect):
    api, place = await opened(connect)
    await place.act("buy", {"lines": CUPS})
    long_ago = int((api.now() - timedelta(days=31)).timestamp())
    found, _cursor, pages = await polled(api, json.dumps({"from": long_ago}))
    assert (len(found), pages) == (1, 3)


async def test_an_order_that_cannot_be_read_is_told_by_its_ref_and_holds_nobody_up(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
):
    api, place = await opened(connect)
    strange = (await place.act("buy", {"lines": CUPS}))["order_ref"]
    plain = (await place.act("buy", {"lines": CUPS}))["order_ref"]
    known: Callable[[Any], str] = place.word
    monkeypatch.setattr(place, "word", lambda sale: "EXPLODED" if place.ref(sale) == strange else known(sale))
    page = await client.orders_since(api, None)
    assert ([row["order_sn"] for row in page.documents], page.refs) == ([plain], (strange,))


async def test_a_row_that_names_nothing_holds_nobody_up(connect: Connect):
    api, place = await opened(connect)
    ref = (await place.act("buy", {"lines": CUPS}))["order_ref"]
    call = api.call

    async def calling(request: Request) -> Reply:
        reply = await call(request)
        body = json.loads(reply.body)
        for rows in (body.get("response", {}).get(key) for key in ("order_list", "item")):
            if rows and not request.path.endswith("detail"):
                rows.append({"booking_sn": "B1"})
        return replace(reply, body=json.dumps(body).encode())

    api.call = calling  # type: ignore[method-assign]  # what a booking without an order may look like: assumed
    assert (await polled(api))[0] == [ref]
    assert len((await client.listing_pages(api, None)).documents) == 1


async def test_no_order_is_several_orders(connect: Connect):
    api, place = await opened(connect)
    refs = [(await place.act("buy", {"lines": CUPS}))["order_ref"] for _ in range(2)]
    assert (await client.fetch_order(api, refs[0]))["order_sn"] == refs[0]
    for ref in (",".join(refs), "", "../x"):
        with pytest.raises(ChannelError) as problem:
            await client.fetch_order(api, ref)
        assert problem.value.fault is Fault.MISSING


async def test_a_refresh_token_is_good_for_once(connect: Connect):
    api, place = await opened(connect)
    told = await ADAPTER.check(api)
    assert (told.external_id, told.name) == (str(sandbox.SHOP_ID), "Loja de Exemplo")
    assert api.token
    assert api.token.account_ref == told.external_id
    await place.act("expire", {})
    await ADAPTER.check(api)
    assert place.renewals == 2
    api.token = None  # the one that was typed in, used by now
    with pytest.raises(ChannelError) as problem:
        await ADAPTER.check(api)
    assert (problem.value.fault, problem.value.code) == (Fault.AUTH, "invalid_refresh_token")


async def test_a_clock_that_is_off_is_named(connect: Connect):
    api, _place = await opened(connect)
    api.now = lambda: datetime.now(UTC) - timedelta(minutes=6)  # type: ignore[method-assign]  # a clock that is off
    with pytest.raises(ChannelError, match="Timestamp is expired") as problem:
        await ADAPTER.check(api)
    assert problem.value.fault is Fault.AUTH


async def test_shops_of_other_countries_are_refused(connect: Connect, monkeypatch: pytest.MonkeyPatch):
    api, _place = await opened(connect)
    monkeypatch.setattr(client, "REGION", "MY")
    with pytest.raises(ChannelError, match="sells in BR, not in MY"):
        await ADAPTER.check(api)


async def test_models_are_asked_for_only_where_there_are_any(connect: Connect):
    api, _place = await opened(connect, *SHIRTS, THEIRS)
    page = await client.listing_pages(api, None)
    assert ADAPTER.listings
    found = [one for raw in page.documents for one in ADAPTER.listings.parse(raw)]
    assert {(one.sku, one.managed_by.value, one.stock_quantity) for one in found} == {
        ("CUP", "seller", 500), ("CAM-P", "seller", 10), ("CAM-M", "seller", 10), ("FBS", "marketplace", None),
    }  # fmt: skip
    assert calls(api, "get_model_list") == 1


async def test_an_item_that_is_gone_is_none_and_another_trouble_is_told(connect: Connect):
    api, place = await opened(connect)
    gone = StockWrite(slot_ref="5:6", listing_ref="5", variation_ref="6", quantity=1)
    assert await client.look(api, [gone]) == [None]
    with pytest.raises(ChannelError) as problem:
        await client.fetch_listing(api, "5")
    assert problem.value.fault is Fault.MISSING
    place.knobs.turn({"fail": 1.0})
    with pytest.raises(ChannelError) as problem:
        await client.look(api, [gone])
    assert problem.value.fault is Fault.TRANSIENT


async def test_a_promotions_units_cannot_be_taken_away(connect: Connect):
    api, place = await opened(connect, *SHIRTS)
    place.by_sku["CAM-P"].reserved = 4
    page = await client.listing_pages(api, None)
    assert ADAPTER.listings
    assert ADAPTER.stock
    shirts = [one for raw in page.documents for one in ADAPTER.listings.parse(raw) if one.variation_ref]
    writes = [
        StockWrite(slot_ref=one.slot_ref, listing_ref=one.ref, variation_ref=one.variation_ref, quantity=3)
        for one in shirts
    ]
    ((request, covered),) = ADAPTER.stock.render(writes)
    found = ADAPTER.stock.read(covered, await api.call(request))
    assert [(one.outcome, one.code) for one in found] == [("fault", "error_reserved_stock"), ("accepted", None)]
    assert (place.by_sku["CAM-P"].units, place.by_sku["CAM-M"].units) == (10, 3)


async def test_a_token_that_ends_under_a_write_is_renewed_and_the_write_done(connect: Connect):
    """The refusals that a stock write accepts as answers are not those of its token."""
    api, place = await opened(connect)
    item = place.by_sku["CUP"]
    await ADAPTER.check(api)
    await place.act("expire", {})
    assert ADAPTER.stock
    ((request, covered),) = ADAPTER.stock.render(
        [StockWrite(slot_ref=str(item.id), listing_ref=str(item.id), quantity=7)]
    )
    (one,) = ADAPTER.stock.read(covered, await api.call(request))
    assert (one.outcome, item.units) == ("accepted", 7)


async def test_what_is_arranged_already_is_not_arranged_again(connect: Connect):
    api, place = await opened(connect, carrier="pickup")
    ref = (await place.act("buy", {"lines": CUPS}))["order_ref"]
    assert ADAPTER.shipments
    assert ADAPTER.shipments.prepare
    news = ShipmentNews(news=News.DISPATCHED, order_ref=ref, at=api.now())
    for requests in (1, 0):
        there = await ADAPTER.shipments.prepare(api, news)
        rendered = ADAPTER.shipments.render(news.model_copy(update={"there": there}), "default")
        assert len(rendered) == requests
        for request in rendered:
            await api.call(request)
    assert place.orders()[ref] == "PROCESSED"
    assert calls(api, "get_shipping_parameter") == 1


# ── The application's pushes ────────────────────────────────────────────────────────────────────────────────


async def heard(connect: Connect, status: int) -> tuple[PlainApi, Any, TestServer, list[bytes]]:
    """A shop whose pushes come to somebody who answers with this status."""
    api, place = await opened(connect)
    bodies: list[bytes] = []

    async def hear(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response(status=200 if b'"code":0' in bodies[-1] else status)

    listening = web.Application()
    listening.router.add_post("/in", hear)
    server = TestServer(listening)
    await server.start_server()
    return api, place, server, bodies


async def test_a_callback_is_tried_before_it_is_taken_and_our_shop_unblocked(connect: Connect):
    api, place, server, bodies = await heard(connect, 200)
    try:
        place.config["blocked"] = [1, place.shop_id]
        done = await client.subscribe(api, str(server.make_url("/in")), "")
        assert done == [
            f"callback set to {server.make_url('/in')}", "pushes switched on: 1, 2, 3, 4, 6, 8, 12", "shop unblocked",
        ]  # fmt: skip
        assert place.config["blocked"] == [1]
        assert b'"code":0' in bodies[0]
        assert await client.subscribe(api, str(server.make_url("/in")), "") == []
        with pytest.raises(ChannelError, match="not answered with 2xx"):
            await client.subscribe(api, str(server.make_url("/elsewhere")), "")
    finally:
        await server.close()


async def test_lost_pushes_are_read_by_each_shop_before_they_are_confirmed(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sandbox, "RETRIES", (0.01,))
    api, place, server, _bodies = await heard(connect, 500)
    try:
        await client.subscribe(api, str(server.make_url("/in")), "")
        ref = (await place.act("buy", {"lines": CUPS, "pay": False}))["order_ref"]
        while place.courier.under_way:
            await next(iter(place.courier.under_way))
        other = {"data": {"ordersn": "OTHER"}, "shop_id": 5, "code": 3, "timestamp": 1}
        place.lost.append((place.new_id(), other))
        notices, cursor = await client.missed(api, None)
        assert [(notice.topic, notice.ref) for notice in notices] == [("order", ref)]
        assert await client.missed(api, cursor) == ([], cursor)
        assert len(place.lost) == 2, "another shop of the application has not read them"
        api.now = lambda: datetime.now(UTC) + timedelta(minutes=61)  # type: ignore[method-assign]  # an hour later
        place.now = api.now
        place.tokens = dict.fromkeys(place.tokens, api.now() + timedelta(hours=1))
        assert await client.missed(api, cursor) == ([], None)
        assert place.lost == []
    finally:
        await server.close()


async def test_a_public_call_shows_no_token(connect: Connect):
    api, _place = await opened(connect)
    await client.missed(api, None)
    assert api.token is None
    path = "/api/v2/push/get_lost_push_message"
    with pytest.raises(ChannelError) as problem:  # and unsigned it is refused
        await api.call(Request(method="GET", path=path, authenticate=False))
    assert problem.value.fault is Fault.AUTH

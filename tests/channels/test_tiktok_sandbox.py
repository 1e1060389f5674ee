"""TikTok Shop's client against its sandbox over real HTTP: signatures, polls, tokens, callbacks, parcels."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.tiktok import ADAPTER, client, listings, mapping, sandbox, shipping, webhook
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import FulfilledBy, Fulfilment, LineQuantity, News, Order, Reply, Request, ShipmentNews, StockWrite
from hub.sandbox import Product
from tests.channels.conftest import Connect, PlainApi

CUP = Product(sku="CUP", title="Caneca", quantity=500, price_cents=3990)
POT = Product(sku="POT", title="Pote", quantity=9, price_cents=990, managed_by="marketplace")
SHIRTS = [
    Product(sku=f"CAM-{n}", title=n, quantity=10, price_cents=5990, parent="Camiseta", gtin="7891000315507")
    for n in ("P", "M")
]
CUPS = [{"sku": "CUP", "quantity": 1}]
HOOK = "https://balcao.example.com/hooks/app/one"


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


async def opened(connect: Connect, *products: Product, **options: Any) -> tuple[PlainApi, sandbox.TikTok]:
    """A shop, and an account that was checked."""
    place = sandbox.create([CUP, *products], **options)
    api = await connect(ADAPTER, place)
    if clock := options.get("now"):
        api.now = clock  # type: ignore[method-assign]  # time passes by hand
    identity = await client.check(api)
    api.facts, api.external_id = identity.facts, identity.external_id
    return api, place


async def buy(place: sandbox.TikTok, *lines: tuple[str, int], **more: Any) -> str:
    wanted = [{"sku": sku, "quantity": count} for sku, count in lines or [("CUP", 1)]]
    return str((await place.act("buy", {"lines": wanted, **more}))["order_ref"])


async def order(api: PlainApi, ref: str) -> Order:
    return mapping.order(await client.fetch_order(api, ref))


async def polled(api: PlainApi, cursor: str | None = None) -> tuple[list[str], str | None, int]:
    """Refs of a whole round, its cursor, and how many pages it took."""
    found, pages, more = [], 0, True
    while more:
        page = await client.orders_since(api, cursor)
        found += [str(row["id"]) for row in page.documents]
        cursor, more, pages = page.cursor, page.more, pages + 1
    return found, cursor, pages


def count(api: PlainApi, end: str) -> int:
    return sum(request.path.endswith(end) for request in api.calls)


# ── Who we are there ────────────────────────────────────────────────────────────────────────────────────────


async def test_the_shop_and_its_cipher_are_learnt(connect: Connect):
    api, place = await opened(connect)
    assert api.external_id == place.shop_id
    assert api.facts["shop_cipher"] == place.cipher


async def test_without_the_cipher_the_shop_is_not_known(connect: Connect):
    api, _place = await opened(connect)
    api.facts = {}
    with pytest.raises(ChannelError) as problem:
        await client.fetch_order(api, "1")
    assert (problem.value.fault, problem.value.code) == (Fault.AUTH, "106013")


async def test_a_shop_that_did_not_authorize_is_refused_with_those_that_did(connect: Connect):
    place = sandbox.create([CUP])
    api = await connect(ADAPTER, place, shop_id="123")
    with pytest.raises(ChannelError, match=place.shop_id) as problem:
        await client.check(api)
    assert (problem.value.fault, problem.value.code) == (Fault.REJECTED, "which_shop")


async def test_a_clock_that_is_off_signs_nothing_good(connect: Connect):
    clock = Hands()
    api, _place = await opened(connect, now=clock)
    api.now = lambda: clock.at - timedelta(minutes=6)  # type: ignore[method-assign]  # ours is late
    with pytest.raises(ChannelError) as problem:
        await client.check(api)
    assert (problem.value.fault, problem.value.code) == (Fault.AUTH, "36009004")


async def test_a_token_that_ended_is_renewed_inside_the_call(connect: Connect):
    api, place = await opened(connect)
    ref, before = await buy(place), place.renewals
    await place.act("expire", {})
    assert (await order(api, ref)).ref == ref
    assert place.renewals == before + 1
    assert api.token
    assert api.token.refresh
    assert api.token.refresh.get_secret_value() == place.refresh_token, "the newest is kept"


async def test_a_refresh_token_of_before_is_refused_as_such(connect: Connect):
    api, _place = await opened(connect)
    api.token = None  # the one that was typed in, which was used
    with pytest.raises(ChannelError) as problem:
        await api.renew()
    assert problem.value.fault is Fault.AUTH


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_days_of_orders_come_page_by_page_without_a_token(connect: Connect):
    clock = Hands()
    api, place = await opened(connect, now=clock)
    refs = []
    for _ in range(230):
        clock.at += timedelta(minutes=20)
        refs.append(await buy(place))
    found, cursor, pages = await polled(api)
    assert found[0] == refs[0]
    assert set(found) == set(refs)
    assert pages == 3
    assert not any(name == "page_token" for request in api.calls for name, _ in request.params)
    clock.at += timedelta(minutes=1)
    await place.act("cancel", {"order_ref": refs[3]})
    again, _cursor, _pages = await polled(api, cursor)
    assert refs[3] in again
    assert len(again) < 5


async def test_more_than_a_page_within_one_second(connect: Connect):
    clock = Hands()
    api, place = await opened(connect, now=clock)
    refs = [await buy(place) for _ in range(250)]
    clock.at += timedelta(seconds=1)
    refs += [await buy(place) for _ in range(3)]
    clock.at += timedelta(minutes=30)
    found, _cursor, _pages = await polled(api)
    assert set(found) == set(refs)
    assert any("+" in value for request in api.calls for name, value in request.params if name == "page_token")


async def test_orders_that_leave_a_second_while_it_is_read_push_none_out(connect: Connect):
    clock = Hands()
    api, place = await opened(connect, now=clock)
    refs = [await buy(place) for _ in range(250)]
    clock.at += timedelta(minutes=30)
    call, left = api.call, list(refs[:3])

    async def meddling(request: Request) -> Reply:
        reply = await call(request)
        if "update_time_lt" in (request.json or {}) and left:
            await place.act("cancel", {"order_ref": left.pop()})
        return reply

    api.call = meddling  # type: ignore[method-assign]  # a buyer between two pages
    found, _cursor, _pages = await polled(api)
    assert set(found) == set(refs)


async def test_what_changes_in_the_second_of_a_poll_is_told_by_the_next(connect: Connect):
    clock = Hands()
    api, place = await opened(connect, now=clock)
    first = await buy(place)
    found, cursor, _pages = await polled(api)
    late = await buy(place)
    clock.at += timedelta(seconds=60)
    again, _cursor, _pages = await polled(api, cursor)
    assert found == [first]
    assert late in again


async def test_a_clock_ahead_of_theirs_loses_nothing(connect: Connect):
    clock = Hands()
    api, place = await opened(connect, now=clock)
    api.now = lambda: clock.at + timedelta(seconds=20)  # type: ignore[method-assign]  # ours is ahead
    _found, cursor, _pages = await polled(api)
    clock.at += timedelta(seconds=5)
    ref = await buy(place)
    clock.at += timedelta(seconds=60)
    assert (await polled(api, cursor))[0] == [ref]


async def test_a_page_out_of_order_is_refused_and_searches_only_ask(connect: Connect):
    """A cursor that went back would never come to an end."""
    clock = Hands()
    api, place = await opened(connect, now=clock)
    refs = []
    for _ in range(120):
        clock.at += timedelta(seconds=30)
        refs.append(await buy(place))
    call = api.call

    async def shuffled(request: Request) -> Reply:
        assert request.is_read()
        told = json.loads((await call(request)).body)
        told["data"]["orders"][-1]["update_time"] -= 9 * 86_400
        return Reply(status=200, headers={}, body=json.dumps(told).encode())

    api.call = shuffled  # type: ignore[method-assign]  # a vendor who forgets how it was asked to sort
    with pytest.raises(Unreadable, match="not sorted"):
        await client.orders_since(api, None)


async def test_the_newest_are_one_request(connect: Connect):
    clock = Hands()
    api, place = await opened(connect, now=clock)
    await buy(place)
    clock.at += timedelta(hours=1)
    mine = [await buy(place) for _ in range(3)]
    before = len(api.calls)
    page = await client.latest_orders(api)
    assert {str(row["id"]) for row in page.documents} == set(mine)
    assert (page.more, len(api.calls) - before) == (False, 1)


@pytest.mark.parametrize("ref", ["999999999999", "../shops", "abc", "", "１２"])
async def test_an_order_that_is_none_is_missing(connect: Connect, ref: str):
    api, _place = await opened(connect)
    with pytest.raises(ChannelError) as problem:
        await client.fetch_order(api, ref)
    assert problem.value.fault is Fault.MISSING


async def test_units_cancelled_in_part_are_told_unit_by_unit(connect: Connect):
    api, place = await opened(connect)
    ref = await buy(place, ("CUP", 5))
    await place.act("cancel", {"order_ref": ref, "lines": [{"sku": "CUP", "quantity": 2}]})
    (line,) = (await order(api, ref)).lines
    assert (line.quantity, line.cancelled_quantity, line.total_cents) == (5, 2, 5 * 3990)
    assert place.shelf()["CUP"] == 500 - 3


async def test_what_tiktok_keeps_itself_is_told_as_theirs(connect: Connect):
    api, place = await opened(connect, POT)
    assert (await order(api, await buy(place, ("POT", 1)))).fulfilled_by is FulfilledBy.MARKETPLACE
    assert (await order(api, await buy(place))).fulfilled_by is FulfilledBy.SELLER


# ── Callbacks ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_each_event_is_subscribed_once_moved_and_taken_back(connect: Connect):
    api, place = await opened(connect)
    assert len(await client.subscribe(api, HOOK, "")) == len(webhook.EVENTS)
    assert set(place.hooks) == set(webhook.EVENTS)
    assert await client.subscribe(api, HOOK, "") == []
    del place.hooks["ORDER_STATUS_CHANGE"]
    assert await client.subscribe(api, HOOK, "") == ["ORDER_STATUS_CHANGE: subscribed"], "it repairs"
    place.hooks["PACKAGE_UPDATE"] = "https://other.example.com"
    assert await client.subscribe(api, HOOK, "") == ["PACKAGE_UPDATE: moved"]
    place.hooks["PACKAGE_UPDATE"] = "https://other.example.com"
    assert len(await client.unsubscribe(api, HOOK)) == len(webhook.EVENTS) - 1
    assert place.hooks == {"PACKAGE_UPDATE": "https://other.example.com"}, "another's stays"


# ── Products and stock ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_page_asks_one_by_one_only_for_products_of_several_skus(connect: Connect):
    more = [Product(sku=f"S{n}", title=f"Prato {n}", quantity=n, price_cents=100) for n in range(130)]
    api, _place = await opened(connect, *SHIRTS, *more)
    cursor: str | None = None
    found, more_ = [], True
    while more_:
        page = await client.listing_pages(api, cursor)
        found += [one for document in page.documents for one in listings.listings(document)]
        cursor, more_ = page.cursor, page.more
    assert len({one.slot_ref for one in found}) == len(found) == 133
    assert {one.sku: one.title for one in found if one.sku and one.sku.startswith("CAM")} == {
        "CAM-P": "Camiseta P", "CAM-M": "Camiseta M",
    }  # fmt: skip
    assert count(api, "products/search") == count(api, "inventory/search") == 2
    assert sum("/product/202309/products/" in request.path for request in api.calls) == 1


async def slot(api: PlainApi, sku: str, quantity: int, **more: Any) -> StockWrite:
    page = await client.listing_pages(api, None)
    (one,) = (one for document in page.documents for one in listings.listings(document) if one.sku == sku)
    named = {"slot_ref": one.slot_ref, "listing_ref": one.ref, "variation_ref": one.variation_ref}
    return StockWrite(**{**named, "location_ref": one.location_ref, "quantity": quantity, **more})


async def codes(api: PlainApi, *writes: StockWrite) -> list[str | None]:
    return [
        one.code
        for request, covered in listings.render(writes)
        for one in listings.read(covered, await api.call(request))
    ]


async def test_one_bad_sku_costs_no_other(connect: Connect):
    api, place = await opened(connect, *SHIRTS)
    good, elsewhere = await slot(api, "CAM-P", 3), await slot(api, "CAM-M", 4, location_ref="7000000000000000001")
    assert await codes(api, good, elsewhere) == [None, "12052097"]
    assert (place.shelf()["CAM-P"], place.shelf()["CAM-M"]) == (3, 10)
    assert await codes(api, await slot(api, "CAM-M", 99_999)) == ["12052220"]
    assert await codes(api, await slot(api, "CAM-M", 0, location_ref=None)) == [None], "the only warehouse"
    assert place.shelf()["CAM-M"] == 0


async def test_a_product_that_is_gone_is_refused_with_its_code(connect: Connect):
    api, _place = await opened(connect)
    gone = StockWrite(slot_ref="17:18", listing_ref="17", variation_ref="18", quantity=1)
    assert await codes(api, gone) == ["12052048"]
    assert await client.look(api, [gone]) == [None]
    with pytest.raises(ChannelError) as problem:
        await client.fetch_listing(api, "17")
    assert problem.value.fault is Fault.MISSING


async def test_available_and_committed_stand_apart(connect: Connect):
    api, place = await opened(connect)
    await buy(place, ("CUP", 4), pay=False)
    told = await client._inventory(api, "product_ids", [place.shelves[0]], 100)
    (row,) = told.values()
    (kept,) = row["skus"][0]["warehouse_inventory"]
    assert (kept["available_quantity"], kept["committed_quantity"]) == (496, 4)
    (seen,) = await client.look(api, [await slot(api, "CUP", 1)])
    assert seen
    assert (seen.stock_quantity, seen.quantity) == (496, 496)


async def test_many_slots_are_looked_at_in_few_requests(connect: Connect):
    more = [Product(sku=f"S{n}", title=f"Prato {n}", quantity=n, price_cents=100) for n in range(700)]
    api, place = await opened(connect, *more)
    skus = list(place.by_sku.values())
    writes = [
        StockWrite(slot_ref=f"{item.id}:{item.id}", listing_ref=str(item.id), variation_ref=str(item.id), quantity=0)
        for item in reversed(skus)
    ]
    looked = await client.look(api, writes)
    assert [one.stock_quantity if one else None for one in looked] == [item.units for item in reversed(skus)]
    assert count(api, "inventory/search") == 2


# ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────────


async def tell(api: PlainApi, ref: str, code: str, *lines: tuple[str, int], **more: Any) -> list[Request]:
    named = {"news": News.DISPATCHED, "order_ref": ref, "carrier": "Correios", "tracking_code": code}
    parts = tuple(LineQuantity(line_ref=sku, quantity=units) for sku, units in lines)
    told = ShipmentNews(**{**named, "at": api.now(), "lines": parts, **more})
    told = told.model_copy(update={"there": await client.before_shipping(api, told)})
    requests = shipping.shipped(told, "default")
    for request in requests:
        await api.call(request)
    return requests


async def test_two_parcels_and_another_code(connect: Connect):
    api, place = await opened(connect, *SHIRTS)
    ref = await buy(place, ("CUP", 3), ("CAM-P", 1))
    cup = (await order(api, ref)).lines[0].ref
    await tell(api, ref, "AA1", (cup, 2))
    half = await order(api, ref)
    assert (half.fulfilment, [line.dispatched_quantity for line in half.lines]) == (Fulfilment.PARTIAL, [2, 0])
    await tell(api, ref, "AA2")
    whole = await order(api, ref)
    assert (whole.fulfilment, [line.dispatched_quantity for line in whole.lines]) == (Fulfilment.DISPATCHED, [3, 1])
    assert [(parcel.tracking_code, parcel.carrier) for parcel in whole.shipments] == [
        ("AA1", "Correios"), ("AA2", "Correios"),
    ]  # fmt: skip
    parcel = whole.shipments[1].ref
    assert await client.orders_of_package(api, parcel) == [ref]
    await tell(api, ref, "AA3", shipment_ref=parcel, carrier="Jadlog")
    assert [(one.tracking_code, one.carrier) for one in (await order(api, ref)).shipments] == [
        ("AA1", "Correios"), ("AA3", "Jadlog"),
    ]  # fmt: skip
    assert await tell(api, ref, "AA3", shipment_ref=parcel) == [], "told once"


async def test_what_tiktok_carries_is_not_told_and_is_masked(connect: Connect):
    api, place = await opened(connect, shipping="TIKTOK")
    ref = await buy(place)
    assert await tell(api, ref, "AA1") == []
    assert (await order(api, ref)).ship_to is None
    assert count(api, "shipping_providers") == 0


async def test_forty_thousand_products_are_no_burden():
    place = sandbox.create([Product(sku=f"S{n}", title="P", quantity=1, price_cents=1) for n in range(40_000)])
    assert len(place.shelves) == len(place.shelf()) == 40_000

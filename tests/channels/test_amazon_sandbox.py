"""Amazon's client against its sandbox, over real HTTP."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.amazon import ADAPTER, client, sandbox
from adapters.amazon.sandbox import Amazon
from hub.contract import Page
from hub.faults import ChannelError, Fault
from hub.model import News, Order, OutcomeKind, Payment, Request, ShipmentNews, StockWrite
from hub.sandbox import Product, app_calls
from tests.channels.conftest import Connect, PlainApi
from tests.contract.shops import opened

CUP = Product(sku="CANECA/AZUL 300ml+ção, 2", title="Caneca", quantity=5, price_cents=3990, gtin="7891000315507")
PLATE = Product(sku="PRATO", title="Prato", quantity=9, price_cents=2990)
FBA = Product(sku="COPO-FBA", title="Copo", quantity=30, price_cents=990, managed_by="marketplace")


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


async def checked(connect: Connect, place: Amazon, **credentials: str) -> PlainApi:
    api = await connect(ADAPTER, place, **credentials)
    identity = await ADAPTER.check(api)
    api.facts, api.external_id = identity.facts, identity.external_id
    return api


async def buy(place: Amazon, product: Product = CUP, quantity: int = 1, **more: Any) -> str:
    told = await place.act("buy", {"lines": [{"sku": product.sku, "quantity": quantity}], **more})
    return str(told["order_ref"])


async def fetched(api: PlainApi, ref: str) -> Order:
    assert ADAPTER.orders
    return ADAPTER.orders.parse(await ADAPTER.orders.fetch(api, ref))


def calls(place: Amazon, route: str) -> int:
    return app_calls(place.app)[route]


async def test_who_we_are_and_a_refresh_token_for_good(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([CUP]))
    first = await ADAPTER.check(api)
    assert (first.external_id, first.facts) == (sandbox.SELLER, {"personal_data": True})
    await api.renew()
    api.token = None  # the one that was typed in is as good as ever
    assert await ADAPTER.check(api) == first


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({"refresh_token": "Atzr|other"}, "invalid_grant"),
        ({"client_secret": "other"}, "invalid_client"),
        ({"seller_id": "A2SOMEBODYELSE"}, "Unauthorized"),
    ],
)
async def test_credentials_that_are_not_ours_are_auth(connect: Connect, typed: dict[str, str], code: str):
    with pytest.raises(ChannelError) as problem:
        await checked(connect, sandbox.create([CUP]), **typed)
    assert (problem.value.fault, problem.value.code) == (Fault.AUTH, code)


async def test_an_expired_token_is_renewed_once(connect: Connect):
    place = sandbox.create([CUP])
    api = await checked(connect, place)
    place.tokens.clear()
    assert (await fetched(api, await buy(place))).payment is Payment.PAID
    assert calls(place, "POST /auth/o2/token") == 2


async def test_without_our_user_agent_there_is_no_answer(connect: Connect):
    place = sandbox.create([CUP])
    api = await checked(connect, place)
    bare = Request(method="GET", path=client.ORDERS, headers={"user-agent": ""})
    with pytest.raises(ChannelError, match="User-Agent"):
        await api.call(bare)


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_people_are_told_under_a_restricted_token(connect: Connect):
    place = sandbox.create([CUP])
    api = await checked(connect, place)
    order = await fetched(api, await buy(place, quantity=2))
    assert order.buyer
    assert order.buyer.document
    assert order.buyer.document.valid
    assert order.ship_to
    assert order.ship_to.street
    assert (order.lines[0].total_cents, order.total_cents, order.shipping_cents) == (7980, 9570, 1590)


async def test_without_the_role_people_are_not_told_and_nothing_else_is_lost(connect: Connect):
    place = sandbox.create([CUP], personal=False)
    api = await checked(connect, place)
    assert api.facts == {"personal_data": False}
    asked = calls(place, "POST /tokens/2021-03-01/restrictedDataToken")
    order = await fetched(api, await buy(place))
    assert (order.buyer, order.ship_to, order.total_cents) == (None, None, 3990 + 1590)
    assert calls(place, "POST /tokens/2021-03-01/restrictedDataToken") == asked, "what is refused is not asked again"


async def test_a_role_that_was_withdrawn_masks_people_and_stops_nothing(connect: Connect):
    place = sandbox.create([CUP])
    api = await checked(connect, place)
    place.personal = False
    order = await fetched(api, await buy(place))
    assert (order.buyer, order.payment) == (None, Payment.PAID)


async def test_what_is_no_order_id_is_missing_without_a_call(connect: Connect):
    place = sandbox.create([CUP])
    api = await checked(connect, place)
    before = app_calls(place.app).total()
    with pytest.raises(ChannelError) as problem:
        await fetched(api, "../x")
    assert problem.value.fault is Fault.MISSING
    assert app_calls(place.app).total() == before
    with pytest.raises(ChannelError) as problem:
        await fetched(api, "702-9999999-9999999")
    assert (problem.value.fault, problem.value.code) == (Fault.MISSING, "NotFound")


async def polled(api: PlainApi, cursor: str | None = None) -> tuple[list[str], str | None]:
    assert ADAPTER.orders
    refs: list[str] = []
    page = Page(cursor=cursor, more=True)
    while page.more:
        page = await ADAPTER.orders.since(api, page.cursor)
        refs += page.refs
    return refs, page.cursor


async def test_a_change_that_is_listed_two_minutes_late_is_not_lost(connect: Connect):
    clock = Clock()
    place = sandbox.create([CUP, PLATE], lag=120, now=clock)
    api = await checked(connect, place)
    api.now = clock  # type: ignore[method-assign] # the same clock on both sides
    old = await buy(place)
    clock.pass_by(100)
    refs, cursor = await polled(api)
    assert refs == [], "too young"
    late = await buy(place, PLATE)
    clock.pass_by(60)
    refs, cursor = await polled(api, cursor)
    assert refs == [old]
    clock.pass_by(61)
    refs, cursor = await polled(api, cursor)
    assert refs == [late]
    assert (await polled(api, cursor))[0] == [late], "the second in which a window ends is read again"


async def test_the_next_window_starts_where_the_first_page_said(connect: Connect):
    clock = Clock()
    place = sandbox.create([Product(sku="P", title="x", quantity=200, price_cents=100)], now=clock)
    api = await checked(connect, place)
    api.now = clock  # type: ignore[method-assign] # the same clock on both sides
    for _ in range(101):
        await buy(place, Product(sku="P", title="x", quantity=1, price_cents=1))
    assert ADAPTER.orders
    first = await ADAPTER.orders.since(api, None)
    assert (len(first.refs), first.more) == (100, True)
    clock.pass_by(30)
    between = await buy(place, Product(sku="P", title="x", quantity=1, price_cents=1))
    clock.pass_by(30)
    refs, cursor = await polled(api, first.cursor)
    assert between not in refs
    assert between in (await polled(api, cursor))[0]


async def test_a_page_that_amazon_forgot_starts_the_window_anew(connect: Connect):
    place = sandbox.create([PLATE])
    api = await checked(connect, place)
    ref = await buy(place, PLATE)
    since = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    stale = json.dumps({"after": since, "before": since, "next": "bm90aGluZw=="})
    refs, cursor = await polled(api, stale)
    assert refs == [ref]
    assert cursor
    assert datetime.fromisoformat(json.loads(cursor)["after"]) > datetime.fromisoformat(since)


async def test_the_list_of_orders_has_twenty_calls_and_then_one_a_minute(connect: Connect):
    api = await checked(connect, sandbox.create([CUP], limited=True))
    for _ in range(20):
        await polled(api)
    with pytest.raises(ChannelError) as problem:
        await polled(api)
    assert (problem.value.fault, problem.value.code) == (Fault.THROTTLED, "QuotaExceeded")


async def test_a_buyer_who_asks_to_cancel_is_heard(connect: Connect):
    place = sandbox.create([CUP])
    api = await checked(connect, place)
    ref = await buy(place)
    await place.act("request_cancel", {"order_ref": ref})
    assert (await fetched(api, ref)).hold == "cancel_requested"


# ── Listings and numbers ────────────────────────────────────────────────────────────────────────────────────


async def listed(api: PlainApi) -> list[str]:
    assert ADAPTER.listings
    skus: list[str] = []
    page = Page(more=True)
    while page.more:
        page = await ADAPTER.listings.pages(api, page.cursor)
        skus += [one.ref for raw in page.documents for one in ADAPTER.listings.parse(raw)]
    return skus


async def test_more_listings_than_a_search_pages_through_are_all_listed(connect: Connect):
    goods = [Product(sku=f"P{n:03}", title="x", quantity=n, price_cents=100) for n in range(105)]
    api = await checked(connect, sandbox.create(goods, most=40))
    assert set(await listed(api)) == {one.sku for one in goods}


async def test_amazons_own_stock_is_not_ours_to_write(connect: Connect):
    api = await checked(connect, sandbox.create([FBA]))
    assert ADAPTER.listings
    (one,) = ADAPTER.listings.parse(await ADAPTER.listings.fetch(api, FBA.sku))
    assert (one.managed_by, one.quantity, one.stock_quantity) == ("marketplace", 30, None)


async def test_an_accepted_number_is_followed_until_it_is_for_sale(connect: Connect):
    clock = Clock()
    place = sandbox.create([CUP], delay=180, now=clock)
    place.lead_times[CUP.sku] = 3
    api, sink = await checked(connect, place), ADAPTER.stock
    assert sink
    assert sink.ask
    write = StockWrite(slot_ref=CUP.sku, listing_ref=CUP.sku, quantity=2)
    ((request, covered),) = sink.render([write])
    (taken,) = sink.read(covered, await api.call(request))
    assert taken.outcome is OutcomeKind.PENDING
    assert place.shelf() == {CUP.sku: 5}
    (waiting,) = await sink.ask(api, [write], taken.code or "")
    assert (waiting.outcome, waiting.seen, waiting.code) == (OutcomeKind.PENDING, 5, taken.code)
    clock.pass_by(181)
    (done,) = await sink.ask(api, [write], taken.code or "")
    assert (done.outcome, done.seen, done.code) == (OutcomeKind.ACCEPTED, 2, None)
    assert place.shelf() == {CUP.sku: 2}
    assert place.lead_times == {CUP.sku: 3}, "merged: the handling time stays"


async def test_a_listing_that_is_gone_is_told_when_asked(connect: Connect):
    api, sink = await checked(connect, sandbox.create([CUP])), ADAPTER.stock
    assert sink
    assert sink.ask
    gone = StockWrite(slot_ref="GONE", listing_ref="GONE", quantity=2)
    (outcome,) = await sink.ask(api, [gone], "x")
    assert (outcome.outcome, outcome.code) == (OutcomeKind.FAULT, "NOT_FOUND")
    ((request, covered),) = sink.render([gone])
    (refused,) = sink.read(covered, await api.call(request))
    assert (refused.outcome, refused.code) == (OutcomeKind.FAULT, "NOT_FOUND")


async def test_a_sku_of_any_characters_reaches_its_listing_through_the_hubs_own_client():
    async with opened("amazon", [CUP]) as shop:
        api, sink = await shop.api(), shop.adapter.stock
        assert sink
        write = StockWrite(slot_ref=CUP.sku, listing_ref=CUP.sku, quantity=3)
        ((request, covered),) = sink.render([write])
        assert sink.read(covered, await api.call(request))[0].outcome is OutcomeKind.PENDING
        (seen,) = await sink.look(api, [write])
        assert seen
        assert (seen.sku, seen.stock_quantity) == (CUP.sku, 3)


# ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_parcel_is_confirmed_once(connect: Connect):
    place = sandbox.create([CUP])
    api, sink = await checked(connect, place), ADAPTER.shipments
    assert sink
    assert sink.prepare
    ref = await buy(place, quantity=2)
    news = ShipmentNews(
        news=News.DISPATCHED, order_ref=ref, carrier="Jadlog", tracking_code="AA1", at=datetime.now(UTC)
    )
    (request,) = sink.render(news.model_copy(update={"there": await sink.prepare(api, news)}), "default")
    assert (await api.call(request)).status == 204
    assert place.sale_of(ref).tracking == "AA1"
    assert (await fetched(api, ref)).lines[0].dispatched_quantity == 2
    assert sink.render(news.model_copy(update={"there": await sink.prepare(api, news)}), "default") == []

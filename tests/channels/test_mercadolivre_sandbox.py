"""The client against a Mercado Livre behind a real socket."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.mercadolivre import ADAPTER, client, sandbox, webhook
from hub.contract import Page
from hub.faults import ChannelError, Fault
from hub.model import (
    FulfilledBy,
    Fulfilment,
    Hold,
    Knock,
    Listing,
    ListingStatus,
    ManagedBy,
    News,
    Notice,
    Order,
    Outcome,
    OutcomeKind,
    Payment,
    Request,
    ShipmentNews,
    Status,
    StockWrite,
    Topic,
    TrackingStatus,
)
from hub.sandbox import Product, Sandbox
from tests.channels.conftest import Connect, PlainApi

CUP = Product(sku="CANECA", title="Caneca", quantity=5, price_cents=2990, gtin="7891000315507")
HAT = Product(sku="BONE", title="Boné", quantity=3, price_cents=4990)
FULL = Product(sku="FULL", title="Mochila", quantity=9, price_cents=19990, managed_by="marketplace")
SHIRTS = tuple(
    Product(sku=f"CAMISA-{size}", title=f"Camisa {size}", quantity=units, price_cents=7990, parent="Camisa")
    for size, units in (("P", 2), ("M", 4))
)


async def connected(connect: Connect, shop: Sandbox, **overrides: Any) -> PlainApi:
    api = await connect(ADAPTER, shop, **overrides)
    identity = await client.check(api)
    api.facts, api.external_id = identity.facts, identity.external_id
    return api


async def fetched(api: PlainApi, ref: str) -> Order:
    assert ADAPTER.orders
    return ADAPTER.orders.parse(await ADAPTER.orders.fetch(api, ref))


async def every_listing(api: PlainApi) -> dict[str | None, Listing]:
    assert ADAPTER.listings
    found: list[Listing] = []
    page = Page(more=True)
    while page.more:
        page = await ADAPTER.listings.pages(api, page.cursor)
        found += [one for document in page.documents for one in ADAPTER.listings.parse(document)]
    return {one.sku: one for one in found}


def to_write(listing: Listing, quantity: int, **more: Any) -> StockWrite:
    given: dict[str, Any] = {
        "slot_ref": listing.slot_ref,
        "location_ref": listing.location_ref,
        "listing_ref": listing.ref,
        "variation_ref": listing.variation_ref,
        "version": listing.version,
        "quantity": quantity,
    }
    return StockWrite(**(given | more))


async def written(api: PlainApi, *writes: StockWrite) -> list[Outcome]:
    assert ADAPTER.stock
    outcomes: list[Outcome] = []
    for request, covered in ADAPTER.stock.render(writes):
        outcomes += ADAPTER.stock.read(covered, await api.call(request))
    return outcomes


async def polled(api: PlainApi, cursor: str | None) -> tuple[list[str], str | None]:
    """All refs of one poll, and where the next one starts."""
    assert ADAPTER.orders
    refs: list[str] = []
    page = Page(cursor=cursor, more=True)
    while page.more:
        page = await ADAPTER.orders.since(api, page.cursor)
        refs += page.refs
    return refs, page.cursor


def one(sku: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"lines": [{"sku": sku, "quantity": quantity}], **more}


async def until(there: Callable[[], Any], seconds: float = 3.0) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it did not come to be"
        await asyncio.sleep(0.01)


# ── Accounts and tokens ─────────────────────────────────────────────────────────────────────────────────────


async def test_check_learns_who_the_seller_is(connect: Connect):
    told = await client.check(await connect(ADAPTER, sandbox.create([CUP], warehouse_management=True)))
    assert (told.external_id, told.name) == ("123456789", "LOJA TESTE")
    assert told.facts == {
        "user_id": 123456789,
        "nickname": "LOJA TESTE",
        "site_id": "MLB",
        "warehouse_management": True,
    }


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"client_secret": "x"}, "invalid_client"), ({"refresh_token": "TG-x"}, "invalid_grant")],
)
async def test_wrong_credentials_get_the_vendors_error(connect: Connect, wrong: dict[str, str], code: str):
    with pytest.raises(ChannelError) as refusal:
        await client.check(await connect(ADAPTER, sandbox.create([CUP]), **wrong))
    assert (refusal.value.fault, refusal.value.code) == (Fault.AUTH, code)


async def test_a_refresh_token_is_good_once(connect: Connect):
    shop = sandbox.create([CUP])
    first = shop.credentials("")["refresh_token"]
    api = await connected(connect, shop)
    assert shop.credentials("")["refresh_token"] != first
    await shop.act("expire", {})
    assert (await client.check(api)).external_id  # renewed with the second one
    with pytest.raises(ChannelError) as refusal:
        await client.check(await connect(ADAPTER, sandbox.create([CUP]), refresh_token="TG-usado"))
    assert refusal.value.code == "invalid_grant"


async def test_tokens_end_when_they_say(connect: Connect):
    api = await connected(connect, sandbox.create([CUP], token_seconds=1))
    await asyncio.sleep(1.01)
    sent = len(api.calls)
    await client.check(api)
    assert [call.path for call in api.calls[sent:]] == ["/users/me", "/oauth/token", "/users/me"]


async def test_the_code_flow_with_pkce(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([CUP]))
    assert ADAPTER.oauth
    assert ADAPTER.token
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    url = ADAPTER.oauth.authorize(api.credentials, "http://hub.example/oauth", "estado", challenge)
    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as answer:
        back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert back["state"] == ["estado"]
    wrong = ADAPTER.oauth.exchange(api.credentials, back["code"][0], "http://hub.example/oauth", "w" * 43)
    with pytest.raises(ChannelError):
        await api.call(wrong)
    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as answer:
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    right = ADAPTER.oauth.exchange(api.credentials, code, "http://hub.example/oauth", verifier)
    assert ADAPTER.token.read(await api.call(right), api.now()).account_ref == "123456789"


async def test_the_seller_of_another_site_is_refused():
    class Elsewhere(PlainApi):
        async def call(self, request: Request) -> Any:
            from hub.model import Reply

            return Reply(status=200, headers={}, body=b'{"id": 1, "nickname": "X", "site_id": "MLA"}')

    with pytest.raises(ChannelError) as refusal:
        await client.check(Elsewhere(ADAPTER, None))
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "other_site")


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_sale_from_payment_to_return(connect: Connect):
    shop = sandbox.create([CUP])
    api = await connected(connect, shop)
    ref = (await shop.act("buy", one("CANECA", 2, pay=False, shipping_cents=1590)))["order_ref"]
    assert shop.shelf() == {"CANECA": 3}
    placed = await fetched(api, ref)
    assert (placed.payment, placed.ship_to, placed.fulfilled_by) == (
        Payment.PENDING,
        None,
        FulfilledBy.SELLER,
    )
    assert placed.buyer
    assert placed.buyer.document is None  # not told before the payment
    await shop.act("pay", {"order_ref": ref})
    paid = await fetched(api, ref)
    assert (paid.payment, paid.status, paid.total_cents) == (Payment.PAID, Status.PAID, 2 * 2990 + 1590)
    assert paid.ship_to
    assert paid.ship_by
    assert paid.buyer
    assert paid.buyer.document
    assert paid.buyer.document.valid
    assert (paid.lines[0].sku, paid.lines[0].total_cents, paid.fees_cents) == ("CANECA", 5980, 2 * 358)
    assert paid.shipments[0].service == "me2:drop_off"
    await shop.act("dispatch", {"order_ref": ref})
    assert (await fetched(api, ref)).fulfilment == Fulfilment.DISPATCHED
    await shop.act("deliver", {"order_ref": ref})
    assert (await fetched(api, ref)).status == Status.DELIVERED
    await shop.act("return", {"order_ref": ref})
    back = await fetched(api, ref)
    assert (back.fulfilment, back.payment, back.refunded_cents) == (
        Fulfilment.RETURNED,
        Payment.REFUNDED,
        5980,
    )
    assert shop.shelf() == {"CANECA": 3}  # the seller looks at it first


async def test_what_is_not_there_is_not_sold():
    shop = sandbox.create([HAT])
    with pytest.raises(LookupError, match="sold_out"):
        await shop.act("buy", one("BONE", 4))
    with pytest.raises(LookupError, match="sold_out"):
        await shop.act("buy", {"lines": [{"sku": "BONE", "quantity": 2}, {"sku": "BONE", "quantity": 2}]})
    assert shop.shelf() == {"BONE": 3}
    ref = (await shop.act("buy", one("BONE", 3)))["order_ref"]
    assert shop.shelf() == {"BONE": 0}
    await shop.act("cancel", {"order_ref": ref})
    assert shop.shelf() == {"BONE": 3}
    assert shop.orders() == {ref: "cancelled"}
    await shop.act("cancel", {"order_ref": ref})
    assert shop.shelf() == {"BONE": 3}  # given back once


async def test_a_pack_is_one_shipment_of_several_orders(connect: Connect):
    shop = sandbox.create([CUP, HAT, FULL])
    api = await connected(connect, shop)
    lines = [{"sku": "CANECA", "quantity": 1}, {"sku": "BONE", "quantity": 1}, {"sku": "FULL", "quantity": 1}]
    sold = await shop.act("buy", {"lines": lines, "shipping_cents": 2000})
    cup, hat, bag = [await fetched(api, ref) for ref in sold["order_refs"]]
    assert cup.group_ref == hat.group_ref == cup.number == sold["pack_ref"]
    assert cup.shipments[0].ref == hat.shipments[0].ref == sold["shipment_ref"]
    assert (cup.shipping_cents, hat.shipping_cents, cup.total_cents) == (0, 0, 2990)
    assert (bag.fulfilled_by, bag.group_ref, cup.fulfilled_by) == (
        FulfilledBy.MARKETPLACE,
        None,
        FulfilledBy.SELLER,
    )
    assert ADAPTER.orders
    assert ADAPTER.orders.orders_of_shipment
    assert await ADAPTER.orders.orders_of_shipment(api, sold["shipment_ref"]) == [cup.ref, hat.ref]
    await shop.act("cancel", {"order_ref": hat.ref})
    gone, kept = await fetched(api, hat.ref), await fetched(api, cup.ref)
    assert (gone.status, gone.shipments[0].status) == (Status.CANCELLED, TrackingStatus.CANCELLED)
    assert (kept.status, kept.shipments[0].status) == (Status.PAID, TrackingStatus.LABEL_CREATED)
    assert kept.shipments[0].ref != gone.shipments[0].ref


async def test_a_kit_is_one_order_per_component(connect: Connect):
    shop = sandbox.create([CUP, HAT], kits={"KIT": {"CANECA": 2, "BONE": 1}})
    api = await connected(connect, shop)
    listing = (await every_listing(api))["KIT"]
    assert (listing.quantity, listing.managed_by) == (2, ManagedBy.MARKETPLACE)
    assert [outcome.code for outcome in await written(api, to_write(listing, 7))] == [
        "item.available_quantity.not_modifiable"
    ]
    sold = await shop.act("buy", one("KIT"))
    orders = [await fetched(api, ref) for ref in sold["order_refs"]]
    assert [(o.lines[0].sku, o.lines[0].quantity) for o in orders] == [("CANECA", 2), ("BONE", 1)]
    assert all("bundle_component" in o.raw_status["tags"] for o in orders)
    assert shop.shelf() == {"CANECA": 3, "BONE": 2}


async def test_read_after_write_lag(connect: Connect):
    shop = sandbox.create([CUP], lag=0.15)
    api = await connected(connect, shop)
    ref = (await shop.act("buy", one("CANECA")))["order_ref"]
    raw = await client.fetch_order(api, ref)
    assert raw["shipment"] is None
    await asyncio.sleep(0.16)
    assert (await fetched(api, ref)).shipments


async def test_half_an_order_is_asked_for_again(connect: Connect):
    shop = sandbox.create([CUP])
    api = await connected(connect, shop)
    ref = (await shop.act("buy", one("CANECA")))["order_ref"]
    await shop.act("partial", {"order_ref": ref})
    with pytest.raises(ChannelError, match="payments") as refusal:
        await client.fetch_order(api, ref)
    assert refusal.value.fault == Fault.TRANSIENT
    assert (await fetched(api, ref)).payment == Payment.PAID


async def test_billing_never_holds_an_order_back(connect: Connect):
    shop = sandbox.create([CUP])
    api = await connected(connect, shop)
    ref = (await shop.act("buy", one("CANECA")))["order_ref"]

    class Broken(PlainApi):
        async def call(self, request: Request) -> Any:
            if "billing-info" in request.path or request.path.endswith("/sla"):
                raise ChannelError(Fault.TRANSIENT, "503", "unavailable", status=503)
            return await api.call(request)

    told = await fetched(Broken(ADAPTER, api.credentials), ref)
    assert (told.payment, told.ship_by) == (Payment.PAID, None)
    assert told.shipments
    assert told.buyer
    assert told.buyer.name is None


async def test_holds(connect: Connect):
    shop = sandbox.create([CUP], invoice_pending=True)
    api = await connected(connect, shop)
    ref = (await shop.act("buy", one("CANECA")))["order_ref"]
    assert (await fetched(api, ref)).hold == Hold.INVOICE_PENDING
    await shop.act("invoice", {"order_ref": ref})
    assert (await fetched(api, ref)).hold is None
    await shop.act("fraud", {"order_ref": ref})
    assert (await fetched(api, ref)).hold == Hold.FRAUD


async def test_an_order_that_is_not_there(connect: Connect):
    api = await connected(connect, sandbox.create([CUP]))
    with pytest.raises(ChannelError) as refusal:
        await client.fetch_order(api, "2000000000000000")
    assert refusal.value.fault == Fault.MISSING


async def test_a_poll_tells_each_change_once(connect: Connect):
    shop = sandbox.create([CUP, HAT])
    api = await connected(connect, shop)
    first = (await shop.act("buy", one("CANECA")))["order_ref"]
    gone = (await shop.act("buy", one("CANECA")))["order_ref"]
    await shop.act("cancel", {"order_ref": gone})
    refs, cursor = await polled(api, None)
    assert refs == [first, gone]  # the cancelled one by its own pass
    assert (await polled(api, cursor))[0] == []
    second = (await shop.act("buy", one("BONE")))["order_ref"]
    refs, cursor = await polled(api, cursor)
    assert refs == [second]
    await asyncio.sleep(0.002)
    await shop.act("cancel", {"order_ref": first})
    refs, cursor = await polled(api, cursor)
    assert refs == [first]
    assert (await polled(api, cursor))[0] == []


async def test_a_poll_pages_and_nothing_drifts(connect: Connect):
    shop = sandbox.create([Product(sku="A", title="A", quantity=1000, price_cents=100)])
    api = await connected(connect, shop)
    bought = [(await shop.act("buy", one("A")))["order_ref"] for _ in range(120)]
    assert ADAPTER.orders
    page = await ADAPTER.orders.since(api, None)
    assert (list(page.refs), page.more) == (bought[:50], True)
    # Orders of the first page leave the results: what stood at 50 now stands at 48.
    await shop.act("cancel", {"order_ref": bought[3]})
    await shop.act("cancel", {"order_ref": bought[49]})
    refs, cursor = await polled(api, page.cursor)
    assert set(refs) >= set(bought[50:])
    assert {bought[3], bought[49]} <= set(refs)
    assert (await polled(api, cursor))[0] == []


async def test_a_poll_overlaps_by_an_hour(connect: Connect):
    shop = sandbox.create([CUP])
    api = await connected(connect, shop)
    await shop.act("buy", one("CANECA"))
    _, cursor = await polled(api, None)
    sent = len(api.calls)
    await polled(api, cursor)
    asked = dict(api.calls[sent].params)["order.date_last_updated.from"]
    assert datetime.now(UTC) - datetime.fromisoformat(asked) >= timedelta(minutes=59)


async def test_a_strange_cursor_is_refused(connect: Connect):
    with pytest.raises(ChannelError, match="cursor"):
        await client.orders_since(await connected(connect, sandbox.create([CUP])), "amanhã")


# ── Listings and stock ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_whole_catalogue_in_pages(connect: Connect):
    many = [Product(sku=f"P{at}", title=f"P {at}", quantity=at, price_cents=100) for at in range(1, 231)]
    api = await connected(connect, sandbox.create([*many, *SHIRTS, FULL]))
    found = await every_listing(api)
    assert len(found) == 233
    assert (found["P7"].quantity, found["P7"].status) == (7, ListingStatus.ACTIVE)
    shirt = found["CAMISA-M"]
    assert shirt.variation_ref
    assert (shirt.title, shirt.quantity, shirt.ref) == ("Camisa", 4, found["CAMISA-P"].ref)
    assert found["FULL"].managed_by == ManagedBy.MARKETPLACE
    multigets = [call for call in api.calls if call.path == "/items"]
    assert max(len(dict(call.params)["ids"].split(",")) for call in multigets) == 20
    assert len([call for call in api.calls if call.path.endswith("/items/search")]) == 4


async def test_when_the_multiget_is_replaced(connect: Connect):
    shop = sandbox.create([CUP])
    api = await connected(connect, shop)
    (ref,) = (await client._items(api, [(await every_listing(api))["CANECA"].ref])).keys()

    class Later(PlainApi):
        async def call(self, request: Request) -> Any:
            reply = await api.call(request)
            return type(reply)(status=410, headers={}, body=b"{}") if request.path == "/items" else reply

    later = Later(ADAPTER, api.credentials)
    assert (await client._items(later, [ref, "MLB1"])).keys() == {ref}  # MLB1 is gone


async def test_an_item_that_a_multiget_failed_to_answer_is_not_gone(connect: Connect):
    api = await connected(connect, sandbox.create([CUP]))

    class Failing(PlainApi):
        async def call(self, request: Request) -> Any:
            reply = await api.call(request)
            return type(reply)(status=200, headers={}, body=b'[{"code": 500, "body": {"id": "MLB4000000002"}}]')

    with pytest.raises(ChannelError) as refusal:
        await client._items(Failing(ADAPTER, api.credentials), ["MLB4000000002"])
    assert refusal.value.fault == Fault.TRANSIENT


async def test_a_plain_item_is_written_and_pauses_at_zero(connect: Connect):
    shop = sandbox.create([CUP])
    api = await connected(connect, shop)
    cup = (await every_listing(api))["CANECA"]
    assert [(o.outcome, o.seen) for o in await written(api, to_write(cup, 0))] == [(OutcomeKind.ACCEPTED, 0)]
    assert (await every_listing(api))["CANECA"].status == ListingStatus.PAUSED
    assert [o.seen for o in await written(api, to_write(cup, 4))] == [4]
    assert (await every_listing(api))["CANECA"].status == ListingStatus.ACTIVE
    assert shop.shelf() == {"CANECA": 4}
    await shop.act("pause", {"sku": "CANECA"})
    await written(api, to_write(cup, 3))
    assert (await every_listing(api))["CANECA"].status == ListingStatus.PAUSED  # the seller's own pause stays
    assert shop.shelf() == {"CANECA": 0}


async def test_a_variation_is_written_and_the_others_stay(connect: Connect):
    shop = sandbox.create(SHIRTS)
    api = await connected(connect, shop)
    small = (await every_listing(api))["CAMISA-P"]
    assert [(o.outcome, o.seen) for o in await written(api, to_write(small, 9))] == [(OutcomeKind.ACCEPTED, 9)]
    assert shop.shelf() == {"CAMISA-P": 9, "CAMISA-M": 4}


async def test_a_put_of_some_variations_deletes_the_others(connect: Connect):
    shop = sandbox.create(SHIRTS)
    api = await connected(connect, shop)
    small = (await every_listing(api))["CAMISA-P"]
    body = {"variations": [{"id": int(small.variation_ref or 0), "available_quantity": 1}]}
    await api.call(Request(method="PUT", path=f"/items/{small.ref}", json=body))
    assert list(await every_listing(api)) == ["CAMISA-P"]


async def test_items_that_share_a_user_product_are_copied(connect: Connect):
    premium = Product(sku="CANECA", title="Caneca premium", quantity=0, price_cents=3490)
    shop = sandbox.create([CUP, premium], copy_seconds=0.1)
    api = await connected(connect, shop)
    assert ADAPTER.listings
    documents = (await client.listing_pages(api, None)).documents
    classic, copied = (ADAPTER.listings.parse(raw)[0] for raw in documents)
    assert classic.slot_ref == copied.slot_ref
    await written(api, to_write(classic, 1))
    look = await client.look(api, [to_write(classic, 1), to_write(copied, 1)])
    assert [one and one.quantity for one in look] == [1, 5]  # not yet
    await asyncio.sleep(0.12)
    assert [one and one.quantity for one in await client.look(api, [to_write(copied, 1)])] == [1]
    assert shop.shelf() == {"CANECA": 1}


async def test_stock_by_location_is_compared_and_set(connect: Connect):
    shop = sandbox.create([CUP], warehouse_management=True, stores=2)
    api = await connected(connect, shop)
    documents = (await client.listing_pages(api, None)).documents
    assert ADAPTER.listings
    first, second = ADAPTER.listings.parse(documents[0])
    assert (first.location_ref, first.quantity, second.quantity) == ("70000001:BRP160001", 5, 0)
    assert first.version == "1"
    await shop.act("buy", one("CANECA"))  # the sale moves the version
    assert [o.outcome for o in await written(api, to_write(first, 9))] == [OutcomeKind.STALE]
    assert [o.outcome for o in await written(api, to_write(first, 9, version=None))] == [OutcomeKind.STALE]
    (fresh,) = await client.look(api, [to_write(first, 9)])
    assert fresh
    assert (fresh.stock_quantity, fresh.version) == (4, "2")
    done = await written(api, to_write(first, 9, version=fresh.version))
    assert [(o.outcome, o.seen) for o in done] == [(OutcomeKind.ACCEPTED, 9)]
    assert shop.shelf() == {"CANECA": 9}
    (unheard,) = await client.look(api, [to_write(first, 9, location_ref="70000009:BRP160009")])
    assert unheard
    assert (unheard.stock_quantity, unheard.location_ref) == (0, "70000009:BRP160009")


async def test_a_write_that_is_ignored_is_told(connect: Connect):
    shop = sandbox.create([CUP], warehouse_management=True)
    api = await connected(connect, shop)
    write = StockWrite(slot_ref="x", listing_ref=(await every_listing(api))["CANECA"].ref, quantity=1)
    (outcome,) = await written(api, write)
    assert (outcome.outcome, outcome.code, outcome.seen) == (OutcomeKind.FAULT, "ignored", 5)
    assert shop.shelf() == {"CANECA": 5}


async def test_full_is_not_written(connect: Connect):
    shop = sandbox.create([FULL])
    api = await connected(connect, shop)
    full = (await every_listing(api))["FULL"]
    (outcome,) = await written(api, to_write(full, 1))
    assert (outcome.outcome, outcome.code) == (OutcomeKind.FAULT, "item.available_quantity.not_modifiable")
    assert shop.shelf() == {}


async def test_look_knows_what_is_gone(connect: Connect):
    api = await connected(connect, sandbox.create([CUP]))
    gone = StockWrite(slot_ref="MLB1", listing_ref="MLB1", quantity=1)
    cup = (await every_listing(api))["CANECA"]
    told = await client.look(api, [gone, to_write(cup, 1)])
    assert [one and one.sku for one in told] == [None, "CANECA"]


async def test_an_optimistic_lock_is_transient(connect: Connect):
    shop = sandbox.create([CUP], conflict=1.0)
    api = await connected(connect, shop)
    cup = (await every_listing(api))["CANECA"]
    with pytest.raises(ChannelError) as refusal:
        await written(api, to_write(cup, 1))
    assert refusal.value.fault == Fault.TRANSIENT


async def test_limits(connect: Connect):
    shop = sandbox.create([CUP], warehouse_management=True, stock_rpm=2, rpm=50)
    api = await connected(connect, shop)
    cup = (await every_listing(api))["CANECA"]
    await client.look(api, [to_write(cup, 1)])
    with pytest.raises(ChannelError) as refusal:
        await client.look(api, [to_write(cup, 1)])
    assert (refusal.value.fault, refusal.value.code) == (Fault.THROTTLED, "too_many_requests")
    shop.knobs.turn({"down": True})
    with pytest.raises(ChannelError) as refusal:
        await client.check(api)
    assert refusal.value.fault == Fault.TRANSIENT


# ── Shipments ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_own_carrier_is_told(connect: Connect):
    shop = sandbox.create([CUP])
    api = await connected(connect, shop)
    ref = (await shop.act("buy", one("CANECA", me1=True)))["order_ref"]
    known = await fetched(api, ref)
    assert known.buyer
    assert known.buyer.phone == "+5511999887766"
    parcel = known.shipments[0]
    assert ADAPTER.shipments
    last = Request(method="GET", path="/users/me")
    for what, fulfilment in (
        (News.DISPATCHED, Fulfilment.DISPATCHED),
        (News.OUT_FOR_DELIVERY, Fulfilment.DISPATCHED),
        (News.DELIVERED, Fulfilment.DELIVERED),
    ):
        news = ShipmentNews(
            news=what,
            order_ref=ref,
            shipment_ref=parcel.ref,
            service=parcel.service,
            tracking_code="AA1BR",
            at=datetime.now(UTC),
        )
        for request in ADAPTER.shipments.render(news, "seller_notifications"):
            await api.call(request)
        told = await fetched(api, ref)
        assert (told.fulfilment, told.shipments[0].tracking_code) == (fulfilment, "AA1BR")
        last = request
    with pytest.raises(ChannelError) as refusal:  # delivered is final
        await api.call(last)
    assert refusal.value.fault == Fault.REJECTED


async def test_shipments_want_their_headers(connect: Connect):
    shop = sandbox.create([CUP])
    api = await connected(connect, shop)
    ref = (await shop.act("buy", one("CANECA")))["shipment_ref"]
    for path in (f"/shipments/{ref}", f"/shipments/{ref}/orders"):
        with pytest.raises(ChannelError) as refusal:
            await api.call(Request(method="GET", path=path))
        assert refusal.value.fault == Fault.REJECTED


# ── Notifications ───────────────────────────────────────────────────────────────────────────────────────────


class Hub:
    """Where the notifications go."""

    def __init__(self) -> None:
        self.status, self.pause, self.knocks = 200, 0.0, list[bytes]()

    async def knocked(self, request: web.Request) -> web.Response:
        self.knocks.append(await request.read())
        await asyncio.sleep(self.pause)
        return web.Response(status=self.status)

    def notices(self) -> list[Notice]:
        return [notice for body in self.knocks for notice in webhook.read(Knock(headers={}, body=body))]


@pytest.fixture
async def hub() -> AsyncIterator[tuple[Hub, str]]:
    hub = Hub()
    app = web.Application()
    app.router.add_post("/hooks", hub.knocked)
    server = TestServer(app)
    await server.start_server()
    yield hub, str(server.make_url("/hooks"))
    await server.close()


async def test_a_sale_is_notified(connect: Connect, hub: tuple[Hub, str]):
    there, url = hub
    shop = sandbox.create([CUP])
    await connected(connect, shop)
    await shop.act("callback", {"url": url})
    sold = await shop.act("buy", one("CANECA"))
    await until(lambda: {n.topic for n in there.notices()} >= {Topic.ORDER, Topic.SHIPMENT, Topic.LISTING})
    notices = there.notices()
    assert {n.account_ref for n in notices} == {"123456789"}
    assert {n.ref for n in notices if n.topic == Topic.ORDER} == {sold["order_ref"]}
    assert {n.ref for n in notices if n.topic == Topic.SHIPMENT} == {sold["shipment_ref"]}
    assert Topic.UNKNOWN not in {n.topic for n in notices}


async def test_our_own_write_comes_back(connect: Connect, hub: tuple[Hub, str]):
    there, url = hub
    shop = sandbox.create([CUP], warehouse_management=True)
    api = await connected(connect, shop)
    cup = (await every_listing(api))["CANECA"]
    await shop.act("callback", {"url": url})
    await written(api, to_write(cup, 2))
    await until(lambda: {n.topic for n in there.notices()} == {Topic.LISTING, Topic.STOCK})
    assert {n.ref for n in there.notices()} == {cup.ref, cup.slot_ref}


async def test_what_was_not_acknowledged_is_missed(connect: Connect, hub: tuple[Hub, str]):
    there, url = hub
    there.status = 500
    shop = sandbox.create([CUP], speed=100_000.0)
    api = await connected(connect, shop)
    await shop.act("callback", {"url": url, "topics": ["orders_v2"]})
    ref = (await shop.act("buy", one("CANECA", pay=False)))["order_ref"]
    await until(lambda: len(there.knocks) == 8)
    await until(lambda: not shop.courier.under_way)
    assert ADAPTER.webhook
    assert ADAPTER.webhook.missed
    (missed,), cursor = await ADAPTER.webhook.missed(api, None)
    assert (missed.topic, missed.ref, missed.dedupe_key) == (Topic.ORDER, ref, there.notices()[0].dedupe_key)
    assert cursor is None


async def test_an_answer_after_500_ms_is_none(connect: Connect, hub: tuple[Hub, str]):
    there, url = hub
    there.pause = 0.7
    shop = sandbox.create([CUP], speed=100_000.0)
    await connected(connect, shop)
    await shop.act("callback", {"url": url, "topics": ["orders_v2"]})
    await shop.act("buy", one("CANECA", pay=False))
    await until(lambda: shop.courier.refused >= 1)
    there.pause = 0.0
    await until(lambda: not shop.courier.under_way)


async def test_a_topic_refused_for_long_is_switched_off(connect: Connect, hub: tuple[Hub, str]):
    there, url = hub
    there.status = 404
    shop = sandbox.create([CUP], speed=100_000.0, disable_after=8)
    api = await connected(connect, shop)
    await shop.act("callback", {"url": url, "topics": ["orders_v2"]})
    await shop.act("buy", one("CANECA", pay=False))
    await until(lambda: len(there.knocks) == 8 and not shop.courier.under_way)
    await shop.act("buy", one("CANECA", pay=False))
    assert not shop.courier.under_way  # nobody is told any more
    assert await client.missed(api, None) == ([], None)  # and it is not in the missed ones either
    await shop.act("subscribe", {})
    there.status = 200
    await shop.act("buy", one("CANECA", pay=False))
    await until(lambda: len(there.knocks) > 8)


async def test_missed_ones_come_in_pages_and_an_odd_row_is_kept(connect: Connect):
    shop = sandbox.create([CUP])
    api = await connected(connect, shop)
    body = {
        "topic": "orders_v2",
        "resource": "/orders/1",
        "user_id": 1,
        "received": "2026-03-02T14:15:44.106Z",
    }
    rows: list[dict[str, Any]] = [body | {"request": {"data": json.dumps(body)}} for _ in range(51)]
    rows[3] = {"topic": "orders_v2", "request": {"data": "not json"}}
    rows[4] = {"topic": "orders_v2", "request": {"data": '{"topic": "orders_v2"}'}}
    shop.missed = rows  # type: ignore[attr-defined] # the sandbox's own list
    notices, cursor = await client.missed(api, None)
    assert (len(notices), cursor) == (50, "50")
    assert [n.topic for n in notices[2:6]] == [Topic.ORDER, Topic.UNKNOWN, Topic.UNKNOWN, Topic.ORDER]
    notices, cursor = await client.missed(api, cursor)
    assert (len(notices), cursor) == (1, None)


# ── The sandbox itself ──────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_option_is_refused():
    with pytest.raises(TypeError, match="no option named colour"):
        sandbox.create([CUP], colour="blue")


async def test_the_controls(connect: Connect):
    shop = sandbox.create([CUP])
    api = await connected(connect, shop)
    base = api.credentials.endpoint
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{base}/_sandbox/act/buy", json=one("CANECA")) as answer:
            ref = (await answer.json())["order_ref"]
        async with session.post(f"{base}/_sandbox/act/buy", json=one("CANECA", 50)) as answer:
            assert (answer.status, await answer.json()) == (409, {"error": "sold_out"})
        async with session.get(f"{base}/_sandbox/orders") as answer:
            assert await answer.json() == {ref: "paid"}


async def test_forty_thousand_products(connect: Connect):
    began = time.monotonic()
    shop = sandbox.create([Product(sku=f"P{at}", title="P", quantity=9, price_cents=100) for at in range(40_000)])
    api = await connected(connect, shop)
    assert time.monotonic() - began < 5
    for at in range(200):
        await shop.act("buy", one(f"P{at}"))
    began = time.monotonic()
    for _ in range(50):
        await client.check(api)
    await client.orders_since(api, None)
    await client.listing_pages(api, None)
    assert time.monotonic() - began < 2

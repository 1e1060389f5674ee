"""Shopify's shop over real HTTP; every operation, its variables and its answer against the official definition."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DirectiveNode,
    ExecutionResult,
    GraphQLSchema,
    build_client_schema,
    execute_sync,
    parse,
    validate,
    visit,
)
from graphql.execution.values import get_variable_values
from graphql.language import OperationDefinitionNode, Visitor
from pydantic import SecretStr

from adapters.shopify import ADAPTER, client, sandbox, stock, webhook
from adapters.shopify.queries import OPERATIONS, PATH, asking
from hub import oauth
from hub.faults import ChannelError, Fault
from hub.model import (
    Fulfilment,
    Hold,
    LineQuantity,
    Listing,
    News,
    Order,
    OutcomeKind,
    Reply,
    Request,
    ShipmentNews,
    StockWrite,
    TrackingStatus,
)
from hub.sandbox import Product
from tests.channels.conftest import Connect, PlainApi

DEFINITION = Path(__file__).parents[2].parent / "shared" / "openapi" / "shopify-admin-2026-04-introspection.json"
OFFICIAL = pytest.mark.skipif(not DEFINITION.exists(), reason="the official definition is not beside this checkout")
CUP = Product(sku="CUP", title="Caneca", quantity=5, price_cents=3990)


@cache
def schema() -> GraphQLSchema:
    told = json.loads(DEFINITION.read_text())
    return build_client_schema(told.get("data", told), assume_valid=True)


async def opened(connect: Connect, goods: list[Product], **options: Any) -> tuple[PlainApi, sandbox.Shop]:
    place = sandbox.create(goods, **options)
    api = await connect(ADAPTER, place)
    api.facts = (await ADAPTER.check(api)).facts
    return api, place


async def order(api: PlainApi, ref: str) -> Order:
    assert ADAPTER.orders
    return ADAPTER.orders.parse(await ADAPTER.orders.fetch(api, ref))


async def listing(api: PlainApi, sku: str) -> Listing:
    assert ADAPTER.listings
    page = await ADAPTER.listings.pages(api, None)
    return next(one for raw in page.documents for one in ADAPTER.listings.parse(raw) if one.sku == sku)


async def write(api: PlainApi, sku: str, quantity: int) -> StockWrite:
    one = await listing(api, sku)
    return StockWrite(
        slot_ref=one.slot_ref, location_ref=one.location_ref, listing_ref=one.ref, variation_ref=one.variation_ref,
        quantity=quantity, version=one.version, expected=one.stock_quantity,
    )  # fmt: skip


async def send(api: PlainApi, *writes: StockWrite) -> list[OutcomeKind]:
    ((request, covered),) = stock.render(writes)
    return [one.outcome for one in stock.read(covered, await api.call(request))]


async def news(api: PlainApi, ref: str, kind: News = News.DISPATCHED, **more: Any) -> list[Reply]:
    assert ADAPTER.shipments
    assert ADAPTER.shipments.prepare
    told = ShipmentNews(
        news=kind, order_ref=ref, tracking_code="AA123456785BR", carrier="Correios", at=api.now(), **more
    )
    told = told.model_copy(update={"there": await ADAPTER.shipments.prepare(api, told)})
    return [await api.call(request) for request in ADAPTER.shipments.render(told, "default")]


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_number_that_moved_meanwhile_is_not_overwritten(connect: Connect):
    """The sale that nobody told us of stays sold."""
    api, place = await opened(connect, [CUP])
    planned = await write(api, "CUP", 9)
    place.buy([{"sku": "CUP", "quantity": 2}], pay=True)
    assert await send(api, planned) == [OutcomeKind.STALE]
    assert place.shelf() == {"CUP": 3}
    assert await send(api, await write(api, "CUP", 9)) == [OutcomeKind.ACCEPTED]
    assert place.shelf() == {"CUP": 9}


async def test_the_same_write_twice_is_done_once_and_later_again(connect: Connect):
    api, place = await opened(connect, [CUP])
    first = await write(api, "CUP", 3)
    assert await send(api, first) == [OutcomeKind.ACCEPTED]
    place.set_units(place.by_sku["CUP"], 5)  # somebody put it back, a second or more later
    assert await send(api, first) == [OutcomeKind.ACCEPTED]
    assert place.shelf() == {"CUP": 5}, "under its key the answer is only repeated"
    later = first.model_copy(update={"version": "5@2026-11-21T10:00:01Z"})
    assert await send(api, later) == [OutcomeKind.ACCEPTED]
    assert place.shelf() == {"CUP": 3}
    reused = later.model_copy(update={"quantity": 1})
    ((request, _covered),) = stock.render([reused])
    ((known, _),) = stock.render([later])
    request.json["variables"]["key"] = known.json["variables"]["key"]
    with pytest.raises(ChannelError) as problem:
        await api.call(request)
    assert problem.value.code == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"


async def test_one_stale_row_leaves_all_unwritten(connect: Connect):
    goods = [Product(sku=f"P{n}", title="x", quantity=n, price_cents=100) for n in range(4)]
    api, place = await opened(connect, goods)
    writes = [await write(api, f"P{n}", 50) for n in range(4)]
    place.buy([{"sku": "P3"}], pay=True)
    assert await send(api, *writes) == [OutcomeKind.STALE] * 4
    assert place.shelf() == {"P0": 0, "P1": 1, "P2": 2, "P3": 2}


async def test_looking_tells_number_and_version_for_hundreds(connect: Connect):
    goods = [Product(sku=f"P{n}", title="x", quantity=n, price_cents=100) for n in range(230)]
    api, _place = await opened(connect, goods)
    assert ADAPTER.listings
    assert ADAPTER.stock
    found, cursor, more = list[Listing](), None, True
    while more:
        page = await ADAPTER.listings.pages(api, cursor)
        found += [one for raw in page.documents for one in ADAPTER.listings.parse(raw)]
        cursor, more = page.cursor, page.more
    writes = [
        StockWrite(slot_ref=one.slot_ref, location_ref=one.location_ref, listing_ref=one.ref, quantity=1)
        for one in found
    ]
    before = len(api.calls)
    looked = await ADAPTER.stock.look(api, writes[::-1])
    assert [one.stock_quantity if one else None for one in looked] == list(range(229, -1, -1))
    assert [one.version if one else None for one in looked] == [one.version for one in found[::-1]]
    assert len(api.calls) - before == 3, "a query of more than 100 would cost too much"


async def test_an_item_not_stocked_there_and_a_location_that_is_not(connect: Connect):
    api, _place = await opened(connect, [CUP])
    planned = await write(api, "CUP", 9)
    nowhere = planned.model_copy(update={"location_ref": None})
    elsewhere = planned.model_copy(update={"location_ref": str(sandbox.WAREHOUSE)})
    for wrong_write, code in ((elsewhere, "ITEM_NOT_STOCKED_AT_LOCATION"), (nowhere, "INVALID_LOCATION")):
        with pytest.raises(ChannelError) as problem:
            await send(api, wrong_write)
        assert (problem.value.fault, problem.value.code) == (Fault.REJECTED, code)
    assert ADAPTER.stock
    looked = await ADAPTER.stock.look(api, [nowhere, elsewhere])
    assert [one.stock_quantity if one else 0 for one in looked] == [5, None], "ours, where none is named"
    wrong = await connect(ADAPTER, sandbox.create([CUP]), location="5")
    with pytest.raises(ChannelError, match=r"there is no active 5 \(there are: 6884556843, 6884556842\)"):
        await ADAPTER.check(wrong)


async def test_what_costs_too_much_is_throttled(connect: Connect):
    api, _place = await opened(connect, [CUP], points=1000)
    assert ADAPTER.listings
    await ADAPTER.listings.pages(api, None)
    with pytest.raises(ChannelError) as problem:
        await ADAPTER.listings.pages(api, None)
    assert (problem.value.fault, problem.value.code) == (Fault.THROTTLED, "THROTTLED")


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_order_of_many_lines_is_fetched_whole(connect: Connect):
    goods = [Product(sku=f"P{n}", title="x", quantity=9, price_cents=100 + n) for n in range(150)]
    api, place = await opened(connect, goods)
    ref = place.ref(place.buy([{"sku": one.sku, "quantity": 2} for one in goods], pay=True))
    assert [line.sku for line in (await order(api, ref)).lines] == [one.sku for one in goods]
    await place.act("cancel", {"order_ref": ref, "lines": [{"sku": one.sku, "quantity": 1} for one in goods]})
    await news(api, ref)
    known = await order(api, ref)
    assert {(line.cancelled_quantity, line.dispatched_quantity) for line in known.lines} == {(1, 1)}
    assert known.fulfilment is Fulfilment.DISPATCHED
    await place.act("return", {"order_ref": ref})
    known = await order(api, ref)
    assert (known.fulfilment, {line.returned_quantity for line in known.lines}) == (Fulfilment.RETURNED, {1})
    assert sum(row.quantity for back in known.returns for row in back.lines) == 150


async def test_a_webhook_tells_the_same_as_the_node_at_every_stage(connect: Connect):
    api, place = await opened(connect, [CUP])
    sale = place.buy([{"sku": "CUP", "quantity": 3}], pay=False)
    assert ADAPTER.orders
    ref = place.ref(sale)
    deeds: list[tuple[str, dict[str, Any]]] = [
        ("pay", {}), ("cancel", {"lines": [{"sku": "CUP", "quantity": 1}]}), ("dispatch", {"tracking_code": "AA1"}),
        ("deliver", {}), ("return", {}),
    ]  # fmt: skip
    only: dict[str, Any] = {"raw_status": {}, "clocks": {}, "paid_at": None}
    node = await order(api, ref)
    for verb, more in deeds:
        await place.act(verb, {"order_ref": ref, **more})
        rest, node = ADAPTER.orders.parse(place.body(sale)), await order(api, ref)
        assert rest.model_copy(update=only) == node.model_copy(update=only), verb
    assert (node.fulfilment, node.refunded_cents) == (Fulfilment.RETURNED, 3 * 3990)


async def test_a_window_begins_before_the_newest_change_by_the_shops_clock(connect: Connect):
    api, place = await opened(connect, [CUP])
    ref = place.ref(place.buy([{"sku": "CUP"}], pay=True))
    page = await client.orders_since(api, None)
    assert (page.refs, page.more) == ((ref,), False)
    again = json.loads(page.cursor or "")
    changed = datetime.fromisoformat(place.body(place.sale_of(ref))["updated_at"])
    assert again == {"since": f"{changed - client.OVERLAP:%Y-%m-%dT%H:%M:%SZ}"}
    assert (await client.orders_since(api, page.cursor)).refs == (ref,), "within the overlap"
    assert (await client.orders_since(api, json.dumps({"since": "2099-01-01T00:00:00Z"}))).refs == ()


async def test_a_hold_is_told_by_its_fulfilment_order_and_stops_a_dispatch(connect: Connect):
    api, place = await opened(connect, [CUP])
    ref = place.ref(place.buy([{"sku": "CUP"}], pay=True))
    await place.act("hold", {"order_ref": ref})
    assert (await order(api, ref)).hold is Hold.FROZEN
    assert ADAPTER.orders
    assert ADAPTER.orders.orders_of_shipment
    assert await ADAPTER.orders.orders_of_shipment(api, ref) == [ref]
    assert await ADAPTER.orders.orders_of_shipment(api, "404") == []
    with pytest.raises(ChannelError, match="on hold"):
        await news(api, ref)
    await place.act("release", {"order_ref": ref})
    assert (await order(api, ref)).hold is None
    assert len(await news(api, ref)) == 1


async def test_a_parcel_from_dispatch_to_delivery_told_once_each(connect: Connect):
    api, place = await opened(connect, [CUP, Product(sku="DISH", title="Prato", quantity=5, price_cents=100)])
    ref = place.ref(place.buy([{"sku": "CUP", "quantity": 2}, {"sku": "DISH"}], pay=True))
    line = (await order(api, ref)).lines[0]
    some = (LineQuantity(line_ref=line.ref, quantity=1),)
    await news(api, ref, lines=some)
    part = await order(api, ref)
    assert part.fulfilment is Fulfilment.PARTIAL
    assert [each.dispatched_quantity for each in part.lines] == [1, 0]
    assert await news(api, ref) == [], "that code is known there"
    rest = part.shipments[0].model_copy()
    await place.act("dispatch", {"order_ref": ref})
    assert (await order(api, ref)).fulfilment is Fulfilment.DISPATCHED
    await news(api, ref, News.OUT_FOR_DELIVERY)
    assert [each.status for each in (await order(api, ref)).shipments] == [TrackingStatus.OUT_FOR_DELIVERY, None]
    assert rest.tracking_code == "AA123456785BR"
    await news(api, ref, News.DELIVERED)
    assert (await order(api, ref)).fulfilment is Fulfilment.DISPATCHED, "the other parcel is under way"
    await place.act("deliver", {"order_ref": ref})
    assert (await order(api, ref)).fulfilment is Fulfilment.DELIVERED


async def test_a_parcel_without_a_code_is_given_one(connect: Connect):
    api, place = await opened(connect, [CUP])
    ref = place.ref(place.buy([{"sku": "CUP"}], pay=True))
    await place.act("dispatch", {"order_ref": ref})
    await news(api, ref)
    (parcel,) = (await order(api, ref)).shipments
    assert (parcel.tracking_code, parcel.carrier) == ("AA123456785BR", "Correios")


async def test_a_refused_fulfilment_is_told_inside_a_200(connect: Connect):
    api, place = await opened(connect, [CUP])
    ref = place.ref(place.buy([{"sku": "CUP"}], pay=True))
    told = {
        "fulfillment": {
            "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": f"gid://shopify/FulfillmentOrder/{ref}"}]
        }
    }
    request = asking("Fulfil", told, "shipment")
    await api.call(request)
    with pytest.raises(ChannelError, match="not in an open state") as problem:
        await api.call(request)
    assert (problem.value.fault, problem.value.code) == (Fault.REJECTED, "USER_ERROR")


# ── Doors ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_fixed_token_needs_no_grant(connect: Connect):
    api, place = await opened(connect, [CUP])
    granted = next(iter(place.tokens))
    fixed = client.Credentials.model_validate(
        {"shop": place.domain, "access_token": granted, "endpoint": api.credentials.endpoint}
    )
    assert oauth.client_secret(fixed) is None
    api.credentials, api.token = fixed, None
    assert (await ADAPTER.check(api)).external_id == place.domain
    api.credentials = fixed.model_copy(update={"access_token": SecretStr("shpat_old")})
    with pytest.raises(ChannelError) as problem:
        await ADAPTER.check(api)
    assert problem.value.fault is Fault.AUTH


async def test_hooks_that_shopify_deleted_are_made_again(connect: Connect):
    api, place = await opened(connect, [CUP])
    assert ADAPTER.webhook
    assert ADAPTER.webhook.subscribe
    assert ADAPTER.webhook.unsubscribe
    url = "http://127.0.0.1:1/nobody"
    assert len(await ADAPTER.webhook.subscribe(api, url, "")) == len(webhook.REGISTERED)
    for retries in range(sandbox.FAILURES):
        place._heard(next(number for number, hook in place.hooks.items() if hook["topic"] == "ORDERS_CREATE"), 500)
        assert len(place.hooks) == len(webhook.REGISTERED) - (retries == sandbox.FAILURES - 1)
    assert await ADAPTER.webhook.subscribe(api, url, "") == ["ORDERS_CREATE: registered"]
    assert await ADAPTER.webhook.subscribe(api, url, "") == []
    assert await ADAPTER.webhook.unsubscribe(api, "http://elsewhere.example") == []
    assert len(await ADAPTER.webhook.unsubscribe(api, url)) == len(webhook.REGISTERED)
    assert place.hooks == {}


# ── The official definition ─────────────────────────────────────────────────────────────────────────────────


@OFFICIAL
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_valid(name: str):
    assert validate(schema(), parse(OPERATIONS[name])) == []


def deprecated(text: str) -> Iterator[str]:
    from graphql import TypeInfo, TypeInfoVisitor

    found: list[str] = []
    info = TypeInfo(schema())

    class Fields(Visitor):
        def enter_field(self, node: Any, *_: Any) -> None:
            field = info.get_field_def()
            if field is not None and field.deprecation_reason:
                found.append(node.name.value)

    visit(parse(text), TypeInfoVisitor(info, Fields()))
    yield from found


@OFFICIAL
def test_nothing_deprecated_is_asked_and_the_write_bears_its_key():
    assert [name for text in OPERATIONS.values() for name in deprecated(text)] == []
    found: list[str] = []

    class Directives(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            found.append(node.name.value)

    visit(parse(OPERATIONS["SetQuantities"]), Directives())
    assert found == ["idempotent"]


def conforms(request: Request, answer: Any) -> None:
    """The variables are what the operation takes, and the answer holds just what it asked for, in its types."""
    document = parse(request.json["query"])
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    given = get_variable_values(schema(), operation.variable_definitions or (), request.json["variables"])
    assert not isinstance(given, list), (given, request.json["variables"])
    if "errors" in answer:
        return
    found = execute_sync(schema(), document, root_value=answer["data"], variable_values=request.json["variables"])
    assert isinstance(found, ExecutionResult)
    assert (found.errors, found.data) == (None, answer["data"])


@OFFICIAL
async def test_what_is_sent_and_answered_is_what_the_definition_says(connect: Connect):
    goods = [
        CUP,
        *(Product(sku=f"P{n}", title=str(n), quantity=9, price_cents=100, parent="Família") for n in range(120)),
    ]
    api, place = await opened(connect, goods)
    seen: list[str] = []
    call = api.call

    async def checked(request: Request) -> Reply:
        try:
            reply = await call(request)
        except ChannelError:
            reply = None
        if request.path == PATH:
            conforms(request, json.loads(reply.body) if reply else {"errors": []})
            seen.append(request.json["query"])
        if reply is None:
            raise ChannelError(Fault.REJECTED, "refused", "refused")
        return reply

    api.call = checked  # type: ignore[method-assign] # every call is looked at on its way
    await ADAPTER.check(api)
    assert ADAPTER.webhook
    assert ADAPTER.webhook.subscribe
    assert ADAPTER.webhook.unsubscribe
    for url in ("http://127.0.0.1:1/a", "http://127.0.0.1:1/b"):
        await ADAPTER.webhook.subscribe(api, url, "")
    await ADAPTER.webhook.unsubscribe(api, "http://127.0.0.1:1/b")
    assert ADAPTER.listings
    assert ADAPTER.stock
    planned = await write(api, "CUP", 9)
    family = (await listing(api, "P1")).ref
    assert len(ADAPTER.listings.parse(await ADAPTER.listings.fetch(api, family))) == 120
    await ADAPTER.stock.look(api, [planned, planned.model_copy(update={"slot_ref": "1"})])
    assert await send(api, planned) == [OutcomeKind.ACCEPTED]
    ref = place.ref(place.buy([{"sku": one.sku, "quantity": 2} for one in goods[:60]], pay=True))
    await client.orders_since(api, None)
    await client.latest_orders(api)
    await place.act("cancel", {"order_ref": ref, "lines": [{"sku": one.sku, "quantity": 1} for one in goods[:30]]})
    await client.orders_of_shipment(api, ref)
    first = (await order(api, ref)).lines[0]
    await news(api, ref, lines=(LineQuantity(line_ref=first.ref, quantity=1),))
    other = place.ref(place.buy([{"sku": "CUP"}], pay=True))
    await place.act("dispatch", {"order_ref": other})
    for kind in (News.DISPATCHED, News.DELIVERED):
        await news(api, other, kind)
    await place.act("dispatch", {"order_ref": ref, "tracking_code": "BB1"})
    await place.act("return", {"order_ref": ref})
    assert (await order(api, ref)).fulfilment is Fulfilment.RETURNED
    assert set(seen) == set(OPERATIONS.values()), "each was sent and answered once at least"
    await asyncio.sleep(0)

"""Shopify: two spellings of one order, units that were edited out, numbers compared before they are set; by hand."""

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from pydantic import SecretStr, ValidationError

from adapters.shopify import ADAPTER, client, mapping, queries, stock, webhook
from adapters.shopify.reading import Node
from hub.contract import Token
from hub.faults import BadSignature, ChannelError, Fault, Unreadable
from hub.model import (
    Disposition,
    Document,
    Fulfilment,
    Hold,
    Knock,
    LineQuantity,
    News,
    Order,
    OutcomeKind,
    Payment,
    Reply,
    ShipmentNews,
    Status,
    StockWrite,
    Topic,
    TrackingStatus,
)
from tests.channels.test_bling import JSON
from tests.contract.test_notices import mutated

FILES = Path(__file__).parents[1] / "adapters" / "shopify"
SHARED = Path(__file__).parents[2].parent / "shared"
SAMPLES = SHARED / "samples" / "shopify"
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


def payload(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def told(name: str) -> Order:
    return mapping.order(payload("order", name))


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "payment", "fulfilment", "status"),
    [
        ("webhook_paid_and_unfulfilled", Payment.PAID, Fulfilment.NONE, Status.PAID),
        ("waits_for_pix", Payment.PENDING, Fulfilment.NONE, Status.PLACED),
        ("cancelled_before_payment_is_voided", Payment.VOIDED, Fulfilment.NONE, Status.CANCELLED),
        ("cancelled_and_refunded", Payment.REFUNDED, Fulfilment.NONE, Status.CANCELLED),
        ("partly_sent_the_rest_taken_out", Payment.PARTIALLY_REFUNDED, Fulfilment.PARTIAL, Status.DISPATCHED),
        ("fulfilment_cancelled_nothing_has_left", Payment.PAID, Fulfilment.NONE, Status.PAID),
        ("refund_without_lines_is_money_only", Payment.PARTIALLY_REFUNDED, Fulfilment.DELIVERED, Status.DELIVERED),
        ("graphql_on_hold", Payment.PAID, Fulfilment.NONE, Status.PAID),
        ("graphql_held_after_a_part_has_left", Payment.PAID, Fulfilment.PARTIAL, Status.DISPATCHED),
        ("graphql_delivered_with_its_parcel", Payment.PAID, Fulfilment.DELIVERED, Status.DELIVERED),
        ("graphql_all_of_it_came_back", Payment.REFUNDED, Fulfilment.RETURNED, Status.DELIVERED),
        ("graphql_no_payment_word", Payment.PENDING, Fulfilment.NONE, Status.PLACED),
        ("pending_fulfilment_of_a_test_notification", Payment.VOIDED, Fulfilment.NONE, Status.CANCELLED),
    ],
)
def test_statuses(name: str, payment: Any, fulfilment: Any, status: Any):
    order = told(name)
    assert (order.payment, order.fulfilment, order.status) == (payment, fulfilment, status)


@pytest.mark.parametrize(("word", "payment"), sorted(mapping.PAYMENTS.items()))
def test_a_payment_is_the_same_in_both_spellings(word: str, payment: Payment):
    rest = mapping.order(payload("order", "webhook_paid_and_unfulfilled") | {"financial_status": word})
    node = payload("order", "graphql_node_of_the_same_order") | {"displayFinancialStatus": word.upper()}
    assert rest.payment is mapping.order(node).payment is payment


def test_a_webhook_and_a_node_tell_the_same_order():
    rest, node = told("webhook_paid_and_unfulfilled"), told("graphql_node_of_the_same_order")
    only: dict[str, Any] = {
        "raw_status": {},
        "clocks": {},
        "paid_at": None,
    }  # its own words; and what webhooks do not tell
    assert node.buyer
    assert rest.buyer
    assert node.buyer.document == Document(kind="cpf", number="52998224725", valid=True)
    known = node.buyer.model_copy(update={"document": None})
    assert node.model_copy(update={**only, "buyer": known}) == rest.model_copy(update=only)
    assert (rest.ref, rest.number, rest.lines[0].ref) == ("5900000000000000001", "1042", "14100001")
    assert rest.placed_at == datetime(2026, 11, 20, 12, 15, 1, tzinfo=UTC)
    assert told("graphql_whole_answer") == node


def test_only_graphql_tells_a_hold_and_a_webhook_takes_none_back():
    held, rest = told("graphql_on_hold"), told("webhook_paid_and_unfulfilled")
    assert (held.hold, set(held.clocks)) == (Hold.FROZEN, {"order", "hold"})
    assert set(rest.clocks) == {"order"}
    assert ADAPTER.orders
    assert {"hold": {"hold"}} == ADAPTER.orders.parts


@pytest.mark.parametrize(
    ("name", "units"),  # as ordered, cancelled, dispatched, returned
    [
        ("edited_current_quantity_is_less", [(3, 1, 0, 0)]),
        ("refunded_line_that_came_back", [(2, 0, 2, 1)]),
        ("refunded_line_that_stayed_with_the_buyer", [(2, 0, 2, 0)]),
        ("partly_sent_the_rest_taken_out", [(3, 1, 1, 0), (2, 0, 0, 0)]),
        ("cancelled_and_refunded", [(2, 2, 0, 0)]),
        ("graphql_all_of_it_came_back", [(2, 0, 2, 2)]),
        ("graphql_held_after_a_part_has_left", [(2, 0, 1, 0)]),
    ],
)
def test_units(name: str, units: list[tuple[int, ...]]):
    lines = told(name).lines
    assert [
        (each.quantity, each.cancelled_quantity, each.dispatched_quantity, each.returned_quantity) for each in lines
    ] == units


def test_units_where_neither_fulfilments_nor_current_quantities_are_told():
    raw = payload("order", "refunded_line_that_came_back")
    del raw["fulfillments"], raw["line_items"][0]["current_quantity"]
    (line,) = mapping.order(raw).lines
    assert (line.cancelled_quantity, line.dispatched_quantity, line.returned_quantity) == (0, 2, 1)


def test_what_never_left_cannot_come_back():
    raw = payload("order", "refunded_line_that_came_back")
    raw["fulfillments"][0]["status"] = "cancelled"
    (line,) = mapping.order(raw).lines
    assert (line.cancelled_quantity, line.dispatched_quantity, line.returned_quantity) == (1, 0, 0)


def test_goods_that_came_back_and_money_that_did_not():
    (back,) = told("refunded_line_that_came_back").returns
    assert (back.ref, [(row.line_ref, row.quantity, row.disposition) for row in back.lines]) == (
        "9100003",
        [("14100001", 1, Disposition.SELLABLE)],
    )
    money = told("refund_without_lines_is_money_only")
    assert (money.returns, money.refunded_cents, money.total_cents) == ((), 1000, 9570)
    assert told("refunded_line_that_stayed_with_the_buyer").returns == ()


def test_money_is_the_shops_own():
    spread = told("discounts_on_lines_and_on_shipping")
    assert (spread.items_cents, spread.discount_cents, spread.shipping_cents, spread.total_cents) == (
        7182,
        0,
        1000,
        8182,
    )
    assert spread.lines[0].unit_price_cents == 3591
    foreign = told("buyer_saw_dollars_the_shop_sells_in_reais")
    assert (foreign.currency, foreign.total_cents, foreign.lines[0].total_cents) == ("BRL", 9570, 7980)
    assert (foreign.shipping_cents, foreign.refunded_cents) == (1590, None)  # refunded in dollars: not told in reais
    on_top = told("taxes_on_top_tip_and_duties")
    assert (on_top.other_cents, on_top.total_cents) == (798 + 500 + 250, 7980 + 1590 + 798 + 500 + 250)
    raw = payload("order", "webhook_paid_and_unfulfilled") | {"total_discounts_set": {"shop_money": {"amount": "4.00"}}}
    assert mapping.order(raw).discount_cents == 400  # what nothing carries


def test_people():
    def document(name: str) -> Any:
        buyer = told(name).buyer
        assert buyer
        return buyer.document

    assert document("cpf_written_by_an_app_as_attribute") == Document(kind="cpf", number="52998224724", valid=False)
    assert document("cnpj_with_letters_in_the_company") == Document(kind="cnpj", number="12ABC34501DE35", valid=True)
    assert document("webhook_paid_and_unfulfilled") is None
    raw = payload("order", "webhook_paid_and_unfulfilled")
    raw["shipping_address"]["company"] = "Padaria 11144477736"  # a company is no document unless it is a good one
    assert mapping.order(raw).buyer.document is None  # type: ignore[union-attr] # it has a buyer
    hidden = told("people_hidden_without_approval")
    assert (hidden.ship_to, hidden.buyer and hidden.buyer.name) == (None, None)


def test_other_countries_and_goods_that_are_not_sent():
    place = {"address1": "Calle Mayor, 5", "address2": "Centro", "city": "Madrid", "zip": "28013", "country_code": "ES"}
    read = mapping.address(Node(place, "shipping_address"))
    assert read
    assert (read.street, read.number, read.complement, read.country) == ("Calle Mayor, 5", None, "Centro", "ES")
    raw = payload("order", "webhook_paid_and_unfulfilled") | {"shipping_address": None}
    assert mapping.order(raw).ship_to is None, "where the invoice goes is not where the goods go"


def test_parcels():
    one, other = told("two_tracking_numbers_in_one_fulfilment").shipments
    assert (one.ref, one.tracking_code, one.carrier, one.status) == ("5400000000001", "AA123456785BR", "Correios", None)
    assert (other.ref, other.tracking_code, other.tracking_url) == (
        "5400000000001:AA123456799BR",
        "AA123456799BR",
        None,
    )
    (gone,) = told("fulfilment_cancelled_nothing_has_left").shipments
    assert gone.status is TrackingStatus.CANCELLED
    (node,) = told("graphql_delivered_with_its_parcel").shipments
    assert (node.status, node.lines) == (TrackingStatus.DELIVERED, (LineQuantity(line_ref="14100001", quantity=2),))


def test_what_was_taken_out_may_not_be_back_on_the_shelf():
    takes = [
        mapping.takes_stock(told(name))
        for name in ("waits_for_pix", "cancelled_and_refunded", "edited_current_quantity_is_less")
    ]
    assert takes == [True, None, None]


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"financial_status": "lent"}, "order.financial_status"),
        ({"fulfillment_status": "teleported"}, "order.fulfillment_status"),
        ({"line_items": None}, "order.line_items"),
        ({"line_items": [{"id": 1, "quantity": 1.5}]}, "order.line_items.0.quantity"),
        ({"line_items": [{"quantity": 1}]}, "order.line_items.0.id"),
        ({"line_items": "none"}, "order.line_items"),
        ({"id": None}, "order.id"),
        ({"total_price_set": {"shop_money": {"amount": "caro"}}}, "order.total_price_set.shop_money.amount"),
        ({"currency": "reais"}, "order.currency"),
        ({"updated_at": "ontem"}, "order.updated_at"),
        ({"refunds": [{"refund_line_items": [{"line_item_id": 1, "quantity": 1, "restock_type": "eaten"}]}]},
         "order.refunds.0.refund_line_items.0.restock_type"),
        ({"fulfillments": [{"id": 1, "status": "lost"}]}, "order.fulfillments.0.status"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_as_it_was_spelt(changed: dict[str, Any], path: str):
    with pytest.raises(Unreadable) as problem:
        mapping.order(payload("order", "webhook_paid_and_unfulfilled") | changed)
    assert problem.value.path == path


def test_a_node_is_named_in_its_own_spelling():
    with pytest.raises(Unreadable, match=r"order\.displayFinancialStatus: unknown: 'lent'"):
        mapping.order(payload("order", "graphql_node_of_the_same_order") | {"displayFinancialStatus": "LENT"})
    raw = payload("order", "graphql_node_of_the_same_order")
    raw["lineItems"]["nodes"][0]["currentQuantity"] = "x"
    with pytest.raises(Unreadable, match=r"order\.lineItems\.nodes\.0\.currentQuantity"):
        mapping.order(raw)
    with pytest.raises(Unreadable, match="2 documents"):
        mapping.order([raw, raw])


@given(JSON)
def test_any_json_is_read_or_refused(raw: Any):
    for read in (mapping.order, mapping.listings):
        try:
            read(raw)
        except ChannelError:
            continue


@pytest.mark.parametrize("name", ["partly_sent_the_rest_taken_out", "graphql_all_of_it_came_back"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_broken_order_is_read_or_refused(name: str, data: st.DataObject):
    try:
        mapping.order(data.draw(mutated(payload("order", name))))
    except ChannelError as problem:
        assert isinstance(problem, Unreadable)  # noqa: PT017 - it may as well be read


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_broken_listing_or_answer_is_read_or_refused(data: st.DataObject):
    name = data.draw(st.sampled_from(["graphql_page_of_variants", "webhook_product_knows_the_sum_only"]))
    try:
        mapping.listings(data.draw(mutated(payload("listing", name))))
    except ChannelError as problem:
        assert isinstance(problem, Unreadable)  # noqa: PT017 - as above
    file = payload("stock_response", data.draw(st.sampled_from(["all_taken", "one_row_stale_none_written"])))
    reply = Reply(status=200, headers={}, body=json.dumps(data.draw(mutated(file["body"]))).encode())
    stock.read_error(reply)
    try:
        stock.read([write(1), write(2), write(3)], reply)
    except ChannelError as problem:
        assert isinstance(problem, Unreadable)  # noqa: PT017 - as above


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def test_numbers():
    def numbers(name: str) -> tuple[Any, ...]:
        one = mapping.listings(payload("listing", name))[0]
        return one.stock_quantity, one.quantity, one.location_ref

    assert numbers("graphql_variant_with_its_number") == (7, 7, "6884556842")
    assert numbers("stock_in_two_locations") == (4, 9, "6884556842")  # a buyer buys from either
    assert numbers("sells_on_below_zero") == (-2, None, "6884556842")
    assert numbers("oversold_is_none_to_buy") == (-1, 0, "6884556842")
    assert numbers("not_tracked") == (None, None, "6884556842")
    assert numbers("not_stocked_at_our_location") == (None, 5, "6884556842")
    assert numbers("webhook_product_knows_the_sum_only") == (None, 7, None)


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


def write(n: int, **changed: Any) -> StockWrite:
    named = {"slot_ref": str(49000000000000 + n), "location_ref": "6884556842", "listing_ref": "8300000000001"}
    return StockWrite.model_validate(
        {**named, "quantity": 6, "expected": 7, "version": "7@2026-11-20T12:00:00Z", **changed}
    )


def key(*writes: StockWrite) -> str:
    ((request, _covered),) = stock.render(writes)
    assert request.json["variables"]["input"]["referenceDocumentUri"].endswith(request.json["variables"]["key"])
    return str(request.json["variables"]["key"])


def test_a_key_names_one_change_and_no_other():
    """The same numbers at another time are another change: under an old key Shopify would only repeat its answer."""
    first = key(write(1))
    assert first == key(write(1))
    again = [write(1, version="7@2026-11-20T12:05:00Z"), write(1, quantity=5), write(1, expected=8), write(2)]
    assert len({first, *map(key, again)}) == 5
    ((request, _covered),) = stock.render([write(1), write(2)])
    assert key(*stock.sent(request)) == request.json["variables"]["key"]


def test_rows_are_conditional_and_at_most_250():
    requests = stock.render([write(n) for n in range(501)])
    assert [len(covered) for _, covered in requests] == [250, 250, 1]
    told_input = requests[0][0].json["variables"]["input"]
    assert (told_input["name"], told_input["reason"]) == ("available", "correction")
    assert told_input["quantities"][1] == {
        "inventoryItemId": "gid://shopify/InventoryItem/49000000000001",
        "locationId": "gid://shopify/Location/6884556842",
        "quantity": 6,
        "changeFromQuantity": 7,
    }
    ((unseen, _),) = stock.render([write(1, expected=None)])
    assert unseen.json["variables"]["input"]["quantities"][0]["changeFromQuantity"] is None, (
        "mandatory, if only as null"
    )
    assert ADAPTER.stock
    assert ADAPTER.stock.compare_and_set(write(1))


def outcomes(name: str) -> list[tuple[Any, ...]]:
    file = payload("stock_response", name)
    writes = stock.sent(queries.asking("SetQuantities", file["request"]["json"]["variables"], "stock"))
    reply = Reply(status=file["status"], headers={}, body=json.dumps(file["body"]).encode())
    return [(one.outcome, one.seen, one.code) for one in stock.read(writes, reply)]


def test_all_rows_are_written_or_none():
    stale = (OutcomeKind.STALE, None, None)
    assert outcomes("one_row_stale_none_written") == [stale] * 3
    assert outcomes("item_gone_beside_a_good_one") == [stale, (OutcomeKind.FAULT, None, "INVALID_INVENTORY_ITEM")]
    assert outcomes("all_taken") == [(OutcomeKind.ACCEPTED, n, None) for n in (6, 0, 12)]
    assert outcomes("nothing_changed_at_all") == [(OutcomeKind.ACCEPTED, None, None)]


def test_a_number_that_changed_under_our_hands_is_looked_at_again():
    body = payload("stock_response", "written_to_zero")["body"]
    body["data"]["inventorySetQuantities"]["inventoryAdjustmentGroup"]["changes"][0]["quantityAfterChange"] = 4
    found = stock.read([write(2, quantity=0)], Reply(status=200, headers={}, body=json.dumps(body).encode()))
    assert [one.outcome for one in found] == [OutcomeKind.STALE]


@pytest.mark.parametrize("told", [None, {}, {"inventoryAdjustmentGroup": None}, {"userErrors": None}])
def test_only_an_answer_that_names_no_refusal_is_one_that_was_written(told: Any):
    body = json.dumps({"data": {"inventorySetQuantities": told}}).encode()
    with pytest.raises(Unreadable, match=r"inventorySetQuantities\.user_?[eE]rrors: not told"):
        stock.read([write(1)], Reply(status=200, headers={}, body=body))


DENIED = {"message": "Access denied", "extensions": {"code": "ACCESS_DENIED"}}
BROKEN = {"message": "Internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}, "THROTTLED"),
        ({"data": None, "errors": [{"message": "you must provide one of first or last"}]}, "GRAPHQL_ERROR"),
        ({"data": {"order": None}, "errors": [DENIED]}, "ACCESS_DENIED"),
        ({"data": {"order": {"id": "1", "email": None}}, "errors": [DENIED]}, None),
        ({"data": {"order": {"id": "1"}}, "errors": [DENIED, BROKEN]}, "INTERNAL_SERVER_ERROR"),
        ({"data": {"fulfillmentCreate": {"userErrors": [{"field": None, "message": "no"}]}}}, "USER_ERROR"),
        ({"data": {"inventorySetQuantities": {"userErrors": [{"code": "CHANGE_FROM_QUANTITY_STALE"}]}}}, None),
        ({"data": {"inventorySetQuantities": {"userErrors": [{"code": "INVALID_LOCATION"}]}}}, "INVALID_LOCATION"),
        ({"data": {"order": {"id": "1"}}}, None),
        ({"errors": "[API] Invalid API key or access token"}, None),
        ({"error": "invalid_client"}, "invalid_client"),
    ],
)  # fmt: skip
def test_errors_stand_inside_a_200(body: Any, code: str | None):
    assert stock.read_error(Reply(status=200, headers={}, body=json.dumps(body).encode())) == code
    assert code is None or code in ADAPTER.faults


# ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────────

NEWS = ShipmentNews(news=News.DISPATCHED, order_ref="1", tracking_code="AA123456785BR", carrier="Correios", at=AT)


def ready(n: int, status: str = "OPEN", place: int = 1, **more: Any) -> dict[str, Any]:
    where = {"location": {"id": f"gid://shopify/Location/{place}"}}
    return {"id": f"gid://shopify/FulfillmentOrder/{n}", "status": status, "assignedLocation": where, **more}


def fulfilment(n: int, *numbers: str, status: str = "SUCCESS") -> dict[str, Any]:
    info = [{"number": each} for each in numbers]
    return {"id": f"gid://shopify/Fulfillment/{n}", "status": status, "trackingInfo": info}


def asked(news: ShipmentNews, orders: list[Any], sent: list[Any] | None = None) -> list[Any]:
    there = {"fulfillmentOrders": {"nodes": orders}, "fulfillments": sent or []}
    requests = stock.shipped(news.model_copy(update={"there": there}), "default")
    return [request.json["variables"] for request in requests]


def test_fulfilment_orders_of_one_location_are_one_fulfilment():
    orders = [ready(1), ready(2, place=2), ready(3, "IN_PROGRESS"), ready(4, "CLOSED"), ready(5, "SCHEDULED")]
    here, there = asked(NEWS, orders)
    assert here["fulfillment"] == {
        "lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": "gid://shopify/FulfillmentOrder/1"},
            {"fulfillmentOrderId": "gid://shopify/FulfillmentOrder/3"},
        ],
        "notifyCustomer": True,
        "trackingInfo": {"number": "AA123456785BR", "company": "Correios"},
    }
    assert there["fulfillment"]["lineItemsByFulfillmentOrder"] == [
        {"fulfillmentOrderId": "gid://shopify/FulfillmentOrder/2"}
    ]


def test_a_dispatch_is_told_once():
    assert asked(NEWS, [ready(1)], [fulfilment(9, "AA123456785BR")]) == []
    assert len(asked(NEWS, [ready(1)], [fulfilment(9, "AA123456785BR", status="CANCELLED")])) == 1
    (added,) = asked(NEWS, [ready(1, "CLOSED")], [fulfilment(9)])
    assert added == {
        "id": "gid://shopify/Fulfillment/9", "info": {"number": "AA123456785BR", "company": "Correios"},
    }  # fmt: skip
    assert asked(NEWS, [ready(1, "CLOSED")], [fulfilment(9, "BB1")]) == []


def test_some_units_of_some_lines():
    def row(n: int, line: int, left: int) -> dict[str, Any]:
        line_item = {"id": f"gid://shopify/LineItem/{line}"}
        return {"id": f"gid://shopify/FulfillmentOrderLineItem/{n}", "remainingQuantity": left, "lineItem": line_item}

    some = NEWS.model_copy(update={"lines": (LineQuantity(line_ref="7", quantity=3),)})
    orders = [
        ready(1, lineItems={"nodes": [row(1, 7, 2), row(2, 8, 1)]}),
        ready(2, lineItems={"nodes": [row(3, 7, 5)]}),
    ]
    (one,) = asked(some, orders)
    assert [each["fulfillmentOrderLineItems"] for each in one["fulfillment"]["lineItemsByFulfillmentOrder"]] == [
        [{"id": "gid://shopify/FulfillmentOrderLineItem/1", "quantity": 2}],
        [{"id": "gid://shopify/FulfillmentOrderLineItem/3", "quantity": 1}],
    ]


def test_what_is_on_hold_is_not_sent_and_says_so():
    with pytest.raises(ChannelError, match="on hold at Shopify") as problem:
        asked(NEWS, [ready(1, "ON_HOLD")])
    assert problem.value.fault is Fault.REJECTED


@pytest.mark.parametrize(
    ("news", "word"),
    [
        (News.IN_TRANSIT, "IN_TRANSIT"),
        (News.OUT_FOR_DELIVERY, "OUT_FOR_DELIVERY"),
        (News.FAILED_ATTEMPT, "ATTEMPTED_DELIVERY"),
        (News.DELIVERED, "DELIVERED"),
    ],
)
def test_events_are_of_the_fulfilment_with_that_code(news: News, word: str):
    later = NEWS.model_copy(update={"news": news})
    (event,) = asked(later, [], [fulfilment(8, "BB1"), fulfilment(9, "AA123456785BR")])
    told_event = {"fulfillmentId": "gid://shopify/Fulfillment/9", "status": word, "happenedAt": "2026-11-21T10:00:00Z"}
    assert event["event"] == told_event
    assert asked(later, [ready(1)]) == []
    assert asked(NEWS.model_copy(update={"news": News.RETURNED}), [], [fulfilment(9, "AA123456785BR")]) == []


# ── Doors ───────────────────────────────────────────────────────────────────────────────────────────────────


def knock(topic: str, body: Any, secret: str = "s", **headers: str) -> Knock:
    raw = json.dumps(body).replace("/", "\\/").encode()
    sign = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()
    return Knock(headers={"x-shopify-topic": topic, "x-shopify-hmac-sha256": sign, **headers}, body=raw)


def test_the_signature_is_of_the_bytes_as_they_came():
    assert ADAPTER.webhook
    signed = knock("orders/create", {"id": 1, "order_status_url": "https://x/y"})
    ADAPTER.webhook.verify("s", signed)
    again = Knock(headers=signed.headers, body=json.dumps(json.loads(signed.body)).encode())
    with pytest.raises(BadSignature):
        ADAPTER.webhook.verify("s", again)


def test_notices():
    def read(topic: str, body: Any, **headers: str) -> Any:
        (notice,) = webhook.read(knock(topic, body, **headers))
        return notice

    fat = read("orders/paid", {"id": 5, "line_items": []}, **{"x-shopify-event-id": "E1"})
    assert (fat.topic, fat.ref, fat.dedupe_key, bool(fat.raw)) == (Topic.ORDER, "5", "E1", True)
    stock_told = read("inventory_levels/update", {"inventory_item_id": 7}, **{"x-shopify-event-id": "E1"})
    assert stock_told.dedupe_key != "E1", "a sale's inventory must not hide its order"
    spelt = CIMultiDictProxy(
        CIMultiDict({"X-Shopify-Topic": "orders/paid", "X-Shopify-Shop-Domain": "x.myshopify.com"})
    )
    (served,) = webhook.read(Knock(headers=spelt, body=b'{"id": 5}'))
    assert (served.topic, served.account_ref) == (Topic.ORDER, "x.myshopify.com"), "as the web server hands them on"
    odd = read("orders/create", {"id": 5}, **{"x-shopify-triggered-at": "ontem"})
    assert odd.at is None
    assert read("returns/approve", {"id": 1, "order": {"id": 5}}).ref == "5"
    assert read("made/up", {"id": 5}).topic is Topic.UNKNOWN
    with pytest.raises(Unreadable, match=r"body\.order_id: not told"):
        read("refunds/create", {"id": 1})
    starts = tuple(word.replace("/", "_") for word in webhook.TOPICS)
    assert all(topic.lower().startswith(starts) for topic in webhook.REGISTERED)


def test_a_shop_is_told_in_any_way():
    for shop in ("Minha-Loja", "minha-loja.myshopify.com", " https://minha-loja.myshopify.com/ "):
        assert client.Credentials(shop=shop).base_url() == "https://minha-loja.myshopify.com"
    for shop in ("evil.example", "minha.loja", "a/b", "minha-loja.myshopify.com.evil.example"):
        with pytest.raises(ValidationError):
            client.Credentials(shop=shop)


def test_tokens():
    app = client.Credentials(shop="x", client_id="id", client_secret=SecretStr("s3"))
    assert dict(client.token_request(app, None).form)["grant_type"] == "client_credentials"
    granted = b'{"access_token": "shpat_1", "expires_in": 3600, "refresh_token": "shprt_1"}'
    token = client.read_token(Reply(status=200, headers={}, body=granted), AT)
    assert (token.expires_at, client.shown(token)) == (AT + timedelta(hours=1), {"X-Shopify-Access-Token": "shpat_1"})
    assert dict(client.token_request(app, token).form)["refresh_token"] == "shprt_1"
    lasting = Token(access=SecretStr("a"), expires_at=None)
    assert dict(client.token_request(app, lasting).form)["grant_type"] == "client_credentials"
    with pytest.raises(ChannelError, match="client_id and client_secret, or access_token") as problem:
        client.token_request(client.Credentials(shop="x"), None)
    assert problem.value.fault is Fault.AUTH
    fixed = client.Credentials(shop="x", access_token=SecretStr(" shpat_9 "))
    assert fixed.headers() == {"X-Shopify-Access-Token": "shpat_9"}
    url = client.authorize(app, "https://hub.example/oauth", "st", "")
    assert url.startswith("https://x.myshopify.com/admin/oauth/authorize?client_id=id&scope=read_orders%2C")
    assert dict(client.exchange(app, "c0de", "", "").form)["expiring"] == "1"


# ── What Shopify itself publishes ───────────────────────────────────────────────────────────────────────────

ORDERS = {"rest2026_order_cancel_partial", "rest2026_order_cancel_refund", "rest2026_order_created_full",
          "rest2026_order_created_tax", "rest2026_orders_list_any", "webhook_orders_test_notification"}  # fmt: skip


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not beside this checkout")
def test_published_documents_are_read_or_refused_in_one_sentence():
    for file in sorted(SAMPLES.glob("*.json")):
        raw = json.loads(file.read_text())
        if file.stem in ORDERS:
            assert mapping.order(raw).lines, file.stem
        else:
            with pytest.raises(Unreadable, match=r"^[^\n]+$"):
                mapping.order(raw)
        if file.stem == "rest2026_variants":
            assert {one.slot_ref for one in mapping.listings(raw)} >= {"39072856", "808950810"}
        else:
            with pytest.raises(Unreadable, match=r"^[^\n]+$"):
                mapping.listings(raw)
    (notice,) = webhook.read(
        Knock(
            headers={"x-shopify-topic": "orders/paid"},
            body=(SAMPLES / "webhook_orders_test_notification.json").read_bytes(),
        )
    )
    assert (notice.topic, notice.ref) == (Topic.ORDER, "820982911946154508")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not beside this checkout")
def test_the_official_signature_is_accepted():
    vector = json.loads((SAMPLES / "hmac_vector.json").read_text())
    assert ADAPTER.webhook
    headers = {"x-shopify-hmac-sha256": vector["hmac_sha256_base64"]}
    ADAPTER.webhook.verify(vector["secret"], Knock(headers=headers, body=vector["rawBody"].encode()))
    throttled = (SAMPLES / "graphql_throttled.json").read_bytes()
    assert stock.read_error(Reply(status=200, headers={}, body=throttled)) == "THROTTLED"


def test_a_request_holds_the_fragments_that_it_names_and_no_others():
    text = queries.asking("Levels", {"ids": [], "location": "1"}).json["query"]
    assert re.findall(r"^(?:query|mutation|fragment) (\w+)", text, re.MULTILINE) == ["Levels", "Item"]
    text = queries.asking("More", {"id": "1"}).json["query"]
    assert re.findall(r"^fragment (\w+)", text, re.MULTILINE) == ["Back", "Lines", "Money", "Page", "Sent"]


def test_definitions_are_named_apart():
    told = (Path(queries.__file__).parent / "queries.graphql").read_text()
    names = re.findall(r"^(?:query|mutation|fragment) (\w+)", told, re.MULTILINE)
    assert len(names) == len(set(names)) == told.count("\n}\n")


def test_a_query_may_be_asked_again_and_a_mutation_may_not():
    assert queries.asking("Order", {"id": "1"}).is_repeatable()
    assert queries.asking("Order", {"id": "1"}).is_read()
    assert not queries.asking("SetQuantities", {}).is_repeatable()
    assert not queries.asking("Fulfil", {}).is_read()

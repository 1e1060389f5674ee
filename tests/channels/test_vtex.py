"""VTEX: invoiced is not sent, discounts inside the lines, dates of the year one, official definitions as referee."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from adapters.vtex import ADAPTER, client, mapping, sandbox, stock, webhook
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import (
    Fulfilment,
    Hold,
    Knock,
    News,
    Order,
    Origin,
    Payment,
    Reply,
    ShipmentNews,
    Status,
    StockWrite,
    Topic,
)
from hub.sandbox import Product
from tests.channels.conftest import Connect
from tests.channels.test_bling import JSON

FILES = Path(__file__).parents[1] / "adapters" / "vtex"
SHARED = Path(__file__).parents[2].parent / "shared"
CUP = Product(sku="CUP", title="Caneca", quantity=5, price_cents=3990)


def payload(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def told(name: str) -> Order:
    return mapping.order(payload("order", name))


@pytest.mark.parametrize(
    ("name", "payment", "fulfilment", "hold", "status"),
    [
        ("ready_for_handling", Payment.PAID, Fulfilment.NONE, None, Status.PAID),
        ("payment_pending", Payment.PENDING, Fulfilment.NONE, None, Status.PLACED),
        ("incomplete_has_no_status", Payment.PENDING, Fulfilment.NONE, None, Status.PLACED),
        ("cancellation_is_asked_for", Payment.PAID, Fulfilment.NONE, Hold.CANCEL_REQUESTED, Status.PAID),
        ("canceled_before_payment", Payment.VOIDED, Fulfilment.NONE, None, Status.CANCELLED),
        ("canceled_after_payment", Payment.REFUNDED, Fulfilment.NONE, None, Status.CANCELLED),
        ("invoiced_is_not_sent_yet", Payment.PAID, Fulfilment.NONE, None, Status.PAID),
        ("invoiced_with_its_code", Payment.PAID, Fulfilment.DISPATCHED, None, Status.DISPATCHED),
        ("invoiced_in_part", Payment.PAID, Fulfilment.PARTIAL, None, Status.DISPATCHED),
        ("delivered_by_its_courier", Payment.PAID, Fulfilment.DELIVERED, None, Status.DELIVERED),
    ],
)
def test_states(name: str, payment: Any, fulfilment: Any, hold: Any, status: Any):
    order = told(name)
    assert (order.payment, order.fulfilment, order.hold, order.status) == (payment, fulfilment, hold, status)


def test_money_is_told_in_centavos_and_discounts_stand_in_the_lines():
    order = told("discount_inside_the_lines")
    assert (order.items_cents, order.discount_cents, order.shipping_cents, order.total_cents) == (7182, 0, 1590, 8772)
    assert told("ready_for_handling").lines[0].total_cents == 7980


def test_where_it_was_born():
    assert told("marketplace_relayed").origin == Origin(channel="mercadolivre", ref="2000009900000001")
    assert told("marketplace_that_we_do_not_know").origin == Origin(channel="vtex:frn", ref="77")
    assert told("ready_for_handling").origin is None


def test_dates_that_nobody_set_are_none():
    order = told("unset_dates_are_the_year_one")
    assert (order.changed_at, order.paid_at) == (None, None)


def test_what_came_back_and_what_was_invoiced():
    order = told("input_invoice_is_a_return")
    assert [(one.ref, one.lines[0].quantity) for one in order.returns] == [("99", 2)]
    assert [one.number for one in order.invoices] == ["6541"]
    assert order.lines[0].returned_quantity == 2
    company = told("company").buyer
    assert company is not None
    assert company.document is not None
    assert company.document.kind == "cnpj"


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"status": "limbo"}, "status"),
        ({"items": [{"id": "1", "quantity": 0}]}, "items.0.quantity"),
        ({"items": []}, "items"),
        ({"orderId": None}, "orderId"),
        ({"lastChange": "ontem"}, "lastChange"),
        ({"value": 1.5}, "value"),
    ],
)
def test_what_cannot_be_read_is_named(changed: dict[str, Any], path: str):
    with pytest.raises(Unreadable) as problem:
        mapping.order(payload("order", "ready_for_handling") | changed)
    assert problem.value.path == path


@given(JSON)
def test_any_json_is_read_or_refused(raw: Any):
    for read in (mapping.order, mapping.listings):
        try:
            read(raw)
        except ChannelError:
            continue


def test_numbers():
    def numbers(name: str) -> tuple[int | None, int | None]:
        (one,) = mapping.listings(payload("listing", name))
        return one.stock_quantity, one.quantity

    assert numbers("some_are_reserved") == (10, 8)
    assert numbers("two_warehouses_one_is_ours") == (10, 8)
    assert numbers("more_reserved_than_there_is") == (1, 0)
    assert numbers("unlimited") == (None, None)
    assert numbers("kit_follows_from_its_parts") == (None, None)


def test_a_lock_is_told_as_a_plain_sentence():
    reply = Reply(status=423, headers={}, body=b"Unable to acquire lock for key: x")
    assert stock.read_error(reply) is None
    assert ADAPTER.faults[423] is Fault.TRANSIENT
    with pytest.raises(Unreadable):
        stock.read(StockWrite(slot_ref="1", listing_ref="1", quantity=1), Reply(status=200, headers={}, body=b"{}"))


NEWS = ShipmentNews(
    news=News.DISPATCHED,
    order_ref="1-01",
    tracking_code="AA1",
    carrier="Correios",
    at=datetime(2026, 11, 21, tzinfo=UTC),
)


def asked(packages: list[Any], **changed: Any) -> list[Any]:
    there = payload("order", "ready_for_handling") | {"packageAttachment": {"packages": packages}}
    return stock.shipped(NEWS.model_copy(update={"there": there, **changed}), "default")


def test_an_invoice_is_made_once_with_the_orders_sum():
    (made,) = asked([], invoice_key="35261130188025000121550010000065411215400037")
    assert (made.method, made.json["invoiceNumber"], made.json["invoiceValue"]) == ("POST", "6541", 9570)
    assert made.json["items"] == [{"id": "18", "price": 3990, "quantity": 2}]
    assert asked([])[0].json["invoiceNumber"] == "502001"  # without an NF-e the order's own number
    (onto,) = asked([{"invoiceNumber": "6541", "type": "Output"}])
    assert (onto.method, onto.path.rpartition("/")[2]) == ("PATCH", "6541")
    assert asked([{"invoiceNumber": "6541", "trackingNumber": "AA1"}]) == []
    (done,) = asked([{"invoiceNumber": "6541", "trackingNumber": "AA1"}], news=News.DELIVERED)
    assert (done.method, done.json["isDelivered"]) == ("PUT", True)


def test_knocks():
    def read(body: Any) -> Any:
        return webhook.read(Knock(headers={}, body=json.dumps(body).encode()))[0]

    odd = read({"OrderId": "1-01", "State": "unknow", "CurrentChange": "0001-01-01T00:00:00"})
    assert (odd.topic, odd.ref, odd.at) == (Topic.ORDER, "1-01", None)
    assert webhook.is_ping(Knock(headers={}, body=b'{"hookConfig":"ping"}'))
    assert not webhook.is_ping(Knock(headers={}, body=b"ping"))


async def test_a_warehouse_in_the_wrong_case_is_refused_with_those_that_are_there(connect: Connect):
    with pytest.raises(ChannelError, match=r"there is no active 1_A \(there are: 1_1\)"):
        await ADAPTER.check(await connect(ADAPTER, sandbox.create([CUP]), warehouse="1_A"))


async def test_what_is_not_confirmed_comes_back(connect: Connect):
    clock = [datetime(2026, 11, 20, tzinfo=UTC)]
    place = sandbox.create([CUP], now=lambda: clock[0])
    api = await connect(ADAPTER, place)
    first = await client.orders_since(api, None)
    ref = place.ref(place.buy([{"sku": "CUP"}], pay=False))
    page = await client.orders_since(api, first.cursor)
    assert page.refs == (ref,)
    assert (await client.orders_since(api, page.cursor)).refs == ()
    clock[0] = clock[0].replace(minute=5)
    again = await client.orders_since(api, page.cursor)
    assert again.refs == (ref,)
    await client.ack(api, again.acks)
    clock[0] = clock[0].replace(minute=30)
    assert (await client.orders_since(api, page.cursor)).refs == ()


@pytest.mark.skipif(not SHARED.exists(), reason="the public samples are not beside this checkout")
def test_published_documents_are_read_or_refused_in_one_sentence():
    for file in sorted((SHARED / "samples" / "vtex").glob("*.json")):
        raw = json.loads(file.read_text())
        if file.stem == "order":
            order = mapping.order(raw)
            assert (order.number, order.total_cents, order.lines[0].sku) == ("502556", 1160, "BIGBML")
        else:
            with pytest.raises(Unreadable, match=r"^[^\n]+$"):
                mapping.order(raw)
    for name in ("hook_notification", "hook_config_response", "hook_ping"):
        assert webhook.read(Knock(headers={}, body=(SHARED / "samples" / "vtex" / f"{name}.json").read_bytes()))


@pytest.mark.skipif(not (SHARED / "openapi").exists(), reason="the official definitions are not beside this checkout")
def test_what_we_send_is_what_the_definitions_ask():
    def of(file: str, path: str, method: str) -> Any:
        spec = json.loads((SHARED / "openapi" / file).read_text())
        body = spec["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
        ref = body.get("$ref")
        return spec["components"]["schemas"][ref.rpartition("/")[2]] if ref else body

    request = stock.render(StockWrite(slot_ref="1", location_ref="1_1", listing_ref="1", quantity=3))
    path = "/api/logistics/pvt/inventory/skus/{skuId}/warehouses/{warehouseId}/quantity"
    asked_ = of("vtex-logistics-api.json", path, "patch")
    assert set(asked_.get("required", ())) <= set(request.json) <= set(asked_["properties"])
    invoice = of("vtex-orders-api.json", "/api/oms/pvt/orders/{orderId}/invoice", "post")
    (made,) = asked([])
    assert set(invoice.get("required", ())) <= set(made.json) <= set(invoice["properties"])

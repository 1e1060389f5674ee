"""Tray: everything as text, labels that a store may rename, days where others have times, unsigned forms."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given

from adapters.tray import ADAPTER, client, mapping, sandbox, stock, webhook
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Fulfilment, Knock, News, Order, Origin, Payment, Reply, ShipmentNews, Status, StockWrite, Topic
from hub.sandbox import Product
from tests.channels.conftest import Connect
from tests.channels.test_bling import JSON

FILES = Path(__file__).parents[1] / "adapters" / "tray"
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "tray"
CUP = Product(sku="CUP", title="Caneca", quantity=50, price_cents=3990)


def payload(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def told(name: str) -> Order:
    return mapping.order(payload("order", name))


@pytest.mark.parametrize(
    ("name", "payment", "fulfilment", "status"),
    [
        ("to_be_sent", Payment.PAID, Fulfilment.NONE, Status.PAID),
        ("waits_for_payment", Payment.PENDING, Fulfilment.NONE, Status.PLACED),
        ("sent_with_its_code", Payment.PAID, Fulfilment.DISPATCHED, Status.DISPATCHED),
        ("finished_is_delivered", Payment.PAID, Fulfilment.DELIVERED, Status.DELIVERED),
        ("cancelled", Payment.VOIDED, Fulfilment.NONE, Status.CANCELLED),
        ("label_of_the_stores_own_unpaid", Payment.PENDING, Fulfilment.NONE, Status.PLACED),
        ("label_of_the_stores_own_paid", Payment.PAID, Fulfilment.NONE, Status.PAID),
        ("label_of_the_stores_own_cancelled", Payment.VOIDED, Fulfilment.NONE, Status.CANCELLED),
    ],
)
def test_labels_and_the_types_behind_them(name: str, payment: Any, fulfilment: Any, status: Any):
    order = told(name)
    assert (order.payment, order.fulfilment, order.status) == (payment, fulfilment, status)


def test_money():
    for name in ("coupon_in_an_object", "coupon_behind_its_name"):
        order = told(name)
        assert (order.items_cents, order.discount_cents, order.total_cents) == (7980, 1000, 8570), name
    rated = told("rate_of_the_payment_method")
    assert (rated.other_cents, rated.total_cents) == (400, 7980 + 1590 + 400)


def test_times_are_of_brasilia_and_zeros_are_none():
    order = told("waits_for_payment")
    assert order.placed_at == datetime(2026, 11, 20, 12, 18, 46, tzinfo=UTC)
    assert order.changed_at == datetime(2026, 11, 20, 12, 20, 12, tzinfo=UTC)
    assert order.paid_at is None


def test_people_places_and_invoices():
    order = told("company_and_invoice")
    assert order.buyer is not None
    assert order.buyer.document is not None
    assert (order.buyer.document.kind, order.invoices[0].series, order.invoices[0].total_cents) == ("cnpj", "1", 9570)
    assert order.ship_to is not None
    assert (order.ship_to.street, order.ship_to.recipient) == ("Rua das Acácias", "Maria  da Silva")
    bill_only = told("address_of_the_customer").ship_to
    assert bill_only is not None
    assert bill_only.street == "Rua Antiga"


def test_where_it_was_born():
    assert told("relayed_marketplace").origin == Origin(channel="mercadolivre", ref="2000009900000001")
    assert told("relayed_from_nobody_we_know").origin == Origin(channel="tray:dafiti", ref="987654")
    assert told("to_be_sent").origin is None


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"status": "X", "OrderStatus": {"type": "limbo"}}, "Order.OrderStatus.type"),
        (
            {"ProductsSold": [{"ProductsSold": {"id": "1", "quantity": "0.5"}}]},
            "Order.ProductsSold.0.ProductsSold.quantity",
        ),
        ({"ProductsSold": []}, "Order.ProductsSold"),
        ({"modified": "ontem"}, "Order.modified"),
        ({"id": "0"}, "Order.id"),
        ({"Customer": "Maria"}, "Order.Customer"),
    ],
)
def test_what_cannot_be_read_is_named(changed: dict[str, Any], path: str):
    raw = payload("order", "to_be_sent")
    with pytest.raises(Unreadable) as problem:
        mapping.order({"Order": raw["Order"] | changed})
    assert problem.value.path == path


@given(JSON)
def test_any_json_is_read_or_refused(raw: Any):
    for read in (mapping.order, mapping.listings):
        try:
            read(raw)
        except ChannelError:
            continue


def test_numbers():
    def numbers(name: str) -> list[tuple[str, int | None, int | None]]:
        return [(one.slot_ref, one.stock_quantity, one.quantity) for one in mapping.listings(payload("listing", name))]

    assert numbers("product") == [("130", 51, 51)]
    assert numbers("sold_below_zero") == [("130", -3, 0)]
    assert numbers("variant_alone") == [("131:255", 7, 7)]
    assert numbers("product_with_its_variants") == [("131:255", 7, 7), ("131:256", 7, 7)]
    assert numbers("page_with_a_parent") == [("130", 51, 51)]


def test_an_error_inside_a_200_is_one():
    write = StockWrite(slot_ref="130", listing_ref="130", quantity=7)
    body = json.loads(payload("stock_response", "error_inside_a_200")["body"])
    assert stock.error_of(body) == ("400", "Bad Request Erro ao salvar")
    assert stock.read_error(Reply(status=200, headers={}, body=b'{"code": "200", "id": "1"}')) is None
    with pytest.raises(Unreadable, match=r"body\.id"):
        stock.read(write, Reply(status=200, headers={}, body=b"{}"))


NEWS = ShipmentNews(news=News.DISPATCHED, order_ref="7", tracking_code="AA1", at=datetime(2026, 11, 22, 1, tzinfo=UTC))


def test_the_day_of_sending_is_brasilias_and_the_status_the_stores_own():
    there = {"ENVIADO": "16", "FINALIZADO": "69"}
    (request,) = stock.shipped(NEWS.model_copy(update={"there": there}), "default")
    assert request.json == {"Order": {"status_id": "16", "sending_date": "2026-11-21", "sending_code": "AA1"}}
    (done,) = stock.shipped(NEWS.model_copy(update={"there": there, "news": News.DELIVERED}), "default")
    assert done.json == {"Order": {"status_id": "69"}}
    assert stock.shipped(NEWS.model_copy(update={"there": {}, "news": News.DELIVERED}), "default") == []


def test_forms():
    def read(**form: str) -> Any:
        return webhook.read(Knock(headers={}, body=urlencode(form).encode()))[0]

    variant = read(seller_id="5", scope_id="255", scope_name="variant_stock", act="update")
    assert (variant.topic, variant.ref, variant.account_ref) == (Topic.LISTING, "variant:255", "5")
    with pytest.raises(Unreadable, match="scope_id"):
        read(seller_id="5", scope_name="order", act="insert")
    with pytest.raises(Unreadable, match="not a form"):
        webhook.read(Knock(headers={}, body=b"{}"))


async def test_a_variants_notice_leads_to_its_product(connect: Connect):
    shirts = [Product(sku=f"CAM-{size}", title=size, quantity=4, price_cents=5900, parent="Camiseta") for size in "PMG"]
    place = sandbox.create([CUP, *shirts])
    api = await connect(ADAPTER, place)
    item = vars(place)["by_sku"]["CAM-M"]
    found = mapping.listings(await client.fetch_listing(api, f"variant:{item.id}"))
    assert {one.sku for one in found} == {"CAM-P", "CAM-M", "CAM-G"}


async def test_a_day_is_read_again_but_only_what_changed_is_told(connect: Connect):
    clock = [datetime(2026, 11, 20, 12, tzinfo=UTC)]
    place = sandbox.create([CUP], now=lambda: clock[0])
    refs = [place.ref(place.buy([{"sku": "CUP"}], pay=True)) for _ in range(3)]
    api = await connect(ADAPTER, place)
    vars(api)["now"] = lambda: clock[0] + timedelta(minutes=5)
    first = await client.orders_since(api, None)
    assert set(first.refs) == set(refs)
    assert (await client.orders_since(api, first.cursor)).refs == ()
    clock[0] += timedelta(minutes=6)
    await place.act("dispatch", {"order_ref": refs[1]})
    assert (await client.orders_since(api, first.cursor)).refs == (refs[1],)
    clock[0] += timedelta(hours=16)  # past midnight in Brasília
    await place.act("deliver", {"order_ref": refs[1]})
    assert (await client.orders_since(api, first.cursor)).refs == (refs[1],)


async def test_a_wrong_code_is_an_auth_fault(connect: Connect):
    with pytest.raises(ChannelError) as problem:
        await ADAPTER.check(await connect(ADAPTER, sandbox.create([CUP]), code="x"))
    assert problem.value.fault is Fault.AUTH


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not beside this checkout")
def test_published_documents_are_read_or_refused_in_one_sentence():
    for file in sorted(SAMPLES.glob("*.json")):
        raw = json.loads(file.read_text())
        if file.stem == "order_complete":
            order = mapping.order(raw)
            assert (order.items_cents or 0) + (order.shipping_cents or 0) + (
                order.other_cents or 0
            ) == order.total_cents
        else:
            with pytest.raises(Unreadable, match=r"^[^\n]+$"):
                mapping.order(raw)
    for name in ("variant", "variants_list"):
        assert mapping.listings(json.loads((SAMPLES / f"{name}.json").read_text()))[0].stock_quantity == 51
    with pytest.raises(Unreadable, match="id: not told"):  # its id is a placeholder, 0
        mapping.listings(json.loads((SAMPLES / "products_list.json").read_text()))

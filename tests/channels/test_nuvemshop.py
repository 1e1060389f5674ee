"""Nuvemshop: two names for each status, numbers told as text, stock without end, parcels and their events."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from adapters.nuvemshop import ADAPTER, client, mapping, sandbox, stock, webhook
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Fulfilment, Knock, News, Order, Payment, ShipmentNews, Status, StockWrite, Topic, TrackingStatus
from hub.sandbox import Product
from tests.channels.conftest import Connect
from tests.channels.test_bling import JSON

FILES = Path(__file__).parents[1] / "adapters" / "nuvemshop"
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "nuvemshop"
CUP = Product(sku="CUP", title="Caneca", quantity=5, price_cents=3990)


def payload(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def told(name: str) -> Order:
    return mapping.order(payload("order", name))


@pytest.mark.parametrize(
    ("name", "payment", "fulfilment", "status"),
    [
        ("paid_and_unpacked", Payment.PAID, Fulfilment.NONE, Status.PAID),
        ("waits_for_payment", Payment.PENDING, Fulfilment.NONE, Status.PLACED),
        ("authorized", Payment.AUTHORIZED, Fulfilment.NONE, Status.PLACED),
        ("abandoned_is_voided", Payment.VOIDED, Fulfilment.NONE, Status.PLACED),
        ("cancelled", Payment.VOIDED, Fulfilment.NONE, Status.CANCELLED),
        ("closed_is_not_cancelled", Payment.PAID, Fulfilment.DISPATCHED, Status.DISPATCHED),
        ("sent_with_its_code", Payment.PAID, Fulfilment.DISPATCHED, Status.DISPATCHED),
        ("both_names_of_a_status", Payment.PAID, Fulfilment.DISPATCHED, Status.DISPATCHED),
        ("delivered_by_its_parcel", Payment.PAID, Fulfilment.DELIVERED, Status.DELIVERED),
    ],
)
def test_statuses(name: str, payment: Any, fulfilment: Any, status: Any):
    order = told(name)
    assert (order.payment, order.fulfilment, order.status) == (payment, fulfilment, status)


def test_money_and_people():
    order = told("discount_of_the_gateway")
    assert (order.items_cents, order.discount_cents, order.shipping_cents, order.total_cents) == (7980, 798, 1590, 8772)
    assert order.buyer is not None
    assert order.ship_to is not None
    assert (order.buyer.name, order.ship_to.state, order.ship_to.complement) == ("Maria da Silva", "SP", "Apto 31")
    company = told("company_with_letters").buyer
    assert company is not None
    assert company.document is not None
    assert (company.document.kind, company.document.number) == ("cnpj", "12ABC34501DE35")
    assert told("pickup_has_no_address").ship_to is None


def test_lines_are_the_same_however_their_numbers_are_told():
    one, other = told("paid_and_unpacked"), told("ids_and_quantities_as_numbers")
    assert one.lines == other.lines
    assert [(line.listing_ref, line.variation_ref, line.quantity) for line in one.lines] == [
        ("11133001", "42621001", 2)
    ]
    assert [(line.sku, line.total_cents) for line in told("kit_is_told_as_its_parts").lines] == [
        ("CANECA-AZUL", 7980), ("COADOR", 0),
    ]  # fmt: skip


def test_parcels():
    (sent,) = told("sent_with_its_code").shipments
    assert (sent.carrier, sent.tracking_code, sent.status) == ("Correios", "AA123456785BR", TrackingStatus.IN_TRANSIT)
    (old,) = told("older_version_without_parcels").shipments
    assert (old.ref, old.carrier, told("older_version_without_parcels").total_cents) == (
        "AA123456785BR",
        "correios",
        9570,
    )


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"status": "limbo"}, "status"),
        ({"payment_status": None}, "payment_status"),
        ({"shipping_status": "teleported"}, "shipping_status"),
        ({"products": [{"product_id": 1, "quantity": "0"}]}, "products.0.quantity"),
        ({"products": []}, "products"),
        ({"fulfillments": [{"id": "F", "status": "EATEN"}]}, "fulfillments.0.status"),
        ({"total": "caro"}, "total"),
    ],
)
def test_what_cannot_be_read_is_named(changed: dict[str, Any], path: str):
    with pytest.raises(Unreadable) as problem:
        mapping.order(payload("order", "paid_and_unpacked") | changed)
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
        one = mapping.listings(payload("listing", name))[0]
        return one.stock_quantity, one.quantity

    assert numbers("product_with_its_virtual_variant") == (7, 7)
    assert numbers("stock_without_end") == (None, None)
    assert numbers("stock_in_two_locations") == (7, 10)
    assert numbers("variant_by_itself_as_v1_tells_it") == (5, 5)
    assert mapping.listings(payload("listing", "on_sale"))[0].price_cents == 2990
    assert [one.title for one in mapping.listings(payload("listing", "variants_by_size"))] == [
        "Camiseta P",
        "Camiseta M",
    ]


def test_variants_of_one_product_share_a_row_and_null_is_never_sent():
    writes = [
        StockWrite(slot_ref=f"7:{n}", location_ref="L", listing_ref="7", variation_ref=str(n), quantity=0)
        for n in range(60)
    ]
    (first, covered), (second, _rest) = stock.render(writes)
    assert (len(first.json), len(first.json[0]["variants"]), len(covered), len(second.json[0]["variants"])) == (
        1,
        50,
        50,
        10,
    )
    assert first.json[0]["variants"][0]["inventory_levels"] == [{"location_id": "L", "stock": 0}]
    assert (first.accept, stock.render(writes[:1])[0][0].accept) == (frozenset(), frozenset({400, 404, 422}))


def test_three_shapes_of_an_error():
    def said(name: str) -> Any:
        return stock.error_of(json.loads(payload("stock_response", name)["body"]))

    assert said("too_many_variants") == ("422", "Unprocessable Entity. Too many variants sent for update")
    assert said("field_by_field") == (None, "stock: must be greater than or equal to 0")
    assert said("error_alone") == (None, "Bad Request")


AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
NEWS = ShipmentNews(news=News.DISPATCHED, order_ref="7", tracking_code="AA1", at=AT)


def asked(there: Any, **changed: Any) -> list[tuple[str, str]]:
    news = NEWS.model_copy(update={"there": there, **changed})
    return [(request.method, request.path.removeprefix("/orders/7")) for request in stock.shipped(news, "default")]


def test_a_parcel_is_sent_and_what_follows_are_its_events():
    waiting, sent = (
        {"id": "F1", "status": "PACKED"},
        {"id": "F2", "status": "DISPATCHED", "tracking_info": {"code": "AA1"}},
    )
    assert asked([sent, waiting]) == [("PATCH", "/fulfillment-orders/F2")]
    assert asked([waiting]) == [("PATCH", "/fulfillment-orders/F1")]
    assert asked([sent], news=News.OUT_FOR_DELIVERY) == [("POST", "/fulfillment-orders/F2/tracking-events")]
    assert asked([sent], news=News.DELIVERED) == [
        ("POST", "/fulfillment-orders/F2/tracking-events"), ("PATCH", "/fulfillment-orders/F2"),
    ]  # fmt: skip
    assert asked([]) == [("POST", "/fulfill")]
    assert asked([], news=News.DELIVERED) == []


def test_notices():
    def read(body: Any) -> Any:
        return webhook.read(Knock(headers={}, body=json.dumps(body).encode()))[0]

    parcel = read({"store_id": 1, "event": "fulfillment_order/tracking_event_created", "order_id": "9"})
    assert (parcel.topic, parcel.ref, parcel.account_ref) == (Topic.ORDER, "9", "1")
    with pytest.raises(Unreadable, match=r"body\.id: no id told"):
        read({"store_id": 1, "event": "order/paid"})


async def test_without_somebody_to_write_to_nothing_is_answered(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([CUP]))
    await ADAPTER.check(api)
    assert (await client.latest_orders(api)).documents == ()
    with pytest.raises(ChannelError) as problem:
        await ADAPTER.check(await connect(ADAPTER, sandbox.create([CUP]), access_token="x"))
    assert problem.value.fault is Fault.AUTH


async def test_a_window_that_shows_only_a_part_is_halved_until_it_shows_all(connect: Connect):
    started = datetime(2026, 11, 20, tzinfo=UTC)
    times = [started.replace(hour=n // 20, minute=n % 20) for n in range(300)]
    clock = iter([times[0]] * 10 + [at for at in times for _ in range(12)])
    place = sandbox.create(
        [Product(sku="CUP", title="x", quantity=999, price_cents=1)], most=40, now=lambda: next(clock)
    )
    refs = {place.ref(place.buy([{"sku": "CUP"}], pay=False)) for _ in range(120)}
    api = await connect(ADAPTER, place)
    found, cursor, more = set(), json.dumps({"since": started.isoformat()}), True
    old, client.MOST = client.MOST, 40
    try:
        while more:
            page = await client.orders_since(api, cursor)
            found |= {str(row["id"]) for row in page.documents}
            cursor, more = page.cursor or "", page.more
    finally:
        client.MOST = old
    assert found == refs


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not beside this checkout")
def test_published_documents_are_read_or_refused_in_one_sentence():
    orders = {"order", "order_v1", "order_close_v1", "order_pack_v1", "order_put_v1"}
    for file in sorted(SAMPLES.glob("*.json")):
        raw = json.loads(file.read_text())
        if file.stem in orders:
            assert mapping.order(raw).lines, file.stem
        elif file.stem != "draft_order_confirmed":
            with pytest.raises(Unreadable, match=r"^[^\n]+$"):
                mapping.order(raw)
    for name in ("variant", "variant_put"):
        (one,) = mapping.listings(json.loads((SAMPLES / f"{name}.json").read_text()))
        assert (one.stock_quantity, one.price_cents) == (5, 1900)
    (notice,) = webhook.read(Knock(headers={}, body=(SAMPLES / "webhook_fulfillment_status.json").read_bytes()))
    assert (notice.topic, notice.ref) == (Topic.ORDER, "1948209")

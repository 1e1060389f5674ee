"""Magento: orders by state, two rows of one sale, reservations of a stock, signed requests."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from adapters.magento import ADAPTER, client, mapping, sandbox, stock
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Fulfilment, Hold, News, Order, Payment, Reply, ShipmentNews, Status, StockWrite
from hub.sandbox import Product
from tests.channels.conftest import Connect
from tests.channels.test_bling import JSON

FILES = Path(__file__).parents[1] / "adapters" / "magento"
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "magento"
CUP = Product(sku="CUP", title="Caneca", quantity=5, price_cents=3990)


def payload(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def told(name: str) -> Order:
    return mapping.order(payload("order", name))


@pytest.mark.parametrize(
    ("name", "payment", "fulfilment", "hold", "status"),
    [
        ("invoiced_and_not_shipped", Payment.PAID, Fulfilment.NONE, None, Status.PAID),
        ("new_and_not_paid", Payment.PENDING, Fulfilment.NONE, None, Status.PLACED),
        ("waits_for_the_gateway", Payment.PENDING, Fulfilment.NONE, Hold.FROZEN, Status.PLACED),
        ("held_after_payment", Payment.PAID, Fulfilment.NONE, Hold.FROZEN, Status.PAID),
        ("canceled_before_payment", Payment.VOIDED, Fulfilment.NONE, None, Status.CANCELLED),
        ("status_of_the_merchants_own", Payment.PAID, Fulfilment.NONE, None, Status.PAID),
        ("shipped_in_part", Payment.PAID, Fulfilment.PARTIAL, None, Status.DISPATCHED),
        ("complete", Payment.PAID, Fulfilment.DISPATCHED, None, Status.DISPATCHED),
        ("closed_before_it_left", Payment.REFUNDED, Fulfilment.NONE, None, Status.CANCELLED),
        ("closed_after_it_left", Payment.REFUNDED, Fulfilment.DISPATCHED, None, Status.DISPATCHED),
        ("refunded_in_part", Payment.PARTIALLY_REFUNDED, Fulfilment.NONE, None, Status.PAID),
    ],
)
def test_states(name: str, payment: Any, fulfilment: Any, hold: Any, status: Any):
    order = told(name)
    assert (order.payment, order.fulfilment, order.hold, order.status) == (payment, fulfilment, hold, status)


def rows(name: str) -> list[tuple[str | None, int, int | None]]:
    return [(line.sku, line.quantity, line.total_cents) for line in told(name).lines]


def test_what_is_told_as_two_rows_is_sold_once():
    assert rows("configurable_is_two_rows") == [("CAM-M-AZUL", 2, 6980)]
    assert rows("bundle_of_a_fixed_price") == [("CANECA-AZUL", 2, 7980), ("COADOR", 1, 0)]
    assert rows("bundle_of_its_parts_prices") == [("CANECA-AZUL", 2, 5980), ("COADOR", 1, 2000)]
    for name in ("configurable_is_two_rows", "bundle_of_a_fixed_price", "bundle_of_its_parts_prices"):
        order = told(name)
        assert (order.items_cents or 0) - (order.discount_cents or 0) + 1590 == order.total_cents, name


def test_a_discount_that_no_line_carries_is_the_orders():
    order = told("discount_on_shipping")
    assert (order.items_cents, order.discount_cents, order.shipping_cents, order.total_cents) == (
        7980,
        1590,
        1590,
        7980,
    )
    assert told("configurable_is_two_rows").discount_cents == 0


def test_units_that_were_credited_and_never_left_are_cancelled():
    assert [line.cancelled_quantity for line in told("refunded_in_part").lines] == [1]
    assert [line.cancelled_quantity for line in told("closed_before_it_left").lines] == [2]
    assert [line.cancelled_quantity for line in told("closed_after_it_left").lines] == [0]


def test_people_and_places():
    order = told("guest_with_a_cnpj_at_the_address")
    assert order.buyer is not None
    assert order.buyer.document is not None
    assert (order.buyer.ref, order.buyer.name, order.buyer.document.kind) == (None, "Maria da Silva", "cnpj")
    known = told("invoiced_and_not_shipped")
    assert known.ship_to is not None
    place = known.ship_to
    assert (place.street, place.number, place.complement, place.district, place.state, place.postal_code) == (
        "Rua das Acácias", "120", "Apto 31", "Vila Mariana", "SP", "04101000",
    )  # fmt: skip
    assert known.changed_at == datetime(2026, 11, 20, 12, 20, 12, tzinfo=UTC)
    assert told("nothing_is_shipped_to").ship_to is None


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"state": "limbo"}, "state"),
        ({"items": [{"item_id": 1, "sku": "A", "qty_ordered": 0.5}]}, "items.0.qty_ordered"),
        ({"items": []}, "items"),
        ({"entity_id": None}, "entity_id"),
        ({"updated_at": "ontem"}, "updated_at"),
        ({"grand_total": {}}, "grand_total"),
        ({"extension_attributes": {"shipping_assignments": [{"shipping": {"address": {"street": "Rua"}}}]}},
         "extension_attributes.shipping_assignments.0.shipping.address.street"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(changed: dict[str, Any], path: str):
    with pytest.raises(Unreadable) as problem:
        mapping.order(payload("order", "invoiced_and_not_shipped") | changed)
    assert problem.value.path == path


@given(JSON)
def test_any_json_is_read_or_refused(raw: Any):
    for read in (mapping.order, mapping.listings):
        try:
            read(raw)
        except ChannelError:
            continue


def test_what_is_reserved_is_what_all_sources_hold_and_nobody_can_buy():
    def numbers(name: str) -> tuple[int | None, int | None]:
        (one,) = mapping.listings(payload("listing", name))
        return one.stock_quantity, one.quantity

    assert numbers("reserved_units_are_not_salable") == (10, 8)
    assert numbers("reserved_in_a_stock_of_two_sources") == (10, 6)  # 15 on the shelves, 11 salable: 4 are reserved
    assert numbers("salable_below_zero") == (1, 0)
    assert numbers("salable_is_not_told") == (4, 4)


def test_sentences_have_their_parameters():
    def said(name: str) -> Any:
        file = payload("stock_response", name)
        return stock.sentence(json.loads(file["body"]))

    assert said("parameters_by_place") == 'Maximum items of type "SourceItemInterface" is 20'
    assert said("parameters_by_name") == "Source item with SKU CANECA-VERDE cannot be saved"
    assert stock.sentence({"message": "Only %1", "parameters": None}) == "Only %1"


def test_of_several_rows_a_refusal_is_nobodys_own():
    writes = [StockWrite(slot_ref=sku, listing_ref=sku, quantity=1) for sku in ("A", "B")]
    ((several, _),) = stock.render(writes)
    ((alone, _),) = stock.render(writes[:1])
    assert (several.accept, alone.accept) == (frozenset(), frozenset({400, 404}))
    with pytest.raises(Unreadable):
        stock.read(writes, Reply(status=200, headers={}, body=b'{"bulk_uuid": "x"}'))


NEWS = ShipmentNews(
    news=News.DISPATCHED,
    order_ref="184",
    tracking_code="AA1",
    carrier="Correios",
    at=datetime(2026, 11, 21, tzinfo=UTC),
)


def test_a_parcel_is_told_once():
    def asked(*shipments: Any) -> list[str]:
        there = {"items": list(shipments)}
        return [request.path for request in stock.shipped(NEWS.model_copy(update={"there": there}), "default")]

    assert asked() == ["/V1/order/184/ship"]
    assert asked({"entity_id": 5, "tracks": []}) == ["/V1/shipment/track"]
    assert asked({"entity_id": 5, "tracks": [{"track_number": "AA1"}]}) == []
    assert asked({"entity_id": 5, "tracks": [{"track_number": "BB2"}]}) == ["/V1/order/184/ship"]


@pytest.mark.parametrize("standalone", [True, False])
async def test_a_signature_or_the_token_alone(connect: Connect, standalone: bool):
    place = sandbox.create([CUP], standalone=standalone)
    identity = await ADAPTER.check(await connect(ADAPTER, place))
    assert (identity.facts["website"], identity.facts["stock_id"]) == ("base", "1")
    wrong = {"access_token": "x"} if standalone else {"consumer_secret": "x"}
    with pytest.raises(ChannelError) as problem:
        await ADAPTER.check(await connect(ADAPTER, place, **wrong))
    assert problem.value.fault is Fault.AUTH


async def test_skus_that_addresses_and_signatures_must_bear(connect: Connect):
    odd = "CANECA/AZUL +10% [ção]"
    api = await connect(ADAPTER, sandbox.create([Product(sku=odd, title="x", quantity=3, price_cents=100)]))
    api.facts = (await ADAPTER.check(api)).facts
    (one,) = mapping.listings(await client.fetch_listing(api, odd))
    assert (one.ref, one.quantity) == (odd, 3)


@pytest.mark.parametrize("export", [True, False])
async def test_salable_units_come_at_once_or_one_by_one(connect: Connect, export: bool):
    goods = [Product(sku=f"P{n}", title="x", quantity=n, price_cents=100) for n in range(30)]
    api = await connect(ADAPTER, sandbox.create(goods, export=export))
    api.facts = (await ADAPTER.check(api)).facts
    page = await client.listing_pages(api, None)
    found = [one for raw in page.documents for one in mapping.listings(raw)]
    assert {one.sku: one.quantity for one in found} == {f"P{n}": n for n in range(30)}
    asked = [request.path for request in api.calls if "salable-quantity" in request.path]
    assert len(asked) == (0 if export else 30)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not beside this checkout")
def test_published_documents_are_refused_in_one_sentence():
    """None of them is a whole order."""
    for file in sorted(SAMPLES.glob("*.json")):
        with pytest.raises(Unreadable, match=r"^[^\n]+$"):
            mapping.order(json.loads(file.read_text()))
    error = json.loads((SAMPLES / "error_400_template.json").read_text())
    assert stock.sentence(error) == "Invalid product data: Invalid attribute set entity type"
    asked = json.loads((SAMPLES / "source_items_save_request.json").read_text())["sourceItems"][0]
    ((request, _),) = stock.render(
        [StockWrite(slot_ref="new_product1", location_ref="central", listing_ref="x", quantity=1000)]
    )
    assert request.json["sourceItems"] == [asked]

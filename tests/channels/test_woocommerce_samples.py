"""Real answers of WooCommerce, where they are at hand: each is read or refused with one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.woocommerce import mapping
from hub.faults import Unreadable

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "woocommerce"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")

ORDERS = {  # ref, payment, fulfilment, total, refunded
    "docs_order_updated": ("727", "paid", "dispatched", 2935, 0),
    "order_deleted_refunds": ("3207", "partially_refunded", "none", 15342, 1600),
    "order_processing_min": ("963", "paid", "none", 3120, None),
    "order_refunded": ("609", "refunded", "none", 22371, 22371),
    "orders_list": ("963", "paid", "none", 3120, None),
    "webhook_order_updated_br_pix": ("1211", "paid", "dispatched", 300, 0),
}
DO_NOT_ADD_UP = {"order_deleted_refunds"}  # rows were taken out of the sample by hand; the total stays as told
NO_ORDER = {
    "docs_orders_list": "order: a page of 2 orders",
    "docs_refund_created": "order.status: ",
    "docs_webhook_created": "order.line_items: ",
    "error_no_route": "order.id: ",
    "error_rest_forbidden": "order.id: ",
    "order_alternative_types": "order.line_items.1.quantity: not a whole number of units: 1.5",
    "order_full": "order.line_items.1.quantity: not a whole number of units: 1.5",
    "order_notes": "order: a page of 2 orders",
    "shipment_tracking_list": "order: a page of 4 orders",
    "shipment_tracking_plugin_absent": "order.id: ",
    "webhook_deleted": "order.status: ",
}
LISTINGS = {  # ref, variation_ref, slot_ref, quantity, stock_quantity
    "docs_variation": [("22", "732", "22:732", None, None)],
    "product": [("282", None, "282", None, None)],
    "products_batch_update": [("282", None, "282", None, None)],
    "variations_batch_update": [("846", "2783", "846", None, 16)],
}
NO_LISTING = {
    "product_alternative_types": "listing.variations.0.stock_quantity: not a whole number of units: 16.5",
    # neither parent_id nor _links: nothing says whose variations they are
    "product_variations_manage_stock_parent": "listing.0.parent_id: ",
}


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def test_every_sample_is_accounted_for():
    assert {path.stem for path in SAMPLES.glob("*.json")} == {*ORDERS, *NO_ORDER, *LISTINGS, *NO_LISTING}


@pytest.mark.parametrize("name", ORDERS)
def test_orders(name: str):
    told = mapping.order(sample(name))
    assert (told.ref, told.payment, told.fulfilment, told.total_cents, told.refunded_cents) == ORDERS[name]
    assert told.items_cents is not None
    assert told.discount_cents is not None
    parts = told.items_cents - told.discount_cents + (told.shipping_cents or 0) + (told.other_cents or 0)
    assert parts == told.total_cents or name in DO_NOT_ADD_UP


@pytest.mark.parametrize("name", LISTINGS)
def test_listings(name: str):
    found = mapping.listings(sample(name))
    assert [
        (each.ref, each.variation_ref, each.slot_ref, each.quantity, each.stock_quantity) for each in found
    ] == LISTINGS[name]


@pytest.mark.parametrize("name", NO_ORDER)
def test_what_is_no_order(name: str):
    with pytest.raises(Unreadable) as refused:
        mapping.order(sample(name))
    assert refused.value.detail.startswith(NO_ORDER[name])


@pytest.mark.parametrize("name", NO_LISTING)
def test_what_is_no_listing(name: str):
    with pytest.raises(Unreadable) as refused:
        mapping.listings(sample(name))
    assert refused.value.detail.startswith(NO_LISTING[name])


def test_each_order_of_a_page_is_read_by_itself():
    first, second = map(mapping.order, sample("docs_orders_list"))
    assert (first.ref, first.payment, first.fulfilment) == ("727", "paid", "none")
    # completed, with date_paid null and 19.00 of 39.00 given back
    assert (second.ref, second.payment, second.fulfilment, second.refunded_cents) == (
        "723",
        "partially_refunded",
        "dispatched",
        1900,
    )


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_nothing_else_is_raised(path: Path):
    raw = json.loads(path.read_text())
    for read in (mapping.order, mapping.listings):
        try:
            read(raw)
        except Unreadable as refused:
            assert ": " in refused.detail  # noqa: PT017 - either ending is right

"""Mercado Livre's own examples, where they are at hand: each is read or refused with one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.mercadolivre import mapping, stock, webhook
from hub.faults import Unreadable
from hub.model import Knock, Reply, Request

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "mercadolivre"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")
ORDERS = {"order_gross_price_discount.json", "order_mlb_pack_qty2_sku_stock_nodes.json"}
LISTINGS = {"item_with_variations.json"}
NOTICES = sorted(path.name for path in SAMPLES.glob("notification_*.json"))
ALL = sorted(path.name for path in SAMPLES.glob("*.json"))


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


@pytest.mark.parametrize("name", ALL)
def test_a_sample_is_an_order_or_refused(name: str):
    if name in ORDERS:
        assert mapping.order(sample(name)).lines
        return
    with pytest.raises(Unreadable, match=r"^[^\n]*order: this is not a Mercado Livre order"):
        mapping.order(sample(name))


@pytest.mark.parametrize("name", ALL)
def test_a_sample_is_a_listing_or_refused(name: str):
    if name in LISTINGS:
        assert len(mapping.listings(sample(name))) == 2
        return
    with pytest.raises(Unreadable) as refusal:
        mapping.listings(sample(name))
    assert "\n" not in refusal.value.detail


@pytest.mark.parametrize("name", NOTICES)
def test_notifications(name: str):
    (one,) = webhook.read(Knock(headers={}, body=(SAMPLES / name).read_bytes()))
    assert one.topic != "unknown"
    assert one.ref
    assert one.account_ref


def test_missed_feeds_have_the_keys_of_their_originals():
    rows = sample("missed_feeds_entries.json")
    for row in rows:
        assert webhook.notice(row).dedupe_key == webhook.notice(json.loads(row["request"]["data"])).dedupe_key


@pytest.mark.parametrize(
    "name", ["shipment_legacy_format_ready_to_ship.json", "order_shipments_single_self_service.json"]
)
def test_shipments_composed_with_an_order(name: str):
    raw = {"order": sample("order_mlb_pack_qty2_sku_stock_nodes.json"), "shipment": sample(name)}
    parcel = mapping.order(raw).shipments[0]
    assert parcel.service in {"me2:drop_off", "me2:self_service"}
    assert parcel.tracking_code


def test_stock_answers():
    asked, answered = (
        sample("user_product_stock_put_request.json"),
        sample("user_product_stock_put_response.json"),
    )
    path = "/user-products/MLMU123456789/stock/type/seller_warehouse"
    writes = stock.asked(Request(method="PUT", path=path, json=asked))
    assert [(write.location_ref, write.quantity) for write in writes] == [
        ("123456:MXP123451", 10),
        ("123457:MXP571615", 5),
        ("123458:MXP725258", 20),
    ]
    body = json.dumps(answered).encode()
    outcomes = stock.read(writes, Reply(status=200, headers={}, body=body))
    assert [(one.outcome, one.seen) for one in outcomes] == [
        ("accepted", 10),
        ("accepted", 5),
        ("accepted", 20),
    ]

"""Shopee's own examples, where they are at hand: each is read or refused with one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.shopee import client, errors, listings, mapping, webhook
from adapters.shopee.mapping import order
from hub.faults import Unreadable
from hub.model import Fulfilment, Knock, Reply, Request, Topic

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "shopee"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")
ORDERS = {"order_detail_completed_vn.json", "order_detail_completed_vn_2024.json"}
LISTINGS = {"item_base_info.json"}  # its one item has models, which alone tell numbers
ALL = sorted(path.name for path in SAMPLES.glob("*.json"))
ERRORS = {
    "error_item_list_auth.json": "invalid_partner_id",
    "error_order_list_time_range.json": "order_list_invalid_time",
    "error_refresh_token.json": "invalid_refresh_token",
    "error_warehouse_not_in_whitelist.json": "error_not_in_whitelist",
    "booking_detail.json": "invalid_access_token",
    "order_detail_completed_vn.json": None,
    "lost_push_page.json": None,  # its `error` is "-"
}
NOTICES = {
    "push_auth_expiring_soon.json": (Topic.ACCOUNT, None, "23213"),
    "push_deauth_disconnected.json": (Topic.ACCOUNT, None, "22000000"),
    "push_order_status_ready_to_ship_live.json": (Topic.ORDER, "251214B9XAB0ST", "336094210"),
    "push_penalty_points.json": (Topic.IGNORED, None, "127449165"),
}


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


@pytest.mark.parametrize("name", ALL)
def test_a_sample_is_an_order_or_refused(name: str):
    if name in ORDERS:
        told = order(sample(name))
        assert (told.fulfilment, told.currency, told.total_cents) == (Fulfilment.DELIVERED, "VND", 3211900)
        assert told.ship_to is None
        return
    with pytest.raises(Unreadable, match=r"^[^\n]+$"):
        mapping.order(sample(name))


@pytest.mark.parametrize("name", ALL)
def test_a_sample_is_a_listing_or_refused(name: str):
    if name in LISTINGS:
        assert listings.listings(sample(name)) == []
        return
    with pytest.raises(Unreadable, match=r"^[^\n]+$"):
        listings.listings(sample(name))


@pytest.mark.parametrize(("name", "code"), ERRORS.items())
def test_errors(name: str, code: str | None):
    assert errors.read_error(Reply(status=200, headers={}, body=(SAMPLES / name).read_bytes())) == code


@pytest.mark.parametrize(("name", "told"), NOTICES.items())
def test_pushes(name: str, told: Any):
    first = webhook.read(Knock(headers={}, body=(SAMPLES / name).read_bytes()))[0]
    assert (first.topic, first.ref, first.account_ref) == told


def test_a_lost_push_stands_whole_in_its_row():
    (row,) = sample("lost_push_page.json")["response"]["push_message_list"]
    for raw in (row, {**row, "data": json.dumps(row["data"])}):
        (notice,) = client.lost(raw)
        assert (notice.topic, notice.ref, notice.account_ref) == (Topic.ORDER, "220810QSK8S7BX", "727720655")


def test_stock_answers():
    file = sample("update_stock_response_partial.json")  # of placeholders: one model is in both lists
    (write,) = listings.asked(
        Request(method="POST", path="", json=sample("update_stock_request.json") | {"item_id": 1000})
    )
    (one,) = listings.read([write], Reply(status=200, headers={}, body=json.dumps(file).encode()))
    assert (one.outcome, one.code) == ("fault", "update_stock_failed")

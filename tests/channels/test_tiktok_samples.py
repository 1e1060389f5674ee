"""Real answers of TikTok Shop, where they are at hand: each is read or refused with one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.tiktok import ADAPTER, listings, mapping, webhook
from hub.faults import Fault, Unreadable
from hub.model import Knock, Reply, Request, Topic

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "tiktok"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")

NOTICES = {  # topic, refs
    "webhook_invoice_status_br": (Topic.ORDER, ["152523", "532123"]),
    "webhook_order_status_unpaid": (Topic.ORDER, ["576486316948490001"]),
}
ERRORS = {"error_access_token_expired": "105002", "error_shop_cipher_missing": "106013"}


def files() -> list[Path]:
    return sorted(SAMPLES.glob("*.json"))


def raw(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", NOTICES)
def test_notices(name: str):
    topic, refs = NOTICES[name]
    found = webhook.read(Knock(headers={}, body=raw(name)))
    assert [(one.topic, one.ref, one.account_ref) for one in found] == [
        (topic, ref, "7494049642642441621") for ref in refs
    ]


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str):
    code = ADAPTER.read_error(Reply(status=200, headers={}, body=raw(name)))
    assert code == ERRORS[name]
    assert ADAPTER.faults[code] is Fault.AUTH


def test_the_vendors_request_is_ours():
    told = json.loads(raw("inventory_update_request"))
    path = listings.PATH.format("1729592969712207000")
    (write,) = listings.asked(Request(method="POST", path=path, json=told))
    assert (write.variation_ref, write.location_ref, write.quantity) == (
        "1729592969712207013", "7068517275539719942", 999,
    )  # fmt: skip
    ((request, _writes),) = listings.render([write])
    assert request.json == told


def told_by(path: Path, read: Any) -> str:
    with pytest.raises(Unreadable) as problem:
        read(json.loads(path.read_bytes()))
    return f"{problem.value.path}: {problem.value.why}"


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_what_is_no_order_and_no_listing_is_refused_in_one_sentence(path: Path):
    assert told_by(path, mapping.order).startswith("order.line_items: not told: an order has them, and here is only ")
    assert told_by(path, listings.listings).partition(":")[0] in ("product.skus", "product.id", "data.products")

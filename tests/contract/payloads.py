"""Payload files: tests/adapters/<channel>/<folder>/<case>.json, found by walking, never listed."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import adapters
from hub.contract import StockSink
from hub.model import Knock, Listing, ManagedBy, Raw, Reply, Request, StockWrite

ROOT = Path(__file__).parents[2]
FILES = ROOT / "tests" / "adapters"
LEAST = 5
# facet: the folder of its payloads. A shipment sink has none: what it sends is checked from our own nouns.
FOLDERS = {
    "webhook": "notice",
    "orders": "order",
    "listings": "listing",
    "stock": "stock_response",
    "tracking": "tracking",
    "freight": "quote",
}


def channels(*facets: str) -> list[str]:
    """Channels that have all of these facets."""
    return [name for name in adapters.names() if set(facets) <= set(adapters.get(name).can())]


def files(channel: str, facet: str) -> list[Path]:
    return sorted((FILES / channel / FOLDERS[facet]).glob("*.json"))


def cases(facet: str) -> list[Any]:
    """(channel, path) of every payload file of a declared facet."""
    return [
        pytest.param(channel, path, id=f"{channel}-{path.stem}")
        for channel in channels(facet)
        for path in files(channel, facet)
    ]


def raw_of(path: Path) -> Raw:
    return json.loads(path.read_text())


def twice(pure: Callable[[Raw], Any], raw: Raw) -> Any:
    """What a pure function answers: the same the second time, and its input as it was."""
    before = copy.deepcopy(raw)
    told = pure(raw)
    assert raw == before, "it changed its input: copy before you change"
    assert pure(raw) == told, "it answered otherwise the second time: a pure function has no memory"
    return told


def knock_of(told: Raw) -> Knock:
    """The request of a notice payload: `{headers, body, secret, url}`."""
    headers = {name.lower(): value for name, value in told["headers"].items()}
    return Knock(headers=headers, body=told["body"].encode(), url=told.get("url", ""))


def reply_of(told: Raw) -> Reply:
    """The answer of a stock payload: `{request, status, headers, body}`; a text body stands as it came."""
    body = told["body"] if isinstance(told["body"], str) else json.dumps(told["body"])
    headers = {name.lower(): value for name, value in told["headers"].items()}
    return Reply(status=told["status"], headers=headers, body=body.encode())


def writes_asked(channel: str, request: Raw) -> list[StockWrite]:
    """The writes that a recorded stock request asks for, by the channel's own inverse of `render`."""
    asked = sink_of(channel).asked
    assert asked, (
        f"adapters/{channel}/__init__.py: StockSink has no `asked`: write `render` backwards, so that recorded answers "
        f"can be read without their writes"
    )
    told = Request(
        method=request["method"],
        path=request["path"],
        json=request.get("json"),
        headers=request.get("headers") or {},
    )
    return asked(told)


def write_of(listing: Listing, quantity: int = 7) -> StockWrite:
    """A write to the slot of a listing."""
    return StockWrite(
        slot_ref=listing.slot_ref,
        location_ref=listing.location_ref,
        listing_ref=listing.ref,
        variation_ref=listing.variation_ref,
        quantity=quantity,
        version=listing.version,
        expected=listing.stock_quantity,
    )


def known_slots(channel: str) -> list[StockWrite]:
    """One write for each slot of the seller's own that the listing payloads tell; slots look as the vendor's do."""
    source = adapters.get(channel).listings
    assert source, f"{channel} takes stock and lists nothing: what a write addresses comes out of listings"
    told = [listing for path in files(channel, "listings") for listing in source.parse(raw_of(path))]
    mine = [listing for listing in told if listing.managed_by is ManagedBy.SELLER]
    slots = {(listing.slot_ref, listing.location_ref): write_of(listing) for listing in mine}
    assert slots, f"no file of tests/adapters/{channel}/listing tells a listing that the seller manages"
    return list(slots.values())


def sink_of(channel: str) -> StockSink:
    sink = adapters.get(channel).stock
    assert sink
    return sink

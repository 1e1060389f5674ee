"""What every listing document becomes."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

import adapters
from hub import normalize
from hub.contract import ListingSource
from tests.contract.conftest import canonical
from tests.contract.payloads import cases, channels, files, raw_of, twice

EVERY = pytest.mark.parametrize(("channel", "path"), cases("listings"))


def source_of(channel: str) -> ListingSource:
    source = adapters.get(channel).listings
    assert source
    return source


@EVERY
def test_is_read_as_when_last_looked_at(channel: str, path: Path, snapshot: SnapshotAssertion):
    told = twice(lambda raw: normalize.listing(adapters.get(channel), raw), raw_of(path))
    assert told == snapshot
    found = twice(source_of(channel).parse, raw_of(path))
    assert told == {"listings": [canonical(listing) for listing in found]}


@EVERY
def test_holds_to_the_rules(channel: str, path: Path):
    found = source_of(channel).parse(raw_of(path))
    named = [(listing.ref, listing.variation_ref, listing.location_ref) for listing in found]
    assert len(named) == len(set(named)), "one listing per sellable variation (and location)"
    for listing in found:
        assert listing.slot_ref.strip(), "slot_ref is what a stock write addresses"
        for told in (listing.ref, listing.variation_ref, listing.slot_ref, listing.location_ref):
            assert told not in ("", "0"), "no id is null"
        for words in (listing.sku, listing.gtin, listing.title, listing.url, listing.version):
            assert words is None or words.strip(), "not told is null, never an empty string"
        assert listing.quantity is None or listing.quantity >= 0, "a buyer cannot buy fewer than none"
        assert listing.price_cents is None or listing.price_cents >= 0
        assert listing.gtin is None or listing.gtin.isalnum()
        assert listing.url is None or listing.url.startswith("http")


@pytest.mark.parametrize("channel", channels("listings"))
def test_some_payload_tells_a_number(channel: str):
    """The drift audit lives from the channel's own number."""
    told = [one for path in files(channel, "listings") for one in source_of(channel).parse(raw_of(path))]
    assert any(listing.stock_quantity is not None for listing in told)
    assert any(listing.quantity == 0 for listing in told), "add a listing that is sold out"

"""What every carrier's quotes become."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

import adapters
from hub.contract import FreightSource
from tests.contract.conftest import canonical
from tests.contract.payloads import cases, raw_of, twice

EVERY = pytest.mark.parametrize(("channel", "path"), cases("freight"))
NO_SERVICE = "99999"


def source_of(channel: str) -> FreightSource:
    source = adapters.get(channel).freight
    assert source
    return source


@EVERY
def test_is_read_as_when_last_looked_at(channel: str, path: Path, snapshot: SnapshotAssertion):
    found = twice(lambda raw: source_of(channel).read_quotes([raw], ()), raw_of(path))
    assert {"quotes": [canonical(quote) for quote in found]} == snapshot


@EVERY
def test_one_quote_per_service_asked_in_order(channel: str, path: Path):
    source, raws = source_of(channel), [raw_of(path)]
    services = [quote.service for quote in source.read_quotes(raws, ())]
    assert len(services) == len(set(services))
    asked = [*reversed(services), NO_SERVICE]
    found = source.read_quotes(raws, asked)
    assert [quote.service for quote in found] == asked
    assert found[-1].error, "a service that nobody answered for has an error"


@EVERY
def test_a_quote_is_a_price_or_a_reason(channel: str, path: Path):
    for quote in source_of(channel).read_quotes([raw_of(path)], ()):
        assert quote.error or quote.price_cents is not None, "no price, and no reason either"
        assert quote.price_cents is None or quote.price_cents > 0
        assert quote.days is None or quote.days >= 0
        assert not quote.error or (quote.error.code.strip() and quote.error.message.strip())

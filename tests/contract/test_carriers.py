"""Parcels in a sandbox are followed, quoted, bought and cancelled."""

import pytest

import adapters
from hub.contract import json_of
from hub.model import (
    TrackingStatus,
)
from tests.contract.deeds import (
    PARCEL,
    posting,
    services,
)
from tests.contract.payloads import channels
from tests.contract.shops import opened

EVERY = pytest.mark.parametrize("channel", adapters.names())
STORES = pytest.mark.parametrize("channel", channels("orders"))
LISTED = pytest.mark.parametrize("channel", channels("listings"))
STOCKED = pytest.mark.parametrize("channel", channels("orders", "listings", "stock"))


@pytest.mark.parametrize("channel", channels("tracking"))
async def test_parcels_are_followed_to_their_end(channel: str):
    async with opened(channel) as shop:
        api, source = await shop.api(), shop.adapter.tracking
        assert source
        codes = [str((await shop.sandbox.act("post", {}))["code"]) for _ in range(min(source.batch, 5))]
        asked = [*reversed(codes), "AA000000005BR"][-max(source.batch, 1) :]
        first = source.parse(await source.fetch(api, asked), asked)
        assert [one.code for one in first] == asked
        assert first[-1].error, "a code that was never posted has an error, and is asked again"
        for _ in range(20):
            for code in codes:
                await shop.sandbox.act("advance", {"code": code})
        last = source.parse(await source.fetch(api, asked), asked)
        over = {TrackingStatus.DELIVERED, TrackingStatus.RETURNED, TrackingStatus.LOST}
        for before, after in zip(first[:-1], last[:-1], strict=True):
            assert after.status in over
            assert len(after.events) > len(before.events)
            assert set(before.events) <= {event.model_copy(update={"revoked": False}) for event in after.events}


@pytest.mark.parametrize("channel", channels("freight"))
async def test_freight_is_quoted_bought_labelled_and_cancelled(channel: str):
    async with opened(channel) as shop:
        api, source = await shop.api(), shop.adapter.freight
        assert source
        asked = services(channel)
        quotes = source.read_quotes(await source.quote(api, PARCEL, asked), asked)
        assert [quote.service for quote in quotes] == asked
        priced = [quote for quote in quotes if quote.price_cents]
        assert priced, "no service has a price"
        bought = await api.call(source.order(api, posting(priced[0].service)))
        purchase = source.read_purchase(json_of(bought))
        assert purchase.ref
        assert purchase.service == priced[0].service
        receipt = await source.ask_label(api, [purchase.ref])
        label: bytes | None = None
        for _ in range(10):
            label = await source.label(api, receipt)
            if label:
                break
        assert label
        assert label.startswith(b"%PDF")
        if source.cancel:
            await api.call(source.cancel(purchase.ref))

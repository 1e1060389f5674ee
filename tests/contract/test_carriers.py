"""Parcels in a sandbox are followed, quoted, bought and cancelled."""

import pytest

import adapters
from hub import tracking
from hub.contract import Api, TrackingSource, json_of
from hub.model import TrackedObject, TrackingEvent, TrackingStatus
from hub.sandbox import Sandbox
from tests.contract.deeds import (
    PARCEL,
    posting,
    services,
)
from tests.contract.payloads import channels
from tests.contract.shops import opened

OVER = {TrackingStatus.DELIVERED, TrackingStatus.RETURNED, TrackingStatus.LOST}
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
        if source.fetch is None:
            await followed_by_feed(shop.sandbox, api, source, codes)
            return
        first = source.parse(await source.fetch(api, asked), asked)
        assert [one.code for one in first] == asked
        assert first[-1].error, "a code that was never posted has an error, and is asked again"
        for _ in range(20):
            for code in codes:
                await shop.sandbox.act("advance", {"code": code})
        last = source.parse(await source.fetch(api, asked), asked)
        for before, after in zip(first[:-1], last[:-1], strict=True):
            assert after.status in OVER
            assert len(after.events) > len(before.events)
            assert set(before.events) <= {event.model_copy(update={"revoked": False}) for event in after.events}


async def followed_by_feed(sandbox: Sandbox, api: Api, source: TrackingSource, codes: list[str]) -> None:
    """A carrier that tells what is new: what its pages tell adds up to each parcel's end, and nothing is told twice."""
    assert source.feed, "a carrier answers for codes, or has a feed"
    cursor, told = None, dict.fromkeys(codes, tuple[TrackingEvent, ...]())
    for _ in range(21):
        more = True
        while more:
            page = await source.feed(api, cursor)
            objects: list[TrackedObject] = [one for raw in page.documents for one in source.parse(raw, ())]
            for one in objects:
                told[one.code] = tracking.merge_events(told.get(one.code, ()), one.events)
            cursor, more = page.cursor, page.more
        for code in codes:
            await sandbox.act("advance", {"code": code})
    assert {tracking.settle(told[code])[1] for code in codes} <= OVER


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
        if source.settle:
            once = await source.settle(api, purchase)
            assert await source.settle(api, once) == once, "done again it does no more"
            assert once.ref == purchase.ref
        assert purchase.service in (None, priced[0].service)
        if source.settle:
            purchase = await source.settle(api, purchase)
            assert await source.settle(api, purchase) == purchase, "settling again changes nothing"
        assert bool(source.ask_label) is bool(source.label), "a label is asked for and fetched, or neither"
        if source.ask_label and source.label:
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

"""What stands on a sandbox's shelf is listed, written and looked at; and what left it is told."""

import pytest

import adapters
from hub.faults import ChannelError, Fault
from hub.model import (
    Fulfilment,
    ListingStatus,
    ManagedBy,
    News,
    OutcomeKind,
    Reply,
    ShipmentNews,
)
from tests.contract.deeds import (
    a_listing,
    addressed,
    listings_of,
    order_of,
    written,
)
from tests.contract.payloads import channels, write_of
from tests.contract.shops import PRODUCTS, failure, opened

EVERY = pytest.mark.parametrize("channel", adapters.names())
STORES = pytest.mark.parametrize("channel", channels("orders"))
LISTED = pytest.mark.parametrize("channel", channels("listings"))
STOCKED = pytest.mark.parametrize("channel", channels("orders", "listings", "stock"))


@LISTED
async def test_every_product_is_listed_with_its_number(channel: str):
    async with opened(channel) as shop:
        found = {listing.sku: listing for listing in await listings_of(shop, await shop.api()) if listing.sku}
        assert set(found) == {product.sku for product in PRODUCTS}
        assert {sku: found[sku].quantity for sku in found} == shop.sandbox.shelf()
        for product in PRODUCTS:
            listing = found[product.sku]
            assert listing.stock_quantity == product.quantity
            assert listing.price_cents in (None, product.price_cents)  # some tell prices elsewhere
            assert listing.managed_by is ManagedBy.SELLER
            assert listing.status is ListingStatus.ACTIVE
            assert listing.gtin == product.gtin
        slots = {(listing.slot_ref, listing.location_ref) for listing in found.values()}
        assert len(slots) == len(PRODUCTS)


@LISTED
async def test_one_listing_is_fetched_by_its_ref(channel: str):
    async with opened(channel) as shop:
        api, source = await shop.api(), shop.adapter.listings
        assert source
        for sku in ("SKU-007", "CAM-M"):
            known = await a_listing(shop, api, sku)
            assert known in source.parse(await source.fetch(api, known.ref))
        gone = await failure(source.fetch(api, "999999999"))
        assert gone.fault is Fault.MISSING


# ── Stock ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@STOCKED
@pytest.mark.parametrize("quantity", [0, 1, 7421])
async def test_a_written_number_is_what_buyers_see(channel: str, quantity: int):
    async with opened(channel) as shop:
        api, sink = await shop.api(), shop.adapter.stock
        assert sink
        before = shop.sandbox.shelf()
        writes = [write_of(await a_listing(shop, api, sku), quantity) for sku in ("SKU-008", "CAM-G", "SKU-009")]
        found = await written(shop, api, writes)
        assert [one.outcome for one in found] == [OutcomeKind.ACCEPTED] * 3
        assert {one.seen for one in found} <= {None, quantity}
        looked = await sink.look(api, writes)
        assert [seen.stock_quantity if seen else None for seen in looked] == [quantity] * 3
        assert [seen.slot_ref if seen else None for seen in looked] == [write.slot_ref for write in writes]
        assert shop.sandbox.shelf() == before | dict.fromkeys(("SKU-008", "CAM-G", "SKU-009"), quantity)


@STOCKED
async def test_looking_answers_in_the_order_asked(channel: str):
    async with opened(channel) as shop:
        api, sink = await shop.api(), shop.adapter.stock
        assert sink
        known = {listing.sku: listing for listing in await listings_of(shop, api)}
        skus = [f"SKU-{n:03}" for n in range(119, -1, -1)]
        looked = await sink.look(api, [write_of(known[sku]) for sku in skus])
        assert [seen.slot_ref if seen else None for seen in looked] == [known[sku].slot_ref for sku in skus]
        assert {seen.sku for seen in looked if seen} <= {None, *skus}


@STOCKED
async def test_a_slot_that_is_gone_takes_no_other_with_it(channel: str):
    async with opened(channel) as shop:
        api, sink = await shop.api(), shop.adapter.stock
        assert sink
        good = write_of(await a_listing(shop, api, "SKU-010"), 5)
        gone = good.model_copy(update={name: moved(getattr(good, name)) for name in ("slot_ref", "listing_ref")})
        assert [bool(seen) for seen in await sink.look(api, [gone, good])] == [False, True]
        told: dict[str, Fault | OutcomeKind] = {}
        both = [gone, await addressed(shop, api, good)]
        sent = [sink.render([write]) for write in both] if sink.atomic else [sink.render(both)]
        if sink.atomic:  # refused as a whole, so that the engine sends its rows one by one
            assert (await failure(api.call(sink.render(both)[0][0]))).fault in (Fault.MISSING, Fault.REJECTED)
        for request, covered in (pair for rendered in sent for pair in rendered):
            try:
                told |= {one.slot_ref: one.outcome for one in sink.read(covered, await api.call(request))}
            except ChannelError as problem:
                told |= dict.fromkeys((write.slot_ref for write in covered), problem.fault)
        taken = (OutcomeKind.ACCEPTED, OutcomeKind.PENDING) if sink.ask else (OutcomeKind.ACCEPTED,)
        assert told[good.slot_ref] in taken, "one bad slot must not cost a whole batch"
        assert told[gone.slot_ref] in (OutcomeKind.FAULT, Fault.MISSING, Fault.REJECTED)
        assert shop.sandbox.shelf()["SKU-010"] == 5


def moved(ref: str) -> str:
    """An id that is nowhere: its last number made of nines."""
    bare = ref.rstrip("0123456789")
    return bare + "9" * (len(ref) - len(bare) + 3)


# ── Shipments ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("channel", channels("orders", "shipments"))
async def test_a_dispatch_is_told_where_it_can_be(channel: str):
    """The targets are tried in order, a MISSING one is not there; what was told shows in the order."""
    async with opened(channel) as shop:
        api, sink = await shop.api(), shop.adapter.shipments
        assert sink
        ref = await shop.buy("SKU-011")
        order = await order_of(shop, api, ref)
        parcel = order.shipments[0] if order.shipments else None
        news = ShipmentNews(
            news=News.DISPATCHED,
            order_ref=ref,
            shipment_ref=parcel.ref if parcel else None,
            service=parcel.service if parcel else None,
            carrier="Correios",
            tracking_code="AA123456785BR",
            at=shop.clock.now(),
        )
        if sink.prepare:
            news = news.model_copy(update={"there": await sink.prepare(api, news)})
        told: dict[str, list[Reply] | Fault] = {}
        for target in sink.targets:
            try:
                told[target] = [await api.call(request) for request in sink.render(news, target)]
                break
            except ChannelError as problem:
                told[target] = problem.fault
        *absent, taken = told.values()
        assert all(fault is Fault.MISSING for fault in absent), told
        assert isinstance(taken, list), f"no target took it: {told}"
        after = await order_of(shop, api, ref)
        assert after.fulfilment is (Fulfilment.DISPATCHED if taken else Fulfilment.NONE)

"""What buyers do in a sandbox is told: by fetching, by polling and by webhook."""

import pytest

import adapters
from hub.faults import Fault
from hub.model import (
    Fulfilment,
    Notice,
    Payment,
    Status,
    Topic,
)
from hub.parse import digest
from tests.contract.deeds import (
    MOST_PAGES,
    a_listing,
    order_of,
)
from tests.contract.payloads import channels
from tests.contract.shops import Shop, failure, opened

EVERY = pytest.mark.parametrize("channel", adapters.names())
STORES = pytest.mark.parametrize("channel", channels("orders"))
LISTED = pytest.mark.parametrize("channel", channels("listings"))
STOCKED = pytest.mark.parametrize("channel", channels("orders", "listings", "stock"))


@STORES
async def test_a_sale_is_told_and_leaves_the_shelf(channel: str):
    async with opened(channel) as shop:
        api, before = await shop.api(), shop.sandbox.shelf()
        ref = await shop.buy("SKU-001", 3)
        order = await order_of(shop, api, ref)
        assert order.ref == ref
        assert (order.payment, order.fulfilment, order.status) == (Payment.PAID, Fulfilment.NONE, Status.PAID)
        ((sku, quantity),) = [(line.sku, line.quantity) for line in order.lines]
        assert (sku, quantity) == ("SKU-001", 3)
        assert order.lines[0].total_cents == 3 * 1991
        assert order.total_cents == 3 * 1991 + (order.shipping_cents or 0)
        assert shop.sandbox.shelf() == before | {"SKU-001": before["SKU-001"] - 3}
        assert ref in shop.sandbox.orders()
        if shop.adapter.listings:
            sold = await a_listing(shop, api, "SKU-001")
            assert (order.lines[0].listing_ref, order.lines[0].variation_ref) == (sold.ref, sold.variation_ref)
            assert sold.quantity == before["SKU-001"] - 3


@STORES
async def test_a_variation_is_sold_by_its_own_id(channel: str):
    async with opened(channel) as shop:
        api = await shop.api()
        order = await order_of(shop, api, await shop.buy("CAM-M"))
        known = await a_listing(shop, api, "CAM-M")
        assert [(line.sku, line.listing_ref, line.variation_ref) for line in order.lines] == [
            ("CAM-M", known.ref, known.variation_ref)
        ]


@STORES
async def test_nothing_is_sold_twice(channel: str):
    async with opened(channel) as shop:
        held = shop.sandbox.shelf()["SKU-002"]
        await shop.buy("SKU-002", held)
        with pytest.raises(LookupError, match="sold_out"):
            await shop.buy("SKU-002")
        assert shop.sandbox.shelf()["SKU-002"] == 0


@STORES
async def test_an_unpaid_order_waits_and_is_paid(channel: str):
    async with opened(channel) as shop:
        api = await shop.api()
        ref = await shop.buy("SKU-003", pay=False)
        waiting = await order_of(shop, api, ref)
        assert waiting.status is Status.PLACED
        assert waiting.payment in (Payment.PENDING, Payment.AUTHORIZED)
        await shop.sandbox.act("pay", {"order_ref": ref})
        paid = await order_of(shop, api, ref)
        assert paid.payment is Payment.PAID
        before, after = waiting.clocks["order"], paid.clocks["order"]
        assert before is None or after is None or after >= before, "a change moves the channel's clock on"


@STORES
async def test_a_cancelled_order_gives_back_as_this_vendor_does(channel: str):
    async with opened(channel) as shop:
        api, before = await shop.api(), shop.sandbox.shelf()["SKU-004"]
        ref = await shop.buy("SKU-004", 2)
        await shop.sandbox.act("cancel", {"order_ref": ref})
        order = await order_of(shop, api, ref)
        assert order.status is Status.CANCELLED
        assert [line.cancelled_quantity for line in order.lines] == [2]
        after = shop.sandbox.shelf()["SKU-004"]
        assert after in (before, before - 2)
        if shop.adapter.listings:
            assert (await a_listing(shop, api, "SKU-004")).quantity == after


@STORES
@pytest.mark.parametrize("deeds", ["", "pay", "cancel", "pay cancel"])
async def test_takes_stock_says_what_the_shelf_shows(channel: str, deeds: str):
    """The hub reckons what a channel shows from this; None means: read it back."""
    async with opened(channel) as shop:
        api, source, before = await shop.api(), shop.adapter.orders, shop.sandbox.shelf()["SKU-012"]
        assert source
        ref = await shop.buy("SKU-012", 2, pay=False)
        for verb in deeds.split():
            await shop.sandbox.act(verb, {"order_ref": ref})
        taken = source.takes_stock(await order_of(shop, api, ref))
        if taken is not None:
            assert shop.sandbox.shelf()["SKU-012"] == before - 2 * taken


@STORES
async def test_an_order_that_never_was_is_missing(channel: str):
    async with opened(channel) as shop:
        api, source = await shop.api(), shop.adapter.orders
        assert source
        assert (await failure(source.fetch(api, "999999999999"))).fault is Fault.MISSING


@STORES
async def test_a_poll_loses_no_order_however_pages_drift(channel: str):
    """Orders come and change between two pages: each is told again after its last change."""
    async with opened(channel) as shop:
        api, source = await shop.api(), shop.adapter.orders
        assert source
        ticks, changed, told = 0, dict[str, int](), dict[str, int]()
        cursor: str | None = None

        async def page() -> bool:
            nonlocal cursor, ticks
            ticks += 1
            found = await source.since(api, cursor)
            for ref in (*found.refs, *(source.parse(document).ref for document in found.documents)):
                told[ref] = ticks
            cursor = found.cursor
            return found.more

        async def act(verb: str, ref: str | None = None) -> None:
            nonlocal ticks
            ticks += 1
            if ref is None:
                ref = await shop.buy(f"SKU-{len(changed) % 130:03}")
            else:
                await shop.sandbox.act(verb, {"order_ref": ref})
            changed[ref] = ticks

        for _ in range(5):
            await act("buy")
        while await page():
            pass
        for _ in range(230):
            await act("buy")
        begun, pages = dict(changed), 0
        while await page():
            pages += 1
            assert pages < MOST_PAGES, "a poll has an end"
            if pages < 8:
                await act("buy")
                refs = list(changed)
                for ref in (*refs[5 * pages : 5 * pages + 4], refs[-4 * pages]):
                    await act("cancel", ref)
        unread = [ref for ref, at in begun.items() if changed[ref] == at > told.get(ref, 0)]
        assert not unread, f"{len(unread)} of {len(begun)} orders that nobody touched were not told by this poll"
        while await page():
            pass
        late = {ref: at for ref, at in changed.items() if told.get(ref, 0) < at}
        assert not late, f"{len(late)} of {len(changed)} orders were lost"
        assert set(changed) == set(shop.sandbox.orders())


@STORES
async def test_the_newest_orders_are_looked_at_in_one_request(channel: str):
    async with opened(channel) as shop:
        api, source = await shop.api(), shop.adapter.orders
        assert source
        if source.latest is None:
            return  # optional: its `since` stands in
        refs = [await shop.buy(f"SKU-{n:03}") for n in range(3)]
        found = await source.latest(api)
        told = [*found.refs, *(source.parse(document).ref for document in found.documents)]
        assert not found.more
        assert set(refs) <= set(told)


# ── Webhooks ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("channel", channels("orders", "webhook"))
async def test_a_webhook_is_true_and_names_the_order(channel: str):
    async with opened(channel) as shop:
        api = await shop.api()
        await shop.listen(api)
        ref = await shop.buy("SKU-005")
        await shop.quiet()
        told = [notice for notice in shop.notices() if notice.topic is Topic.ORDER]
        assert ref in {notice.ref for notice in told}
        assert shop.identity
        webhook, who = shop.adapter.webhook, {notice.account_ref for notice in told}
        assert webhook
        assert who <= ({shop.identity.external_id} if webhook.per == "app" else {shop.identity.external_id, None})
        for notice in told:
            if notice.raw is not None:  # fat: it is parsed as it stands
                source = shop.adapter.orders
                assert source
                assert source.parse(notice.raw).ref == notice.ref


@pytest.mark.parametrize("channel", channels("orders", "webhook"))
async def test_a_delivery_tried_again_has_the_same_key(channel: str):
    """What the vendor sends twice is one thing that happened; another change is another."""
    async with opened(channel) as shop:
        await shop.listen(await shop.api())
        shop.sandbox.knobs.turn({"webhook_duplicate": 1.0})
        ref = await shop.buy("SKU-006", pay=False)
        await shop.quiet()
        once = keys(shop, ref)
        bodies = [digest(knock.body) for knock in shop.ear.heard]
        assert len(bodies) > len(set(bodies)), "the sandbox sends each twice"
        await shop.sandbox.act("cancel", {"order_ref": ref})
        await shop.quiet()
        assert keys(shop, ref) > once, "a cancellation is news"


def keys(shop: Shop, ref: str) -> set[str]:
    return {notice.dedupe_key for notice in shop.notices() if notice.ref == ref}


@pytest.mark.parametrize("channel", [c for c in channels("webhook") if getattr(adapters.get(c).webhook, "subscribe")])  # noqa: B009
async def test_registration_may_be_repeated(channel: str):
    async with opened(channel) as shop:
        api = await shop.api()
        assert await shop.listen(api), "it says what it did"
        assert await shop.listen(api) == [], "and nothing when all was right"
        ear = shop.ear.url
        shop.ear.url = ear.replace("t0ken", "another")
        assert await shop.listen(api), "a callback that moved is put right"
        shop.ear.url = ear


@pytest.mark.parametrize("channel", [c for c in channels("webhook") if getattr(adapters.get(c).webhook, "missed")])  # noqa: B009
async def test_the_vendors_own_list_of_missed_notices_is_read(channel: str):
    async with opened(channel) as shop:
        missed = shop.adapter.webhook.missed if shop.adapter.webhook else None
        assert missed
        notices, cursor = await missed(await shop.api(), None)
        assert all(isinstance(notice, Notice) for notice in notices)
        assert cursor is None or isinstance(cursor, str)

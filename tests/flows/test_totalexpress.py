"""Total Express: parcels that its lots tell of, and those that it gives to Correios, come to their end."""

from tests.flows.test_shipments import note_parcel, parcel
from tests.flows.test_tracking import CANECA
from tests.world import Channel, World, world

CODES = "POST /ics-tracking-encomenda-lv/v1/tracking"
FEED = "POST /webservice24.php"


async def shipped(w: World, journey: str) -> tuple[Channel, str]:
    """An order that Total Express carries. Its feed may be asked as often as a test likes."""
    store = await w.connect("woocommerce", [CANECA], seed=1)
    carrier = await w.connect("totalexpress", seed=9, feed_seconds=0)
    await w.open_stock(CANECA=100)
    order = await store.buy("CANECA")
    await w.settle()
    code = str((await carrier.act("post", journey=journey))["code"])
    await note_parcel(w, store, carrier, order, code.upper())  # as people type it
    return carrier, code


async def listen(w: World) -> None:
    await w.hurry("feed")
    await w.settle()


async def test_what_the_lots_tell_needs_no_asking() -> None:
    async with world() as w:
        carrier, code = await shipped(w, "delivered")
        await listen(w)
        assert carrier.calls()[FEED] >= 8  # a week back, day by day, and today
        asked = carrier.calls()[CODES]
        for expected in ("label_created", "accepted", "in_transit"):
            await carrier.act("advance", code=code)
            await listen(w)
            assert (await parcel(w, code.upper()))[0] == expected
        await carrier.act("advance", code=code, steps=5)
        await listen(w)
        status, news = await parcel(w, code.upper())
        assert (status, news) == ("delivered", ["dispatched", "in_transit", "delivered"])
        assert carrier.calls()[CODES] == asked
        kept = await w.rows("SELECT DISTINCT zone FROM tracking_event")
        assert [row["zone"] for row in kept] == ["America/Sao_Paulo"]


async def test_a_parcel_given_to_correios_is_followed_there_by_the_code_in_its_words() -> None:
    async with world() as w:
        carrier, code = await shipped(w, "handed_over")
        posts = await w.connect("correios", seed=3)
        onward = vars(carrier.sandbox)["parcels"][code].post
        await posts.act("post", code=onward, journey="delivered")
        await carrier.act("advance", code=code, steps=5)  # 38 REDESPACHADO CORREIO
        await listen(w)
        row = await w.row("SELECT carrier_account_id, next_code FROM shipment WHERE tracking_code = %s", code.upper())
        assert (row["carrier_account_id"], row["next_code"]) == (posts.account.id, onward)
        carriers = await w.rows("SELECT DISTINCT carrier FROM tracking_event ORDER BY 1")
        assert [each["carrier"] for each in carriers] == ["correios", "totalexpress"]

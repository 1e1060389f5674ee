"""When an order holds stock: placed or paid by account, unpaid ones for a time, and what edits and cancels do to it."""

from datetime import timedelta
from typing import Any

from hub.model import FulfilledBy, Order, OrderLine, Payment, Status
from hub.sandbox import Product
from jobs import holds, ingest
from jobs.availability import Ripple
from jobs.kits import set_kit
from jobs.linking import link
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


async def events(w: World, ref: str, kind: str) -> list[dict[str, Any]]:
    rows = await w.rows(
        "SELECT e.params FROM order_event e JOIN orders o ON o.id = e.order_id WHERE o.ref = %s AND e.kind = %s "
        "ORDER BY e.at, e.id",
        ref,
        kind,
    )
    return [row["params"] for row in rows]


async def later(w: World, hours: float) -> None:
    """So many hours pass, for orders that wait for money."""
    by = timedelta(hours=hours)
    async with w.rt.db.seller(w.seller_id) as tx:
        await tx.run(
            """UPDATE orders SET hold_until = hold_until - %(by)s, placed_at = placed_at - %(by)s,
                 told = jsonb_set(told, '{placed_at}', to_jsonb((told->>'placed_at')::timestamptz - %(by)s))""",
            {"by": by},
        )


async def test_an_account_may_hold_from_placed_or_from_paid() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", [CANECA], name="Um", seed=1)
        two = await w.connect("woocommerce", [CANECA], name="Dois", seed=2)
        await w.open_stock(CANECA=10)
        await holds.set_holds(w.rt, two.account, since=Status.PAID)
        await one.buy("CANECA", 1, pay=False)
        waits = await two.buy("CANECA", 2, pay=False)
        await w.settle()
        assert await w.level("CANECA") == (10, 1)
        await two.act("pay", order_ref=waits)
        await w.settle()
        assert await w.level("CANECA") == (10, 3)

        late = await one.buy("CANECA", 4, pay=False)
        await w.settle()
        assert await w.level("CANECA") == (10, 7)
        since, _hours, looked = await holds.set_holds(w.rt, one.account, since=Status.PAID)
        assert (since, looked) == (Status.PAID, 2)  # what waits already is settled by it, too
        assert await w.level("CANECA") == (10, 2)
        await holds.set_holds(w.rt, one.account, default=True)
        assert await w.level("CANECA") == (10, 7)
        await one.act("cancel", order_ref=late)
        await w.settle()
        await w.kept(at_rest=False)
        assert await w.level("CANECA") == (10, 3)


async def test_an_unpaid_hold_ends_and_a_late_payment_takes_units_again_or_is_short() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], name="Um", seed=1)
        other = await w.connect("woocommerce", [CANECA], name="Dois", seed=2)
        await w.open_stock(CANECA=10)
        await holds.set_holds(w.rt, store.account, hours=48)
        first, second = await store.buy("CANECA", 4, pay=False), await store.buy("CANECA", 4, pay=False)
        paid = await store.buy("CANECA", 1)
        await w.settle()
        assert await w.level("CANECA") == (10, 9)
        await later(w, 47)
        assert await holds.lapse(w.rt) == 0
        await later(w, 2)
        assert await holds.lapse(w.rt) == 2
        assert await holds.lapse(w.rt) == 0
        assert await w.level("CANECA") == (10, 1)
        for ref in (first, second):
            assert (await w.order(ref))["status"] == "placed"
            assert await events(w, ref, "hold_expired") == [{"units": 4}]
        assert await events(w, paid, "hold_expired") == []
        await w.settle()
        assert other.shelf()["CANECA"] == 9

        await store.act("pay", order_ref=first)
        await w.settle()
        assert await w.level("CANECA") == (10, 5)
        await w.count(CANECA=7)
        await store.act("pay", order_ref=second)
        await w.settle()
        assert await w.short() == {second: 2}
        assert "shortage" in await w.alerts()
        await w.kept(at_rest=False)


async def tell(w: World, channel: Channel, order: Order, seq: int) -> None:
    """A channel tells an order, as ingest writes it; for edits that no sandbox's shop can make."""
    from hub import orders as decide
    from hub.store import orders

    async with w.rt.db.seller(w.seller_id) as tx:
        key = await ingest.stock_key(tx, channel.account, w.rt.adapter(channel.account.channel).kind, order)
        stored = await orders.lock(tx, channel.account.id, order.ref) or await orders.add(
            tx, channel.account.id, order.ref, key
        )
        before = stored.known if stored.known and stored.known.versions else None
        known = decide.merge(before, order, seq, {})
        await ingest.apply(w.rt, tx, channel.account, stored, before, known, None, w.rt.now(), Ripple())


async def test_edits_up_and_down_partial_cancels_and_tombstones_reach_every_component_of_kits_and_packs() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        await set_kit(w.rt, w.seller_id, "JOGO", {"XICARA": 2, "PIRES": 1}, create=True)
        (listing,) = await w.rows("SELECT id, ref FROM listing")
        await link(w.rt, w.seller_id, listing["id"], "JOGO", 3)
        await w.open_stock(XICARA=60, PIRES=30)
        start = w.rt.now()

        def told(quantity: int, seconds: int, cancelled: int = 0, gone: int = 0, *, whole: bool = False) -> Order:
            line = OrderLine(
                ref="1", listing_ref=listing["ref"], sku="CANECA", title="Caneca", total_cents=None, quantity=quantity,
                cancelled_quantity=cancelled, dispatched_quantity=gone,
            )  # fmt: skip
            at = start + timedelta(seconds=seconds)
            return Order(
                ref="77", lines=(line,), payment=Payment.PAID, fulfilled_by=FulfilledBy.SELLER, changed_at=at,
                cancelled=whole,
            )  # fmt: skip

        async def held(pieces: int) -> None:
            assert await w.level("XICARA") == (60, 2 * pieces)
            assert await w.level("PIRES") == (30, pieces)
            await w.kept(at_rest=False)

        await tell(w, store, told(2, 0), 1)
        await held(6)
        await tell(w, store, told(4, 1), 2)  # edited up
        await held(12)
        await tell(w, store, told(1, 2), 3)  # edited down
        await held(3)
        await tell(w, store, told(4, 3, 2), 4)  # two of four are cancelled
        await held(6)
        await tell(w, store, told(2, 1), 2)  # an older telling comes late
        await held(6)
        await tell(w, store, told(4, 4, 2, 1), 5)  # one of the other two has left
        assert await w.level("XICARA") == (54, 6)
        await tell(w, store, told(4, 5, 4, 1, whole=True), 6)
        assert await w.level("XICARA") == (54, 0)
        assert await w.level("PIRES") == (27, 0)
        await w.kept(at_rest=False)

        gone = told(2, 10).model_copy(update={"ref": "88"})
        await tell(w, store, Order(ref="88", cancelled=True, changed_at=w.rt.now() + timedelta(seconds=20)), 9)
        await tell(w, store, gone, 8)  # told after its own cancellation
        assert (await w.order("88"))["status"] == "cancelled"
        assert await w.level("XICARA") == (54, 0)
        await w.kept(at_rest=False)

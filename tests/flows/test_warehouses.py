"""Warehouses as a seller arranges them, transfers between them, and where each order leaves from."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from hub.allocation import Area
from hub.model import Address, FulfilledBy, Order, OrderLine, Payment, Shipment, Status
from hub.orders import Known
from hub.sandbox import Product
from hub.store import Tx, ledger, orders
from hub.store import transfers as plans
from hub.store import warehouses as store
from jobs import allocations, counts, transfers, warehouses
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.settle import settle_order
from tests.world import Channel, World, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=0, price_cents=3990)
PRATO = Product(sku="PRATO", title="Prato fundo", quantity=0, price_cents=2990)


async def places(w: World, **more: str) -> None:
    """The principal, and a second and third one behind it."""
    async with w.rt.db.seller(w.seller_id) as tx:
        await store.warehouse_add(tx, "filial", "Filial", rank=20)
        await store.warehouse_add(tx, "avaria", "Avarias", rank=30, kind="damaged")
        for code, kind in more.items():
            await store.warehouse_add(tx, code, code, rank=40, kind=kind)


async def put(w: World, where: str, **units: int) -> None:
    await counts.set_stock(w.rt, w.seller_id, list(units.items()), warehouse=where, create=True)


async def levels(w: World, sku: str) -> dict[str, tuple[int, int]]:
    rows = await w.rows(
        """SELECT h.code, l.on_hand, l.reserved FROM stock_level l JOIN sku k ON k.id = l.sku_id
           JOIN warehouse h ON h.id = l.warehouse_id WHERE k.code = %s AND (l.on_hand <> 0 OR l.reserved <> 0)""",
        sku,
    )
    return {row["code"]: (row["on_hand"], row["reserved"]) for row in rows}


async def held(w: World, ref: str) -> dict[tuple[str, str], int]:
    rows = await w.rows(
        """SELECT k.code AS sku, h.code, r.quantity FROM reservation r JOIN sku k ON k.id = r.sku_id
           JOIN warehouse h ON h.id = r.warehouse_id JOIN orders o ON o.id = r.order_id WHERE o.ref = %s""",
        ref,
    )
    return {(row["sku"], row["code"]): row["quantity"] for row in rows}


async def order_id(w: World, ref: str):
    return (await w.order(ref))["id"]


async def buy(channel: Channel, lines: Mapping[str, int], **more: object) -> str:
    made = await channel.act("buy", lines=[{"sku": sku, "quantity": n} for sku, n in lines.items()], **more)
    return str(made["order_ref"])


# ── where an order leaves from ─────────────────────────────────────────────────────────────────────────────────


async def test_an_order_leaves_whole_from_a_warehouse_that_has_all_of_it() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=9, PRATO=1)
        await put(w, "filial", CANECA=2, PRATO=2)
        shop = await w.connect("woocommerce", [CANECA, PRATO])
        await w.at_rest(CANECA=11, PRATO=3)

        ref = await buy(shop, {"CANECA": 2, "PRATO": 2})
        await w.at_rest(CANECA=9, PRATO=1)
        assert await held(w, ref) == {("CANECA", "filial"): 2, ("PRATO", "filial"): 2}

        found = await allocations.preview(w.rt, w.seller_id, await order_id(w, ref))
        assert not found.short
        assert "tem tudo" in found.explain()[1]


async def test_what_is_damaged_or_a_marketplaces_is_shown_and_never_for_sale() -> None:
    async with world() as w:
        await places(w, full="marketplace")
        for where in ("principal", "avaria", "full"):
            await put(w, where, CANECA=5)
        shop, market = await w.connect("woocommerce", [CANECA]), await w.connect("mercadolivre", [CANECA])
        await w.at_rest(CANECA=5)
        await shop.buy("CANECA", 5)
        await market.buy("CANECA", 2)
        await w.at_rest(CANECA=0)
        assert sum((await w.short()).values()) == 2
        assert await levels(w, "CANECA") == {"principal": (5, 5), "avaria": (5, 0), "full": (5, 0)}


async def test_a_destination_may_prefer_another_warehouse() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=9)
        await put(w, "filial", CANECA=9)
        shop = await w.connect("woocommerce", [CANECA])
        first = await shop.buy("CANECA")
        await w.settle()
        address = (await w.order(first))["told"]["ship_to"]
        await warehouses.cover(w.rt, w.seller_id, "filial", [Area(rank=1, state=address["state"])])
        second = await shop.buy("CANECA")
        await w.settle()
        assert await held(w, first) == {("CANECA", "principal"): 1}  # what stands is kept
        assert await held(w, second) == {("CANECA", "filial"): 1}


async def told(w: World, channel: Channel, before: Order | None, **facts: Any) -> Order:
    """An order of two cups as the channel tells it, settled."""
    async with w.rt.db.seller(w.seller_id) as tx:
        return await settled(w, tx, channel, before, "CANECA", **facts)


async def written(
    tx: Tx, channel: Channel, sku: str, **facts: Any
) -> tuple[orders.Stored, Order, dict[str, tuple[UUID, int]]]:
    """The order and its line, as a channel tells them."""
    line = OrderLine(ref="1", listing_ref=None, sku=sku, title="Caneca", quantity=2, total_cents=7980)
    after = Order(ref="77", payment=Payment.PAID, fulfilled_by=FulfilledBy.SELLER, lines=(line,), **facts)
    stored = await orders.lock(tx, channel.account.id, "77") or await orders.add(
        tx, channel.account.id, "77", f"{channel.account.id}:77"
    )
    links = await orders.links(tx, channel.account.id, after)
    await orders.put_lines(tx, stored.id, after, links)
    await orders.put(tx, stored.id, Known(after, {}))
    return stored, after, links


async def settled(w: World, tx: Tx, channel: Channel, before: Order | None, sku: str, **facts: Any) -> Order:
    """The same, and what it does to stock."""
    stored, after, links = await written(tx, channel, sku, **facts)
    now = w.rt.now()
    await settle_order(tx, stored, before, after, links, hold_from=Status.PAID, now=now, since=now, ripple=Ripple())
    return after


@pytest.mark.parametrize(
    ("hindrance", "leaves"),
    [
        (None, "filial"),
        ("no room", "principal"),  # as much as it holds must be had there
        ("parcel", "principal"),  # it may lie on a packing table
        ("by hand", "terceiro"),
    ],
)
async def test_an_address_that_comes_late_places_the_order_anew_before_anything_is_done(hindrance, leaves) -> None:
    async with world() as w:
        await places(w, terceiro="own")
        await put(w, "principal", CANECA=5)
        await put(w, "filial", CANECA=1 if hindrance == "no room" else 5)
        await put(w, "terceiro", CANECA=2)
        await warehouses.cover(w.rt, w.seller_id, "filial", [Area(rank=1, state="PE")])
        await warehouses.split(w.rt, w.seller_id, "order")
        shop = await w.connect("woocommerce", [CANECA])
        known = await told(w, shop, None)
        assert await held(w, "77") == {("CANECA", "principal"): 2}
        if hindrance == "by hand":
            await allocations.place(w.rt, w.seller_id, await order_id(w, "77"), "terceiro")
        parcels = (Shipment(ref="p1"),) if hindrance == "parcel" else ()
        address = Address(street="Rua da Aurora", postal_code="50050000", city="Recife", state="PE")
        known = await told(w, shop, known, ship_to=address, shipments=parcels)
        assert await held(w, "77") == {("CANECA", leaves): 2}
        await told(w, shop, known, ship_to=address.model_copy(update={"state": "SP"}), shipments=parcels)
        assert await held(w, "77") == {("CANECA", leaves): 2}
        assert await w.short() == {}


async def test_an_order_is_placed_by_hand_where_all_of_it_is_free() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=5)
        await put(w, "filial", CANECA=2)
        shop = await w.connect("woocommerce", [CANECA])
        ref = await shop.buy("CANECA", 2)
        other = await shop.buy("CANECA", 1)
        await w.settle()
        assert await allocations.place(w.rt, w.seller_id, await order_id(w, ref), "filial") == 2
        assert await held(w, ref) == {("CANECA", "filial"): 2}
        assert await levels(w, "CANECA") == {"principal": (5, 1), "filial": (2, 2)}
        with pytest.raises(Refused, match=r"filial has not enough free: CANECA \(1 needed, 0 free\)"):
            await allocations.place(w.rt, w.seller_id, await order_id(w, other), "filial")
        with pytest.raises(Refused, match="damaged warehouse: sales do not leave from it"):
            await allocations.place(w.rt, w.seller_id, await order_id(w, other), "avaria")
        assert len(await w.rows("SELECT * FROM order_event WHERE kind = 'allocated'")) == 1
        await w.at_rest(CANECA=4)


async def test_a_sale_that_is_never_split_shows_and_takes_what_one_warehouse_has() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=3)
        await put(w, "filial", CANECA=5)
        shop = await w.connect("woocommerce", [CANECA])
        await w.at_rest(CANECA=8)
        await warehouses.split(w.rt, w.seller_id, "line")
        await w.at_rest(CANECA=5)
        ref = await shop.buy("CANECA", 5)
        await w.at_rest(CANECA=3)
        assert await held(w, ref) == {("CANECA", "filial"): 5}
        await warehouses.split(w.rt, w.seller_id, "units", sku="CANECA")
        over = await shop.buy("CANECA", 3)
        await w.at_rest(CANECA=0)
        assert await held(w, over) == {("CANECA", "principal"): 3}


async def test_an_order_that_is_never_split_is_filled_where_it_stands() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=2, PRATO=1)
        await put(w, "filial", CANECA=0)
        await warehouses.split(w.rt, w.seller_id, "order")
        shop = await w.connect("woocommerce", [CANECA, PRATO])
        ref = await buy(shop, {"CANECA": 1, "PRATO": 1})
        await w.settle()
        await put(w, "principal", PRATO=0)  # it broke
        assert await w.short() == {ref: 1}
        await put(w, "filial", PRATO=1)
        assert await w.short() == {ref: 1}
        await put(w, "principal", PRATO=1)
        assert await held(w, ref) == {("CANECA", "principal"): 1, ("PRATO", "principal"): 1}
        await w.at_rest(CANECA=1, PRATO=1)


# ── who draws from which, and what becomes of a warehouse ──────────────────────────────────────────────────────


async def test_who_draws_from_where_changes_every_number_at_once() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=3)
        await put(w, "filial", CANECA=4)
        shop, market = await w.connect("woocommerce", [CANECA]), await w.connect("mercadolivre", [CANECA])
        await w.at_rest(CANECA=7)
        ref = await shop.buy("CANECA")
        await w.at_rest(CANECA=6)
        await warehouses.draw(w.rt, w.seller_id, market.account.id, ["principal"])
        wanted = await w.rows("SELECT desired FROM stock_slot WHERE account_id = %s", market.account.id)
        assert [row["desired"] for row in wanted] == [2]  # in the same transaction
        await w.settle()
        assert (shop.shelf()["CANECA"], market.shelf()["CANECA"]) == (6, 2)
        assert await held(w, ref) == {("CANECA", "principal"): 1}

        last = await market.buy("CANECA", 2)
        await w.settle()
        await warehouses.draw(w.rt, w.seller_id, market.account.id, [])
        await w.at_rest(CANECA=4)
        assert await held(w, last) == {("CANECA", "principal"): 2}
        with pytest.raises(Refused, match="avaria is a damaged warehouse"):
            await warehouses.draw(w.rt, w.seller_id, market.account.id, ["avaria"])


async def test_drawing_from_more_fills_what_was_short() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=1)
        await put(w, "filial", CANECA=4)
        shops = [await w.connect("woocommerce", [CANECA]), await w.connect("mercadolivre", [CANECA])]
        for shop in shops:
            await warehouses.draw(w.rt, w.seller_id, shop.account.id, ["principal"])
        await w.at_rest(CANECA=1)
        for shop in shops:
            await shop.buy("CANECA")
        await w.at_rest(CANECA=0)
        assert sum((await w.short()).values()) == 1
        for shop in shops:
            await warehouses.draw(w.rt, w.seller_id, shop.account.id, ["principal", "filial"])
        assert await w.short() == {}
        await w.at_rest(CANECA=3)


async def test_another_kind_changes_every_number_at_once_and_waits_for_orders() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=3)
        await put(w, "filial", CANECA=4)
        shop = await w.connect("woocommerce", [CANECA])
        await warehouses.draw(w.rt, w.seller_id, shop.account.id, ["principal", "filial"])
        await w.at_rest(CANECA=7)
        await warehouses.edit(w.rt, w.seller_id, "filial", kind="damaged")
        await w.at_rest(CANECA=3)
        await warehouses.edit(w.rt, w.seller_id, "filial", kind="own", rank=1, state="SP", postal_code="01310100")
        await w.at_rest(CANECA=7)
        await shop.buy("CANECA")
        await w.settle()
        with pytest.raises(Refused, match=r"orders hold units in filial \(CANECA \(on hand 4, reserved 1\)\)"):
            await warehouses.edit(w.rt, w.seller_id, "filial", kind="damaged")


async def test_a_warehouse_is_closed_when_nothing_stands_there_and_nobody_needs_it() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=3)
        await put(w, "filial", CANECA=4)
        shop = await w.connect("woocommerce", [CANECA])
        await warehouses.draw(w.rt, w.seller_id, shop.account.id, ["filial"])
        with pytest.raises(
            Refused, match=r"filial is not empty: CANECA \(on hand 4, reserved 0\).*transfer open filial"
        ):
            await warehouses.close(w.rt, w.seller_id, "filial")
        number = await transfers.open_transfer(w.rt, w.seller_id, "filial", "principal", {"CANECA": 4})
        await transfers.send(w.rt, w.seller_id, number)
        with pytest.raises(Refused, match=rf"filial is in transfers under way \({number}\)"):
            await warehouses.close(w.rt, w.seller_id, "filial")
        await transfers.receive(w.rt, w.seller_id, number)
        with pytest.raises(Refused, match="draws from filial alone"):
            await warehouses.close(w.rt, w.seller_id, "filial")
        await warehouses.draw(w.rt, w.seller_id, shop.account.id, [])
        await warehouses.close(w.rt, w.seller_id, "filial")
        await w.at_rest(CANECA=7)
        with pytest.raises(Refused, match="is closed"):
            await put(w, "filial", CANECA=1)


async def test_a_warehouse_that_is_being_counted_is_not_closed() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=3)
        async with w.rt.db.seller(w.seller_id) as tx:
            shelf = await store.warehouse(tx, "filial")
            closing = asyncio.ensure_future(warehouses.close(w.rt, w.seller_id, "filial"))
            await asyncio.sleep(0.3)
            sku = await tx.value("SELECT id FROM sku WHERE code = 'CANECA'")
            await ledger.make_levels(tx, [(sku, shelf)])
            await ledger.book(tx, [ledger.Entry(sku_id=sku, warehouse_id=shelf, delta=2, reason="count")], "late")
        with pytest.raises(Refused, match="filial is not empty"):
            await closing
        await w.kept()


async def test_the_invariants_see_units_that_vanish_on_the_way_and_promises_from_where_nothing_leaves() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=5)
        shop = await w.connect("woocommerce", [CANECA])
        await w.settle()
        await shop.buy("CANECA")
        number = await transfers.open_transfer(w.rt, w.seller_id, "principal", "filial", {"CANECA": 2})
        await transfers.send(w.rt, w.seller_id, number)
        await w.at_rest()
        for wrong, right, name in (
            ("UPDATE transfer_line SET received = 1", "UPDATE transfer_line SET received = 0", "I10"),
            ("UPDATE transfer SET status = 'received'", "UPDATE transfer SET status = 'sent'", "I10"),
            (
                "UPDATE warehouse SET kind = 'damaged' WHERE code = 'principal'",
                "UPDATE warehouse SET kind = 'own' WHERE code = 'principal'",
                "I11",
            ),
        ):
            await run(w, wrong)
            with pytest.raises(AssertionError, match=name):
                await w.kept()
            await run(w, right)
        await w.kept()


async def run(w: World, sql: Any) -> None:
    async with w.rt.db.seller(w.seller_id) as tx:
        await tx.run(sql)


# ── transfers ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_units_on_their_way_are_not_for_sale_and_what_is_lost_is_named() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=10, PRATO=4)
        await w.connect("woocommerce", [CANECA, PRATO])
        await w.at_rest(CANECA=10, PRATO=4)
        number = await transfers.open_transfer(w.rt, w.seller_id, "principal", "filial", {"CANECA": 6, "PRATO": 1})
        await w.at_rest(CANECA=10, PRATO=4)
        await transfers.send(w.rt, w.seller_id, number)
        await w.at_rest(CANECA=4, PRATO=3)
        assert await levels(w, "CANECA") == {"principal": (4, 0), "transito": (6, 0)}

        await transfers.receive(w.rt, w.seller_id, number, {"CANECA": 4})
        await w.at_rest(CANECA=8, PRATO=3)
        with pytest.raises(Refused, match="CANECA: 3 arrive, 2 are under way"):
            await transfers.receive(w.rt, w.seller_id, number, {"CANECA": 3})
        done = await transfers.receive(w.rt, w.seller_id, number, {"PRATO": 1, "CANECA": 1}, finish=True)
        assert (done.status, [(line.sku, line.received, line.lost) for line in done.lines]) == (
            "received",
            [("CANECA", 5, 1), ("PRATO", 1, 0)],
        )
        await w.at_rest(CANECA=9, PRATO=4)
        assert await levels(w, "CANECA") == {"principal": (4, 0), "filial": (5, 0)}
        lost = await w.rows("SELECT delta, note FROM stock_movement WHERE reason = 'transfer' AND note LIKE 'lost%%'")
        assert lost == [{"delta": -1, "note": f"lost on the way, transfer {number}"}]
        with pytest.raises(Refused, match="is received"):
            await transfers.cancel(w.rt, w.seller_id, number)


async def test_units_on_their_way_are_for_sale_where_the_seller_says_so() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=5)
        shop = await w.connect("woocommerce", [CANECA])
        number = await transfers.open_transfer(w.rt, w.seller_id, "principal", "filial", {"CANECA": 5})
        await transfers.send(w.rt, w.seller_id, number)
        await w.at_rest(CANECA=0)
        await warehouses.draw(w.rt, w.seller_id, shop.account.id, ["principal", "filial", "transito"])
        await w.at_rest(CANECA=5)
        ref = await shop.buy("CANECA", 2)
        await w.at_rest(CANECA=3)
        # What arrives first is for the order that waits for it.
        await transfers.receive(w.rt, w.seller_id, number, {"CANECA": 3})
        assert await held(w, ref) == {("CANECA", "filial"): 2}
        await transfers.receive(w.rt, w.seller_id, number, finish=True)
        await w.at_rest(CANECA=3)


async def test_units_lost_on_the_way_that_were_sold_are_a_shortage() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=5)
        shop = await w.connect("woocommerce", [CANECA])
        await w.settle()
        ref = await shop.buy("CANECA", 2)
        await w.settle()
        number = await transfers.open_transfer(w.rt, w.seller_id, "principal", "filial", {"CANECA": 5})
        with pytest.raises(Refused, match=r"CANECA: 5 were to leave, of 5 there 2 are reserved.*--with-orders"):
            await transfers.send(w.rt, w.seller_id, number)
        assert await levels(w, "CANECA") == {"principal": (5, 2)}
        await transfers.send(w.rt, w.seller_id, number, with_orders=True)
        assert await held(w, ref) == {("CANECA", "transito"): 2}
        await transfers.receive(w.rt, w.seller_id, number, {"CANECA": 1}, finish=True)
        assert await held(w, ref) == {("CANECA", "filial"): 1}
        assert await w.short() == {ref: 1}
        await w.at_rest(CANECA=0)


async def test_a_cancelled_transfer_brings_back_what_has_not_arrived() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=5)
        await w.connect("woocommerce", [CANECA])
        idle = await transfers.open_transfer(w.rt, w.seller_id, "principal", "filial", {"CANECA": 5})
        assert (await transfers.cancel(w.rt, w.seller_id, idle)).status == "cancelled"
        number = await transfers.open_transfer(w.rt, w.seller_id, "principal", "filial", {"CANECA": 4})
        await transfers.send(w.rt, w.seller_id, number)
        await transfers.receive(w.rt, w.seller_id, number, {"CANECA": 1})
        await transfers.cancel(w.rt, w.seller_id, number)
        assert await levels(w, "CANECA") == {"principal": (4, 0), "filial": (1, 0)}
        await w.at_rest(CANECA=5)


async def test_transfers_opened_at_once_have_their_own_numbers() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=5)
        assert await transfers.open_transfer(w.rt, w.seller_id, "principal", "filial", {"CANECA": 1}) == 1
        async with w.rt.db.seller(w.seller_id) as tx:
            here, there = await store.warehouse(tx, "principal"), await store.warehouse(tx, "filial")
            sku = await tx.value("SELECT id FROM sku WHERE code = 'CANECA'")
            assert await plans.add(tx, here, there, await store.transit(tx), {sku: 1}, "") == 2
            other = asyncio.ensure_future(
                transfers.open_transfer(w.rt, w.seller_id, "principal", "filial", {"CANECA": 1})
            )
            await asyncio.sleep(0.3)
        assert await other == 3


async def test_two_transfers_of_the_same_units_do_not_both_leave() -> None:
    async with world() as w:
        await places(w)
        await put(w, "principal", CANECA=5)
        shop = await w.connect("woocommerce", [CANECA])
        numbers = await asyncio.gather(
            *(transfers.open_transfer(w.rt, w.seller_id, "principal", to, {"CANECA": 3}) for to in ("filial", "avaria"))
        )
        assert sorted(numbers) == [1, 2]
        ref = shop.buy("CANECA", 2)
        said = await asyncio.gather(
            ref, *(transfers.send(w.rt, w.seller_id, number) for number in numbers), return_exceptions=True
        )
        assert len([each for each in said if isinstance(each, Refused)]) == 1
        await w.at_rest()
        assert sum(on_hand for on_hand, _reserved in (await levels(w, "CANECA")).values()) == 5


@pytest.mark.parametrize(
    ("here", "there", "units", "why"),
    [
        ("principal", "principal", {"CANECA": 1}, "goes to another warehouse"),
        ("principal", "nowhere", {"CANECA": 1}, "there is no warehouse 'nowhere'"),
        ("principal", "full", {"CANECA": 1}, "the marketplace keeps it"),
        ("principal", "filial", {}, "nothing to transfer"),
        ("principal", "filial", {"XICARA": 1}, "there is no SKU 'XICARA'"),
        ("principal", "filial", {"NOVO": 1}, "stock of NOVO is not open"),
    ],
)
async def test_a_transfer_that_cannot_be(here, there, units, why) -> None:
    async with world() as w:
        await places(w, full="marketplace")
        await put(w, "principal", CANECA=5)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("INSERT INTO sku (seller_id, id, code) VALUES (%s, gen_random_uuid(), 'NOVO')", [w.seller_id])
        with pytest.raises(Refused, match=why):
            await transfers.open_transfer(w.rt, w.seller_id, here, there, units)
        with pytest.raises(Refused, match="there is no transfer 99"):
            await transfers.send(w.rt, w.seller_id, 99)

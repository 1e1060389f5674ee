"""What a kit is made of, said by a person, and what that changes of the orders that sold it."""

from collections.abc import Collection, Mapping
from uuid import UUID

from hub.stock import KitLoop
from hub.store import Tx, kits, ledger, lookup, orders, stock, warehouses
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import Collided, follow, transact
from jobs.linking import link_exactly
from jobs.runtime import Runtime
from jobs.settle import settle_order


async def set_kit(
    rt: Runtime, seller_id: UUID, code: str, components: Mapping[str, int], *, create: bool = False,
    loose: bool | None = None,
) -> None:  # fmt: skip
    """Make a SKU (a new one where there is none) a kit of these components, and settle the orders that sold it.

    `loose`: whether its components may come from several warehouses (None: as it was). Orders keep the recipe of
    what has left. Raises Refused for an unknown component (unless `create`), a kit that would hold itself, or a SKU
    whose own units are counted: then nothing is written.
    """

    async def work(tx: Tx, ripple: Ripple) -> None:
        if code in components:
            raise Refused(f"{code} would hold itself", "kit_self", kit=code)
        ids = await _components(tx, components, create=create)
        kit = await stock.sku_put(tx, code)
        await _locked(rt, tx, kit)
        before = await stock.parts_of(tx, [kit])
        try:
            await kits.kit_put(tx, kit, {ids[name]: units for name, units in components.items()})
        except KitLoop as loop:
            names = await lookup.names(tx, loop.way)
            through = next((names[each] for each in loop.way[1:-1] if each in names), code)
            raise Refused(
                f"{code} would hold itself, through its component {through}", "kit_loop", kit=code, through=through
            ) from None
        except ValueError:
            raise Refused(f"{code}: kits are nested too deep", "kit_deep", kit=code) from None
        await stock.lock_around(tx, {kit} | before | await stock.parts_of(tx, [kit]))
        if await lookup.is_counted(tx, kit):
            raise Refused(
                f"units of {code} are counted or reserved as such: set them to 0 before it becomes a kit",
                "kit_counted", kit=code,
            )  # fmt: skip
        if loose is not None:
            await warehouses.allow_loose(tx, kit, allowed=loose)
        await link_exactly(rt, tx, None, ripple)
        await _settle(rt, tx, kit, before, ripple)
        await stock.audit(tx, "kit_set", code, components=dict(components), loose=loose)

    await transact(rt, seller_id, work)


async def unset_kit(rt: Runtime, seller_id: UUID, code: str) -> int:
    """Make a kit a plain SKU again. Its orders give its components back; it is for sale again once it is counted.

    Answers how many orders that are still to be sent sold it. Raises Refused for what is no kit.
    """

    async def work(tx: Tx, ripple: Ripple) -> int:
        kit = await stock.sku_id(tx, code)
        if kit is None or kit not in await kits.kits(tx, [kit]):
            raise Refused(f"{code} is no kit", "no_kit", kit=code)
        await _locked(rt, tx, kit)
        before = await stock.parts_of(tx, [kit])
        await kits.kit_put(tx, kit, {})
        await stock.lock_around(tx, {kit} | before)
        settled = await _settle(rt, tx, kit, before, ripple)
        await stock.audit(tx, "kit_unset", code)
        return settled

    return await transact(rt, seller_id, work)


async def _components(tx: Tx, components: Mapping[str, int], *, create: bool) -> dict[str, UUID]:
    if create:
        await ledger.put_skus(tx, components.keys())
    known = await ledger.known(tx, components.keys())
    if missing := components.keys() - known.keys():
        name = min(missing)
        raise Refused(f"there is no SKU {name!r}: link a listing to it first, or import it", "no_sku", sku=name)
    return {name: known[name].id for name in components}


async def _locked(rt: Runtime, tx: Tx, kit: UUID) -> None:
    """Lock the orders that sold it and are still to be sent, and keep others from selling it until we are done.

    Whoever adds an order's line holds its SKU until then: with the SKU locked, every sale is seen here or sees us.
    """
    affected = await kits.with_kits_of(tx, [kit])
    mine = set(await kits.unsent_with(tx, affected))
    await ledger.lock_orders(tx, mine, wait=True)
    await ledger.lock_openings(tx, affected)
    late = set(await kits.unsent_with(tx, affected)) - mine
    if late and await ledger.lock_orders(tx, late, wait=False) != late:
        raise Collided


async def _settle(rt: Runtime, tx: Tx, kit: UUID, before: Collection[UUID], ripple: Ripple) -> int:
    settled = 0
    for order_id in await kits.unsent_with(tx, await kits.with_kits_of(tx, [kit])):
        stored = await orders.lock_id(tx, order_id)
        if stored is None or stored.known is None:
            continue
        order = stored.known.order
        links = await orders.links(tx, stored.account_id, order)
        await settle_order(
            tx, stored, order, order, links, hold_from=rt.policy.hold_from, now=rt.now(), since=rt.now(),
            ripple=ripple,
        )  # fmt: skip
        settled += 1
    await follow(rt, tx, {kit, *before} | await stock.parts_of(tx, [kit]), ripple, "count")
    return settled

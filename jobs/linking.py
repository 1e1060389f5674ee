"""Links from listings to SKUs, and what each of them moves."""

from uuid import UUID

from hub.store import Tx, alerts, listings, stock
from jobs.availability import Ripple, recompute
from jobs.connect import Refused
from jobs.resettle import relinked
from jobs.runtime import Runtime


async def link(
    rt: Runtime, seller_id: UUID, listing_id: UUID, sku: str | None, multiplier: int = 1, *, how: str = "person",
    create: bool = False,
) -> None:  # fmt: skip
    """Link a listing to a SKU (None: unlink), and settle the orders that waited for the link."""
    now, ripple = rt.now(), Ripple()
    async with rt.db.seller(seller_id) as tx:
        sku_id = None
        if sku is not None:
            sku_id = await stock.sku_put(tx, sku) if create else await stock.sku_id(tx, sku)
            if sku_id is None:
                raise Refused(f"there is no SKU {sku!r}")
        try:
            slot_id = await listings.link(tx, listing_id, sku_id, multiplier, how)
        except (ValueError, LookupError) as problem:
            raise Refused(str(problem.args[0])) from None
        if sku_id is not None:
            await stock.lock_around(tx, [sku_id])
        await relinked(rt, tx, listing_id, ripple)
        if sku_id is not None:
            await recompute(tx, [sku_id], now, ripple, "link")
        await stock.audit(tx, "link", str(slot_id), sku=sku, multiplier=multiplier)
    for account in ripple.accounts:
        rt.ring("stock", account)


async def autolink(
    rt: Runtime, seller_id: UUID, account_id: UUID | None = None, *, create: bool = False
) -> tuple[int, int]:
    """Link every unlinked listing whose SKU code, or GTIN, one SKU has. `create` makes the SKUs of told codes.

    Answers (linked, left unlinked).
    """
    ripple = Ripple()
    async with rt.db.seller(seller_id) as tx:
        if create:
            for row in await listings.unlinked(tx, account_id):
                if row["channel_sku"]:
                    await stock.sku_put(tx, row["channel_sku"], row["title"] or "", gtin=row["gtin"])
        linked = await link_exactly(rt, tx, account_id, ripple)
        left = len(await listings.unlinked(tx, account_id))
    for account in ripple.accounts:
        rt.ring("stock", account)
    return linked, left


async def link_exactly(rt: Runtime, tx: Tx, account_id: UUID | None, ripple: Ripple) -> int:
    """Link by equal SKU code, else by a GTIN that only one SKU has; never by title. Answers how many."""
    waiting = await listings.unlinked(tx, account_id)
    codes, gtins = [row["channel_sku"] or "" for row in waiting], [row["gtin"] or "" for row in waiting]
    by_code, by_gtin = await listings.matches(tx, codes, gtins)
    touched: set[UUID] = set()
    linked = 0
    found = [listings.exact(by_code, by_gtin, row["channel_sku"], row["gtin"]) for row in waiting]
    await stock.lock_around(tx, {sku_id for sku_id, _how in found if sku_id})
    for row, (sku_id, how) in zip(waiting, found, strict=True):
        if sku_id is None:
            continue
        try:
            await listings.link(tx, row["id"], sku_id, 1, how)
        except ValueError as refusal:
            await alerts.raise_(tx, "link_refused", str(row["id"]), detail=str(refusal))
            continue
        linked += 1
        touched.add(sku_id)
        await relinked(rt, tx, row["id"], ripple)
    if touched:
        await recompute(tx, touched, rt.now(), ripple, "link")
    return linked

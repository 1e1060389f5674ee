"""Links from listings to SKUs, and what each of them moves."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from hub import linking as decide
from hub.likeness import Index, Suggestion
from hub.refusal import Refusal
from hub.store import Tx, alerts, ledger, links, stock
from hub.store.links import Link
from jobs.availability import Ripple, recompute
from jobs.connect import Refused
from jobs.ledger import transact
from jobs.resettle import relinked
from jobs.runtime import Runtime

PAGE = 500  # links of one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What linking by what is certain did; `refused` names both places of each conflict, up to a hundred."""

    linked: int
    left: int
    refused: tuple[str, ...] = ()


async def link(
    rt: Runtime, seller_id: UUID, listing_id: UUID, sku: str | None, multiplier: int = 1, *, how: str = "person",
    create: bool = False,
) -> None:  # fmt: skip
    """Link a listing to a SKU (None: unlink), and settle the orders that waited for the link."""
    async with rt.db.seller(seller_id) as tx:
        sku_id = None if sku is None else await _sku(tx, sku, create=create)
    wanted = Link(listing_id=listing_id, sku_id=sku_id, multiplier=multiplier, how=how)
    refused = await apply(rt, seller_id, [wanted])
    if refused:
        raise Refused.of(refused[listing_id])


async def _sku(tx: Tx, code: str, *, create: bool) -> UUID:
    found = await stock.sku_id(tx, code)
    if found is not None:
        return found
    twin = (await links.case_twins(tx, [code])).get(code)
    if twin is not None:
        raise Refused(f"there is no SKU {code!r}, but one {twin!r}: write it as it is", "sku_case", sku=code, two=twin)
    if not create:
        raise Refused(f"there is no SKU {code!r}", "no_sku", sku=code)
    return await stock.sku_put(tx, code)


async def apply(rt: Runtime, seller_id: UUID, wanted: Sequence[Link]) -> dict[UUID, Refusal]:
    """Write links and settle the orders that sold their listings. Answers what is refused, by listing."""
    refused: dict[UUID, Refusal] = {}
    for start in range(0, len(wanted), PAGE):
        some = wanted[start : start + PAGE]
        refused |= await transact(rt, seller_id, partial(apply_in, rt, wanted=some))
        written = [each.listing_id for each in some if each.listing_id not in refused]
        await catch_up(rt, seller_id, written)
    return refused


async def apply_in(rt: Runtime, tx: Tx, ripple: Ripple, *, wanted: Sequence[Link]) -> dict[UUID, Refusal]:
    """The same in a transaction of the caller's. Locks: orders, then levels, then slots."""
    ids = [each.listing_id for each in wanted]
    order_ids = await links.orders_of(tx, ids)
    await ledger.lock_orders(tx, order_ids, wait=True)
    slot_ids, before = await links.around(tx, ids)
    skus = before | {each.sku_id for each in wanted if each.sku_id}
    await ledger.wait_for_openings(tx, skus)
    await stock.lock_around(tx, skus, slot_ids)
    refused = await links.put(tx, wanted)
    await relinked(rt, tx, order_ids, ripple)
    if skus:
        await recompute(tx, skus, rt.now(), ripple, "link", now=rt.now())
    written = [each for each in wanted if each.listing_id not in refused]
    for each in written:
        await alerts.resolve(tx, "link_refused", str(each.listing_id))
    await stock.audit(
        tx, "link", str(ids[0]) if len(ids) == 1 else "listings",
        links=[[str(each.listing_id), str(each.sku_id), each.multiplier, each.how] for each in written[:50]],
        count=len(written),
    )  # fmt: skip
    return refused


async def catch_up(rt: Runtime, seller_id: UUID, listing_ids: Sequence[UUID]) -> None:
    """Settle orders that were read before, or while, these listings were linked."""
    await transact(rt, seller_id, partial(_catch_up, rt, listing_ids=listing_ids))


async def _catch_up(rt: Runtime, tx: Tx, ripple: Ripple, *, listing_ids: Sequence[UUID]) -> None:
    """Orders that were being read while the link was written, and read the one before it."""
    if stale := await links.orders_of(tx, listing_ids, stale=True):
        await ledger.lock_orders(tx, stale, wait=True)
        await relinked(rt, tx, stale, ripple)


async def autolink(rt: Runtime, seller_id: UUID, account_id: UUID | None = None, *, create: bool = False) -> Linked:
    """Link every unlinked listing whose SKU code, or valid GTIN, one SKU has. `create` makes the SKUs of told codes.

    Never by title. A code that a SKU has in another case is not made; a GTIN on two SKUs links nothing.
    """
    after: UUID | None = None
    linked, refused = 0, []
    while True:
        async with rt.db.seller(seller_id) as tx:
            waiting = await links.unlinked(tx, account_id, after=after, limit=PAGE)
            if not waiting:
                break
            if create:
                refused += await _make_skus(tx, waiting)
            wanted, doubles = await _certain(tx, waiting)
        refused += doubles
        problems = await apply(rt, seller_id, wanted)
        await _tell(rt, seller_id, problems)
        refused += problems.values()
        linked += len(wanted) - len(problems)
        after = waiting[-1]["id"]
    async with rt.db.seller(seller_id) as tx:
        left = await links.unlinked_count(tx, account_id)
    return Linked(linked=linked, left=left, refused=tuple(dict.fromkeys(refused))[:100])


async def _tell(rt: Runtime, seller_id: UUID, problems: Mapping[UUID, Refusal]) -> None:
    async with rt.db.seller(seller_id) as tx:
        for listing_id, refusal in problems.items():
            await alerts.raise_(
                tx, "link_refused", str(listing_id), detail=refusal, why=refusal.kind, told=refusal.params
            )  # fmt: skip


async def _make_skus(tx: Tx, waiting: Sequence[Mapping[str, Any]]) -> list[str]:
    """SKUs of the codes that listings tell; what is not made, because another case of it is there, is answered."""
    told = {row["channel_sku"]: row for row in reversed(waiting) if row["channel_sku"]}
    twins = await links.case_twins(tx, list(told))
    for group in decide.same_but_for_case(told):
        twins |= {code: group[0] for code in group[1:] if code not in twins}
    rows = [(code, row["title"] or "", row["gtin"]) for code, row in told.items() if code not in twins]
    await links.put_skus(tx, rows)
    return [
        f"listing {told[code]['ref']} of {told[code]['account']} says {code!r}, the SKU is called {twin!r}: one code "
        "in two cases is not made twice; link it by hand or rename one"
        for code, twin in twins.items()
    ]


async def _certain(tx: Tx, waiting: Sequence[Mapping[str, Any]]) -> tuple[list[Link], list[str]]:
    """What is certain of these listings, and GTINs that are on two SKUs."""
    by_code, by_gtin = await links.matches(
        tx, [row["channel_sku"] or "" for row in waiting], [row["gtin"] or "" for row in waiting]
    )
    wanted = []
    for row in waiting:
        sku_id, how = decide.exact(by_code, by_gtin, row["channel_sku"], row["gtin"])
        if sku_id is not None:
            wanted.append(Link(listing_id=row["id"], sku_id=sku_id, how=how))
    doubles = {number: same for number, same in by_gtin.items() if len(same) > 1}
    called = await links.codes(tx, {sku_id for same in doubles.values() for sku_id in same})
    return wanted, [
        f"GTIN {number} is on SKU {' and SKU '.join(called[sku_id] for sku_id in same)}: nothing is linked by it"
        for number, same in doubles.items()
    ]


async def link_exactly(rt: Runtime, tx: Tx, account_id: UUID | None, ripple: Ripple) -> int:
    """The same in a transaction of the caller's, for SKUs that it made. Answers how many were linked."""
    count, after = 0, None
    while waiting := await links.unlinked(tx, account_id, after=after, limit=PAGE):
        wanted, _doubles = await _certain(tx, waiting)
        if wanted:
            problems = await apply_in(rt, tx, ripple, wanted=wanted)
            for listing_id, refusal in problems.items():
                await alerts.raise_(
                    tx, "link_refused", str(listing_id), detail=refusal, why=refusal.kind, told=refusal.params
                )  # fmt: skip
            count += len(wanted) - len(problems)
        after = waiting[-1]["id"]
    return count


async def suggest(
    rt: Runtime, seller_id: UUID, account_id: UUID | None = None, *, after: UUID | None = None, limit: int = 50,
    listing_id: UUID | None = None, most: int = 3, index: Index | None = None,
) -> list[tuple[dict[str, Any], list[Suggestion]]]:  # fmt: skip
    """Unlinked listings, by id from `after` on, each with the SKUs it may be; most have none.

    `index`: one that is kept; without it one is made.
    """
    index = index or await indexed(rt, seller_id)
    async with rt.db.seller(seller_id) as tx:
        waiting = await links.unlinked(tx, account_id, after=after, limit=limit)
    if listing_id is not None:
        waiting = [row for row in waiting if row["id"] == listing_id]
    told = await asyncio.to_thread(likely, index, waiting, most)
    return list(zip(waiting, told, strict=True))


async def indexed(rt: Runtime, seller_id: UUID) -> Index:
    """The seller's SKUs, ready to be compared with; made outside of the event loop."""
    async with rt.db.seller(seller_id) as tx:
        known = await links.known(tx)
    return await asyncio.to_thread(Index, known)


def likely(index: Index, rows: Sequence[Mapping[str, Any]], most: int) -> list[list[Suggestion]]:
    """The SKUs that each of these listings may be, best first; takes a while, so outside of the event loop."""
    return [index.suggest(row["title"], row["channel_sku"], row["gtin"], most) for row in rows]


async def sheet(
    rt: Runtime, seller_id: UUID, account_id: UUID | None, *, unlinked_only: bool = False
) -> AsyncIterator[tuple[dict[str, Any], Suggestion | None]]:
    """Every listing with its link, and the likeliest SKU of those that have none."""
    index = await indexed(rt, seller_id)
    after: UUID | None = None
    while True:
        async with rt.db.seller(seller_id) as tx:
            rows = await links.of_sheet(tx, account_id, unlinked_only=unlinked_only, after=after, limit=2 * PAGE)
        if not rows:
            return
        waiting = [row for row in rows if row["sku"] is None]
        told = await asyncio.to_thread(likely, index, waiting, 1)
        best = {row["id"]: found[0] if found else None for row, found in zip(waiting, told, strict=True)}
        for row in rows:
            yield row, best.get(row["id"])
        after = rows[-1]["id"]

"""Linking as a person does it: listings with what they may be, what a link would do before it is made, and new SKUs."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from hub import linking as decide
from hub.likeness import Index, Suggestion
from hub.refusal import Refusal
from hub.store import Tx, link_desk, links, listing_list, listing_story
from hub.store.links import Link
from hub.store.listing_list import Wanted
from jobs import linking
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import transact
from jobs.runtime import Runtime

AT_ONCE, MOST_LOOKED = 200, 2000  # unlinked listings of one look, and of one page
KEPT_SECONDS, KEPT_SELLERS = 60.0, 20
LONGEST_CODE, LONGEST_TITLE = 100, 300


class Likely(StrEnum):
    """How sure it is what an unlinked listing sells."""

    EXACT = "exact"  # the code, or a valid GTIN, is one SKU's: what `link auto` links
    ONE = "one"
    SEVERAL = "several"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An unlinked listing, and what it may be, best first; `how`: sku or gtin, where it is exact."""

    row: Mapping[str, Any]
    suggestions: tuple[Suggestion, ...]
    how: str = ""

    @property
    def likely(self) -> Likely:
        """How sure it is."""
        if self.how:
            return Likely.EXACT
        return {0: Likely.NONE, 1: Likely.ONE}.get(len(self.suggestions), Likely.SEVERAL)


@dataclass(slots=True)
class Shelf:
    """Indexes of SKUs by seller, kept for a minute: a page of suggestions would make one each time."""

    _kept: dict[UUID, tuple[float, tuple[int, UUID | None], Index]] = field(default_factory=dict)

    async def index(self, rt: Runtime, seller_id: UUID) -> Index:
        """The seller's; made anew once a SKU came or went, or a minute passed."""
        async with rt.db.seller(seller_id) as tx:
            mark = await link_desk.mark(tx)
        kept = self._kept.get(seller_id)
        if kept and kept[1] == mark and time.monotonic() - kept[0] < KEPT_SECONDS:
            return kept[2]
        if len(self._kept) >= KEPT_SELLERS:
            self._kept.clear()
        made = await linking.indexed(rt, seller_id)
        self._kept[seller_id] = (time.monotonic(), mark, made)
        return made


async def candidates(
    rt: Runtime, seller_id: UUID, shelf: Shelf, *, account_id: UUID | None = None, search: str | None = None,
    likely: Likely | None = None, after: tuple[UUID, UUID] | None = None, limit: int = 25,
) -> tuple[list[Candidate], tuple[UUID, UUID] | None]:  # fmt: skip
    """Unlinked listings with what they may be, and where to go on; of those as `likely` as that only.

    So many are looked at for one page; where few answer, the page may be short, or empty, and still go on.
    """
    index, found, looked = await shelf.index(rt, seller_id), list[Candidate](), 0
    wanted = Wanted(state="unlinked", account_id=account_id, search=search)
    size = AT_ONCE if likely else limit
    while looked < MOST_LOOKED:
        async with rt.db.seller(seller_id) as tx:
            rows = await listing_list.page(tx, wanted, after=after, limit=size)
            told = await _told(tx, index, rows)
        for place, each in enumerate(told, 1):
            after = (each.row["slot_id"], each.row["id"])
            if likely in (None, each.likely):
                found.append(each)
            if len(found) == limit:
                return found, after if place < len(told) or len(rows) == size else None
        looked += len(rows)
        if len(rows) < size:
            return found, None
    return found, after


async def candidate(rt: Runtime, seller_id: UUID, shelf: Shelf, row: Mapping[str, Any], most: int = 6) -> Candidate:
    """What one listing may be, linked or not."""
    index = await shelf.index(rt, seller_id)
    async with rt.db.seller(seller_id) as tx:
        (told,) = await _told(tx, index, [row], most)
    return told


async def _told(tx: Tx, index: Index, rows: Sequence[Mapping[str, Any]], most: int = 3) -> list[Candidate]:
    by_code, by_gtin = await links.matches(
        tx, [row["channel_sku"] or "" for row in rows], [row["gtin"] or "" for row in rows]
    )
    certain = [decide.exact(by_code, by_gtin, row["channel_sku"], row["gtin"]) for row in rows]
    codes = await links.codes(tx, {sku_id for sku_id, _how in certain if sku_id})
    likely = await asyncio.to_thread(linking.likely, index, rows, most)
    made = []
    for row, (sku_id, how), some in zip(rows, certain, likely, strict=True):
        if sku_id is None:
            made.append(Candidate(row=row, suggestions=tuple(some)))
            continue
        known = next((one for one in some if one.sku_id == sku_id), None)
        first = known or Suggestion(sku_id=sku_id, code=codes[sku_id], score=100, reasons=())
        rest = [one for one in some if one.sku_id != sku_id]
        made.append(Candidate(row=row, suggestions=(first, *rest), how=how))
    return made


# ── before it is done ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a link would do: orders and units to dispatch that it moves, the number before and after, or why not.

    `writes`: whether the hub may write there already; `theirs`: the channel keeps this stock itself.
    """

    refused: Refusal | None
    orders: int
    units: int
    shows: int | None
    desired: int | None
    writes: bool
    theirs: bool


async def effects(rt: Runtime, seller_id: UUID, wanted: Sequence[Link]) -> dict[UUID, Effect]:
    """What these links would do, by listing: they are made, looked at, and undone again."""
    return await transact(rt, seller_id, partial(_effects, rt, wanted=wanted))


async def _effects(rt: Runtime, tx: Tx, ripple: Ripple, *, wanted: Sequence[Link]) -> dict[UUID, Effect]:
    del ripple  # nothing stays that anybody would be rung for
    ids = [link.listing_id for link in wanted]
    waiting = await listing_story.waiting(tx, ids)
    async with tx.trial(dry=True):
        refused = await linking.apply_in(rt, tx, Ripple(), wanted=wanted)
        after = await link_desk.numbers(tx, ids)
    return {
        id_: Effect(
            refused=refused.get(id_), orders=waiting.get(id_, (0, 0))[0], units=waiting.get(id_, (0, 0))[1],
            shows=row["expected"], desired=row["desired"], writes=row["writes"], theirs=row["managed_by"] != "seller",
        )
        for id_, row in after.items()
    }  # fmt: skip


# ── a SKU out of a listing ──────────────────────────────────────────────────────────────────────────────────


async def new_sku(rt: Runtime, seller_id: UUID, row: Mapping[str, Any], code: str, title: str, multiplier: int) -> None:
    """Make a SKU of a listing, with its GTIN where one sale is one unit, and link the listing to it.

    Raises Refused for a code that is there already, in this case or another.
    """
    async with rt.db.seller(seller_id) as tx:
        twin = (await links.case_twins(tx, [code])).get(code)
        if twin is not None:
            raise Refused(
                f"there is no SKU {code!r}, but one {twin!r}: write it as it is", "sku_case", sku=code, two=twin
            )
        by_code, _ = await links.matches(tx, [code], [])
        if by_code:
            raise Refused(f"there is a SKU {code!r} already: link the listing to it", "sku_there_link", sku=code)
        await links.put_skus(tx, [(code, title, row["gtin"] if multiplier == 1 else None)])
    await linking.link(rt, seller_id, row["id"], code, multiplier)

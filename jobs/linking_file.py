"""Links out of a file: what each row would do, what is wrong with it, and all of it written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hub.refusal import Refusal
from hub.stock_sheet import Amiss
from hub.store import links, new_id, stock
from hub.store.links import Link
from jobs.linking import apply
from jobs.runtime import Runtime

KINDS = ("link", "relink", "unlink", "same")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one row wants; `sku` None unlinks."""

    line: int
    account: str | None
    listing: str
    variation: str | None
    sku: str | None
    multiplier: int


@dataclass(slots=True)
class Plan:
    """Rows that are good, by line: (kind, link); what is wrong with the others; SKUs to make first."""

    good: dict[int, tuple[str, Link]] = field(default_factory=dict)
    wrong: dict[int, Refusal] = field(default_factory=dict)
    new: dict[str, UUID] = field(default_factory=dict)  # code -> the id that stands for it until it is made
    refused: list[Refusal] = field(default_factory=list)

    def by_kind(self) -> dict[str, list[int]]:
        """Lines by what they do: link, relink, unlink, same."""
        return {kind: [line for line, (told, _link) in self.good.items() if told == kind] for kind in KINDS}


async def plan(rt: Runtime, seller_id: UUID, asked: Sequence[Asked], *, create: bool) -> Plan:
    """What these rows would do, and what is wrong with them; nothing is written."""
    made = Plan()
    async with rt.db.seller(seller_id) as tx:
        there = await links.named(tx, {row.listing for row in asked})
        wanted = sorted({row.sku for row in asked if row.sku})
        by_code, _ = await links.matches(tx, wanted, [])
        twins = await links.case_twins(tx, [code for code in wanted if code not in by_code])
        lines: dict[UUID, int] = {}
        for row in asked:
            try:
                listing = _listing(row, there.get(row.listing, []))
                _refuse_twice(row, listing["id"], lines)
                sku_id = _sku(row, by_code, twins, made.new, create=create)
            except Amiss as problem:
                made.wrong[row.line] = Refusal(str(problem), problem.kind, **problem.params)
                continue
            link = Link(listing_id=listing["id"], sku_id=sku_id, multiplier=row.multiplier if sku_id else 1, how="file")
            made.good[row.line] = (_kind(row, listing), link)
        called = {sku_id: code for code, sku_id in made.new.items()}
        refused = await links.conflicts(tx, [link for _kind, link in made.good.values()], called)
    for line, (_told, link) in list(made.good.items()):
        if link.listing_id in refused:
            made.wrong[line] = refused[link.listing_id].about("sku")
            del made.good[line]
    return made


def _listing(row: Asked, named: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The one listing that a row names; Amiss where there is none, or more than one."""
    found = [one for one in named if row.account is None or one["account"].casefold() == row.account.casefold()]
    if not found:
        if row.account:
            sentence = f"listing: there is no {row.listing!r} of account {row.account!r}"
            raise Amiss(sentence, "listing_unknown_of", one=row.listing, account=row.account)
        raise Amiss(f"listing: there is no {row.listing!r}", "listing_unknown", one=row.listing)
    exact = [one for one in found if one["variation_ref"] == row.variation]
    if len(exact) == 1:
        return exact[0]
    if row.variation is None and len(found) == 1:
        return found[0]
    if len(exact) > 1:
        where = " and on ".join(one["account"] for one in exact)
        raise Amiss(f"account: {row.listing!r} is on {where}: name one", "listing_where", one=row.listing)
    there = ", ".join(str(one["variation_ref"] or "(none)") for one in found[:8])
    raise Amiss(
        f"variation: {row.listing!r} has no {row.variation or '(none)'}; it has {there}", "variation_unknown",
        one=row.listing, two=row.variation or "—", there=there.replace("(none)", "—"),
    )  # fmt: skip


def _refuse_twice(row: Asked, listing_id: UUID, lines: dict[UUID, int]) -> None:
    before = lines.setdefault(listing_id, row.line)
    if before != row.line:
        raise Amiss(
            f"listing: {row.listing!r} stands in line {before} already", "listing_twice", one=row.listing, line=before
        )


def _sku(
    row: Asked, by_code: Mapping[str, UUID], twins: Mapping[str, str], new: dict[str, UUID], *, create: bool
) -> UUID | None:
    """The SKU that a row names, one to be made where that is asked for; None unlinks."""
    if row.sku is None:
        return None
    if row.sku in by_code:
        return by_code[row.sku]
    wanted = row.sku
    twin = twins.get(wanted) or next((code for code in new if code != wanted and code.lower() == wanted.lower()), None)
    if twin is not None:
        raise Amiss(
            f"sku: there is no {row.sku!r}, but one {twin!r}: write it as it is", "sku_case", sku=row.sku, two=twin
        )
    if not create:
        raise Amiss(f"sku: there is no {row.sku!r}; --create makes it", "no_sku_create", sku=row.sku)
    return new.setdefault(row.sku, new_id())


def _kind(row: Asked, listing: Mapping[str, Any]) -> str:
    if row.sku is None:
        return "unlink" if listing["sku"] else "same"
    if listing["sku"] is None:
        return "link"
    return "same" if (listing["sku"], listing["multiplier"]) == (row.sku, row.multiplier) else "relink"


async def carry_out(rt: Runtime, seller_id: UUID, made: Plan) -> int:
    """Write a plan. Answers how many links changed; what is refused meanwhile stands in `made.refused`."""
    ids: dict[UUID, UUID] = {}
    async with rt.db.seller(seller_id) as tx:
        for code, stands_in in made.new.items():
            ids[stands_in] = await stock.sku_put(tx, code)
    wanted = [
        Link(
            listing_id=link.listing_id, sku_id=ids.get(link.sku_id, link.sku_id) if link.sku_id else None,
            multiplier=link.multiplier, how=link.how,
        )
        for kind, link in made.good.values()
        if kind != "same"
    ]  # fmt: skip
    refused = await apply(rt, seller_id, wanted)
    made.refused += refused.values()
    return len(wanted) - len(refused)

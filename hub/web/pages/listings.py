"""Listings: what each should show, what we reckon it shows, what was last read there, and in which state it is."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.sheets import cell
from hub.stock_sheet import decimal
from hub.store import accounts, listing_list
from hub.store.listing_list import Wanted
from hub.web import listing_words, words
from hub.web.edge import Visit
from hub.web.i18n import ZONE
from hub.web.pages.accounts import adapter_of
from hub.web.pages.keyset import SIZE, id_asked, part
from hub.web.pages.sheet import PART, stream

TIMES = ("seen_at", "last_pushed_at")
PRICED = ("price_cents",)  # not for those who see no values


def _wanted(visit: Visit) -> Wanted:
    state = visit.asked("estado")
    return Wanted(
        state=state if state in listing_list.STATES else None, account_id=id_asked(visit, "conta"),
        search=visit.asked("busca"),
    )  # fmt: skip


def place_of(row: Mapping[str, Any]) -> str:
    """Where a page goes on after this row."""
    return f"{row['slot_id']}~{row['id']}"


def place_asked(visit: Visit) -> tuple[UUID, UUID] | None:
    """The (slot, listing) that an address of `place_of` names."""
    slot, _, id_ = (visit.asked("apos") or "").partition("~")
    try:
        return UUID(slot), UUID(id_)
    except ValueError:
        return None


def worded(row: Mapping[str, Any]) -> dict[str, Any]:
    """A listing's row with its state and the reason for it."""
    return {**row, "state": (key := words.slot_state(row)), "reason": words.slot_reason(row, key)}


async def every(visit: Visit) -> web.Response:
    """Anúncios."""
    wanted = _wanted(visit)
    async with visit.tx() as tx:
        known = await accounts.every(tx)
        rows = await listing_list.page(tx, wanted, after=place_asked(visit), limit=SIZE + 1)
    page = part(visit, rows, place_of=place_of)
    return visit.render(
        "listings.html", part=page, rows=[worded(row) for row in page.rows], wanted=wanted, found=listing_list.FOUND,
        sheet=str(visit.request.rel_url.with_path("/anuncios/planilha.csv", keep_query=True)),
        accounts=[account for account in known if (adapter := adapter_of(account.channel)) and adapter.listings],
    )  # fmt: skip


# ── the sheet ───────────────────────────────────────────────────────────────────────────────────────────────


def _cells(visit: Visit, row: Mapping[str, Any], names: list[str]) -> list[str]:
    tr, told = visit.language.gettext, worded(row)
    more = {
        "state": tr(words.STATE[told["state"]][1]),
        "reason": told["reason"] and tr(told["reason"]),
        "status": tr(words.LISTING[row["status"]]),
        "price_cents": decimal(row["price_cents"]),
        **{
            name: row[name] and f"{row[name].astimezone(ZONE):%d/%m/%Y %H:%M}" for name in ("seen_at", "last_pushed_at")
        },
    }
    return [cell(more[name] if name in more else row[name]) for name in names]


async def _parts(visit: Visit, wanted: Wanted) -> AsyncIterator[list[dict[str, Any]]]:
    """Everything wanted, some hundreds at a time, each in a transaction of its own."""
    after = None
    while True:
        async with visit.tx() as tx:
            rows = await listing_list.page(tx, wanted, after=after, limit=PART)
        if rows:
            yield rows
        if len(rows) < PART:
            return
        after = (rows[-1]["slot_id"], rows[-1]["id"])


async def sheet(visit: Visit) -> web.StreamResponse:
    """All that is filtered, as spreadsheets in Brazil open it, sent as it is read."""
    wanted = _wanted(visit)
    names = [name for name in listing_words.SHEET if visit.person.may("viewer") or name not in PRICED]

    async def lines() -> AsyncIterator[list[list[str]]]:
        async for rows in _parts(visit, wanted):
            yield [_cells(visit, row, names) for row in rows]

    heads = [visit.language.gettext(listing_words.SHEET[name]) for name in names]
    return await stream(visit, "anuncios", heads, lines())

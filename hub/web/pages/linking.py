"""Vincular: unlinked listings with the SKUs that they may be, one at a time or several, and what that will do."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.linking import pack
from hub.store import accounts, link_desk, links
from hub.store.links import Link
from hub.web import link_words, refusal_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.keys import SHELF
from hub.web.pages.accounts import adapter_of
from hub.web.pages.keyset import Part, address, id_asked
from hub.web.pages.listing import listing_in_path
from hub.web.pages.listings import place_asked, place_of
from jobs import link_desk as desk
from jobs import linking
from jobs.connect import Refused
from jobs.link_desk import Candidate, Effect, Likely

HOME = "/anuncios/ligar"
SIZE, MOST, MOST_UNITS = 25, 200, 100_000


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────


async def every(visit: Visit) -> web.Response:
    """Vincular."""
    told, account_id, search = visit.asked("ver"), id_asked(visit, "conta"), visit.asked("busca")
    likely = Likely(told) if told in set(Likely) else None
    found, onward = await desk.candidates(
        visit.rt, visit.seller_id, visit.request.app[SHELF], account_id=account_id, search=search, likely=likely,
        after=place_asked(visit), limit=SIZE,
    )  # fmt: skip
    async with visit.tx() as tx:
        known = await accounts.every(tx)
        left = await links.unlinked_count(tx, account_id)
        skus = await link_desk.titles(tx, [each.sku_id for one_ in found for each in one_.suggestions])
    page = Part(
        rows=[], onward=onward and address(visit, place_of({"slot_id": onward[0], "id": onward[1]})),
        first=address(visit, None) if visit.asked("apos") else None,
    )  # fmt: skip
    return visit.render(
        "linking.html", part=page, rows=[worded(visit, each, skus) for each in found], likely=likely,
        account_id=account_id, search=search, left=left, link=link_words, most=desk.MOST_LOOKED,
        accounts=[account for account in known if (adapter := adapter_of(account.channel)) and adapter.listings],
    )  # fmt: skip


def worded(visit: Visit, each: Candidate, skus: Mapping[UUID, Mapping[str, Any]]) -> dict[str, Any]:
    """A candidate as a page shows it: each suggestion with its reasons, title and free units."""
    said = pack(each.row["title"])
    suggestions = []
    for place, one_ in enumerate(each.suggestions):
        exact = bool(each.how) and place == 0
        why = visit.language.gettext(link_words.EXACT[each.how]) if exact else one_.explain(visit.language.tag)
        suggestions.append({
            "title": "", "free": 0, "counted": False, **skus.get(one_.sku_id, {}), "sku_id": one_.sku_id,
            "code": one_.code, "score": one_.score, "multiplier": one_.multiplier, "why": why, "exact": exact,
        })  # fmt: skip
    return {**each.row, "likely": each.likely, "pack": said and said.units, "suggestions": suggestions}


def back(visit: Visit) -> web.Response:
    """To where the form stood."""
    onward = visit.form.get("next", HOME)
    return visit.go(onward if onward == HOME or onward.startswith((f"{HOME}?", "/anuncios/")) else HOME)


# ── one click ───────────────────────────────────────────────────────────────────────────────────────────────


async def accept(visit: Visit) -> web.Response:
    """Link one listing to the SKU that was suggested for it."""
    try:
        listing, sku, units = visit.form.get("um", "").split("~")
        wanted = Link(listing_id=UUID(listing), sku_id=UUID(sku), multiplier=_units(units))
    except ValueError:
        raise Problem(400) from None
    await write(visit, wanted)
    return back(visit)


async def write(visit: Visit, wanted: Link) -> bool:
    """Make one link, and say what came of it; whether it was made."""
    async with visit.tx() as tx:
        code = (await links.codes(tx, [wanted.sku_id] if wanted.sku_id else [])).get(wanted.sku_id or UUID(int=0))
    if wanted.sku_id and code is None:
        visit.say("bad", N_("Este SKU não existe mais."))
        return False
    refused = await linking.apply(visit.rt, visit.seller_id, [wanted])
    if refused:
        visit.say("bad", "%(why)s", why=refusal_words.told(visit.language, refused[wanted.listing_id]))
        return False
    async with visit.tx() as tx:
        told = (await link_desk.numbers(tx, [wanted.listing_id]))[wanted.listing_id]
    number = visit.language.number(told["desired"])
    if told["desired"] is None:
        visit.say("ok", N_("Vinculado: vende %(units)s × %(sku)s. Sem contagem do SKU, o hub ainda não escreve nele."),
                  units=wanted.multiplier, sku=code)  # fmt: skip
    elif told["writes"]:
        visit.say("ok", N_("Vinculado: vende %(units)s × %(sku)s. O canal passa a mostrar %(number)s."),
                  units=wanted.multiplier, sku=code, number=number)  # fmt: skip
    else:
        visit.say("ok", N_("Vinculado: vende %(units)s × %(sku)s. Mostrará %(number)s quando a conta for aprovada."),
                  units=wanted.multiplier, sku=code, number=number)  # fmt: skip
    return True


def _units(told: str) -> int:
    """Units in a sale. ValueError for what is no whole number from 1 on."""
    if not (told.isascii() and told.isdigit() and 1 <= int(told[:9]) <= MOST_UNITS):
        raise ValueError(told)
    return int(told)


# ── several at once ─────────────────────────────────────────────────────────────────────────────────────────


def _chosen(visit: Visit) -> tuple[list[Link], set[UUID]]:
    """The links that are ticked, and the listings whose multiplier is none. Problem(400) for what is no id."""
    wanted, wrong = [], set()
    for name, sku in visit.form.items():
        if not name.startswith("l:"):
            continue
        try:
            listing_id, sku_id = UUID(name.removeprefix("l:")), UUID(sku)
        except ValueError:
            raise Problem(400) from None
        try:
            units = _units(visit.form.get(f"m:{listing_id}", "1").strip())
        except ValueError:
            wrong.add(listing_id)
            units = 1
        wanted.append(Link(listing_id=listing_id, sku_id=sku_id, multiplier=units))
    return wanted, wrong


async def preview(visit: Visit) -> web.Response:
    """What the ticked links will do, before they are made."""
    wanted, wrong = _chosen(visit)
    if not wanted or len(wanted) > MOST:
        visit.say("bad", N_("Marque de 1 a %(most)s anúncios."), most=MOST)
        return back(visit)
    return await _preview(visit, wanted, wrong)


async def _preview(visit: Visit, wanted: Sequence[Link], wrong: set[UUID]) -> web.Response:
    done = await desk.effects(visit.rt, visit.seller_id, [link for link in wanted if link.listing_id not in wrong])
    rows = await _rows(visit, wanted, done, wrong)
    return visit.render(
        "link_preview.html", status=400 if wrong else 200, rows=rows, next=visit.form.get("next", HOME),
        good=sum(1 for row in rows if row["effect"] and not row["refused"]), wrong=wrong, most=MOST_UNITS,
    )  # fmt: skip


async def _rows(
    visit: Visit, wanted: Sequence[Link], done: Mapping[UUID, Effect], wrong: set[UUID]
) -> list[dict[str, Any]]:
    async with visit.tx() as tx:
        told = await link_desk.named(tx, [link.listing_id for link in wanted])
        skus = await link_desk.titles(tx, [link.sku_id for link in wanted if link.sku_id])
    rows = []
    for link in wanted:
        if link.listing_id not in told or link.sku_id not in skus:
            continue
        effect = done.get(link.listing_id)
        refused = effect.refused if effect else None
        rows.append({
            **told[link.listing_id], "sku": skus[link.sku_id], "units": link.multiplier, "effect": effect,
            "typed": visit.form.get(f"m:{link.listing_id}", "1"), "wrong": link.listing_id in wrong,
            "refused": refused and refusal_words.told(visit.language, refused),
        })  # fmt: skip
    return rows


async def link_several(visit: Visit) -> web.Response:
    """Make the links that the preview showed."""
    wanted, wrong = _chosen(visit)
    if wrong or not wanted or len(wanted) > MOST:
        return await _preview(visit, wanted[:MOST], wrong) if wanted else visit.go(HOME)
    refused = await linking.apply(visit.rt, visit.seller_id, wanted)
    say, done = visit.language.gettext, len(wanted) - len(refused)
    told = [say(N_("Vinculados: %(count)s."), count=done)]
    told += [refusal_words.told(visit.language, each) for each in list(refused.values())[:2]]
    visit.say("bad" if refused else "ok", "%(said)s", said=" ".join(told))
    return back(visit)


# ── one listing ─────────────────────────────────────────────────────────────────────────────────────────────


async def one(visit: Visit) -> web.Response:
    """Which SKU a listing is: suggestions, a search, a new SKU; and what the chosen one will do."""
    return await _one(visit, await listing_in_path(visit), {}, {})


async def _one(
    visit: Visit, row: Mapping[str, Any], told: Mapping[str, str], problems: Mapping[str, str]
) -> web.Response:
    found = await desk.candidate(visit.rt, visit.seller_id, visit.request.app[SHELF], row)
    search, chosen, effect = visit.asked("busca"), None, None
    units, problem = _asked_units(visit)
    async with visit.tx() as tx:
        skus = await link_desk.titles(tx, [each.sku_id for each in found.suggestions])
        hits = await link_desk.skus(tx, search) if search else []
        if code := visit.asked("sku"):
            chosen = next((each for each in await link_desk.skus(tx, code, 3) if each["code"] == code), None)
            problem = problem or (None if chosen else visit.language.gettext(N_("Não há SKU %(sku)s."), sku=code))
    if chosen and not problem:
        wanted = Link(listing_id=row["id"], sku_id=chosen["id"], multiplier=units)
        effect = (await desk.effects(visit.rt, visit.seller_id, [wanted])).get(row["id"])
    return visit.render(
        "link_one.html", status=400 if problems or problem else 200, listing=row, found=worded(visit, found, skus),
        search=search, hits=hits, chosen=chosen, units=units, typed=visit.asked("vende") or "1", effect=effect,
        problem=problem, refused=effect and effect.refused and refusal_words.told(visit.language, effect.refused),
        told={"code": row["channel_sku"] or "", "title": row["title"] or "", "vende": "1", **told}, problems=problems,
        most=MOST_UNITS, longest=(desk.LONGEST_CODE, desk.LONGEST_TITLE),
    )  # fmt: skip


def _asked_units(visit: Visit) -> tuple[int, str | None]:
    try:
        return _units(visit.asked("vende") or "1"), None
    except ValueError:
        return 1, _units_problem(visit)


def _units_problem(visit: Visit) -> str:
    said = N_("Unidades por venda: escreva um número inteiro de 1 a %(most)s.")
    return visit.language.gettext(said, most=visit.language.number(MOST_UNITS))


async def link_one(visit: Visit) -> web.Response:
    """Link a listing to the SKU that a person chose for it."""
    row = await listing_in_path(visit)
    try:
        wanted = Link(listing_id=row["id"], sku_id=UUID(visit.form.get("sku", "")),
                      multiplier=_units(visit.form.get("vende", "1")))  # fmt: skip
    except ValueError:
        raise Problem(400) from None
    done = await write(visit, wanted)
    return visit.go(f"/anuncios/{row['id']}" if done else f"/anuncios/{row['id']}/ligar")


async def unlink(visit: Visit) -> web.Response:
    """The hub writes to this listing no more, and its orders hold no stock."""
    row = await listing_in_path(visit)
    refused = await linking.apply(visit.rt, visit.seller_id, [Link(listing_id=row["id"], sku_id=None)])
    if refused:
        visit.say("bad", "%(why)s", why=refusal_words.told(visit.language, refused[row["id"]]))
    else:
        visit.say("ok", N_("Desvinculado: o hub não escreve mais neste anúncio."))
    return visit.go(f"/anuncios/{row['id']}")


async def new_sku(visit: Visit) -> web.Response:
    """Make a SKU out of a listing, and link the listing to it."""
    row, form = await listing_in_path(visit), visit.form
    told = {"code": form.get("code", "").strip(), "title": " ".join(form.get("title", "").split()),
            "vende": form.get("vende", "1").strip()}  # fmt: skip
    problems, units = {}, 1
    if not 0 < len(told["code"]) <= desk.LONGEST_CODE or not told["code"].isprintable():
        problems["code"] = visit.language.gettext(
            N_("Dê um código de até %(most)s caracteres, sem espaços nas pontas."), most=desk.LONGEST_CODE
        )
    try:
        units = _units(told["vende"])
    except ValueError:
        problems["vende"] = _units_problem(visit)
    if not problems:
        try:
            await desk.new_sku(
                visit.rt, visit.seller_id, row, told["code"], told["title"][: desk.LONGEST_TITLE], units
            )  # fmt: skip
        except Refused as refusal:
            problems["code"] = refusal_words.told(visit.language, refusal)
    if problems:
        return await _one(visit, row, told, problems)
    visit.say("ok", N_("SKU %(sku)s criado e vinculado. Conte o estoque dele para o canal receber um número."),
              sku=told["code"])  # fmt: skip
    return visit.go(f"/anuncios/{row['id']}")

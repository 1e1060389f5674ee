"""Margens: rules that keep units away from channels, what one would change before it is kept, and why afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.buffers import BufferKind
from hub.store import Tx, accounts, buffers, links, listing_story, lookup, screens
from hub.store.buffers import Place, Rule
from hub.web import buffer_words, refusal_words, settings_words
from hub.web.edge import Visit
from hub.web.i18n import N_, ZONE
from hub.web.pages.accounts import adapter_of
from hub.web.pages.keyset import PLACE, SIZE, id_asked, part
from jobs import buffers as desk
from jobs import counts
from jobs.connect import Refused

HOME = "/configuracoes/margens"
FIELDS = ("escopo", "conta", "categoria", "sku", "anuncio", "tipo", "valor", "teto", "acima", "comeca", "termina")
SHOWN, EXPLAINED = 100, 3
ORDER, SEPARATOR = ("scope", "place_account", "kind", "scope_ref"), "~"  # of a rule's place: last what may be any word
BLANK = {**dict.fromkeys(FIELDS, ""), "escopo": "channel", "tipo": "units"}


@dataclass(slots=True)
class Wrong(Exception):
    """What a form holds makes no rule: sentences by field."""

    problems: dict[str, str]


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────


async def every(visit: Visit) -> web.Response:
    """Margens."""
    told = dict(BLANK)
    if sku := visit.asked("sku"):
        told |= {"escopo": "sku", "sku": sku}
    if listing_id := id_asked(visit, "anuncio"):
        async with visit.tx() as tx:
            listing = await listing_story.one(tx, listing_id)
        if listing is not None:
            name = ":".join(filter(None, (listing["ref"], listing["variation_ref"])))
            told |= {"escopo": "listing", "anuncio": name, "conta": str(listing["account_id"])}
    return await _every(visit, told)


async def _every(
    visit: Visit, told: Mapping[str, str], problems: Mapping[str, str] | None = None,
    changed: desk.Changed | None = None,
) -> web.Response:  # fmt: skip
    async with visit.tx() as tx:
        known = await accounts.every(tx)
        rules = await buffers.every(tx, after=_place(visit), search=visit.asked("busca"), limit=SIZE + 1)
        categories = await buffers.categories(tx)
    cut = part(visit, rules, place_of=lambda row: SEPARATOR.join(str(row[name]) for name in ORDER), home=HOME)
    shown = [
        {**row, "source": buffers.source_of(row).value, "does": buffer_words.does(visit.language, row),
         "state": buffer_words.state(row, visit.now)}
        for row in cut.rows
    ]  # fmt: skip
    return visit.render(
        "settings_buffers.html", status=400 if problems else 200, told=told, problems=problems or {},
        rules=shown, part=cut, search=visit.asked("busca"), words_=buffer_words, categories=categories,
        settings=settings_words, changed=changed, shown=SHOWN, done=await _explained(visit),
        accounts=[account for account in known if (adapter := adapter_of(account.channel)) and adapter.stock],
    )  # fmt: skip


def _place(visit: Visit) -> Place | None:
    """The rule's place that the address names; what is none begins anew."""
    scope, account, kind, ref = [*visit.request.query.get(PLACE, "").split(SEPARATOR, 3), *[""] * 3][:4]
    known = next((each for each in buffers.SCOPES if each == scope), None)
    try:
        return (known, ref.replace("\x00", ""), UUID(account), kind) if known and kind in set(BufferKind) else None
    except ValueError:
        return None


async def _explained(visit: Visit) -> list[dict[str, Any]]:
    """Why the numbers are what they are now, of some slots that the rule just kept is made for."""
    kept = id_asked(visit, "feita")
    if kept is None:
        return []
    async with visit.tx() as tx:
        made_for = await buffers.made_for(tx, [kept])
        codes = await links.codes(tx, {sku for _rule, _account, sku in made_for})
    there, told = {account for _rule, account, _sku in made_for}, []
    for code in sorted(codes.values())[:EXPLAINED]:
        for slot, answer in await counts.explain(visit.rt, visit.seller_id, code):
            if slot["account_id"] in there:
                told.append((code, slot, answer))
    named = {value for *_, answer in told for step in answer.steps for value in step.params.values()}
    async with visit.tx() as tx:
        names = await screens.names(tx, {value for value in named if isinstance(value, UUID)})
    return [
        {**slot, "sku": code, "answer": answer.quantity, "steps": answer.explain(visit.language.tag, names)}
        for code, slot, answer in told[:EXPLAINED]
    ]


# ── a rule out of a form ────────────────────────────────────────────────────────────────────────────────────


async def preview(visit: Visit) -> web.Response:
    """What a rule would change; nothing is kept."""
    told = {name: visit.form.get(name, "").strip() for name in FIELDS}
    try:
        changed = await desk.set_rule(visit.rt, visit.seller_id, await _rule(visit, told), dry=True)
    except (Wrong, Refused) as trouble:
        return await _every(visit, told, _problems(visit, trouble))
    return await _every(visit, told, changed=changed)


async def keep(visit: Visit) -> web.Response:
    """Keep a rule; every number that it changes is computed at once."""
    told = {name: visit.form.get(name, "").strip() for name in FIELDS}
    try:
        changed = await desk.set_rule(visit.rt, visit.seller_id, await _rule(visit, told))
    except (Wrong, Refused) as trouble:
        return await _every(visit, told, _problems(visit, trouble))
    visit.say("ok", N_("Margem guardada. Números que mudaram: %(count)s."),
              count=visit.language.number(len(changed.changes)))  # fmt: skip
    return visit.go(f"{HOME}?feita={changed.buffer_id}")


async def remove(visit: Visit) -> web.Response:
    """Drop a rule; what it held back is shown again."""
    try:
        changed = await desk.remove_rule(visit.rt, visit.seller_id, visit.id_in_path())
    except Refused as refusal:
        visit.say("bad", "%(why)s", why=refusal_words.told(visit.language, refusal))
    else:
        visit.say("ok", N_("Margem removida. Números que mudaram: %(count)s."),
                  count=visit.language.number(len(changed.changes)))  # fmt: skip
    return visit.go(HOME)


def _problems(visit: Visit, trouble: Wrong | Refused) -> dict[str, str]:
    """Sentences by field; what belongs to none stands at the value."""
    if isinstance(trouble, Wrong):
        return trouble.problems
    field = buffer_words.FIELD_OF.get(trouble.kind, "valor")
    return {field: refusal_words.told(visit.language, trouble)}


async def _rule(visit: Visit, told: Mapping[str, str]) -> Rule:
    say, problems, numbers, times = visit.language.gettext, {}, {}, {}
    for name in ("valor", "teto", "acima"):
        try:
            numbers[name] = int(told[name].removesuffix("%").replace(".", "")[:9]) if told[name] else None
        except ValueError:
            problems[name] = say(N_("Escreva um número inteiro."))
    if not told["valor"]:
        problems["valor"] = say(N_("Diga quanto."))
    for name in ("comeca", "termina"):
        try:
            times[name] = datetime.fromisoformat(told[name]).replace(tzinfo=ZONE) if told[name] else None
        except ValueError:
            problems[name] = say(N_("Não é um instante: escreva como 2026-11-27T18:00."))
    if told["tipo"] not in set(BufferKind):
        problems["tipo"] = say(N_("Escolha o que a margem faz."))
    async with visit.tx() as tx:
        scope = await _scope(visit, tx, told, problems)
    if problems or scope is None:
        raise Wrong(problems)
    kind = BufferKind(told["tipo"])
    return Rule(
        scope=told["escopo"], scope_ref=scope[0], account_id=scope[1], kind=kind, value=numbers["valor"] or 0,
        until_stock=numbers["acima"], cap=numbers["teto"], starts_at=times["comeca"], ends_at=times["termina"],
    )  # fmt: skip


async def _scope(
    visit: Visit, tx: Tx, told: Mapping[str, str], problems: dict[str, str]
) -> tuple[str, UUID | None] | None:
    """What names the thing that a rule is for, and the one account that it is for; None: a problem was noted."""
    say, scope = visit.language.gettext, told["escopo"]
    known = {str(account.id): account.id for account in await accounts.every(tx)}
    account_id = known.get(told["conta"])
    if told["conta"] and account_id is None:
        problems["conta"] = say(N_("Esta conta não existe mais."))
    elif scope == "channel" and account_id is None:
        problems["conta"] = say(N_("Escolha o canal."))
    elif scope == "channel":
        return str(account_id), account_id
    elif scope in ("sku", "category"):
        field = "sku" if scope == "sku" else "categoria"
        if told[field]:
            return told[field], account_id
        problems[field] = say(N_("Diga qual."))
    elif scope == "listing":
        return await _slot(visit, tx, told["anuncio"], account_id, problems)
    else:
        problems["escopo"] = say(N_("Escolha para que vale."))
    return None


async def _slot(
    visit: Visit, tx: Tx, named: str, account_id: UUID | None, problems: dict[str, str]
) -> tuple[str, UUID] | None:
    """The one slot of a listing, by id, ref or "ref:variation"."""
    found = await lookup.listing(tx, named) if named else []
    slots = await buffers.slots_of_listings(tx, [row["id"] for row in found])
    refs = {(slot["ref"], slot["account_id"]) for slot in slots if account_id in (None, slot["account_id"])}
    if len(refs) == 1:
        return refs.pop()
    say = visit.language.gettext
    if refs:
        problems["anuncio"] = say(N_("Mais de um anúncio tem esse código: escolha também a conta."))
    elif named:
        problems["anuncio"] = say(N_("Não há anúncio %(one)s aí."), one=named)
    else:
        problems["anuncio"] = say(N_("Diga qual."))
    return None

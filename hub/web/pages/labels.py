"""Etiquetas: orders that wait to be sent, what carriers ask for them, labels bought, printed, and leaving."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.freight import Rule, choose, why
from hub.labels import Layout
from hub.store import channel_labels as own
from hub.store import freight, labels, unbuyable
from hub.web import label_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE, part, place_asked
from jobs import channel_labels, freight_buy, freight_labels, freight_leave
from jobs import freight as quotes
from jobs.connect import Refused
from jobs.freight import FRESH, FreightRefused
from jobs.freight_checks import INSISTS, SECOND, own_labels, reasons

HOME = "/etiquetas"
MOST = 100  # orders in one go
AT_ONCE = 4
WORK = 1.5  # seconds that a look at a print may fetch labels


async def every(visit: Visit) -> web.Response:
    """The queue, by what is to be done next."""
    told = visit.asked("fila")
    queue = told if told in label_words.QUEUES else "to_buy"
    async with visit.tx() as tx:
        rows = await freight.queue(tx, queue, own_labels(visit.rt), after=place_asked(visit), limit=SIZE + 1)
        page = part(visit, rows, "due")
        holds = await unbuyable.contents(tx, [row["id"] for row in page.rows])
        known = await labels.of_orders(tx, [row["id"] for row in page.rows])
        fresh = [row["quote_id"] for row in page.rows if row["quote_id"] and visit.now - row["quoted_at"] < FRESH]
        offers = await freight.offers(tx, fresh)
        policy = await freight.policy(tx, None)
        signed = await labels.manifests(tx, 10) if queue == "left" else []
    by_order = {key: list(group) for key, group in groupby(known, lambda label: label["order_id"])}
    by_quote = {key: list(group) for key, group in groupby(offers, lambda offer: offer["quote_id"])}
    shown = [
        {
            **row, "holds": holds.get(row["id"], ()), **_worth_showing(by_order.get(row["id"], ())),
            **_choice(visit, row, by_quote, policy),
        }
        for row in page.rows
    ]  # fmt: skip
    return visit.render(
        "labels.html", part=page, rows=shown, queue=queue, label_words=label_words, policy=policy, signed=signed,
        carriers=_carriers(known), stay=freight_leave.STILL_HERE, unsaid=_unsaid(visit, policy),
    )  # fmt: skip


def _unsaid(visit: Visit, policy: Mapping[str, Any]) -> str | None:
    """What labels still lack of their sender, in a sentence without its end."""
    missing = ", ".join(name.removeprefix("address.") for name in freight_buy.unsaid(policy))
    return FreightRefused("sender_of", fields=missing).told(visit.language.tag) if missing else None


def _worth_showing(known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The living labels; where there is none the last one that was refused."""
    alive = [label for label in known if label["status"] not in ("refused", "cancelled")]
    return {"labels": alive or [label for label in known if label["status"] == "refused"][:1], "alive": bool(alive)}


def _choice(
    visit: Visit, row: Mapping[str, Any], by_quote: Mapping[UUID, list[dict[str, Any]]], policy: Mapping[str, Any]
) -> dict[str, Any]:
    """A quoted order's offers, which of them the rule takes, and why."""
    offers = by_quote.get(row["quote_id"], [])
    choice = choose(quotes.offers_of(offers), Rule(policy["rule"] or Rule.PROMISE), row["deliver_by"])
    taken = f"{choice.offer.account}~{choice.offer.service}" if choice.offer else ""
    return {"offers": offers, "taken": taken, "why": why(choice, visit.language.tag) if offers else ""}


def _carriers(known: Sequence[Mapping[str, Any]]) -> list[tuple[UUID, str]]:
    waiting = {
        (label["account_id"], label["account"])
        for label in known
        if label["status"] == "bought" and label["manifest_id"] is None
    }
    return sorted(waiting, key=lambda carrier: carrier[1])


def home(visit: Visit) -> str:
    """The queue that the form came from."""
    onward = visit.form.get("next", HOME)
    return onward if onward == HOME or onward.startswith(f"{HOME}?") else HOME


def ids_of(visit: Visit, prefix: str) -> list[UUID]:
    """The ids of a form's ticked boxes, in the order shown. Problem(400) for what is no id."""
    try:
        return [UUID(name.removeprefix(prefix)) for name in visit.form if name.startswith(prefix)]
    except ValueError:
        raise Problem(400) from None


def few(visit: Visit, ids: Sequence[UUID]) -> bool:
    """Whether something is chosen, and not too much; else it is said."""
    if not ids:
        visit.say("bad", N_("Escolha pelo menos um pedido."))
    elif len(ids) > MOST:
        visit.say("bad", N_("Escolha no máximo %(most)s pedidos de uma vez."), most=MOST)
    return 0 < len(ids) <= MOST


def said(visit: Visit, good: str, count: int, refusals: Sequence[str]) -> None:
    """What came of it, and why the rest did not: each sentence names its order."""
    told = [visit.language.gettext(good, count=count)] if count else []
    more = len(refusals) - 3
    told += list(refusals[:3]) + ([visit.language.gettext(N_("E mais %(more)s."), more=more)] if more > 0 else [])
    visit.say("bad" if refusals else "ok", "%(said)s", said=" ".join(told))


# ── quoting, and taking back ─────────────────────────────────────────────────────────────────────────────────


async def quote(visit: Visit) -> web.Response:
    """Ask every carrier about the chosen orders; the offers stand on the page for half an hour."""
    ids = ids_of(visit, "o:")
    if few(visit, ids):
        async with visit.tx() as tx:
            against = await reasons(visit.rt, tx, ids)
        theirs = [why for every in against.values() for why in every if INSISTS[why.kind] == SECOND]
        left_out = {id_ for id_, every in against.items() if any(why in theirs for why in every)}
        mine = [id_ for id_ in ids if id_ not in left_out]
        told = await quotes.preview(visit.rt, visit.seller_id, mine, at_once=AT_ONCE)
        refused = [one for _id, one in told if isinstance(one, FreightRefused)]
        refusals = [one.told(visit.language.tag) + "." for one in (*theirs, *refused)]
        said(visit, N_("Pedidos cotados: %(count)s."), len(told) - len(refused), refusals)
    return visit.go(home(visit))


async def cancel(visit: Visit) -> web.Response:
    """Take a label back."""
    try:
        told = await freight_leave.cancel(visit.rt, visit.seller_id, visit.id_in_path())
    except FreightRefused as refusal:
        visit.say("bad", "%(why)s.", why=refusal.told(visit.language.tag))
    else:
        if told:
            visit.say("bad", N_("Etiqueta cancelada na transportadora; o canal já soubera do envio: avise-o."))
        else:
            visit.say("ok", N_("Etiqueta cancelada: a transportadora foi avisada, e o canal não soube dela."))
    return visit.go(home(visit))


# ── printing ────────────────────────────────────────────────────────────────────────────────────────────────


async def print_(visit: Visit) -> web.Response:
    """The labels of the chosen orders, to be printed together in the order shown."""
    ids = ids_of(visit, "o:")
    if not few(visit, ids):
        return visit.go(home(visit))
    async with visit.tx() as tx:
        known = await labels.of_orders(tx, ids)
        mine = sorted((row for row in known if row["status"] == "bought"), key=lambda row: ids.index(row["order_id"]))
        if not mine:
            visit.say("bad", N_("Nenhum dos pedidos escolhidos tem etiqueta comprada."))
            return visit.go(home(visit))
        layout = Layout.A4 if visit.form.get("layout") == Layout.A4 else Layout.SMALL
        made = await labels.print_add(tx, [row["id"] for row in mine], layout)
    return visit.go(f"{HOME}/impressao/{made}")


async def _print(visit: Visit) -> dict[str, Any]:
    async with visit.tx() as tx:
        found = await labels.print_of(tx, visit.id_in_path())
    if found is None:
        raise Problem(404)
    return found


async def progress(visit: Visit) -> web.Response:
    """How far a print is. Each look fetches labels for a moment, and the page looks again by itself."""
    found = await _print(visit)
    left = [id_ for id_ in found["labels"] if id_ not in (found["ready"] or ()) and str(id_) not in found["failures"]]
    if left:
        fetched = channel_labels.fetched if found["of_channel"] else freight_labels.fetched
        _files, failures = await fetched(visit.rt, visit.seller_id, left, seconds=WORK, locale=visit.language.tag)
        async with visit.tx() as tx:
            if failures:
                await labels.print_failed(tx, found["id"], failures)
        found = await _print(visit)
    async with visit.tx() as tx:
        some = own.some if found["of_channel"] else labels.some
        failed = await some(tx, [UUID(id_) for id_ in found["failures"]])
    ready, total = len(_ready(found)), len(found["labels"])
    whole = ready + len(found["failures"]) >= total
    answer = visit.render(
        "labels_print.html", found=found, ready=ready, total=total, whole=whole,
        failed=[(label, found["failures"][str(label["id"])]) for label in failed],
    )  # fmt: skip
    if not whole:
        answer.headers["Refresh"] = "1"
    return answer


async def file(visit: Visit) -> web.Response:
    """The print as one PDF: what could be had, in the order chosen."""
    found = await _print(visit)
    layout = Layout(found["layout"])
    if found["of_channel"]:
        printed = await channel_labels.printed(
            visit.rt, visit.seller_id, _ready(found), layout, locale=visit.language.tag
        )  # fmt: skip
        if printed.failures:  # what could be printed then may have left, or been cancelled, since
            async with visit.tx() as tx:
                await labels.print_failed(tx, found["id"], printed.failures)
    else:
        printed = await freight_labels.printed(visit.rt, visit.seller_id, _ready(found), layout)
    if printed.pdf is None:
        return visit.go(f"{HOME}/impressao/{found['id']}")
    return _pdf(printed.pdf, "etiquetas.pdf")


def _ready(found: Mapping[str, Any]) -> list[UUID]:
    ready = set(found["ready"] or ())
    return [id_ for id_ in found["labels"] if id_ in ready and str(id_) not in found["failures"]]


def _pdf(body: bytes, name: str) -> web.Response:
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return web.Response(body=body, content_type="application/pdf", headers=headers)


# ── leaving ─────────────────────────────────────────────────────────────────────────────────────────────────


async def sign(visit: Visit) -> web.Response:
    """A carrier took the chosen orders' parcels (none chosen: all that wait for it)."""
    ids = ids_of(visit, "o:")
    try:
        account_id = UUID(visit.form.get("carrier", ""))
    except ValueError:
        visit.say("bad", N_("Escolha a transportadora que retirou."))
        return visit.go(home(visit))
    async with visit.tx() as tx:
        known = await labels.of_orders(tx, ids) if ids else None
    try:
        chosen = [label["id"] for label in known] if known is not None else None
        signed = await freight_leave.sign(visit.rt, visit.seller_id, account_id, chosen, visit.form.get("name", ""))
    except LookupError:
        raise Problem(404) from None
    except Refused as refusal:
        told = refusal.told(visit.language.tag) if isinstance(refusal, FreightRefused) else str(refusal)
        visit.say("bad", "%(why)s.", why=told)
        return visit.go(home(visit))
    visit.say("ok", N_("Romaneio %(number)s assinado: volumes que saíram: %(parcels)s. Os canais serão avisados."),
              number=signed.number, parcels=signed.parcels)  # fmt: skip
    return visit.go(f"{HOME}?fila=left")


async def manifest(visit: Visit) -> web.Response:
    """A carrier's parcels on paper or as a sheet: of a signed manifest by its number, else those that wait."""
    told, kind = visit.asked("numero"), visit.request.match_info["kind"]
    number = int(told) if told and told.isascii() and told.isdigit() and len(told) < 10 else None  # noqa: PLR2004 - an integer's digits
    try:
        body, name = await freight_leave.paper(visit.rt, visit.seller_id, visit.id_in_path(), kind, number)
    except (LookupError, FreightRefused):
        raise Problem(404) from None
    if kind == "csv":
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=body, content_type="text/csv", charset="utf-8", headers=headers)
    return _pdf(body, name)

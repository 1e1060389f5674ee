"""Dead letters: what stands still until a person acts, its reason and its document, and its replay with a preview."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web

import adapters
from hub.redaction import redact, redact_event
from hub.store import Tx, accounts, letters, tracking
from hub.store.accounts import Account
from hub.store.letters import Scope
from hub.web import sync_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.keyset import SIZE, id_asked, part
from jobs import follow, replay

HOME = "/sincronizacao/parados"
LONGEST = 200_000  # characters of a document that a page shows


def _kind(told: str | None) -> str | None:
    return told if told in letters.KINDS else None


def _query(scope: Scope) -> dict[str, str]:
    """A scope as an address names it."""
    told = {"tipo": scope.kind, "conta": str(scope.account_id or ""), "motivo": scope.reason or ""}
    return {name: value for name, value in told.items() if value}


def _worded(visit: Visit, kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **row, "why": sync_words.reason(visit.language, kind, row["reason"]),
        "words": sync_words.said(visit.language, row),
        "mend": sync_words.mend(visit.language, kind, row["reason"]),
    }  # fmt: skip


async def every(visit: Visit) -> web.Response:
    """Parados."""
    async with visit.tx() as tx:
        counts = await letters.counts(tx)
        first = next((kind for kind in letters.KINDS if counts[kind]), letters.KINDS[0])
        kind = _kind(visit.asked("tipo")) or first
        scope = Scope(kind=kind, account_id=id_asked(visit, "conta"), reason=visit.asked("motivo"))
        tally = await letters.tally(tx, Scope(kind=kind))
        rows = await letters.listed(tx, scope, id_asked(visit, "apos"), SIZE + 1)
        carriers = await _carriers(tx) if kind == "tracking" else []
    shown = [_worded(visit, kind, row) for row in rows]
    reasons = {row["reason"]: sync_words.reason(visit.language, kind, row["reason"]) for row in tally if row["reason"]}
    return visit.render(
        "letters.html", part=part(visit, shown), kind=kind, scope=scope, counts=counts, most=letters.MOST,
        sync=sync_words, keep=_query(scope), accounts={row["account_id"]: row["account"] for row in tally},
        reasons=sorted(reasons.items()), carriers=carriers,
        total=sum(row["count"] for row in tally if _within(scope, row)), replayable=kind in letters.REPLAYABLE,
    )  # fmt: skip


def _within(scope: Scope, row: Mapping[str, Any]) -> bool:
    return scope.account_id in (None, row["account_id"]) and scope.reason in (None, row["reason"])


# ── replay ──────────────────────────────────────────────────────────────────────────────────────────────────


def _scope(kind: str | None, account: str | None, reason: str | None, ids: list[str] | None) -> Scope:
    """The scope that a form names; ValueError where it names nothing that can be replayed."""
    if kind not in letters.REPLAYABLE:
        raise ValueError("kind")
    return Scope(
        kind=kind, account_id=UUID(account) if account else None, reason=reason or None,
        ids=None if ids is None else [UUID(each) for each in ids],
    )  # fmt: skip


async def preview(visit: Visit) -> web.Response:
    """What a replay would do: of those chosen, or of all that the list shows (an account, a reason)."""
    chosen = visit.request.query.getall("id", [])[:SIZE] if visit.asked("escopo") == "escolhidos" else None
    try:
        scope = _scope(visit.asked("tipo"), visit.asked("conta"), visit.asked("motivo"), chosen)
    except ValueError:
        raise Problem(400) from None
    if chosen == []:
        visit.say("bad", N_("Marque ao menos um item, ou escolha repetir todos os da lista."))
        return visit.go(f"{HOME}?{urlencode(_query(scope))}")
    told = await replay.preview(visit.rt, visit.seller_id, scope)
    rows = [_worded(visit, scope.kind, row) for row in told.rows]
    by_reason = [{**row, "why": sync_words.reason(visit.language, scope.kind, row["reason"])} for row in told.by_reason]
    return visit.render(
        "letters_preview.html", told=told, rows=rows, by_reason=by_reason, scope=scope, sync=sync_words,
        keep=_query(scope), back=f"{HOME}?{urlencode(_query(scope))}", ids=",".join(chosen or []), most=letters.MOST,
    )  # fmt: skip


async def repeat(visit: Visit) -> web.Response:
    """Put them back to work."""
    form = visit.form
    chosen = [each for each in form["ids"].split(",") if each] if form.get("ids") else None
    try:
        scope = _scope(form.get("tipo"), form.get("conta"), form.get("motivo"), chosen)
    except ValueError:
        raise Problem(400) from None
    if form.get("seen") != "yes":
        visit.say("bad", N_("Confirme que você viu o que será feito."))
        return visit.go(f"{HOME}?{urlencode(_query(scope))}")
    done = await replay.replay(visit.rt, visit.seller_id, scope)
    if not done.count:
        visit.say("ok", N_("Nada mais estava parado: alguém já repetiu, ou foi resolvido."))
    elif done.left:
        visit.say("ok", N_("De volta ao trabalho: %(count)s. Ainda parados: %(left)s; repita de novo para continuar."),
                  count=visit.language.number(done.count), left=visit.language.number(done.left))  # fmt: skip
    else:
        visit.say("ok", N_("De volta ao trabalho: %(count)s. O que falhar de novo volta para esta lista."),
                  count=visit.language.number(done.count))  # fmt: skip
    return visit.go(f"{HOME}?{urlencode({'tipo': scope.kind})}")


async def follow_by(visit: Visit) -> web.Response:
    """Which carrier's account follows a parcel that several fit."""
    id_ = visit.id_in_path()
    async with visit.tx() as tx:
        known = {str(account.id): account for account in await _carriers(tx)}
        rows = await letters.listed(tx, Scope(kind="tracking", reason="ambiguous", ids=[id_]), None, 1)
        account = known.get(visit.form.get("account", "")) if rows else None
        if account is not None:
            await follow.choose(visit.rt, tx, account.id, {id_: rows[0]["ref"]})
    if account is None:
        visit.say("bad", N_("Este envio já tem quem o siga, ou essa conta não segue envios: veja a lista de novo."))
    else:
        visit.rt.ring("tracking", account.id)
        visit.say("ok", N_("%(account)s segue %(ref)s a partir de agora."), account=account.name, ref=rows[0]["ref"])
    return visit.go(f"{HOME}?tipo=tracking")


async def _carriers(tx: Tx) -> list[Account]:
    """Accounts that can follow a parcel."""
    able = {account_id for _channel, account_id in await tracking.carriers(tx, adapters.trackers())}
    return [account for account in await accounts.every(tx) if account.id in able]


# ── a document ──────────────────────────────────────────────────────────────────────────────────────────────


async def document(visit: Visit) -> web.Response:
    """A notice or document of the inbox as the channel told it, its secrets masked."""
    async with visit.tx() as tx:
        row = await letters.letter(tx, visit.id_in_path())
    if row is None:
        raise Problem(404)
    text = readable(row["raw"])
    problem = sync_words.problem(visit.language, row["error"]) if row["error"] else None
    return visit.render(
        "letter.html", row=row, text=text[:LONGEST] if text else None, cut=bool(text and len(text) > LONGEST),
        problem=problem, sync=sync_words, state=sync_words.INBOX_STATE.get(row["state"], ("mute", row["state"])),
    )  # fmt: skip


def readable(raw: bytes | None) -> str | None:
    """A raw document with its secrets masked: JSON indented, anything else as text; None where none was told."""
    if raw is None:
        return None
    text = bytes(raw).decode("utf-8", "replace")
    try:
        told = json.loads(text)
    except ValueError:
        return redact(text)
    return json.dumps(redact_event(None, "", {"document": told})["document"], indent=2, ensure_ascii=False)

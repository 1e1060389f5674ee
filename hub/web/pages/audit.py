"""The audit's pages: what differs between channels and the hub, a person's word on it, and what happens by itself."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.drift import ACTIONABLE, POLICIES, Drift, Push, policies_of
from hub.store import accounts, drift
from hub.store.accounts import Account
from hub.web import audit_words, listing_words, refusal_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.accounts import account_in_path, adapter_of
from hub.web.pages.keyset import SIZE, id_asked, part
from jobs import proposals
from jobs.connect import Refused

HOME, RULES = "/conferencia", "/conferencia/regras"
MOST = 100  # decided in one go
Deed = Callable[..., Awaitable[dict[str, Any]]]


def _audited(known: list[Account]) -> list[Account]:
    return [account for account in known if (adapter := adapter_of(account.channel)) and adapter.listings]


async def every(visit: Visit) -> web.Response:
    """Conferência."""
    told, class_, account_id = visit.asked("estado"), visit.asked("classe"), id_asked(visit, "conta")
    state = told if told in audit_words.STATE_FILTERS else None
    class_ = class_ if class_ in set(Drift) else None
    async with visit.tx() as tx:
        known = await accounts.every(tx)
        rows = await drift.listed(
            tx, state=state, account_id=account_id, class_=class_, after=id_asked(visit, "apos"), limit=SIZE + 1
        )  # fmt: skip
        pushes = await drift.last_pushes(tx, list({row["slot_id"] for row in rows}))
    page = part(visit, rows)
    return visit.render(
        "audit.html", part=page, rows=[_worded(visit, row, pushes) for row in page.rows], state=state, class_=class_,
        account_id=account_id, audit=audit_words, outcomes=listing_words.OUTCOME,
        other_outcome=listing_words.OTHER_OUTCOME, accounts=_audited(known),
    )  # fmt: skip


def _worded(visit: Visit, row: Mapping[str, Any], pushes: Mapping[UUID, Push]) -> dict[str, Any]:
    return {
        **row, "sentence": audit_words.sentence(visit.language, row),
        "reason": audit_words.WHY.get(row["why"] or ""), "push": pushes.get(row["slot_id"]),
        "decidable": row["state"] in proposals.DECIDABLE, "actionable": row["class"] in ACTIONABLE,
        "who": listing_words.who(visit.language, row["decided_by"], row["decider"]) if row["decided_at"] else None,
    }  # fmt: skip


# ── a person's word ─────────────────────────────────────────────────────────────────────────────────────────


async def accept(visit: Visit) -> web.Response:
    """Put a difference right."""
    return await _decide(visit, [visit.id_in_path()], proposals.accept, N_("%(ref)s: o hub corrige agora."))


async def dismiss(visit: Visit) -> web.Response:
    """Leave a difference as it is."""
    done = N_("%(ref)s fica como está até o hub calcular outro número.")
    return await _decide(visit, [visit.id_in_path()], proposals.dismiss, done)


async def accept_several(visit: Visit) -> web.Response:
    """Put the ticked differences right."""
    return await _decide(visit, _chosen(visit), proposals.accept, N_("O hub corrige agora: %(count)s."))


async def dismiss_several(visit: Visit) -> web.Response:
    """Leave the ticked differences as they are."""
    done = N_("Ficam como estão até o hub calcular outro número: %(count)s.")
    return await _decide(visit, _chosen(visit), proposals.dismiss, done)


def _chosen(visit: Visit) -> list[UUID]:
    try:
        return [UUID(name.removeprefix("d:")) for name in visit.form if name.startswith("d:")]
    except ValueError:
        raise Problem(400) from None


async def _decide(visit: Visit, ids: list[UUID], deed: Deed, done: str) -> web.Response:
    """Do it to each; what cannot be done is said with its reason, up to three."""
    if not 0 < len(ids) <= MOST:
        visit.say("bad", N_("Marque de 1 a %(most)s diferenças."), most=MOST)
        return _back(visit)
    last, count, refused = "", 0, []
    for id_ in ids:
        try:
            row = await deed(visit.rt, visit.seller_id, id_)
        except Refused as refusal:
            refused.append(refusal_words.told(visit.language, refusal))
        else:
            last, count = row["title"] or row["ref"], count + 1
    say = visit.language.gettext
    told = [say(done, ref=last, count=count)] if count else []
    told += [say(N_("Não foi feito: %(why)s"), why=" ".join(refused[:3]))] if refused else []
    visit.say("bad" if refused else "ok", "%(said)s", said=" ".join(told))
    return _back(visit)


def _back(visit: Visit) -> web.Response:
    onward = visit.form.get("next", HOME)
    return visit.go(onward if onward.startswith(HOME) else HOME)


# ── what happens by itself ──────────────────────────────────────────────────────────────────────────────────


async def rules(visit: Visit) -> web.Response:
    """What each account does by itself about each class of difference."""
    async with visit.tx() as tx:
        known = await accounts.every(tx)
    return visit.render(
        "audit_rules.html", policies=POLICIES, audit=audit_words,
        rows=[(account, policies_of(account.settings)) for account in _audited(known)],
    )  # fmt: skip


async def set_rules(visit: Visit) -> web.Response:
    """Set what one account does by itself."""
    account = await account_in_path(visit)
    held, changed = policies_of(account.settings), 0
    for name in POLICIES:
        wanted = visit.form.get(name, held[name])
        if wanted == held[name]:
            continue
        try:
            await proposals.set_policy(visit.rt, account, name, wanted)
        except Refused as refusal:
            visit.say("bad", N_("Não foi feito: %(why)s"), why=refusal_words.told(visit.language, refusal))
            return visit.go(RULES)
        changed += 1
    if changed:
        visit.say("ok", N_("%(name)s: regras guardadas; valem a partir da próxima leitura."), name=account.name)
    else:
        visit.say("ok", N_("%(name)s: nada mudou."), name=account.name)
    return visit.go(RULES)

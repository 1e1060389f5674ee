"""Políticas: what a seller decides once, for all or for one account; each change is shown before it is made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hub.store.accounts import Account
from hub.web import policy_words, settings_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages import policy_deeds
from hub.web.pages.accounts import account_in_path, label_of
from hub.web.policy_words import Field, Group
from jobs.connect import Refused

HOME = "/configuracoes/politicas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A group as a page shows it: its fields with what holds, as forms take it."""

    group: Group
    fields: tuple[Field, ...]
    held: Mapping[str, str]


def display(visit: Visit, field: Field, told: str) -> str:
    """A field's value in words."""
    say = visit.language.gettext
    if field.kind == "check":
        return say(policy_words.YES_NO["yes" if told else "no"])
    if not told:
        return say(field.blank) if field.blank else "—"
    if field.kind == "choice":
        words = field.options.get(told, told)
        return say(words) if field.translated else words
    if field.kind == "number":
        number = spelt(visit, told)
        return f"{number}{'' if field.unit.startswith('%') else ' '}{say(field.unit) if field.unit else ''}".strip()
    return told


def spelt(visit: Visit, told: str) -> str:
    """A number as its reader writes it."""
    return told.replace(".", ",") if visit.language.locale == "pt_BR" else told


def parsed(visit: Visit, fields: tuple[Field, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """What the form says, spelt as it is held, and what is wrong with it by field."""
    told: dict[str, str] = {}
    problems: dict[str, str] = {}
    for field in fields:
        word = visit.form.get(field.name, "").strip()
        told[field.name], kind = policy_deeds.read(field, word)
        if kind:
            low, high = (spelt(visit, f"{each:g}") for each in (field.low, field.high))
            problems[field.name] = visit.language.gettext(policy_words.PROBLEM[kind], low=low, high=high)
    return told, problems


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────


async def every(visit: Visit) -> web.Response:
    """Políticas."""
    return await _every(visit)


async def _every(
    visit: Visit, at: str = "", told: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None
) -> web.Response:
    shown = [await _shown(visit, group, None) for group in policy_words.SELLER]
    async with visit.tx() as tx:
        accounts = [row for row in await policy_deeds.accounts(tx) if policy_deeds.sells(row["channel"])]
    groups = [each for each in shown if each.fields]
    return visit.render(
        "settings_policies.html", status=400 if problems else 200, groups=groups, at=at,
        told=told or {}, problems=problems or {}, base=HOME, accounts=accounts, policy=visit.rt.policy,
        settings=settings_words, label_of=label_of, say=_say(visit),
    )  # fmt: skip


def _say(visit: Visit) -> Callable[[Field, str], str]:
    return lambda field, told: display(visit, field, told)


async def of_account(visit: Visit) -> web.Response:
    """The rules of one account."""
    return await _of_account(visit, await _account(visit))


async def _account(visit: Visit) -> Account:
    account = await account_in_path(visit)
    if account.status == "closed" or not policy_deeds.sells(account.channel):
        raise Problem(404)
    return account


async def _of_account(
    visit: Visit, account: Account, at: str = "", told: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> web.Response:  # fmt: skip
    shown = [await _shown(visit, group, account) for group in policy_words.ACCOUNT]
    return visit.render(
        "account_rules.html", status=400 if problems else 200, account=account, label=label_of(account.channel),
        groups=shown, at=at, told=told or {}, problems=problems or {}, base=f"/contas/{account.id}/regras",
        say=_say(visit),
    )  # fmt: skip


async def _shown(visit: Visit, group: Group, account: Account | None) -> Shown:
    async with visit.tx() as tx:
        fields, held = await policy_deeds.held(visit.rt, tx, group, account)
    return Shown(group=group, fields=fields, held=held)


# ── changes ─────────────────────────────────────────────────────────────────────────────────────────────────


async def change(visit: Visit) -> web.Response:
    """Change a group of all the seller's: first shown, then done."""
    again: Again = lambda at, told, problems: _every(visit, at, told, problems)  # noqa: E731 - one of two
    return await _change(visit, policy_words.SELLER, None, again, HOME)


async def change_account(visit: Visit) -> web.Response:
    """Change a group of one account: first shown, then done."""
    account = await _account(visit)
    again: Again = lambda at, told, problems: _of_account(visit, account, at, told, problems)  # noqa: E731 - the other
    return await _change(visit, policy_words.ACCOUNT, account, again, f"/contas/{account.id}/regras")


Again = Callable[[str, Mapping[str, str], Mapping[str, str]], Awaitable[web.Response]]


async def _change(
    visit: Visit, groups: tuple[Group, ...], account: Account | None, again: Again, back: str
) -> web.Response:
    group = next((each for each in groups if each.key == visit.request.match_info["group"]), None)
    if group is None:
        raise Problem(404)
    shown = await _shown(visit, group, account)
    told, problems = parsed(visit, shown.fields)
    if not problems:
        problems = policy_deeds.refused(visit.rt, group, told)
        problems = {name: visit.language.gettext(policy_words.PROBLEM[kind]) for name, kind in problems.items()}
    if problems:
        return await again(group.key, told, problems)
    changed = [field for field in shown.fields if told[field.name] != shown.held[field.name]]
    if not changed:
        visit.say("ok", N_("Nada mudou."))
        return visit.go(f"{back}#{group.key}")
    if visit.form.get("sure") != "yes":
        return await _sure(visit, shown, told, changed, account, back)
    try:
        await policy_deeds.save(visit.rt, visit.seller_id, group, account, told, {field.name for field in changed})
    except Refused as refusal:
        return await again(group.key, told, {changed[0].name: str(refusal)})
    visit.say("ok", N_("Mudado: %(title)s."), title=visit.language.gettext(group.title))
    return visit.go(f"{back}#{group.key}")


async def _sure(
    visit: Visit, shown: Shown, told: Mapping[str, str], changed: list[Field], account: Account | None, back: str
) -> web.Response:
    """What would change, and how much it touches."""
    async with visit.tx() as tx:
        counts = await policy_deeds.touched(tx, shown.group, account)
    rows: list[dict[str, Any]] = [
        {
            "label": visit.language.gettext(field.label) if field.translated or field.kind != "check" else field.label,
            "before": display(visit, field, shown.held[field.name]), "after": display(visit, field, told[field.name]),
        }
        for field in changed
    ]  # fmt: skip
    return visit.render(
        "settings_policy_sure.html", group=shown.group, rows=rows, told=told, account=account,
        touches=policy_deeds.reach(visit.language, shown.group, counts),
        back=f"{back}#{shown.group.key}", action=f"{back}/{shown.group.key}", settings=settings_words,
    )  # fmt: skip

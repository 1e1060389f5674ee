"""How each group of policies is read, what a change of it touches, and how it is made."""

from collections.abc import Callable, Collection, Mapping
from datetime import time
from typing import Any
from uuid import UUID

from hub import deadlines as decide
from hub.buyer_mail import QUIET, unusable, wish_of
from hub.drift import policies_of
from hub.model import Status
from hub.store import Tx, deadlines, policies, replenishment, warehouses
from hub.store import accounts as store
from hub.store.accounts import Account
from hub.web.i18n import Language
from hub.web.pages import policy_sender
from hub.web.pages.accounts import adapter_of
from hub.web.policy_words import Field, Group
from jobs import deadlines as dates
from jobs import holds, mails, proposals, replenish
from jobs import policies as flow
from jobs import warehouses as places
from jobs.runtime import Runtime

Told = Mapping[str, str]
MOST_RANK, LONGEST = 1_000_000, 200
RANK, DRAWS = "rank:", "draws:"
KEPT_BARE = frozenset({"document", "phone", "cep"})


def counted(spelt: str, count: int) -> str:
    """A count that was counted as far as policies.COUNTED."""
    return f"{spelt}+" if count >= policies.COUNTED else spelt


async def accounts(tx: Tx) -> list[dict[str, Any]]:
    """Accounts that are not closed: id, name, channel."""
    rows = [row for row in await store.every(tx) if row.status != "closed"]
    return [{"id": row.id, "name": row.name, "channel": row.channel} for row in rows]


def sells(channel: str) -> bool:
    """Whether a channel has orders, to which an account's policies apply."""
    adapter = adapter_of(channel)
    return adapter is not None and adapter.orders is not None


# ── what is typed ───────────────────────────────────────────────────────────────────────────────────────────


def read(field: Field, word: str) -> tuple[str, str | None]:
    """What a field says, spelt as it is held, and the kind of problem with it (None: there is none)."""
    kind = _wrong(field, word)
    if kind or not word:
        return word, kind
    if field.kind == "number":
        return f"{float(word.replace(',', '.')):.15g}", None
    if field.kind in KEPT_BARE:
        return policy_sender.read(field.kind, word) or word, None
    return (f"{time.fromisoformat(word):%H:%M}" if field.kind == "clock" else word), None


def _wrong(field: Field, word: str) -> str | None:
    if field.kind == "check":
        return None if word in ("", "yes") else "choice"
    if not word:
        return None if field.blank is not None else field.kind if field.kind != "number" else _number(field)
    if field.kind == "choice":
        return None if word in field.options else "choice"
    if field.kind == "clock":
        return None if _is_clock(word) else "clock"
    if field.kind in KEPT_BARE:
        return None if policy_sender.read(field.kind, word) else field.kind
    if field.kind == "text":
        return None if len(word) <= LONGEST and word.isprintable() else "text"
    try:
        value = float(word.replace(",", "."))
    except ValueError:
        return _number(field)
    good = field.low <= value <= field.high and (not field.whole or value.is_integer())
    return None if good else _number(field)


def _number(field: Field) -> str:
    return "whole" if field.whole else "number"


def _is_clock(word: str) -> bool:
    try:
        return time.fromisoformat(word).tzinfo is None
    except ValueError:
        return False


# ── what holds ──────────────────────────────────────────────────────────────────────────────────────────────


async def held(
    rt: Runtime, tx: Tx, group: Group, account: Account | None
) -> tuple[tuple[Field, ...], dict[str, str]]:  # fmt: skip
    """A group's fields, and what holds in each, as forms take it ("" where the wider one's word holds)."""
    fields = group.fields
    if account is not None:
        told = await _of_account(tx, group.key, account)
        if group.key == "estoque":
            own, drawn = await _own(tx), set(await policies.draws(tx, account.id))
            fields += tuple(
                Field(name=f"{DRAWS}{row['code']}", label=row["name"], kind="check", translated=False) for row in own
            )
            drawn = drawn or {row["code"] for row in own if row["kind"] == "own"}
            told |= {f"{DRAWS}{row['code']}": "yes" if row["code"] in drawn else "" for row in own}
    elif group.key == "depositos":
        own = await _own(tx)
        fields = tuple(
            Field(name=f"{RANK}{row['code']}", label=row["name"], kind="number", high=MOST_RANK, translated=False)
            for row in own
        )
        told = {f"{RANK}{row['code']}": str(row["rank"]) for row in own}
    else:
        told = await _of_seller(tx, group.key)
    return fields, {field.name: told[field.name] for field in fields}


async def _own(tx: Tx) -> list[dict[str, Any]]:
    return [row for row in await warehouses.named(tx) if row["kind"] in warehouses.DRAWN]


def _word(told: Any) -> str:
    if told is None:
        return ""
    if isinstance(told, bool):
        return "yes" if told else "no"
    return f"{told:.15g}" if isinstance(told, int | float) else str(told)


async def _of_seller(tx: Tx, key: str) -> dict[str, str]:
    match key:
        case "divisao":
            return {"split": await policies.split(tx) or "units"}
        case "envio":
            told = await deadlines.shipping(tx)
            rules, (begin, end) = decide.rules_of(told), (told.get("quiet") or QUIET).split("-")
            days = {name: str(getattr(rules, name)) for name in decide.RULES}
            return {"state": await policies.own_state(tx) or "", "quiet_from": begin, "quiet_to": end, **days}
        case "frete" | "remetente" | "volumes":
            return await _of_freight(tx, key, None)
        case "freio":
            share = await policies.own_brake_share(tx)
            return {"share": "" if share is None else f"{share * 100:g}"}
        case _:
            known = await replenishment.defaults(tx)
            return {
                "service_level": f"{known.service_level * 100:g}", "lead_time_days": f"{known.lead_time_days:g}",
                "review_days": str(known.review_days), "window_days": str(known.window_days),
                "handling": str(known.handling), "returns_reduce": _word(known.returns_reduce),
            }  # fmt: skip


async def _of_account(tx: Tx, key: str, account: Account) -> dict[str, str]:
    told = (await store.get(tx, account.id)).settings
    match key:
        case "reserva":
            return {"since": told.get("hold_from") or "", "hours": _word(told.get("unpaid_hold_hours") or None)}
        case "despacho":
            policy = decide.policy_of(told, None)
            cutoff, leaves = (policy.cutoff, policy.leaves_at) if policy else (decide.NOON, decide.EVENING)
            days = "" if policy is None else str(policy.handling_days)
            return {"handling_days": days, "cutoff": f"{cutoff:%H:%M}", "leaves_at": f"{leaves:%H:%M}"}
        case "conferencia":
            return {name: policy.value for name, policy in policies_of(told).items()}
        case "estoque":
            return {"split": await policies.split(tx, account.id) or ""}
        case "email":
            wish = wish_of(told)
            known = told.get("mail") or {}
            return {
                "on": _word(wish is not None), "relays": _word(bool(known.get("relays"))),
                "locale": known.get("locale") or "pt_BR", "reply_to": known.get("reply_to") or "",
            }  # fmt: skip
        case _:
            return await _of_freight(tx, key, account.id)


async def _of_freight(tx: Tx, key: str, account_id: UUID | None) -> dict[str, str]:
    told = await policies.own_freight(tx, account_id)
    sender = told.pop("sender")
    return policy_sender.held(sender) if key == "remetente" else {name: _word(value) for name, value in told.items()}


# ── changing it ─────────────────────────────────────────────────────────────────────────────────────────────


def refused(rt: Runtime, group: Group, told: Told) -> dict[str, str]:
    """What is wrong between fields: the kind of problem by field."""
    match group.key:
        case "envio" if int(told["loss_days"]) <= int(told["stuck_days"]):
            return {"loss_days": "loss"}
        case "despacho" if told["handling_days"] == "0" and told["cutoff"] >= told["leaves_at"]:
            return {"cutoff": "cutoff"}
        case "estoque" if not any(told[name] for name in told if name.startswith(DRAWS)):
            return {next((name for name in told if name.startswith(DRAWS)), "split"): "draws"}
        case "remetente":
            return policy_sender.wrong(told)
        case "volumes":
            return policy_sender.narrow(told)
        case "email" if told["on"] == "yes" and rt.policy.smtp is None:
            return {"on": "smtp"}
        case "email" if told["reply_to"] and unusable(told["reply_to"], relays=True):
            return {"reply_to": "email"}
    return {}


async def touched(tx: Tx, group: Group, account: Account | None) -> dict[str, int]:
    """How many rows a change of it touches, by what they are, in the order of its sentences."""
    id_: UUID | None = account.id if account else None
    match group.key:
        case "divisao" | "estoque":
            return {"listed_skus": await policies.listed_skus(tx, id_)}
        case "envio":
            orders = await policies.open_orders(tx, None)
            return {"open_orders": orders, "parcels_under_way": await policies.parcels_under_way(tx)}
        case "reposicao":
            return {"planned_skus": await policies.planned_skus(tx)}
        case "reserva" if id_ is not None:
            return {"unpaid_orders": await policies.unpaid_orders(tx, id_)}
        case "despacho" | "remetente" | "volumes":
            return {"open_orders": await policies.open_orders(tx, id_)}
    return {}


def reach(language: Language, group: Group, counts: Mapping[str, int]) -> list[str]:
    """What `touched` counted, in words."""
    return [
        language.gettext(sentence, count=counted(language.number(count), count))
        for sentence, count in zip(group.touches, counts.values(), strict=True)
    ]


async def save(
    rt: Runtime, seller_id: UUID, group: Group, account: Account | None, told: Told, changed: Collection[str]
) -> None:
    """Make the change, by the flow that the terminal uses too. Refused, in its own words, where it cannot be."""
    if account is not None:
        await _save_account(rt, account, group.key, told, changed)
    else:
        await _save_seller(rt, seller_id, group.key, told, changed)


def _yes(told: str) -> bool | None:
    return {"yes": True, "no": False}.get(told)


DEFAULTS: Mapping[str, Callable[[str], Any]] = {
    "service_level": lambda word: round(float(word) / 100, 6), "lead_time_days": float, "review_days": int,
    "window_days": int, "handling": str, "returns_reduce": _yes,
}  # fmt: skip


async def _save_seller(rt: Runtime, seller_id: UUID, key: str, told: Told, changed: Collection[str]) -> None:
    match key:
        case "divisao":
            await places.split(rt, seller_id, told["split"])
        case "depositos":
            for name in sorted(changed):
                await places.edit(rt, seller_id, name.removeprefix(RANK), rank=int(told[name]))
        case "envio":
            quiet = f"{told['quiet_from']}-{told['quiet_to']}" if {"quiet_from", "quiet_to"} & set(changed) else None
            state = (told["state"] or "none") if "state" in changed else None
            days = {name: int(told[name]) for name in decide.RULES if name in changed}
            await dates.set_shipping(rt, seller_id, state=state, quiet=quiet, **days)
        case "frete":
            await flow.set_freight(rt, seller_id, None, _freight(told, changed))
        case "remetente" | "volumes":
            await _save_sending(rt, seller_id, None, key, told, changed)
        case "freio":
            await flow.set_brake_share(rt, seller_id, float(told["share"]) / 100 if told["share"] else None)
        case _:
            await replenish.set_defaults(rt, seller_id, {name: DEFAULTS[name](told[name]) for name in changed})


def _freight(told: Told, changed: Collection[str]) -> dict[str, Any]:
    read = {"rule": told["rule"] or None, "declares": _yes(told["declares"])}
    return {name: read[name] for name in changed}


async def _save_account(rt: Runtime, account: Account, key: str, told: Told, changed: Collection[str]) -> None:
    match key:
        case "reserva":
            since = told["since"] if "since" in changed else None
            await holds.set_holds(
                rt, account, since=Status(since) if since else None, default=since == "",
                hours=int(told["hours"] or 0) if "hours" in changed else None,
            )  # fmt: skip
        case "despacho" if not told["handling_days"]:
            await dates.set_policy(rt, account, none=True)
        case "despacho":
            await dates.set_policy(
                rt, account, handling_days=int(told["handling_days"]), cutoff=time.fromisoformat(told["cutoff"]),
                leaves_at=time.fromisoformat(told["leaves_at"]),
            )  # fmt: skip
        case "conferencia":
            for name in sorted(changed):
                await proposals.set_policy(rt, account, name, told[name])
        case "estoque":
            if "split" in changed:
                await places.split(rt, account.seller_id, told["split"] or None, account_id=account.id)
            if any(name.startswith(DRAWS) for name in changed):
                chosen = [name.removeprefix(DRAWS) for name in told if name.startswith(DRAWS) and told[name]]
                async with rt.db.seller(account.seller_id) as tx:
                    all_own = [row["code"] for row in await _own(tx) if row["kind"] == "own"]
                await places.draw(rt, account.seller_id, account.id, [] if set(chosen) == set(all_own) else chosen)
        case "email":
            await mails.set_mail(
                rt, account, on=_yes(told["on"]) if "on" in changed else None, relays=_yes(told["relays"]),
                locale=told["locale"], reply_to=told["reply_to"],
            )  # fmt: skip
        case "remetente" | "volumes":
            await _save_sending(rt, account.seller_id, account.id, key, told, changed)
        case _:
            await flow.set_freight(rt, account.seller_id, account.id, _freight(told, changed))


async def _save_sending(
    rt: Runtime, seller_id: UUID, account_id: UUID | None, key: str, told: Told, changed: Collection[str]
) -> None:
    if key == "volumes":
        await flow.set_freight(rt, seller_id, account_id, policy_sender.limits(told, changed))
        return
    async with rt.db.seller(seller_id) as tx:
        known = (await policies.own_freight(tx, account_id))["sender"] or {}
    await flow.set_freight(rt, seller_id, account_id, {"sender": policy_sender.party(told, known.get("email"))})

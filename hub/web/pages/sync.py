"""Synchronisation: how each flow of each account goes, what is left of its limits, and what is live right now."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.contract import Adapter
from hub.http import sharers
from hub.store import accounts, flows, invariants, letters, screens
from hub.store.accounts import Account
from hub.throttle import Level
from hub.web import sync_words, words
from hub.web.edge import Visit
from hub.web.feed import SHOWN
from hub.web.pages.accounts import adapter_of, label_of

SLOW = timedelta(minutes=2)  # work that waits longer than this is worth a look
LATE = timedelta(minutes=30)  # invariants are checked every ten
SCARCE = 0.25  # of a limit's burst
WALKS = ("listings", "reconcile", "recheck", "source")  # their cursor is there only in the middle of a walk
NEVER = timedelta(days=60)  # what is due later than this waits for something to happen
Row = Mapping[str, Any]


async def show(visit: Visit) -> web.Response:
    """Sincronização."""
    async with visit.tx() as tx:
        known = [account for account in await accounts.every(tx) if account.status != "closed"]
        rows = {row["id"]: row for row in await screens.accounts(tx, visit.now, visit.now - timedelta(days=1))}
        queues, tasks = await flows.queues(tx, visit.now), await flows.tasks(tx)
        parked, stopped = await letters.counts(tx), await letters.by_account(tx)
        last, pushes = await invariants.last(tx), await screens.pushes(tx, SHOWN)
    limits = await asyncio.gather(*(_limits(visit, account) for account in known))
    told = [
        _account(visit, account, rows[account.id], queues, tasks.get(account.id, []), stopped, left)
        for account, left in zip(known, limits, strict=True)
        if account.id in rows
    ]
    due = [flow for each in told for flow in each["flows"] if flow["due"]]
    return visit.render(
        "sync.html", accounts=told, pushes=pushes, sync=sync_words, parked=sum(parked.values()), most=flows.MOST,
        due=sum(flow["due"] for flow in due), oldest=min((flow["oldest"] for flow in due), default=None),
        slow=any(flow["slow"] for flow in due), troubled=sum(each["troubled"] for each in told),
        broken=len(last["broken"]) if last else 0, checked=last["at"] if last else None,
        stale=last is None or visit.now - last["at"] > LATE,
    )  # fmt: skip


def _account(
    visit: Visit, account: Account, row: Row, queues: Mapping[tuple[UUID, str], Row], tasks: Sequence[Row],
    stopped: Mapping[UUID, int], limits: Row,
) -> dict[str, Any]:  # fmt: skip
    adapter = adapter_of(account.channel)
    shown = _flows(visit, account, adapter, row, queues, tasks) if adapter else []
    parked = stopped.get(account.id, 0)
    held = not account.reads or account.external_id is None
    troubled = held or bool(account.braked_at) or any(flow["error"] or flow["slow"] for flow in shown)
    return {
        "id": account.id, "name": account.name, "label": label_of(account.channel), "parked": parked, "flows": shown,
        "health": words.account_health(row, visit.now), "limits": limits,
        "held": sync_words.plain(visit.language, account.held_reason),
        "due": sum(flow["due"] for flow in shown), "troubled": troubled, "waits": held,
        "open": troubled or bool(limits["penalties"]) or bool(limits["rests"]),
    }  # fmt: skip


def _flows(
    visit: Visit, account: Account, adapter: Adapter, row: Row, queues: Mapping[tuple[UUID, str], Row],
    tasks: Sequence[Row],
) -> list[dict[str, Any]]:  # fmt: skip
    """Every flow that the channel has a facet for, in the order that goods and news take."""
    told: dict[str, dict[str, Any]] = {}
    if adapter.webhook:
        told["intake"] = _flow("intake", last_at=row["noticed_at"])
    for name, facet in (
        ("ingest", adapter.orders or adapter.webhook), ("stock", adapter.stock), ("shipments", adapter.shipments),
        ("tracking", adapter.tracking),
    ):  # fmt: skip
        if facet:
            told[name] = _flow(name, **(queues.get((account.id, name)) or {}))
    for task in tasks:
        if _is_done(adapter, task["kind"]):
            told[task["kind"]] = _flow(
                task["kind"], last_at=task["succeeded_at"],
                next_at=task["due_at"] if task["due_at"] - visit.now < NEVER else None, error=task["error"],
                under_way=bool(task["is_running"]) or (task["under_way"] and task["kind"] in WALKS),
                oldest=task["due_at"] if task["due_at"] <= visit.now else None, due=int(task["due_at"] <= visit.now),
            )  # fmt: skip
    for flow in told.values():
        flow["slow"] = bool(account.reads and flow["oldest"] and visit.now - flow["oldest"] > SLOW)
        flow["problem"] = sync_words.problem(visit.language, flow["error"]) if flow["error"] else None
    order = list(sync_words.FLOW)
    return sorted(told.values(), key=lambda flow: order.index(flow["name"]))


def _flow(name: str, **told: Any) -> dict[str, Any]:
    blank = {"due": 0, "oldest": None, "next_at": None, "error": None, "last_at": None, "under_way": False}
    return {**blank, **{key: told[key] for key in blank if key in told}, "name": name}


def _is_done(adapter: Adapter, kind: str) -> bool:
    """Whether a recurring task does anything on this channel."""
    match kind:
        case "poll":
            return adapter.orders is not None
        case "missed":
            return adapter.webhook is not None and adapter.webhook.missed is not None
        case "subscribe":
            return adapter.webhook is not None and adapter.webhook.subscribe is not None
        case "feed":
            return adapter.tracking is not None and adapter.tracking.feed is not None
        case _:
            return adapter.listings is not None


async def _limits(visit: Visit, account: Account) -> dict[str, Any]:
    """What is left of an account's limits, the scarcest first, those that nobody used lately only counted."""
    adapter = adapter_of(account.channel)
    limits = adapter.limits if adapter else ()
    left = await visit.rt.http.throttle.left(limits, sharers(account.channel, account.id, account.app_key))
    used = sorted((level for level in left.levels if level.used), key=_share)
    return {
        "levels": [{"level": level, "scarce": _share(level) < SCARCE, "pace": _pace(level)} for level in used],
        "unused": len(left.levels) - len(used), "alone": left.alone,
        "penalties": {per: round(seconds) for per, seconds in left.penalties.items()},
        "rests": visit.rt.http.open_until(account.channel, account.id),
    }  # fmt: skip


def _share(level: Level) -> float:
    return level.tokens / level.burst


def _pace(level: Level) -> tuple[str, float]:
    """How fast it refills: (second, minute, hour or day, tokens), the least span that gives a whole token."""
    rate = level.burst / level.limit.seconds
    for name, seconds in (("second", 1), ("minute", 60), ("hour", 3600)):
        if rate * seconds >= 1:
            return name, round(rate * seconds, 1)
    return "day", round(rate * 86_400, 1)

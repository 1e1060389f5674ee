"""The health page: whether the hub's promises hold, how far channels differ, and how long work waits."""

from collections import defaultdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.store import accounts, drift, due, invariants, letters
from hub.web import audit_words, sync_words
from hub.web.edge import Visit
from hub.web.pages.accounts import adapter_of

LATE = timedelta(minutes=30)  # a check is due every ten
SLOW = timedelta(minutes=2)  # work that waits longer than this is worth a look
SHOWN = 5  # rows of a broken promise


async def show(visit: Visit) -> web.Response:
    """Saúde."""
    async with visit.tx() as tx:
        last, bad = await invariants.last(tx), await invariants.last_bad(tx)
        lanes = [{"lane": lane, **await due.depth(tx, lane, visit.now)} for lane in due.LANES]
        open_, known = await drift.figures(tx), await accounts.every(tx)
        audits = {account.id: await _audit(tx, account.id) for account in known}
        names = [each["name"] for each in last["broken"]] if last else []
        since = {name: await invariants.since(tx, name) for name in names}
        parked = sum((await letters.counts(tx)).values())
    for lane in lanes:
        lane["slow"] = lane["oldest"] is not None and visit.now - lane["oldest"] > SLOW
    broken = [
        {
            "words": audit_words.invariant(visit.language, each["name"]),
            "name": each["name"],
            "rows": each["rows"][:SHOWN],
            "since": since[each["name"]],
        }
        for each in (last["broken"] if last else [])
    ]
    return visit.render(
        "health.html", last=last, broken=broken, bad=bad, lanes=lanes, audit=audit_words,
        sync=sync_words, parked=parked,
        late=last is None or visit.now - last["at"] > LATE,
        accounts=[
            {"account": account, "counts": counts, "total": sum(counts.values()), **audits[account.id]}
            for account in known
            if account.status != "closed" and (adapter := adapter_of(account.channel)) and adapter.listings
            for counts in [_counts(open_, account.id)]
        ],
    )  # fmt: skip


def _counts(rows: list[dict[str, Any]], account_id: UUID) -> dict[str, int]:
    """Open differences of an account by class, those that are only noted left out."""
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        if row["account_id"] == account_id and row["state"] not in ("noted", "dismissed"):
            counts[row["class"]] += row["count"]
    return counts


async def _audit(tx: Any, account_id: UUID) -> dict[str, Any]:
    """When an account was last audited whole, whether it is being, and what stopped it."""
    told = next((row for row in await due.tasks(tx, account_id) if row["kind"] == "reconcile"), None)
    return {
        "audited_at": told["succeeded_at"] if told else None, "under_way": bool(told and told["cursor"]),
        "error": told["error"] if told else None, "audit_due_at": told["due_at"] if told else None,
    }  # fmt: skip

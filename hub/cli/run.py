"""One pass of a flow in the foreground, with what it did."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, NamedAccount, Seller, at_desk
from hub.cli.refusals import tell

if TYPE_CHECKING:
    from hub.store.accounts import Account

app = typer.Typer(help="One pass of a flow in the foreground.")
Words = dict[str, Any]
Pass = Callable[[Desk, "Account"], Awaitable[Words]]
ROUNDS, LONGEST_WAIT = 4, 2.0  # a slot written a moment ago is written again after a second
WALKS = 500  # pieces of one walk; a catalogue that needs more goes on by itself


def flow(named: str, sentence: str, facet: str, one: Pass, *, writes: bool = False) -> None:
    """A command that takes one account after another through a flow; those without the facet are left out."""

    def command(*, account: NamedAccount = None, seller: Seller = None, as_json: page.AsJson = False) -> None:
        async def work(desk: Desk) -> list[Words]:
            chosen = await desk.chosen(account)
            able = [each for each in chosen if account or getattr(desk.rt.adapter(each.channel), facet) is not None]
            told = []
            with page.console(stderr=True).status("") as status:
                for each in able:
                    status.update(f"{named}: {each.name}")
                    told.append(await _passed(desk, each, facet, one, writes=writes, named=account is not None))
            return told

        _close(at_desk(seller, work), as_json=as_json)

    command.__doc__ = sentence
    app.command(named)(command)


async def _passed(desk: Desk, account: "Account", facet: str, one: Pass, *, writes: bool, named: bool) -> Words:
    """What one account's pass did; `problem` says why it did nothing, or not all, `skipped` why it need not."""
    from hub.faults import ChannelError

    row: Words = {"account": account.name, "channel": account.channel, "did": {}, "problem": None, "skipped": None}
    if getattr(desk.rt.adapter(account.channel), facet) is None:
        return row | {"problem": f"{account.channel} has no {facet}"}
    if not (account.writes if writes else account.reads):
        way_out = "approve" if account.status == "preview" else "resume"
        why = f" ({account.held_reason})" if account.held_reason else ""
        kind = "skipped" if account.status in {"preview", "paused"} and not named else "problem"
        return row | {kind: f"it is {account.status}{why}: balcao account {way_out} {account.id}"}
    try:
        did = await one(desk, account)
    except ChannelError as fault:
        return row | {"problem": fault.detail}
    problem = did.pop("problem", None)
    held = await desk.rt.account(desk.seller_id, account.id)
    if problem is None and not held.reads:
        problem = f"it is {held.status} now: {held.held_reason}"
    return row | {"did": did, "problem": problem}


def _close(told: list[Words], *, as_json: bool) -> None:
    if as_json:
        page.write_json(told)
    for row in told:
        if not as_json:
            did = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in row["did"].items())
            did = f"left out, {row['skipped']}" if row["skipped"] else did or "–"
            page.line(f"{row['account']} ({row['channel']}): {did}")
        if row["problem"]:
            tell(f"{row['account']}: {row['problem']}")
    if not told and not as_json:
        page.line("No account has anything to do with this.")
    if any(row["problem"] for row in told):
        raise typer.Exit(1)


# ── recurring tasks: orders and listings ────────────────────────────────────────────────────────────────


async def _task(desk: Desk, account: "Account", kind: str) -> str | None:
    """Do a recurring task now, to its end. What stopped it, else None."""
    from uuid import uuid4

    from hub.store import due
    from jobs.catalogue import run_tasks

    rt = desk.rt
    for _piece in range(WALKS):
        token = uuid4()
        async with desk.tx() as tx:
            tasks = await due.claim_tasks(tx, account.id, token, rt.worker, rt.now(), [kind], early=True)
        if not tasks:
            return "a worker is at it right now"
        await run_tasks(rt, account, token, tasks)
        async with desk.tx() as tx:
            after = next(row for row in await due.tasks(tx, account.id) if row["kind"] == kind)
        if after["error"]:
            return str(after["error"])
        if after["succeeded_at"] != tasks[0].succeeded_at:
            return None
    return "it is not at its end yet; workers go on with it"


async def _poll(desk: Desk, account: "Account") -> Words:
    from hub.store import lookup

    since = desk.rt.now()
    problem = await _task(desk, account, "poll") or await _task(desk, account, "missed")
    async with desk.tx() as tx:
        return {"came_in": await lookup.arrived(tx, account.id, since), "problem": problem}


async def _listings(desk: Desk, account: "Account") -> Words:
    from hub.store import lookup

    problem = await _task(desk, account, "listings")
    async with desk.tx() as tx:
        return {**await lookup.listed_count(tx, account.id), "problem": problem}


async def _reconcile(desk: Desk, account: "Account") -> Words:
    from hub.store import drift, lookup

    since = desk.rt.now()
    problem = await _task(desk, account, "reconcile")
    async with desk.tx() as tx:
        compared = await lookup.listed_count(tx, account.id)
        drifts = await drift.met_since(tx, account.id, since)
    return {
        "compared": compared["listings"],
        "differences": sum(drifts.values()),
        **drifts,
        "problem": problem,
    }


# ── lanes: what is due ──────────────────────────────────────────────────────────────────────────────────


async def _ingest(desk: Desk, account: "Account") -> Words:
    from hub.store import lookup
    from jobs import ingest

    async with desk.tx() as tx:
        before = await lookup.stages(tx, account.id)
    worked = await ingest.drain(desk.rt, account)
    async with desk.tx() as tx:
        after = await lookup.stages(tx, account.id)
    parked = after.get("parked", 0) - before.get("parked", 0)
    problem = f"{parked} rows are parked: balcao inbox list --state parked" if parked > 0 else None
    return {"worked_off": worked, "left": after.get("due", 0), "problem": problem}


async def _push_stock(desk: Desk, account: "Account") -> Words:
    from hub.store import lookup
    from jobs import push_stock

    since, settled, rounds = desk.rt.now(), 0, 0
    while True:
        settled += await push_stock.drain(desk.rt, account)
        rounds += 1
        async with desk.tx() as tx:
            outcomes = await lookup.pushed(tx, account.id, since)
            left = await lookup.unsettled(tx, account.id)
        wait = (left["soonest"] - desk.rt.now()).total_seconds() if left["soonest"] else LONGEST_WAIT
        if wait >= LONGEST_WAIT or rounds == ROUNDS:
            break
        await asyncio.sleep(max(wait, 0.05))
    problem = None
    if left["braked"]:
        problem = (
            f"{left['braked']} zeros are braked: look at them, then balcao listings release --account {account.id}"
        )
    elif outcomes.get("fault"):
        problem = f"the channel refused {outcomes['fault']}: {left['reason'] or 'tried again later'}"
    return {"settled": settled, **outcomes, "due": left["due"], "parked": left["parked"], "problem": problem}


async def _push_shipments(desk: Desk, account: "Account") -> Words:
    from hub.store import lookup
    from jobs import push_shipment

    told = await push_shipment.drain(desk.rt, account)
    async with desk.tx() as tx:
        left = await lookup.untold(tx, account.id)
    return {"told": told, "due": left["due"], "parked": left["parked"], "problem": left["error"]}


async def _track(desk: Desk, account: "Account") -> Words:
    from hub.store import lookup
    from jobs import track

    asked = await track.drain(desk.rt, account)
    async with desk.tx() as tx:
        left = await lookup.parcels(tx, account.id)
    return {"asked": asked, "under_way": left["under_way"], "problem": left["error"]}


flow(
    "poll",
    "Ask channels for new and changed orders, and for notices they could not deliver.",
    "orders",
    _poll,
)
flow("ingest", "Work off what came in: orders, listings, shipments.", "orders", _ingest)
flow("push-stock", "Write the stock numbers that are due.", "stock", _push_stock, writes=True)
flow("push-shipments", "Tell channels what left and what arrived.", "shipments", _push_shipments, writes=True)
flow("track", "Ask carriers about the parcels that are due.", "tracking", _track)
flow("listings", "Read every listing, and link those whose SKU is certain.", "listings", _listings)
flow("reconcile", "Compare every listing's number with what the hub reckons.", "listings", _reconcile)

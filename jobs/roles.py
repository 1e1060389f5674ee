"""What an account is to the stock: told (target), telling (source) or neither (none); and its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NoReturn
from uuid import UUID

from hub.contract import Adapter, Kind
from hub.faults import ChannelError
from hub.source import Told
from hub.store import Tx, accounts, approvals, closing, shipments, slots, sources, stock
from hub.store.accounts import Account
from jobs.availability import Ripple, recompute
from jobs.connect import Refused
from jobs.ledger import transact
from jobs.opening import Opening, preview, refuse_unread
from jobs.poll import webhook_url
from jobs.runtime import Runtime

ROLES = ("target", "source", "none")
CHUNK = 500


class _Rehearsed(Exception):
    """What would be is known: the transaction is given up, and nothing of it stays."""

    counts: dict[str, int]
    rows: list[dict[str, Any]]


def told_by(adapter: Adapter, told: str | None) -> Told:
    """How a source of this channel is told of sales elsewhere: as asked, else an ERP imports orders by itself."""
    if told is not None:
        chosen = Told(told)
        if chosen is Told.DECREMENT and adapter.stock is None:
            raise Refused(f"{adapter.label} takes no stock numbers: its sales elsewhere come by its own order import")
        return chosen
    return Told.ORDERS if adapter.stock is None or adapter.kind is Kind.ERP else Told.DECREMENT


async def rehearse_source(rt: Runtime, account: Account) -> list[Opening]:
    """What the ledger would have once this account is the source, by SKU. Raises Refused where it cannot be one."""
    await _refuse_source(rt, account)
    return await preview(rt, account, unopened_only=False)


async def rehearse_target(
    rt: Runtime, account: Account, limit: int = 200
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """What its slots would get as a target: counts by change, and the gravest rows. Nothing stays changed."""
    made = _Rehearsed()
    try:
        async with rt.db.seller(account.seller_id) as tx:
            await _as_target(tx, account, rt.now(), made, limit)
    except _Rehearsed:
        return made.counts, made.rows
    raise RuntimeError("a rehearsal that stayed")


async def _as_target(tx: Tx, account: Account, now: datetime, made: _Rehearsed, limit: int) -> NoReturn:
    await accounts.set_stock_role(tx, account.id, "target")
    skus = await sources.skus_of(tx, account.id)
    await stock.lock_around(tx, skus)
    await recompute(tx, skus, now, Ripple(), "link")
    made.counts = await approvals.counts(tx, account.id)
    made.rows = await approvals.preview(tx, account.id, limit=limit)
    raise made


async def switch(rt: Runtime, account: Account, role: str, told: str | None = None) -> None:
    """Give an account another role. Two sources are refused, and one that tells a SKU in two places.

    A source's numbers are read afresh and adopted within seconds; a target's slots fall due where they differ.
    """
    adapter = rt.adapter(account.channel)
    if role not in ROLES:
        raise Refused(f"role: {role!r} is none of {', '.join(ROLES)}")
    if adapter.listings is None and role != "none":
        raise Refused(f"{account.name}: {adapter.label} lists nothing: its role in the stock is none")
    if role == "source":
        await _refuse_source(rt, account)
    async with rt.db.seller(account.seller_id) as tx:
        await slots.lock_account(tx, account.id)
        if role == "source":
            chosen = told_by(adapter, told)
            await accounts.settle_settings(tx, account.id, source_told=chosen.value)
            await sources.begin(tx, account.id, rt.now())
        else:
            await sources.end(tx, account.id)
        await sources.forget_desired(tx, account.id)
        await accounts.set_stock_role(tx, account.id, role)
        skus = await sources.skus_of(tx, account.id)
        await stock.audit(tx, "account_role", str(account.id), role=role, before=account.stock_role)
    for start in range(0, len(skus), CHUNK):
        await transact(rt, account.seller_id, partial(_compute, rt, skus=skus[start : start + CHUNK]))
    rt.ring("catalogue", account.id)


async def _compute(rt: Runtime, tx: Tx, ripple: Ripple, *, skus: Sequence[UUID]) -> None:
    await stock.lock_around(tx, skus)
    await recompute(tx, skus, rt.now(), ripple, "link")


async def _refuse_source(rt: Runtime, account: Account) -> None:
    await refuse_unread(rt, account)
    async with rt.db.seller(account.seller_id) as tx:
        other = await sources.other_source(tx, account.id)
        doubles = await sources.doubles(tx, account.id)
    if other is not None:
        raise Refused(f"{other} is the source already: two truths cannot both be; give it another role first")
    if doubles:
        named = "; ".join(f"{row['code']} in {' and '.join(row['places'][:3])}" for row in doubles[:5])
        raise Refused(
            f"{account.name} tells a SKU in two places ({named}): a source tells each in one, unlink the other"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What closing an account did; `problem`: why its webhooks could not be unregistered."""

    unsubscribed: tuple[str, ...]
    problem: str | None
    open_orders: int


async def close(rt: Runtime, account: Account) -> Closed:
    """Disconnect an account for good: its webhooks are unregistered where the channel lets us, its credentials are
    deleted, nothing is read or written any more; its history stays.

    Open orders keep their units until somebody settles them by hand (jobs.stranded): nobody tells of them any more.
    """
    done, problem = await _unsubscribe(rt, account)
    async with rt.db.seller(account.seller_id) as tx:
        await slots.lock_account(tx, account.id)
        skus = await sources.skus_of(tx, account.id)
        await sources.end(tx, account.id)
        await sources.forget_desired(tx, account.id)
        await accounts.set_status(tx, account.id, "closed", "closed by a person")
        await closing.close(tx, account.id)
        count = await closing.open_orders(tx, account.id)
        if rt.adapter(account.channel).tracking is not None:
            await shipments.abandon(tx, account.id)
        await stock.audit(tx, "account_close", str(account.id), open_orders=count)
    for start in range(0, len(skus), CHUNK):  # a pool, or what it held back from others, is free again
        await transact(rt, account.seller_id, partial(_compute, rt, skus=skus[start : start + CHUNK]))
    return Closed(unsubscribed=tuple(done), problem=problem, open_orders=count)


async def _unsubscribe(rt: Runtime, account: Account) -> tuple[list[str], str | None]:
    hooks = rt.adapter(account.channel).webhook
    if hooks is None or hooks.unsubscribe is None or account.status == "preview":
        return [], None
    try:
        return await hooks.unsubscribe(await rt.api(account), await webhook_url(rt, account)), None
    except ChannelError as problem:  # refused credentials are a reason to close an account
        return [], problem.detail

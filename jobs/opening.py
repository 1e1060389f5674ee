"""Where stock begins to count: the opening that an account tells, and the instant that a count was true at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from hub.contract import PHYSICAL
from hub.store import Tx, kits, ledger, orders, sources, stock
from hub.store.accounts import Account
from jobs import reconcile
from jobs.availability import Ripple, recompute
from jobs.connect import Refused
from jobs.counts import Counted, set_stock
from jobs.ledger import single, transact
from jobs.resettle import rebased
from jobs.runtime import Runtime
from jobs.settle import settle_order
from jobs.source import own_held, unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What an account tells of one SKU. `units`: what on_hand would be; None while its number is in doubt."""

    sku: str
    title: str
    shows: int
    held: int
    units: int | None
    on_hand: int
    opened: bool
    places: tuple[str, ...]


async def preview(rt: Runtime, account: Account, *, unopened_only: bool = True) -> list[Opening]:
    """What each SKU's stock would begin with: what the account shows, plus units held by its own undispatched orders.

    Where the channel tells physical stock, that number alone. Kits follow from their components. Raises Refused while
    the account's orders or listings were not read to their end once.
    """
    await refuse_unread(rt, account)
    await _read_doubtful(rt, account)
    sink = rt.adapter(account.channel).stock
    physical = sink is not None and sink.numbers == PHYSICAL
    async with rt.db.seller(account.seller_id) as tx:
        rows = await sources.tells(tx, account.id, unopened_only=unopened_only)
        held = await own_held(rt, tx, account, {row["sku_id"] for row in rows})
    found = []
    for row in rows:
        mine = held.get(row["sku_id"], 0)
        units = row["physical"] if physical else row["shows"] + mine
        found.append(
            Opening(
                sku=row["code"], title=row["title"], shows=row["physical"] if physical else row["shows"],
                held=0 if physical else mine, units=None if row["in_doubt"] else max(0, units), on_hand=row["on_hand"],
                opened=row["opened"], places=tuple(row["places"]),
            )
        )  # fmt: skip
    return found


async def _read_doubtful(rt: Runtime, account: Account) -> None:
    """Read again what was sold, or written, within the second of its last reading: nobody else does before approval."""
    source = rt.adapter(account.channel).listings
    async with rt.db.seller(account.seller_id) as tx:
        refs = await sources.doubtful(tx, account.id)
    if source is None or not refs or not account.reads:
        return
    api = await rt.api(account)
    for start in range(0, len(refs), source.batch):
        await reconcile.read_again(rt, account, api, source, refs[start : start + source.batch])


async def refuse_unread(rt: Runtime, account: Account) -> None:
    """Refused while an account's orders or listings were not read to their end once: its numbers mean nothing yet."""
    if missing := await unread(rt, account):
        what = {"poll": "orders", "listings": "listings"}
        named = " and ".join(what[kind] for kind in missing)
        run = " and ".join(f"`balcao run {kind}`" for kind in missing)
        sentence = f"{account.name}: its {named} are not read yet: wait for the hub, or read them with {run}"
        raise Refused(sentence, "account_unread", account=account.name)


async def open_from(rt: Runtime, account: Account, *, only: Sequence[str] | None = None) -> list[Counted]:
    """Open what `preview` tells (of these SKUs), what is in doubt left out."""
    told = await preview(rt, account)
    counts = [(row.sku, row.units) for row in told if row.units is not None and (only is None or row.sku in only)]
    return await set_stock(rt, account.seller_id, counts, reason="opening") if counts else []


async def set_since(rt: Runtime, seller_id: UUID, code: str, since: datetime) -> int:
    """From when on orders that leave move a SKU's stock: the instant at which its count was true.

    Orders that left before it are taken out of the ledger, those after it come in. Answers how many orders changed.
    Raises Refused for an unknown, unopened or kit SKU, or an instant that is still to come.
    """
    if since > rt.now():
        raise Refused(f"{code}: an instant that is still to come cannot be when its stock was counted")
    return await transact(rt, seller_id, partial(_set_since, rt, code=code, since=since))


async def _set_since(rt: Runtime, tx: Tx, ripple: Ripple, *, code: str, since: datetime) -> int:
    sku = single(await ledger.known(tx, [code]), code)
    if not sku.is_open:
        raise Refused(f"stock of {code} is not open: count it first (`balcao stock set`)", "not_open", sku=code)
    now = rt.now()
    mine = await stock.open_orders_with(tx, await kits.with_kits_of(tx, [sku.id]))
    await ledger.lock_orders(tx, mine, wait=True)
    await stock.lock_around(tx, [sku.id])
    await stock.set_since(tx, sku.id, since)
    changed = 0
    for order_id in mine:
        stored = await orders.lock_id(tx, order_id)
        if stored is None or stored.known is None:
            continue
        order = stored.known.order
        links = await orders.links(tx, stored.account_id, order)
        before = await stock.held_by(tx, order_id)
        await rebased(rt, tx, stored, order, links)
        await settle_order(
            tx, stored, order, order, links, hold_from=rt.policy.hold_from, now=now, since=now, ripple=ripple
        )
        changed += before != await stock.held_by(tx, order_id)
    await recompute(tx, [sku.id], now, ripple, "count")
    await stock.audit(tx, "stock_since", code, since=since.isoformat(), orders=changed)
    return changed

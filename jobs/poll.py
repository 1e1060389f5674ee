"""The backstop that is always on: new and changed orders, missed notices, and the webhook registration."""

import asyncio
import time
from datetime import timedelta
from uuid import UUID, uuid4

from hub import parse
from hub.contract import OrderSource, Page
from hub.http import AccountApi
from hub.model import Notice, Topic
from hub.store import accounts, due, inbox, orders
from hub.store.accounts import Account
from hub.store.inbox import Arrival
from jobs import reconcile, told, watch
from jobs.runtime import Runtime

SECONDS_WITH_WEBHOOKS = 60.0
MISSED_SECONDS = 300.0
SUBSCRIBE_SECONDS = 900.0
WAIT_FOR_OTHER = 3.0
# Echoes of our own writes, mostly, and parcels on their way: told many times over, never in the way of sales.
CALM_SECONDS = {Topic.LISTING: 5.0, Topic.STOCK: 5.0, Topic.SHIPMENT: 1.5}
FRESH_SECONDS = 0.5  # a look at the newest orders serves every write that leaves within this time


async def newest(rt: Runtime, account: Account, api: AccountApi) -> None:
    """The newest orders into the inbox, now: before an absolute write puts an unknown sale's unit back.

    One request where the channel can tell its latest orders; else the poll, or another worker's.
    """
    source = rt.adapter(account.channel).orders
    if source is None:
        return
    if source.latest is None:
        await _poll_now(rt, account, api)
        return
    looked = rt.looked.get(account.id, 0.0)
    if time.monotonic() - looked < FRESH_SECONDS:
        return
    began = time.monotonic()
    async with rt.db.seller(account.seller_id) as tx:
        seq = await inbox.next_seq(tx)
    page = await source.latest(api)
    await _keep(rt, account, source, page, seq, new_only=True)
    rt.looked[account.id] = began


async def _poll_now(rt: Runtime, account: Account, api: AccountApi) -> None:
    """Poll out of turn. Where another worker is polling this account, its answer serves us as well."""
    deadline = time.monotonic() + WAIT_FOR_OTHER
    while time.monotonic() < deadline:
        token = uuid4()
        async with rt.db.seller(account.seller_id) as tx:
            tasks = await due.claim_tasks(tx, account.id, token, rt.worker, rt.now(), ["poll"], early=True)
        if tasks:
            try:
                await poll(rt, account, api, tasks[0], token, time.monotonic() + WAIT_FOR_OTHER)
            except BaseException:
                async with rt.db.seller(account.seller_id) as tx:
                    await due.task_later(tx, account.id, "poll", token, rt.now() + timedelta(seconds=2), "interrupted")
                raise
            return
        await asyncio.sleep(0.05)


async def _keep(
    rt: Runtime, account: Account, source: OrderSource, page: Page, seq: int, *, new_only: bool = False
) -> None:
    """A page's orders into the inbox; those whose document is known to the letter are left out.

    `new_only`: of refs, only those of orders that we do not know at all.
    """
    told = [(source.parse(raw).ref, parse.canonical_bytes(raw)) for raw in page.documents]
    async with rt.db.seller(account.seller_id) as tx:
        kept = await orders.digests(tx, account.id, [*(ref for ref, _raw in told), *page.refs])
        arrivals = [
            _arrival(account, ref, f"poll:{ref}:{digest}", raw, seq)
            for ref, raw in told
            if kept.get(ref) != (digest := parse.digest(raw))
        ]
        refs = [ref for ref in page.refs if not (new_only and ref in kept)]
        arrivals += [_arrival(account, ref, f"order:{ref}", None, None) for ref in refs]
        if arrivals:
            await inbox.add(tx, arrivals)
    if arrivals:
        rt.ring("intake", account.id)


async def poll(rt: Runtime, account: Account, api: AccountApi, task: due.Task, token: UUID, until: float) -> None:
    """Documents and refs since the cursor into the inbox; the cursor moves with each page."""
    source = rt.adapter(account.channel).orders
    cursor, more = task.cursor, source is not None
    while source and more:
        async with rt.db.seller(account.seller_id) as tx:
            seq = await inbox.next_seq(tx)
        page = await source.since(api, cursor)
        await _keep(rt, account, source, page, seq)
        async with rt.db.seller(account.seller_id) as tx:
            if not await due.task_cursor(tx, account.id, "poll", token, page.cursor, rt.now()):
                return
        if source.ack and page.acks:
            await source.ack(api, page.acks)
        cursor, more = page.cursor, page.more and time.monotonic() < until
    seconds = SECONDS_WITH_WEBHOOKS if rt.policy.public_url else rt.policy.poll_seconds
    await _done(rt, account, "poll", token, seconds, cursor)


def _arrival(account: Account, ref: str, key: str, raw: bytes | None, seq: int | None) -> Arrival:
    return Arrival(
        seller_id=account.seller_id, account_id=account.id, source="poll", topic=Topic.ORDER, ref=ref, dedupe_key=key,
        told_at=None, raw=raw, seq=seq,
    )  # fmt: skip


async def _done(rt: Runtime, account: Account, kind: str, token: UUID, seconds: float, cursor: str | None) -> None:
    async with rt.db.seller(account.seller_id) as tx:
        await due.task_done(tx, account.id, kind, token, rt.now() + timedelta(seconds=seconds), cursor)


async def missed(rt: Runtime, account: Account, api: AccountApi, task: due.Task, token: UUID, until: float) -> None:
    """The vendor's own list of notices it could not deliver."""
    del until
    webhook = rt.adapter(account.channel).webhook
    cursor = task.cursor
    if webhook and webhook.missed:
        notices, cursor = await webhook.missed(api, task.cursor)
        arrivals = [arrival_of(account, notice, "missed") for notice in notices if notice.topic not in _UNKEPT]
        async with rt.db.seller(account.seller_id) as tx:
            if arrivals:
                await inbox.add(tx, arrivals)
        if arrivals:
            rt.ring("intake", account.id)
    await _done(rt, account, "missed", token, MISSED_SECONDS, cursor)


_UNKEPT = {Topic.PING, Topic.IGNORED}


def arrival_of(account: Account | accounts.Route, notice: Notice, source: str) -> Arrival:
    """A notice on its way into the inbox; an unknown topic is kept and shown, and is not work."""
    account_id = account.id if isinstance(account, Account) else account.account_id
    return Arrival(
        seller_id=account.seller_id,
        account_id=account_id,
        source=source,
        topic=notice.topic,
        ref=notice.ref,
        dedupe_key=notice.dedupe_key,
        told_at=notice.at,
        raw=None if notice.raw is None else parse.canonical_bytes(notice.raw),
        state="kept" if notice.topic is Topic.UNKNOWN else "due",
        wait=CALM_SECONDS.get(notice.topic, 0.0),
    )


async def subscribe(rt: Runtime, account: Account, api: AccountApi, task: due.Task, token: UUID, until: float) -> None:
    """Make the webhook registration right, and mend what the vendor switched off: then catch up by polling."""
    del task, until
    webhook = rt.adapter(account.channel).webhook
    if webhook and rt.policy.public_url and account.writes:
        url, secret = await webhook_url(rt, account), await rt.hook_secret(account.seller_id, account.id)
        if webhook.subscribe and (done := await webhook.subscribe(api, url, secret)):
            async with rt.db.seller(account.seller_id) as tx:
                at = rt.now().isoformat()
                await accounts.settle_facts(tx, account.id, subscribed=done, subscribed_at=at)
                await due.task_soon(tx, account.id, ["poll"], rt.now())
        await watch.watch(rt, account, api, url, secret)
    await _done(rt, account, "subscribe", token, SUBSCRIBE_SECONDS, None)


async def webhook_url(rt: Runtime, account: Account) -> str:
    """Where this account's channel must send its webhooks; a path where no public URL is set."""
    base = (rt.policy.public_url or "").rstrip("/")
    webhook = rt.adapter(account.channel).webhook
    if webhook and webhook.per == "app" and account.app_id:
        async with rt.db.people() as tx:
            sealed = await accounts.app_callback(tx, account.app_id)
        return f"{base}/in/app/{rt.vault.open(sealed)['callback']}"
    async with rt.db.seller(account.seller_id) as tx:
        credential = await accounts.credential(tx, account.id)
    return f"{base}/in/{rt.open_sealed(account.id, credential.sealed)['callback']}"


async def walk(rt: Runtime, account: Account, api: AccountApi, task: due.Task, token: UUID, until: float) -> None:
    """Listings, to import them or to audit them: the same walk."""
    await reconcile.walk(rt, account, api, task, token, until)


async def adopt(rt: Runtime, account: Account, api: AccountApi, task: due.Task, token: UUID, until: float) -> None:
    """What a source shows otherwise than reckoned moves the ledger."""
    from jobs import source  # it books what it reads, as counts do, which know how accounts are connected

    await source.adopt(rt, account, api, task, token, until)


STEPS = {
    "poll": poll,
    "missed": missed,
    "subscribe": subscribe,
    "listings": walk,
    "reconcile": walk,
    "recheck": reconcile.recheck,
    "source": adopt,
    "feed": told.feed,
}

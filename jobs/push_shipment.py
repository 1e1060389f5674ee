"""Dispatch and delivery to channels: each thing told once, in order, in the channel's own words."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from hub import tracking as decide
from hub.contract import ShipmentSink
from hub.faults import POLICIES, ChannelError, Fault
from hub.http import AccountApi
from hub.model import LineQuantity, News, ShipmentNews, TrackingStatus
from hub.store import Tx, accounts, alerts, orders, shipments, tracking
from hub.store.accounts import Account
from hub.store.shipments import NewsDue
from jobs import lane
from jobs.runtime import Runtime

BATCH = 20


async def drain(rt: Runtime, account: Account) -> int:
    """Tell an account's channel what it does not know yet. Answers how many shipments were told about."""
    sink = rt.adapter(account.channel).shipments
    if sink is None or not account.writes:
        return 0

    async def claim(tx: Tx, token: UUID) -> list[NewsDue]:
        return await shipments.claim_news(tx, account.id, token, rt.worker, rt.now(), BATCH)

    async def work(api: AccountApi, token: UUID, claimed: Sequence[NewsDue]) -> None:
        for shipment in claimed:
            await lane.guarded(
                account,
                "telling a shipment",
                partial(_tell_all, rt, account, api, sink, token, shipment),
                partial(_failed, rt, account, token, shipment),
            )

    return await lane.drain(rt, account, claim, work)


async def _tell_all(
    rt: Runtime, account: Account, api: AccountApi, sink: ShipmentSink, token: UUID, shipment: NewsDue
) -> None:
    """Everything not told yet, in order. A crash between telling and noting tells again: channels bear that."""
    status = TrackingStatus(shipment.status) if shipment.status else None
    told = frozenset(News(name) for name in shipment.news_told)
    async with rt.db.seller(account.seller_id) as tx:
        served = await shipments.orders_of(tx, shipment.id)
    # A shipment that the channel itself told needs no telling that it left.
    for news in decide.news_due(told, status, dispatched=shipment.source == "hub"):
        if shipment.source == "hub":
            for order in served:
                await _tell_one(rt, account, api, sink, shipment, order, news)
        async with rt.db.seller(account.seller_id) as tx:
            if not await shipments.told_one(tx, token, shipment.id, news):
                return  # the lease was lost
            if shipment.source == "hub":
                await tracking.log_told(tx, shipment.id, news, shipment.news_dirty_at)
            for order in served:
                await orders.event(tx, order["order_id"], "told_channel", news=news, code=shipment.tracking_code)
    async with rt.db.seller(account.seller_id) as tx:
        await shipments.news_done(tx, token, shipment.id, shipment.status)
        if shipment.news_attempts:
            await alerts.resolve(tx, "shipment_untold", str(shipment.id))


async def _tell_one(
    rt: Runtime,
    account: Account,
    api: AccountApi,
    sink: ShipmentSink,
    shipment: NewsDue,
    order: dict[str, Any],
    news: News,
) -> None:
    """One thing about one order, by the first way of telling that exists there."""
    lines = zip(order["line_refs"] or (), order["quantities"] or (), strict=True)
    message = ShipmentNews(
        news=news,
        order_ref=order["ref"],
        shipment_ref=order["channel_ref"] or shipment.ref,  # what the channel knows it by, where it made one itself
        carrier=shipment.carrier,
        service=order["channel_service"] or shipment.service,
        tracking_code=shipment.tracking_code,
        tracking_url=shipment.tracking_url,
        at=shipment.last_event_at or rt.now(),
        lines=tuple(LineQuantity(line_ref=ref, quantity=quantity) for ref, quantity in lines),
        invoice_key=order["invoice_key"],
    )
    if sink.prepare:
        message = message.model_copy(update={"there": await sink.prepare(api, message)})
    for target in _targets(account, sink):
        try:
            for request in sink.render(message, target):
                await api.call(request)
        except ChannelError as problem:
            if problem.fault is Fault.MISSING and target != sink.targets[-1]:
                continue
            raise
        if account.facts.get("shipment_target") != target and len(sink.targets) > 1:
            async with rt.db.seller(account.seller_id) as tx:
                await accounts.settle_facts(tx, account.id, shipment_target=target)
        return


def _targets(account: Account, sink: ShipmentSink) -> Sequence[str]:
    """Ways of telling, the one that worked before first."""
    known = account.facts.get("shipment_target")
    if known not in sink.targets:
        return sink.targets
    return [known, *(target for target in sink.targets if target != known)]


async def _failed(rt: Runtime, account: Account, token: UUID, shipment: NewsDue, problem: ChannelError) -> None:
    if POLICIES[problem.fault].holds_account:
        await rt.hold(account, problem)
    due_at = rt.pause(problem, shipment.news_attempts)
    async with rt.db.seller(account.seller_id) as tx:
        await shipments.news_later(tx, token, shipment.id, due_at, str(problem))
        if due_at is None:
            await alerts.raise_(
                tx, "shipment_untold", str(shipment.id), account=account.name, channel=account.channel,
                code=shipment.tracking_code, detail=problem.detail,
            )  # fmt: skip

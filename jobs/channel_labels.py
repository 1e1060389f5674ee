"""Labels that channels issue: fetched where the channel says that they can be, kept sealed, printed as bought ones."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import adapters
from hub.context import working_for
from hub.contract import LabelState
from hub.faults import POLICIES, ChannelError, Fault
from hub.labels import Layout, merged
from hub.parse import SAO_PAULO
from hub.secrets import SecretsError
from hub.store import channel_labels
from jobs.freight import FreightRefused
from jobs.freight_labels import Printed, drawable, gathered, sealed
from jobs.runtime import Runtime, log

HELD = ("fraud", "frozen", "cancel_requested")  # the channel says that it must not be sent; an NF-e it tells itself


def issuers() -> list[tuple[str, str]]:
    """(channel, service) of shipments that their channels issue labels for."""
    told = [(name, adapters.get(name).labels) for name in adapters.names()]
    return [(name, service) for name, source in told if source for service in source.services]


async def printed(
    rt: Runtime, seller_id: UUID, ids: Sequence[UUID], layout: Layout, *, locale: str = "en"
) -> Printed:  # fmt: skip
    """The labels of these shipments as one file."""
    told, failures = await fetched(rt, seller_id, ids, locale=locale)
    async with rt.db.seller(seller_id) as tx:
        known = await channel_labels.some(tx, ids)
    there = [label["id"] for label in known if label["id"] in told]
    pdf = await asyncio.to_thread(merged, [told[id_] for id_ in there], layout) if there else None
    async with rt.db.seller(seller_id) as tx:
        await channel_labels.printed(tx, there, rt.now())
    return Printed(pdf=pdf, labels=known, failures=failures)


async def fetched(
    rt: Runtime, seller_id: UUID, ids: Sequence[UUID], *, step: Callable[[int], object] | None = None,
    seconds: float | None = None, locale: str = "en",
) -> tuple[dict[UUID, bytes], dict[UUID, str]]:  # fmt: skip
    """(files, sentences) by shipment, as freight_labels.fetched."""
    async with rt.db.seller(seller_id) as tx:
        known = await channel_labels.some(tx, ids)
    return await gathered(known, partial(_one, rt, seller_id), step=step, seconds=seconds, locale=locale)


async def _one(rt: Runtime, seller_id: UUID, label: dict[str, Any]) -> bytes:
    if label["account_status"] == "closed":
        raise FreightRefused("label_closed", number=label["number"], account=label["account"])
    if label["hold"] in HELD:
        raise FreightRefused("hold", number=label["number"], hold=label["hold"])
    if label["order_status"] != "paid":
        raise FreightRefused("status", number=label["number"], status=label["order_status"])
    kept = await _kept(rt, seller_id, label)
    if kept is not None and rt.now() - label["pdf_at"] < channel_labels.FRESH:
        return kept
    pdf = await _from_channel(rt, seller_id, label, kept)
    async with rt.db.seller(seller_id) as tx:
        await channel_labels.keep(tx, label["id"], None if pdf is kept else sealed(rt, pdf), rt.now())
    return pdf


async def _kept(rt: Runtime, seller_id: UUID, label: dict[str, Any]) -> bytes | None:
    async with rt.db.seller(seller_id) as tx:
        kept = await channel_labels.kept(tx, label["id"])
    if kept is None:
        return None
    try:
        return await drawable(base64.b64decode(rt.vault.open(kept)["pdf"]))
    except SecretsError:
        log.info("label sealed under a key that is gone: fetched again", shipment=str(label["id"]))
        return None


async def _from_channel(rt: Runtime, seller_id: UUID, label: dict[str, Any], kept: bytes | None) -> bytes:
    """A kept label is good while the channel says that it can be printed; a parcel may be cancelled at any time."""
    account = await rt.account(seller_id, label["account_id"])
    source, told = rt.adapter(account.channel).labels, {"number": label["number"], "account": account.name}
    if source is None:
        raise FreightRefused("label_none", **told)
    try:
        with working_for(seller_id, account.id):
            api = await rt.api(account)
            standing = source.standing(await source.look(api, label["ref"]))
            if standing.state is not LabelState.READY:
                until = f" ({standing.until.astimezone(SAO_PAULO):%d/%m %H:%M})" if standing.until else ""
                raise FreightRefused(f"label_{standing.state}", **told, until=until)
            pdf = await source.fetch(api, label["ref"]) if kept is None else kept
    except ChannelError as problem:
        if POLICIES[problem.fault].holds_account:
            await rt.hold(account, problem)
        if problem.fault in (Fault.REJECTED, Fault.MISSING):
            raise FreightRefused("refused", **told, why=problem.detail) from problem
        raise
    try:
        return pdf if pdf is kept else await drawable(pdf)
    except ValueError as problem:
        log.warning("a channel's label cannot be drawn", shipment=str(label["id"]), problem=str(problem))
        raise FreightRefused("label_unreadable", **told) from problem

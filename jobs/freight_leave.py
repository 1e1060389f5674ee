"""How parcels leave: a carrier's manifest signed off, or a label taken back."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub import context
from hub.contract import Api, FreightSource
from hub.faults import POLICIES, ChannelError, Fault
from hub.manifest_sheet import manifest_csv, manifest_pdf
from hub.model import TrackingStatus
from hub.parse import SAO_PAULO
from hub.store import alerts, freight, labels, orders, people, stock
from jobs.freight import Consignment, FreightRefused
from jobs.freight_buy import LANDED, posting_of
from jobs.runtime import Runtime

STILL_HERE = (None, TrackingStatus.LABEL_CREATED, TrackingStatus.CANCELLED, TrackingStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Signed:
    """A manifest: its number, and how many parcels left with it."""

    id: UUID
    number: int
    parcels: int


async def sign(rt: Runtime, seller_id: UUID, account_id: UUID, ids: Sequence[UUID] | None, name: str) -> Signed:
    """A carrier took these parcels (None: all that wait for it, those of cancelled orders left out).

    Their channels are told that they left; the day is today's in Brazil. FreightRefused: none waits, nobody is named.
    """
    if not name.strip():
        raise FreightRefused("unsigned")
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        waiting = await labels.leaving(tx, account_id)
        taken = [
            label for label in waiting
            if (label["id"] in set(ids) if ids is not None else label["order_status"] != "cancelled")
        ]  # fmt: skip
        account = await rt.account(seller_id, account_id)
        if not taken:
            raise FreightRefused("nothing_leaves", account=account.name)
        day = now.astimezone(SAO_PAULO).date()
        made, number = await labels.sign(
            tx, account_id, [label["id"] for label in taken], day, name.strip()[:120], context.actor.get(), now
        )
        for label in taken:
            code = label["tracking_code"] or label["ref"]
            await orders.event(tx, label["order_id"], "parcel_left", code=code, manifest=number, carrier=account.name)
        await stock.audit(tx, "manifest_sign", str(made), number=number, account=account.name, parcels=len(taken))
        told = [await freight.order(tx, label["order_id"]) for label in taken]
    for shop in {order["account_id"] for order in told if order}:
        rt.ring("shipments", shop)
    return Signed(made, number, len(taken))


async def cancel(rt: Runtime, seller_id: UUID, id_: UUID) -> list[str]:
    """Take a label back: the carrier is told, the parcel is followed no more. Answers what its channel had been told.

    Refused once it left with a manifest or was scanned. The channel is told nothing: it never heard of the label,
    unless the parcel had left, which an alert says.
    """
    async with rt.db.seller(seller_id) as tx:
        found = await labels.some(tx, [id_])
        if not found or found[0]["status"] not in ("bought", "paying", "cancelling"):
            raise FreightRefused("no_label", number=found[0]["number"]) if found else FreightRefused("gone")
        label = found[0]
        if label["manifest_id"] is not None:
            raise FreightRefused("left", number=label["number"])
        if label["parcel_status"] not in STILL_HERE:
            raise FreightRefused("moving", number=label["number"], status=label["parcel_status"])
        account = await rt.account(seller_id, label["account_id"])
        source = rt.adapter(account.channel).freight
        if source is None or source.cancel is None:
            raise FreightRefused("uncancellable", account=account.name)
        token = await labels.lease(tx, id_, rt.now())
        if token is None:
            raise FreightRefused("busy", number=label["number"])
        await labels.set_status(tx, id_, "cancelling")
    try:
        with context.working_for(seller_id, account.id):
            told = await withdraw(
                rt, seller_id, label, await rt.api(account), source, again=label["status"] == "cancelling"
            )
    except ChannelError as problem:
        if POLICIES[problem.fault].holds_account:
            await rt.hold(account, problem)
        await _not_taken_back(rt, seller_id, label, token, problem)
        raise FreightRefused("refused", number=label["number"], account=account.name, why=problem.detail) from None
    return told


async def withdraw(
    rt: Runtime, seller_id: UUID, label: dict[str, Any], api: Api, source: FreightSource, *, again: bool
) -> list[str]:
    """Ask the carrier to take a label back, and note that it did. `again`: it was asked before, without an answer."""
    if source.cancel is None:
        raise FreightRefused("uncancellable", account=label["account"])
    try:
        await api.call(source.cancel(label["ref"]))
    except ChannelError as problem:
        gone = problem.fault is Fault.MISSING
        if problem.fault is Fault.REJECTED and source.withdrawn:
            gone = await source.withdrawn(api, label["ref"])
        elif not gone and again and problem.fault is Fault.REJECTED and source.find:
            # What was taken back already cannot be taken back: it is looked for under its reference.
            async with rt.db.seller(seller_id) as tx:
                order = await freight.order(tx, label["order_id"])
                policy = await freight.policy(tx, order["account_id"] if order else None)
            wanted = Consignment(order=order or {}, policy=policy, volumes=(), parcels=())
            gone = await source.find(api, posting_of(label, wanted), label["tried_at"]) is None
        if not gone:
            raise
    async with rt.db.seller(seller_id) as tx:
        await labels.set_status(tx, label["id"], "cancelled", at=rt.now())
        told = await labels.parcel_cancelled(tx, label["shipment_id"]) if label["shipment_id"] else []
        code = label["tracking_code"] or label["ref"]
        await orders.event(tx, label["order_id"], "label_cancelled", code=code, carrier=label["account"])
        await stock.audit(tx, "label_cancel", str(label["id"]), order=label["number"], code=code)
        if told:
            await alerts.raise_(
                tx, "label_cancelled_told", str(label["id"]), order=label["number"], code=code, told=told
            )
    return told


async def _not_taken_back(
    rt: Runtime, seller_id: UUID, label: dict[str, Any], token: UUID, problem: ChannelError
) -> None:
    """In doubt it is asked again by itself; refused, the label is as good as before."""
    async with rt.db.seller(seller_id) as tx:
        if getattr(problem, "in_doubt", False):
            await labels.hold_until(tx, label["id"], token, rt.now() + LANDED, str(problem))
        else:
            before = "paying" if label["status"] == "paying" else "bought"
            await labels.set_status(tx, label["id"], before, problem.detail)
            await labels.release(tx, label["id"], token)


async def paper(
    rt: Runtime, seller_id: UUID, account_id: UUID, kind: str, number: int | None = None
) -> tuple[bytes, str]:
    """What `sheet` tells as a file, "pdf" or "csv", and its name. LookupError for no account of this seller's."""
    account = await rt.account(seller_id, account_id)
    rows, head = await sheet(rt, seller_id, account_id, number)
    name = f"romaneio-{head['number'] or head['day']}.{kind}"
    if kind == "csv":
        return manifest_csv(rows).encode(), name
    async with rt.db.seller(seller_id) as tx:
        seller = await people.seller_name(tx)
    body = await asyncio.to_thread(
        manifest_pdf, seller, account.name, rows, day=head["day"], number=head["number"],
        signed_name=head["signed_name"], signed_at=head["signed_at"],
    )  # fmt: skip
    return body, name


async def sheet(
    rt: Runtime, seller_id: UUID, account_id: UUID, number: int | None = None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The parcels of a signed manifest, or (no number) those that wait; and its head: number, day, who signed, when."""
    async with rt.db.seller(seller_id) as tx:
        if number is None:
            head = {"id": None, "number": None, "signed_name": None, "signed_at": None}
            day = rt.now().astimezone(SAO_PAULO).date()
            return await labels.leaving(tx, account_id), {**head, "day": day}
        known = await labels.numbered(tx, account_id, number)
        if known is None:
            raise FreightRefused("no_manifest", number=number)
        return await labels.on_manifest(tx, known["id"]), known

"""Who follows a parcel: the seller's account at the carrier that a channel, or the carrier before, names."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import adapters
from hub import carriers
from hub.contract import Consignment
from hub.model import NextCode
from hub.store import Tx, alerts, stock, tracking
from hub.store.tracking import Followed, Untracked
from jobs.runtime import Runtime

CHUNK = 500


async def follow(rt: Runtime, tx: Tx, ids: Sequence[UUID] | None) -> set[UUID]:
    """Find who follows these parcels (None: all that wait). Answers the accounts that have something to ask.

    One that two accounts or carriers fit is left alone and shown: a person says which.
    """
    held = await tracking.carriers(tx, adapters.trackers())
    rung: set[UUID] = set()
    after: UUID | None = None
    while waiting := await tracking.untracked(tx, ids, after, CHUNK):
        after = waiting[-1].id
        chosen: dict[UUID, list[UUID]] = defaultdict(list)
        left: dict[UUID, str] = {}
        for parcel in waiting:
            account_id, why = _chosen(parcel, held)
            if account_id is not None:
                chosen[account_id].append(parcel.id)
                await alerts.resolve(tx, "parcel_ambiguous", str(parcel.id))
            elif why is not None and parcel.next_code is None:
                left[parcel.id] = why
                if why == "ambiguous":
                    await alerts.raise_(
                        tx, "parcel_ambiguous", str(parcel.id), code=parcel.tracking_code, carrier=parcel.carrier,
                        fits=sorted(carriers.meant(parcel.carrier, parcel.service, parcel.tracking_code or "")),
                    )  # fmt: skip
        channels = {account_id: channel for channel, account_id in held}
        codes = {parcel.id: parcel.next_code for parcel in waiting}
        for account_id, parcels in chosen.items():
            await tracking.follow(tx, account_id, parcels, rt.now())
            onward = {each: code for each in parcels if (code := codes[each])}
            await tracking.put_legs(tx, account_id, channels[account_id], onward)
        await tracking.leave_alone(tx, left)
        rung |= chosen.keys()
    return rung


async def choose(rt: Runtime, tx: Tx, account_id: UUID, parcels: Mapping[UUID, str | None]) -> None:
    """A person says which carrier account follows these parcels, by id with their codes; ring for it afterwards."""
    await tracking.follow(tx, account_id, parcels, rt.now())
    for shipment_id, code in parcels.items():
        await alerts.resolve(tx, "parcel_ambiguous", str(shipment_id))
        await stock.audit(tx, "shipment_follow", str(shipment_id), code=code, account=str(account_id))


def _chosen(parcel: Untracked, held: Sequence[tuple[str, UUID]]) -> tuple[UUID | None, str | None]:
    """The account that follows a parcel, of those whose carrier can be asked by what we know of it."""
    if parcel.next_code is not None:
        return carriers.choose(parcel.next_carrier, None, parcel.next_code, held)
    known = Consignment(tracking_code=parcel.tracking_code, service=parcel.service)
    able = [(channel, account_id) for channel, account_id in held if _asked_as(channel, known)]
    return carriers.choose(parcel.carrier, parcel.service, parcel.tracking_code or "", able)


def _asked_as(channel: str, known: Consignment) -> str | None:
    source = adapters.get(channel).tracking
    return source.code_of(known) if source else None


async def hand_over(rt: Runtime, tx: Tx, parcel: Followed, to: NextCode, rings: set[UUID]) -> None:
    """A carrier gave a parcel to another: that one is asked from now on, where the seller has an account there.

    Where there is none, the carrier that gave it away is asked on; `adopt` follows once one is connected.
    """
    if to.code in parcel.codes:
        return
    held = await tracking.carriers(tx, adapters.trackers())
    account_id, _why = carriers.choose(to.carrier, None, to.code, held)
    if account_id is None or account_id == parcel.carrier_account_id:
        return
    channel = next(channel for channel, account in held if account == account_id)
    await tracking.put_legs(tx, account_id, channel, {parcel.id: to.code})
    await tracking.follow(tx, account_id, [parcel.id], rt.now())
    rings.add(account_id)


async def back(rt: Runtime, tx: Tx, parcel: Followed, rings: set[UUID]) -> None:
    """The carrier that a parcel was handed to does not know it: the one before is asked again."""
    before = await tracking.leg_before(tx, parcel.id, parcel.carrier_account_id)
    if before is not None:
        await tracking.follow(tx, before, [parcel.id], rt.now())
        rings.add(before)

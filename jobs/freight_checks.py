"""What a label is not bought for unless a person insists: a second label, or one for what is not there."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import adapters
from hub.store import Tx, unbuyable
from jobs.freight import FreightRefused
from jobs.runtime import Runtime

SECOND, SHORT = "second_label", "despite_shortage"
INSISTS = {"own_label": SECOND, "coded": SECOND, "short": SHORT}  # kind of refusal -> what a person says against it


def own_labels(rt: Runtime) -> dict[str, str]:
    """By channel: which of its orders it sends with a label of its own (OrderSource.own_label)."""
    sources = {name: rt.adapter(name).orders for name in adapters.names()}
    return {name: source.own_label for name, source in sources.items() if source and source.own_label}


async def reasons(rt: Runtime, tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, list[FreightRefused]]:
    """Why labels of these orders are not simply bought; an order for which nothing speaks against it is not there."""
    rows = await unbuyable.reasons(tx, order_ids, own_labels(rt))
    told = {id_: list(_against(rt, row)) for id_, row in rows.items()}
    return {id_: why for id_, why in told.items() if why}


def _against(rt: Runtime, row: Mapping[str, Any]) -> list[FreightRefused]:
    number, label = row["number"], rt.adapter(row["channel"]).label if row["channel"] in adapters.names() else ""
    channel = label or row["channel"]
    why = []
    if row["own_label"]:
        how = f" ({row['service']})" if row["service"] else ""
        why.append(FreightRefused("own_label", number=number, channel=channel, how=how))
    elif row["code"]:
        why.append(FreightRefused("coded", number=number, channel=channel, code=row["code"]))
    if row["short"]:
        why.append(FreightRefused("short", number=number, units=row["short"]))
    return why


async def insisted(rt: Runtime, tx: Tx, order_id: UUID, insists: Collection[str]) -> None:
    """FreightRefused for what speaks against a label of this order, and nobody said that it is wanted all the same."""
    for refusal in (await reasons(rt, tx, [order_id])).get(order_id, ()):
        if INSISTS[refusal.kind] not in insists:
            raise refusal

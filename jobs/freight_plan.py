"""What would be bought for several orders, at what price, and what is left out and why: before money is spent."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.freight import Rule
from hub.store import labels
from jobs.freight import FreightRefused, Quoted, latest
from jobs.freight_buy import offer_of, postings
from jobs.freight_checks import INSISTS, reasons
from jobs.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An order's purchase: `quoted` and `offer` of it, or `refusal`. `against`: what a person has to insist on."""

    order_id: UUID
    quoted: Quoted | None = None
    offer: Mapping[str, Any] | None = None
    refusal: FreightRefused | None = None
    against: Sequence[FreightRefused] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What one carrier gets: how many labels, and centavos."""

    account: str
    labels: int
    cents: int


async def plan(
    rt: Runtime, seller_id: UUID, order_ids: Sequence[UUID], *,
    chosen: Mapping[UUID, tuple[UUID, str]] | None = None, rule: Rule | None = None, insists: Collection[str] = (),
    at_once: int = 4,
) -> list[Planned]:  # fmt: skip
    """Quote what has no fresh quote and tell what would be bought, in the order asked; nothing is bought.

    `chosen` names account and service of orders for which the rule does not choose.
    """
    gate = asyncio.Semaphore(at_once)
    async with rt.db.seller(seller_id) as tx:
        against = await reasons(rt, tx, order_ids)
        known = await labels.of_orders(tx, order_ids)
    bought = [row for row in known if row["status"] == "bought"]
    counts = Counter(row["order_id"] for row in bought)
    whole = {row["order_id"]: row["number"] for row in bought if counts[row["order_id"]] >= row["volumes"]}

    async def one(id_: UUID) -> Planned:
        why = tuple(each for each in against.get(id_, ()) if INSISTS[each.kind] not in insists)
        if id_ in whole:
            return Planned(order_id=id_, refusal=FreightRefused("has_labels", number=whole[id_]))
        if why:
            return Planned(order_id=id_, refusal=why[0], against=why)
        async with gate:
            try:
                quoted = await latest(rt, seller_id, id_)
                account, service = (chosen or {}).get(id_, (None, None))
                offer = offer_of(quoted, account, service, rule)
                postings(quoted.consignment, offer["service"])
            except FreightRefused as refusal:
                return Planned(order_id=id_, refusal=refusal)
        return Planned(order_id=id_, quoted=quoted, offer=offer, against=tuple(against.get(id_, ())))

    return list(await asyncio.gather(*map(one, order_ids)))


def totals(planned: Sequence[Planned]) -> list[Total]:
    """By carrier, by its name."""
    sums: dict[str, tuple[int, int]] = {}
    for each in planned:
        if each.offer and each.quoted:
            count, cents = sums.get(each.offer["account"], (0, 0))
            volumes = len(each.quoted.consignment.parcels)
            sums[each.offer["account"]] = count + volumes, cents + each.offer["price_cents"]
    return [Total(account=name, labels=count, cents=cents) for name, (count, cents) in sorted(sums.items())]

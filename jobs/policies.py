"""What a seller decides once, where no flow of its own keeps it: each change audited."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from hub.freight import Rule
from hub.store import freight, policies, stock
from jobs.connect import Refused
from jobs.runtime import Runtime

LEAST_SHARE, MOST_SHARE = 0.05, 1.0


async def set_brake_share(rt: Runtime, seller_id: UUID, share: float | None) -> None:
    """The share of an account's listings that one run may empty before it stops and asks; None: the installation's.

    Refused outside of 5 to 100 per cent: below that every sale of a small shop would stop it.
    """
    if share is not None and not LEAST_SHARE <= share <= MOST_SHARE:
        raise Refused(f"share: {share:g} is not from {LEAST_SHARE:g} to {MOST_SHARE:g}")
    async with rt.db.seller(seller_id) as tx:
        await policies.set_brake_share(tx, share)
        await stock.audit(tx, "zero_brake_share", str(seller_id), share=share)


async def set_freight(rt: Runtime, seller_id: UUID, account_id: UUID | None, changes: Mapping[str, Any]) -> None:
    """Change words of a freight policy (an account's, or None: the seller's); None takes one back."""
    if changes.get("rule") is not None:
        Rule(changes["rule"])
    async with rt.db.seller(seller_id) as tx:
        await freight.set_policy(tx, account_id, changes)
        await stock.audit(tx, "freight_policy", str(account_id or seller_id), **_noted(changes))


def _noted(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes as the log keeps them: of a sender its name and postal code, not where a person can be reached."""
    if not changes.get("sender"):
        return dict(changes)
    sender = changes["sender"]
    return {**changes, "sender": f"{sender['name']}, {sender['address']['postal_code']}"}

"""The invariant job: the hub proves itself right, and says so on the health page."""

import json
from typing import Any

from hub.store import Tx, alerts, invariants, new_id


async def check(tx: Tx, *, at_rest: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Check one seller's rows, keep the result, alert where a promise is broken. Answers what is broken."""
    broken = await invariants.broken(tx, at_rest=at_rest)
    told = json.dumps([{"name": name, "rows": rows} for name, rows in broken.items()], default=str)
    await tx.run("INSERT INTO invariant_check (seller_id, id, broken) VALUES (%s, %s, %s)", [tx.seller, new_id(), told])
    if broken:
        await alerts.raise_(tx, "invariant_broken", "hub", severity="urgent", names=list(broken))
    else:
        await alerts.resolve(tx, "invariant_broken", "hub")
    return broken

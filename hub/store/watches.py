"""Watching: which parcels a carrier must be asked to tell of by itself, and until when it does."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from hub.store import Tx
from hub.store.tracking import OVER


async def unwatched(tx: Tx, account_id: UUID, now: datetime, limit: int) -> list[str]:
    """Codes of parcels under way at a carrier account that it does not tell of, or will not for much longer."""
    rows = await tx.all(
        f"""SELECT DISTINCT l.code FROM shipment s JOIN shipment_leg l ON l.seller_id = s.seller_id
                AND l.shipment_id = s.id AND l.account_id = s.carrier_account_id
            WHERE s.carrier_account_id = %s AND NOT coalesce(s.status, '') = ANY('{OVER}')
              AND (l.watched_until IS NULL OR l.watched_until <= %s)
            ORDER BY l.code LIMIT %s""",
        [account_id, now, limit],
    )
    return [row["code"] for row in rows]


async def watched(tx: Tx, account_id: UUID, until: Mapping[str, datetime]) -> None:
    """Until when there is no need to ask again about each code."""
    await tx.many(
        "UPDATE shipment_leg SET watched_until = %s WHERE account_id = %s AND code = %s",
        [(at, account_id, code) for code, at in until.items()],
    )

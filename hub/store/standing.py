"""Whether what an alert tells of still stands, for each kind of which the database knows: such a one is not closed.

Kinds that are not here are over when a person says so: what only they can see (a parcel that is lost or came back),
and advice; or the next look raises them again by itself (a walk of an account, a server that is tried).
"""

from typing import LiteralString
from uuid import UUID

from hub.store import Tx

_ORDER: LiteralString = "FROM orders o WHERE o.id = %(id)s AND o.status = 'paid' AND o.ship_stage"
_PARCEL: LiteralString = "FROM shipment s WHERE s.id = %(id)s AND s.ended_at IS NULL AND"
# What was told of it when the alert was raised is still the last that is known, and it is still looked at.
_SILENT: LiteralString = f"""{_PARCEL} s.look_at IS NOT NULL AND EXISTS (SELECT FROM alert a WHERE a.kind = %(kind)s
    AND a.subject = %(subject)s AND a.resolved_at IS NULL AND a.params->>'status' IS NOT DISTINCT FROM s.status
    AND (a.params->>'last_at')::timestamptz IS NOT DISTINCT FROM s.last_event_at)"""

# %(id)s: the subject, or its part before the first slash; %(rest)s: what comes after that.
_STANDS: dict[str, LiteralString] = {
    "account_held": "FROM account WHERE id = %(id)s AND status = 'held'",
    "zero_brake": "FROM stock_slot WHERE account_id = %(id)s AND braked",
    "shortage": "FROM shortage WHERE order_id = %(id)s",
    "line_unlinked": """FROM order_line l JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id
        WHERE l.order_id = %(id)s AND l.sku_id IS NULL AND l.quantity > l.cancelled_quantity
        AND o.status IN ('placed', 'paid')""",
    "slot_parked": "FROM stock_slot WHERE account_id = %(id)s AND ref = %(rest)s AND parked_code IS NOT NULL",
    "inbox_parked": """FROM inbox WHERE account_id = %(id)s AND state = 'parked'
        AND topic || '/' || coalesce(ref, 'None') = %(rest)s""",
    "shipment_untold": "FROM shipment WHERE id = %(id)s AND news_parked IS NOT NULL",
    "parcel_ambiguous": f"{_PARCEL} s.left_alone = 'ambiguous'",
    "parcel_not_found": f"{_PARCEL} s.not_found_since IS NOT NULL AND s.track_due_at IS NOT NULL",
    "parcel_late": _SILENT,
    "parcel_stuck": _SILENT,
    "parcel_pickup": _SILENT,
    "parcel_pickup_last": _SILENT,
    "ship_by_4h": f"{_ORDER} = 1",
    "ship_by_1h": f"{_ORDER} = 2",
    "ship_late": f"{_ORDER} = 3",
    "drift_proposed": "FROM drift WHERE account_id = %(id)s AND state = 'proposed' AND closed_at IS NULL",
    "mail_doubt": "FROM buyer_mail WHERE id = %(id)s AND state = 'doubt'",
    "notice_down": "FROM notice_way WHERE id = %(id)s AND off_reason IS NOT NULL",
    "endpoint_disabled": "FROM event_endpoint WHERE id = %(id)s AND disabled_why IN ('gone', 'failing')",
    "label_doubt": "FROM freight_label WHERE id = %(id)s AND status = 'doubt'",
}
KINDS = frozenset(_STANDS)


async def stands(tx: Tx, kind: str, subject: str) -> bool:
    """Whether the cause of an alert is there still; False where nobody can tell."""
    head, _, rest = subject.partition("/")
    try:
        id_ = UUID(head)
    except ValueError:
        return False
    sql = _STANDS.get(kind)
    if sql is None:
        return False
    told = {"id": id_, "rest": rest, "kind": kind, "subject": subject}
    return bool(await tx.value(f"SELECT EXISTS (SELECT {sql})", told))

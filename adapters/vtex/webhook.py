"""What VTEX's order hook means. Pure. It carries the header that we configured, and no signature."""

import json
from datetime import datetime

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Topic
from hub.wire import Wire

HEADER = "X-Balcao-Token"


def is_ping(knock: Knock) -> bool:
    """What is sent when the hook is configured; without a 200 the configuration fails."""
    try:
        raw = json.loads(knock.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(raw, dict) and raw.get("hookConfig") == "ping"


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock; a store that sells and ships may see both domains of one change."""
    if is_ping(knock):
        return [Notice(topic=Topic.PING, dedupe_key=f"ping:{parse.digest(knock.body)}")]
    try:
        raw = json.loads(knock.body)
    except (ValueError, RecursionError):
        raise Unreadable("body", "not JSON") from None
    told = Wire(raw, "body")
    if "OrderId" not in told.raw:
        return [Notice(topic=Topic.UNKNOWN, dedupe_key=f"unknown:{parse.digest(raw)}", raw=raw)]
    ref, at = told.needed_ref("OrderId"), _at(told)
    key = f"{ref}:{told.text('State')}:{told.text('LastChange') or told.text('CurrentChange')}:{parse.digest(raw)}"
    return [Notice(topic=Topic.ORDER, ref=ref, dedupe_key=key, at=at)]


def _at(told: Wire) -> datetime | None:
    """Unset times are told as year 1; an odd one must not lose the bell."""
    try:
        set_ = [key for key in ("CurrentChange", "LastChange") if not (told.text(key) or "0001").startswith("0001")]
        return told.instant(*set_)
    except Unreadable:
        return None

"""What Bling's webhooks mean. Pure. One address of the application serves all accounts: `companyId` tells whose."""

import json
from datetime import datetime

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Topic
from hub.wire import Wire

TOPICS = {  # resource: (ours, where the id stands)
    "order": (Topic.ORDER, ("id",)),
    "product": (Topic.LISTING, ("id",)),
    "stock": (Topic.STOCK, ("produto", "id")),  # an entry in a deposit
    "virtual_stock": (Topic.STOCK, ("produto", "id")),  # reservations too; 9 to 22 s after the order
    "product_supplier": (Topic.IGNORED, ("id",)),
    "invoice": (Topic.IGNORED, ("id",)),  # names no order; the order is told as updated
    "consumer_invoice": (Topic.IGNORED, ("id",)),
}


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock; what changed is fetched, for the body tells only a part."""
    try:
        raw = json.loads(knock.body)
    except (ValueError, RecursionError):
        raise Unreadable("body", "not JSON") from None
    told = Wire(raw, "body")
    event = told.text("event") or ""
    topic, path = TOPICS.get(event.partition(".")[0], (Topic.UNKNOWN, ("id",)))
    named = told.part("data")
    for key in path[:-1]:
        named = named.part(key)
    ref = named.ref(path[-1])
    if ref is None and topic not in (Topic.IGNORED, Topic.UNKNOWN):
        raise Unreadable(named.at(path[-1]), "no id told")
    return [
        Notice(
            topic=topic,
            ref=ref,
            account_ref=told.ref("companyId"),
            dedupe_key=told.text("eventId") or f"{event}:{ref}:{parse.digest(raw)}",
            at=_instant(told),
            raw=raw if topic is Topic.UNKNOWN else None,
        )
    ]


def _instant(told: Wire) -> datetime | None:
    """An odd time must not lose the bell."""
    try:
        return told.instant("date")
    except Unreadable:
        return None

"""What Mercado Livre's notifications mean. Pure.

Nothing is signed: the body is a hint, the resource is fetched. One callback serves all accounts of the app.
"""

import json
from datetime import datetime

from pydantic import BaseModel

from adapters.mercadolivre.mapping import Id, told_at
from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Raw, Topic

# topic: (ours, the path segment before the id that we fetch)
TOPICS = {
    "orders_v2": (Topic.ORDER, "orders"),
    "orders": (Topic.ORDER, "orders"),
    "shipments": (Topic.SHIPMENT, "shipments"),
    "items": (Topic.LISTING, "items"),
    "stock-locations": (Topic.STOCK, "user-products"),
    "stock-location": (Topic.STOCK, "user-products"),  # what its sample says
    "user-products-families": (Topic.STOCK, "user-products-families"),
    "fbm_stock_operations": (Topic.STOCK, "operations"),
    "items_prices": (Topic.IGNORED, "items"),
    "payments": (Topic.IGNORED, "collections"),  # the order is notified as well
    "invoices": (Topic.IGNORED, "invoices"),
    "messages": (Topic.IGNORED, "messages"),
    "questions": (Topic.IGNORED, "questions"),
    "claims": (Topic.IGNORED, "claims"),
    "post_purchase": (Topic.IGNORED, "claims"),
    "orders_feedback": (Topic.IGNORED, "orders"),
    "flex-handshakes": (Topic.IGNORED, "shipments"),
    "public_offers": (Topic.IGNORED, "offers"),
    "public_candidates": (Topic.IGNORED, "candidates"),
    "price_suggestion": (Topic.IGNORED, "items"),
    "catalog_item_competition_status": (Topic.IGNORED, "items"),
    "catalog_suggestions": (Topic.IGNORED, "catalog_suggestions"),
    "quotations": (Topic.IGNORED, "quotations"),
    "vis_leads": (Topic.IGNORED, "leads"),
    "leads-credits": (Topic.IGNORED, "loan"),
}


class _Notification(BaseModel):
    topic: str | None = None
    resource: Id | None = None
    user_id: Id | None = None  # a number, or the same as a string
    application_id: Id | None = None
    actions: list[str] | None = None
    sent: str | None = None
    # When it happened: the same in every attempt, where `sent`, `attempts` and `_id` are the attempt's own.
    received: str | None = told_at("received", "recieved")


def read(knock: Knock) -> list[Notice]:
    """The one notice of a notification."""
    try:
        raw = json.loads(knock.body)
    except (ValueError, RecursionError):
        raise Unreadable("body", "a notification must be a JSON object") from None
    return [notice(raw)]


def notice(raw: Raw) -> Notice:
    """The notice of a notification's body or of a /missed_feeds row: both have the same dedupe_key."""
    if not isinstance(raw, dict):
        raise Unreadable("body", "a notification must be a JSON object")
    told = parse.wire(_Notification, raw)
    word = told.topic or ""
    topic, segment = TOPICS.get(word, (Topic.UNKNOWN, ""))
    resource, account = parse.text(told.resource), parse.ref(told.user_id)
    if resource is None and topic not in (Topic.IGNORED, Topic.UNKNOWN):
        raise Unreadable("resource", f"a notification of topic {word} must name its resource")
    ref = _ref(resource or "", segment)
    happened = told.received or told.sent
    new = topic == Topic.UNKNOWN  # is kept whole, to be shown
    known = raw if new else [word, resource, account, parse.ref(told.application_id), told.actions or []]
    return Notice(
        topic=topic,
        ref=ref,
        account_ref=account,
        dedupe_key=f"{word}:{ref}:{happened or ''}:{parse.digest(known)}",
        at=_instant(happened),
        raw=raw if new else None,
    )


def _ref(resource: str, segment: str) -> str | None:
    """The id after `segment`; in resources of another form the last part."""
    parts = [part for part in resource.split("?", maxsplit=1)[0].split("/") if part]
    after = parts[parts.index(segment) + 1 :] if segment in parts else []
    return parse.text(next(iter(after), None) or next(reversed(parts), None))


def _instant(told: str | None) -> datetime | None:
    """An odd time must not lose the bell."""
    try:
        return parse.instant(told, "received")
    except Unreadable:
        return None

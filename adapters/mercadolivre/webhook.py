"""What Mercado Livre's notifications mean. Pure. Nothing is signed: the body is a hint, the resource is fetched."""

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Raw, Topic
from hub.wire import Wire, of_body

IGNORED = {  # topic: the path segment before the id
    "items_prices": "items", "payments": "collections",  # the order is notified as well
    "invoices": "invoices", "messages": "messages", "questions": "questions", "claims": "claims",
    "post_purchase": "claims", "orders_feedback": "orders", "flex-handshakes": "shipments", "public_offers": "offers",
    "public_candidates": "candidates", "price_suggestion": "items", "catalog_item_competition_status": "items",
    "catalog_suggestions": "catalog_suggestions", "quotations": "quotations", "vis_leads": "leads",
    "leads-credits": "loan",
}  # fmt: skip
TOPICS = {  # topic: (ours, the path segment before the id that we fetch)
    **{topic: (Topic.IGNORED, segment) for topic, segment in IGNORED.items()},
    "orders_v2": (Topic.ORDER, "orders"),
    "orders": (Topic.ORDER, "orders"),
    "shipments": (Topic.SHIPMENT, "shipments"),
    "items": (Topic.LISTING, "items"),
    "stock-locations": (Topic.STOCK, "user-products"),
    "stock-location": (Topic.STOCK, "user-products"),  # what its sample says
    "user-products-families": (Topic.STOCK, "user-products-families"),
    "fbm_stock_operations": (Topic.STOCK, "operations"),
}


def read(knock: Knock) -> list[Notice]:
    """The one notice of a notification."""
    return [notice(dict(of_body(knock.body).raw))]


def notice(raw: Raw) -> Notice:
    """The notice of a notification's body or of a /missed_feeds row: both have the same dedupe_key."""
    if not isinstance(raw, dict) or not raw:
        raise Unreadable("body", "a notification must be a JSON object")
    told = Wire(raw, "")
    word, resource, account = told.text("topic") or "", told.text("resource"), told.ref("user_id")
    topic, segment = TOPICS.get(word, (Topic.UNKNOWN, ""))
    if resource is None and topic not in (Topic.IGNORED, Topic.UNKNOWN):
        raise Unreadable("resource", f"a notification of topic {word} must name its resource")
    ref = _ref(resource or "", segment)
    # When it happened: the same in every attempt, where `sent`, `attempts` and `_id` are the attempt's own.
    times = ("received", "recieved", "sent")
    known = [word, resource, account, told.ref("application_id"), told.raw.get("actions") or []]
    new = topic is Topic.UNKNOWN  # is kept whole, to be shown
    return Notice(
        topic=topic,
        ref=ref,
        account_ref=account,
        dedupe_key=f"{word}:{ref}:{told.text(*times) or ''}:{parse.digest(raw if new else known)}",
        at=told.clock(*times),
        raw=raw if new else None,
    )


def _ref(resource: str, segment: str) -> str | None:
    """The id after `segment`; in resources of another form the last part."""
    parts = [part for part in resource.split("?", maxsplit=1)[0].split("/") if part]
    after = parts[parts.index(segment) + 1 :] if segment in parts else []
    return parse.text(next(iter(after or parts[-1:]), None))

"""What Shopify's webhooks mean. Pure. The topic stands in a header, the body is REST-shaped whatever the API."""

import json
from datetime import datetime

from adapters.shopify.reading import Node
from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Raw, Topic

FAT = frozenset({"orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled",
                 "orders/partially_fulfilled"})  # fmt: skip
_BY_ORDER = ("refunds/create", "fulfillments/create", "fulfillments/update", "fulfillment_events/create",
             "fulfillment_events/delete", "order_transactions/create")  # fmt: skip
_RETURNS = ("approve", "cancel", "close", "decline", "process", "reopen", "request", "update")
_KINDS: tuple[tuple[Topic, tuple[str, ...], tuple[str, ...]], ...] = (  # what it is about, where its id stands, topics
    (Topic.ORDER, ("id",), (*FAT, "orders/delete")),
    (Topic.ORDER, ("order_edit", "order_id"), ("orders/edited",)),
    (Topic.ORDER, ("order_id",), _BY_ORDER),
    (Topic.ORDER, ("order", "id"), tuple(f"returns/{word}" for word in _RETURNS)),
    (
        Topic.SHIPMENT,
        ("fulfillment_order", "id"),
        ("fulfillment_orders/placed_on_hold", "fulfillment_orders/hold_released"),
    ),
    (Topic.LISTING, ("id",), ("products/create", "products/update", "products/delete")),
    (Topic.STOCK, ("inventory_item_id",), tuple(f"inventory_levels/{w}" for w in ("update", "connect", "disconnect"))),
    (Topic.ACCOUNT, (), ("app/uninstalled", "app/scopes_update", "shop/update")),
    (Topic.IGNORED, (), ("customers/data_request", "customers/redact", "shop/redact")),
)
TOPICS = {word: (topic, path) for topic, path, words in _KINDS for word in words}
REGISTERED = ("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED", "ORDERS_DELETE", "REFUNDS_CREATE",
              "FULFILLMENT_ORDERS_PLACED_ON_HOLD", "FULFILLMENT_ORDERS_HOLD_RELEASED", "PRODUCTS_UPDATE",
              "PRODUCTS_DELETE", "INVENTORY_LEVELS_UPDATE", "APP_UNINSTALLED")  # fmt: skip


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock. An order's body is the order; anything else is fetched.

    One event may ring under several topics, all with its id: whichever order comes first is that event's.
    """
    try:
        raw: Raw = json.loads(knock.body)
    except (ValueError, RecursionError):
        raise Unreadable("body", "not JSON") from None
    word = knock.headers.get("x-shopify-topic", "")
    topic, path = TOPICS.get(word, (Topic.UNKNOWN, ("id",)))
    told = Node(raw, "body")
    for key in path[:-1]:
        told = told.part(key)
    ref = told.number(path[-1]) if path else None
    if path and ref is None and topic is not Topic.UNKNOWN:
        raise Unreadable(told.at(path[-1]), "no id told")
    event = parse.text(knock.headers.get("x-shopify-event-id")) or f"{ref}:{parse.digest(knock.body)}"
    fat = word in FAT
    return [
        Notice(
            topic=topic,
            ref=ref,
            account_ref=parse.text(knock.headers.get("x-shopify-shop-domain")),
            dedupe_key=event if fat else f"{event}:{word}:{ref or ''}",
            at=_instant(knock.headers.get("x-shopify-triggered-at")),
            raw=raw if fat or topic is Topic.UNKNOWN else None,
        )
    ]


def _instant(told: str | None) -> datetime | None:
    """An odd time must not lose the bell. Nanoseconds are told."""
    try:
        return parse.instant(told, "x-shopify-triggered-at")
    except Unreadable:
        return None

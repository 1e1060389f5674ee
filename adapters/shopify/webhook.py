"""What Shopify's webhooks mean. Pure. The topic stands in a header, the body is REST-shaped whatever the API."""

from adapters.shopify.reading import Node
from hub import parse, wire
from hub.model import Knock, Notice, Topic
from hub.stages import by_word

TOPICS = by_word(  # what a topic, or all of a resource's, is about, and where its id stands
    ((Topic.ORDER, "id"), "orders"),
    ((Topic.ORDER, "order_edit.order_id"), "orders/edited"),
    ((Topic.ORDER, "order_id"), "refunds fulfillments fulfillment_events order_transactions"),
    ((Topic.ORDER, "order.id"), "returns"),
    ((Topic.SHIPMENT, "fulfillment_order.id"), "fulfillment_orders/placed_on_hold fulfillment_orders/hold_released"),
    ((Topic.LISTING, "id"), "products"),
    ((Topic.STOCK, "inventory_item_id"), "inventory_levels"),
    ((Topic.ACCOUNT, ""), "app shop"),
    ((Topic.IGNORED, ""), "shop/redact customers"),
)
HEADERS = ("x-shopify-topic", "x-shopify-event-id", "x-shopify-shop-domain", "x-shopify-triggered-at")
REGISTERED = ("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED", "ORDERS_DELETE", "REFUNDS_CREATE",
              "FULFILLMENT_ORDERS_PLACED_ON_HOLD", "FULFILLMENT_ORDERS_HOLD_RELEASED", "PRODUCTS_UPDATE",
              "PRODUCTS_DELETE", "INVENTORY_LEVELS_UPDATE", "APP_UNINSTALLED")  # fmt: skip


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock. An order's body is the order; anything else is fetched.

    One event may ring under several topics, all with its id: whichever order comes first is that event's.
    """
    raw = wire.of_body(knock.body).raw
    told = Node(raw, "body")
    headers = wire.Wire({name: knock.headers.get(name) for name in HEADERS}, "headers")
    word = headers.text("x-shopify-topic") or ""
    topic, key = TOPICS.get(word) or TOPICS.get(word.partition("/")[0], (Topic.UNKNOWN, "id"))
    ref = told.ref(key) if topic is Topic.UNKNOWN else told.needed_ref(key) if key else None
    event = headers.text("x-shopify-event-id") or f"{ref}:{parse.digest(knock.body)}"
    is_order = topic is Topic.ORDER and key == "id" and "line_items" in raw  # a deleted one is only its id
    return [
        Notice(
            topic=topic,
            ref=ref,
            account_ref=headers.text("x-shopify-shop-domain"),
            dedupe_key=event if is_order else f"{event}:{word}:{ref or ''}",
            at=headers.clock("x-shopify-triggered-at"),  # with nanoseconds
            raw=raw if is_order or topic is Topic.UNKNOWN else None,
        )
    ]

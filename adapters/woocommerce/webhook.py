"""What WooCommerce's knocks mean. Pure."""

import re

from hub import parse
from hub.addresses import store_ref
from hub.faults import Unreadable
from hub.model import Knock, Notice, Topic
from hub.signing import hmac_sha256
from hub.wire import Wire, of_body

TOPICS = {
    "order.created": Topic.ORDER,
    "order.updated": Topic.ORDER,
    "order.deleted": Topic.ORDER,  # to the trash, or gone
    "order.restored": Topic.ORDER,
    "product.created": Topic.LISTING,
    "product.updated": Topic.LISTING,
    "product.deleted": Topic.LISTING,
    "product.restored": Topic.LISTING,
}
NOT_FOR_US = ("customer.", "coupon.", "action.")
# WordPress decodes these in the webhook's secret before it signs (wp_specialchars_decode)
ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#039;": "'", "&#39;": "'", "&amp;": "&"}
PING = re.compile(rb"webhook_id=\d+\s*")

_signed = hmac_sha256("x-wc-webhook-signature", encoding="base64")


def verify(secret: str, knock: Knock) -> None:
    """Base64 HMAC-SHA256 of the raw body under the webhook's secret; else BadSignature."""
    for entity, character in ENTITIES.items():
        secret = secret.replace(entity, character)
    _signed(secret, knock)


def is_ping(knock: Knock) -> bool:
    """The unsigned form that a store posts when a webhook is saved; it wants a 2xx."""
    return PING.fullmatch(knock.body) is not None


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock. A body without an id is Unreadable."""
    if is_ping(knock):
        return [Notice(topic=Topic.PING, dedupe_key=f"ping:{parse.digest(knock.body)}")]
    name = knock.headers.get("x-wc-webhook-topic", "")
    topic = TOPICS.get(name, Topic.IGNORED if name.startswith(NOT_FOR_US) else Topic.UNKNOWN)
    told = of_body(knock.body)
    # of a variation our fetch takes the product
    ref = (told.ref("parent_id") if told.raw.get("type") == "variation" else None) or told.ref("id")
    if ref is None and topic in (Topic.ORDER, Topic.LISTING):
        raise Unreadable("body.id", "no id told")
    return [
        Notice(
            topic=topic,
            ref=ref,
            account_ref=store_ref(knock.headers.get("x-wc-webhook-source", "")) or None,
            # never X-WC-Webhook-Delivery-ID: seen 62 deliveries with 10 ids
            dedupe_key=f"{name}:{ref}:{told.raw.get('date_modified_gmt')}:{parse.digest(knock.body)}",
            at=told.clock("date_modified_gmt"),
            raw=told.raw if _is_fat(told, topic) else None,
        )
    ]


def _is_fat(told: Wire, topic: Topic) -> bool:
    """A deleted order is told as its id; a product with variations only names them."""
    if topic is Topic.ORDER:
        return "status" in told.raw
    return topic is not Topic.LISTING or ("type" in told.raw and not told.raw.get("variations"))

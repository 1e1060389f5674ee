"""What WooCommerce's knocks mean. Pure."""

import json
import re
from datetime import datetime
from urllib.parse import urlsplit

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Raw, Topic
from hub.signing import hmac_sha256

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


def store_ref(url: str) -> str:
    """Host and path of a store, the same however its address was typed; "" for what is no address."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").rstrip(".")
        port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    except ValueError:  # a port that is none, a broken bracket
        return ""
    return host + port + parts.path.rstrip("/")


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock. A body without an id is Unreadable."""
    if is_ping(knock):
        return [Notice(topic=Topic.PING, dedupe_key=f"ping:{parse.digest(knock.body)}")]
    told = knock.headers.get("x-wc-webhook-topic", "")
    topic = TOPICS.get(told, Topic.IGNORED if told.startswith(NOT_FOR_US) else Topic.UNKNOWN)
    raw = _body(knock)
    ref = parse.ref(_plain(raw, "id"))
    if topic is Topic.LISTING and raw.get("type") == "variation":
        ref = parse.ref(_plain(raw, "parent_id")) or ref  # what our fetch takes is the product
    if ref is None and topic in (Topic.ORDER, Topic.LISTING):
        raise Unreadable("body.id", "no id told")
    changed = _plain(raw, "date_modified_gmt")
    return [
        Notice(
            topic=topic,
            ref=ref,
            account_ref=store_ref(knock.headers.get("x-wc-webhook-source", "")) or None,
            # never X-WC-Webhook-Delivery-ID: seen 62 deliveries with 10 ids
            dedupe_key=f"{told}:{ref}:{changed}:{parse.digest(knock.body)}",
            at=_instant(changed),
            raw=raw if _is_fat(raw, topic) else None,
        )
    ]


def _body(knock: Knock) -> dict[str, Raw]:
    try:
        raw = json.loads(knock.body)
    except (ValueError, RecursionError) as problem:
        raise Unreadable("body", "not JSON") from problem
    if not isinstance(raw, dict):
        raise Unreadable("body", "not an object")
    return raw


def _plain(raw: dict[str, Raw], key: str) -> str | int | None:
    value = raw.get(key)
    return value if isinstance(value, (str, int)) else None


def _instant(told: str | int | None) -> datetime | None:
    """A time we cannot read must not cost the bell."""
    try:
        return parse.instant(parse.text(told), "body.date_modified_gmt")
    except Unreadable:
        return None


def _is_fat(raw: dict[str, Raw], topic: Topic) -> bool:
    """A deleted order is told as its id; a product with variations only names them."""
    if topic is Topic.ORDER:
        return "status" in raw
    if topic is Topic.LISTING:
        return "type" in raw and not raw.get("variations")
    return True

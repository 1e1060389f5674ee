"""What Magalu's webhooks mean. Pure. They name an order or a delivery: what changed is fetched."""

import hmac
import re

from hub import parse
from hub.faults import BadSignature, Unreadable
from hub.model import Knock, Notice, Topic
from hub.signing import hex_hmac
from hub.wire import Wire, of_body

SIGNATURE, TIMESTAMP = "x-signature-256", "x-timestamp"
TOPICS = {
    "orders_order": Topic.ORDER,
    "orders_delivery": Topic.ORDER,  # its id is the delivery's: the order is found by it
    "sac_ticket": Topic.IGNORED,
    "/orders/": Topic.ORDER,  # of the older body, which tells no topic
    "/deliveries/": Topic.ORDER,
}
RESOURCE = re.compile(r"(/\w+/)([^/?]+)(?:\?updated_at__ge=([^&]*))?$")


def verify(secret: str, knock: Knock) -> None:
    """HMAC of "timestamp.body"; while a secret is rotated two signatures come, and either is good."""
    stamp = knock.headers.get(TIMESTAMP, "")
    signed = stamp.encode(errors="surrogateescape") + b"." + knock.body
    want = f"sha256={hex_hmac(secret, signed)}".encode()
    shown = knock.headers.get(SIGNATURE, "").encode(errors="surrogateescape").split(b",")
    if not stamp or not any(hmac.compare_digest(want, each.strip()) for each in shown):
        raise BadSignature(SIGNATURE)


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock."""
    told = of_body(knock.body)
    found = RESOURCE.search(told.text("data.resource") or "")
    kind, id_, since = found.groups() if found else ("", None, None)
    name = told.text("topic") or kind
    topic, ref = TOPICS.get(name, Topic.UNKNOWN), told.ref("data.params.id") or parse.ref(id_)
    if topic is Topic.ORDER and (ref is None or "/" in ref):
        raise Unreadable("body.data.params.id", "no id told")
    return [
        Notice(
            topic=topic,
            ref=ref,
            account_ref=tenant(told.ref("tenant_id")),
            dedupe_key=f"{name}:{ref}:{told.text('data.status')}:{parse.digest(told.raw)}",
            at=Wire({"updated_at": since}, "body.data.resource").clock("updated_at"),
            raw=dict(told.raw) if topic is Topic.UNKNOWN else None,
        )
    ]


def tenant(ref: str | None) -> str | None:
    """A tenant's id without the kind that stands before it in some documents."""
    return ref.rpartition(".")[2] or None if ref else None

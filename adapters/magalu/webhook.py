"""What Magalu's webhooks mean. Pure. They name an order or a delivery: what changed is fetched."""

import hashlib
import hmac
import json
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from hub import parse
from hub.faults import BadSignature, Unreadable
from hub.model import Knock, Notice, Topic
from hub.wire import Wire

SIGNATURE, TIMESTAMP = "x-signature-256", "x-timestamp"
TOPICS = {
    "orders_order": Topic.ORDER,
    "orders_delivery": Topic.ORDER,  # its id is the delivery's: the order is found by it
    "sac_ticket": Topic.IGNORED,
}
RESOURCES = {"orders": Topic.ORDER, "deliveries": Topic.ORDER}  # of the older body, which names no topic


def verify(secret: str, knock: Knock) -> None:
    """HMAC of "timestamp.body"; while a secret is rotated two signatures come, and either is good."""
    stamp = knock.headers.get(TIMESTAMP, "")
    signed = stamp.encode(errors="surrogateescape") + b"." + knock.body
    want = b"sha256=" + hmac.digest(secret.encode(), signed, hashlib.sha256).hex().encode()
    shown = [each.strip().encode(errors="surrogateescape") for each in knock.headers.get(SIGNATURE, "").split(",")]
    if not stamp or not any(hmac.compare_digest(want, each) for each in shown):
        raise BadSignature(SIGNATURE)


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock."""
    try:
        raw = json.loads(knock.body)
    except (ValueError, RecursionError):
        raise Unreadable("body", "not JSON") from None
    told = Wire(raw, "body")
    named = told.part("data")
    kind, id_, since = _resource(named.text("resource"))
    name = told.text("topic")
    topic = TOPICS.get(name, Topic.UNKNOWN) if name else RESOURCES.get(kind, Topic.UNKNOWN)
    ref = named.part("params").ref("id") or id_
    if topic is Topic.ORDER and (ref is None or "/" in ref):
        raise Unreadable("body.data.params.id", "no id told")
    return [
        Notice(
            topic=topic,
            ref=ref,
            account_ref=tenant(told.ref("tenant_id")),
            dedupe_key=f"{name or kind}:{ref}:{named.text('status')}:{parse.digest(raw)}",
            at=since,
            raw=raw if topic is Topic.UNKNOWN else None,
        )
    ]


def tenant(ref: str | None) -> str | None:
    """A tenant's id without the kind that stands before it in some documents."""
    return ref.rpartition(".")[2] or None if ref else None


def _resource(told: str | None) -> tuple[str, str | None, datetime | None]:
    """Kind, id and time of change of `/seller/v1/deliveries/ID?updated_at__ge=TIME`."""
    try:
        parts = urlsplit(told or "")
    except ValueError:
        return "", None, None
    kind, _, id_ = parts.path.rstrip("/").removeprefix("/").rpartition("/")
    since = parse_qs(parts.query).get("updated_at__ge", [""])[0]
    try:
        at = parse.instant(since, "body.data.resource")
    except Unreadable:  # an odd time must not lose the bell
        at = None
    return kind.rpartition("/")[2], parse.ref(id_), at

"""What Shopee's pushes mean. Pure. One address of the application serves all of its shops."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime

from hub import parse
from hub.faults import BadSignature, Unreadable
from hub.model import Knock, Notice, Raw, Topic
from hub.wire import Wire

ORDER = ("ordersn", "order_sn")  # one id under two names
TOPICS: dict[int, tuple[Topic, Sequence[str]]] = {  # code: (ours, where the id stands in `data`)
    0: (Topic.PING, ()),  # the console's test
    1: (Topic.ACCOUNT, ()),  # authorized
    2: (Topic.ACCOUNT, ()),  # no longer
    3: (Topic.ORDER, ORDER),  # order status; tells no amounts
    4: (Topic.ORDER, ORDER),  # tracking number
    5: (Topic.IGNORED, ()),  # news of Shopee's own
    6: (Topic.LISTING, ("item_id",)),  # banned
    7: (Topic.IGNORED, ()),  # promotions
    8: (Topic.STOCK, ("item_id",)),  # units that a promotion reserves
    9: (Topic.IGNORED, ()),
    10: (Topic.IGNORED, ()),  # chat
    11: (Topic.IGNORED, ()),  # videos
    12: (Topic.ACCOUNT, ()),  # authorizations that end within a week
    13: (Topic.IGNORED, ()),  # brands
    15: (Topic.IGNORED, ORDER),  # a label's file
    16: (Topic.LISTING, ("item_id",)),  # violation
    22: (Topic.LISTING, ("item_id",)),  # price
    23: (Topic.IGNORED, ()),  # bookings: goods that leave before they are sold
    24: (Topic.IGNORED, ()),
    25: (Topic.IGNORED, ()),
    27: (Topic.LISTING, ("item_id",)),  # a scheduled item that was not published
    28: (Topic.IGNORED, ()),  # penalty points
    29: (Topic.ORDER, ORDER),  # returns
    30: (Topic.ORDER, ORDER),  # where a parcel's fulfilment stands
    47: (Topic.ORDER, ORDER),  # a parcel's details
}
NAMED = frozenset({Topic.ORDER, Topic.LISTING, Topic.STOCK})
ENDING = 12


def verify(secret: str, knock: Knock) -> None:
    """`Authorization` is the hex HMAC-SHA256 of url|body under the partner key; the url is the registered one."""
    signed = knock.url.encode(errors="surrogateescape") + b"|" + knock.body
    want = hmac.digest(secret.encode(), signed, hashlib.sha256).hex().encode()
    if not hmac.compare_digest(want, knock.headers.get("authorization", "").encode(errors="surrogateescape")):
        raise BadSignature("authorization")


def read(knock: Knock) -> list[Notice]:
    """The notices of a push: one, but for authorizations that end, which name many shops."""
    try:
        return notices(json.loads(knock.body))
    except (ValueError, RecursionError):
        raise Unreadable("body", "a push must be a JSON object") from None


def notices(raw: Raw) -> list[Notice]:
    """The same of a push's JSON, as the list of lost ones holds it."""
    push = Wire(raw, "body")
    code, told = push.units("code"), push.raw.get("data")
    inner = Wire(told if isinstance(told, dict) else None, "body.data")  # some codes tell a bare string
    if code == ENDING and (shops := inner.raw.get("shop_expire_soon")) and isinstance(shops, list):
        return [_notice(push, inner, ENDING, ref) for ref in map(_shop, shops) if ref]
    return [_notice(push, inner, code, _ref(push, "shop_id") or _ref(inner, "shop_id", "shopid"))]


def _notice(push: Wire, inner: Wire, code: int | None, shop: str | None) -> Notice:
    topic, keys = TOPICS.get(code if code is not None else -1, (Topic.UNKNOWN, ()))
    ref = _ref(inner, *keys)
    if topic in NAMED and ref is None:
        topic = Topic.UNKNOWN  # refused, it would count against the application: too many and its pushes stop
    body = push.raw.get("data")
    return Notice(
        topic=topic,
        ref=ref,
        account_ref=shop,
        # What is sent again may have another msg_id and time; what is found among the lost has neither.
        dedupe_key=f"{code}:{shop}:{ref}:{parse.digest(body)}",
        at=_at(inner, "update_time") or _at(push, "timestamp"),
        raw=dict(push.raw) if topic is Topic.UNKNOWN else None,
    )


def _shop(told: Raw) -> str | None:
    return parse.ref(told) if isinstance(told, str | int) else None


def _ref(row: Wire, *keys: str) -> str | None:
    return next((ref for ref in (_shop(row.raw.get(key)) for key in keys) if ref), None)


def _at(row: Wire, key: str) -> datetime | None:
    """An odd time must not lose the bell."""
    try:
        return row.instant(key)
    except Unreadable:
        return None

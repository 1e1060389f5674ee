"""What TikTok's webhooks mean, and that they are TikTok's. Pure. `shop_id` tells whose they are."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hub import parse
from hub.faults import BadSignature, Unreadable
from hub.model import Knock, Notice, Raw, Topic
from hub.wire import Wire

EVENTS = {  # those that the hub subscribes to
    "ORDER_STATUS_CHANGE": 1,
    "RECIPIENT_ADDRESS_UPDATE": 3,
    "PACKAGE_UPDATE": 4,
    "PRODUCT_STATUS_CHANGE": 5,
    "SELLER_DEAUTHORIZATION": 6,
    "UPCOMING_AUTHORIZATION_EXPIRATION": 7,
    "CANCELLATION_STATUS_CHANGE": 11,
    "RETURN_STATUS_CHANGE": 12,
    "PRODUCT_INFORMATION_CHANGE": 15,
    "INVOICE_STATUS_CHANGE": 36,
}
TOPICS = {  # the whole list of numbers is not published
    1: Topic.ORDER,  # its status; a cancelled one is spelt CANCEL here
    2: Topic.ORDER,  # what went back, of older applications
    3: Topic.ORDER,  # the address
    4: Topic.ORDER,  # a parcel was split, combined or sent
    5: Topic.LISTING,  # status
    6: Topic.ACCOUNT,  # the seller takes the authorization back
    7: Topic.ACCOUNT,  # it ends within 30 days
    11: Topic.ORDER,  # a cancellation is asked for, granted, refused
    12: Topic.ORDER,  # a return
    13: Topic.IGNORED,  # conversations
    14: Topic.IGNORED,  # messages
    15: Topic.LISTING,  # what a product says of itself
    36: Topic.ORDER,  # Brazil: how the NF-e of a parcel stands
    37: Topic.LISTING,  # audit
}


def verify(secret: str, knock: Knock) -> None:
    """`Authorization` is the hex HMAC-SHA256 of key and raw body. `secret` is key:secret.

    Of a bare secret the key stands in the address, as app_key. Nothing signed tells the time.
    """
    key, _, word = secret.rpartition(":")
    key = key or _key_in(knock.url)
    message = key.encode(errors="surrogateescape") + knock.body
    want = hmac.digest(word.encode(errors="surrogateescape"), message, hashlib.sha256).hex().encode()
    shown = knock.headers.get("authorization", "").encode(errors="surrogateescape")
    if not hmac.compare_digest(want, shown):
        raise BadSignature("authorization")


def _key_in(url: str) -> str:
    try:
        return parse_qs(urlsplit(url).query).get("app_key", [""])[0]
    except ValueError:
        return ""


def read(knock: Knock) -> list[Notice]:
    """One notice, or one per order of the parcels that it names; what changed is fetched."""
    try:
        raw = json.loads(knock.body)
    except (ValueError, RecursionError):
        raise Unreadable("body", "not JSON") from None
    told = Wire(raw, "body")
    number, inner = told.units("type"), told.raw.get("data")
    topic, about = TOPICS.get(number or 0, Topic.UNKNOWN), Wire(inner if isinstance(inner, dict) else None, "body.data")
    named: list[str | None] = []
    if topic is Topic.ORDER:
        named += dict.fromkeys(_orders(about.raw))
    elif topic is Topic.LISTING:
        named += _ids(about.raw.get("product_id"))
    if topic is Topic.ORDER and not named and (parcel := list(_ids(about.raw.get("package_id")))):
        topic, named = Topic.SHIPMENT, [*parcel]
    if topic in (Topic.ORDER, Topic.LISTING) and not named:
        raise Unreadable("body.data", "no order, parcel or product told")
    return [_notice(told, about, topic, ref, alone=len(named) <= 1) for ref in named or [None]]


def _notice(told: Wire, about: Wire, topic: Topic, ref: str | None, *, alone: bool) -> Notice:
    event = next(_ids(told.raw.get("tts_notification_id")), None)  # absent in what older applications are told
    shop = next(_ids(told.raw.get("shop_id")), None)
    return Notice(
        topic=topic,
        ref=ref,
        account_ref=shop,
        dedupe_key=(event if alone else f"{event}:{ref}") if event else f"{shop}:{ref}:{parse.digest(dict(told.raw))}",
        at=_at(about, "update_time") or _at(told, "timestamp"),
        raw=dict(told.raw) if topic is Topic.UNKNOWN else None,
    )


def _orders(data: Mapping[str, Any]) -> Iterator[str]:
    """Every order that the data of a notice names, also in its packages."""
    for row in (data, *_list(data.get("package_list")), *_list(data.get("packages"))):
        if isinstance(row, Mapping):
            for each in (row.get("order_id"), *_list(row.get("order_ids")), *_list(row.get("order_id_list"))):
                yield from _ids(each)


def _list(told: Raw) -> list[Raw]:
    return told if isinstance(told, list) else []


def _ids(told: Raw) -> Iterator[str]:
    """None or one id; "a/b" is none."""
    ref = parse.ref(told) if isinstance(told, str | int) else None
    if ref and ref.isalnum():
        yield ref


def _at(row: Wire, key: str) -> datetime | None:
    """An odd time must not lose the bell."""
    try:
        return row.instant(key)
    except Unreadable:
        return None

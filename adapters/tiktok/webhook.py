"""What TikTok's webhooks mean, and that they are TikTok's. Pure."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Topic
from hub.signing import expect, hex_hmac
from hub.wire import Wire, of_body

# type: (ours, its name where the hub subscribes to it); the whole list of numbers is not published
TYPES: dict[int, tuple[Topic, str | None]] = {
    1: (Topic.ORDER, "ORDER_STATUS_CHANGE"),  # a cancelled one is spelt CANCEL here
    2: (Topic.ORDER, None),  # what went back, of older applications
    3: (Topic.ORDER, "RECIPIENT_ADDRESS_UPDATE"),
    4: (Topic.ORDER, "PACKAGE_UPDATE"),  # a parcel was split, combined or sent
    5: (Topic.LISTING, "PRODUCT_STATUS_CHANGE"),
    6: (Topic.ACCOUNT, "SELLER_DEAUTHORIZATION"),
    7: (Topic.ACCOUNT, "UPCOMING_AUTHORIZATION_EXPIRATION"),  # within 30 days
    11: (Topic.ORDER, "CANCELLATION_STATUS_CHANGE"),  # asked for, granted, refused
    12: (Topic.ORDER, "RETURN_STATUS_CHANGE"),
    13: (Topic.IGNORED, None),  # conversations
    14: (Topic.IGNORED, None),  # messages
    15: (Topic.LISTING, "PRODUCT_INFORMATION_CHANGE"),
    36: (Topic.ORDER, "INVOICE_STATUS_CHANGE"),  # Brazil: how the NF-e of a parcel stands
    37: (Topic.LISTING, None),  # audit
}
EVENTS = tuple(name for _topic, name in TYPES.values() if name)


def verify(secret: str, knock: Knock) -> None:
    """`Authorization` is the hex HMAC-SHA256 of key and raw body. `secret` is key:secret.

    Of a bare secret the key stands in the address, as app_key. Nothing signed tells the time.
    """
    key, _, word = secret.rpartition(":")
    key = key or parse_qs(knock.url.partition("?")[2]).get("app_key", [""])[0]
    expect(hex_hmac(word, key.encode(errors="surrogateescape") + knock.body), "authorization", knock)


def read(knock: Knock) -> list[Notice]:
    """One notice, or one per order of the parcels that it names; what changed is fetched."""
    told = of_body(knock.body)
    about = told.object("data")
    topic, _name = TYPES.get(told.units("type") or 0, (Topic.UNKNOWN, None))
    refs: Sequence[str | None] = [None]
    if topic is Topic.LISTING:
        refs = _ids(about, "product_id")
    elif topic is Topic.ORDER and not (refs := _ids(about, "order_id", "order_ids", "order_id_list")):
        topic, refs = Topic.SHIPMENT, _ids(about, "package_id")
    if not refs:
        raise Unreadable("body.data", "no order, parcel or product told")
    return [
        Notice(
            topic=topic,
            ref=ref,
            account_ref=told.ref("shop_id"),
            dedupe_key=_key(told, ref, alone=len(refs) == 1),
            at=about.clock("update_time") or told.clock("timestamp"),
            raw=told.raw if topic is Topic.UNKNOWN else None,
        )
        for ref in refs
    ]


def _key(told: Wire, ref: str | None, *, alone: bool) -> str:
    if event := told.ref("tts_notification_id"):
        return event if alone else f"{event}:{ref}"
    return f"{told.ref('shop_id')}:{ref}:{parse.digest(told.raw)}"  # what older applications are told


def _ids(about: Wire, *keys: str) -> list[str]:
    """Each id once that stands under one of these names, alone or in a list, also in packages; "a/b" is none."""
    rows = (about, *about.objects("package_list"), *about.objects("packages"))
    told = [ref for row in rows for key in keys for ref in (row.bare_ref(key), *row.bare_refs(key))]
    return [ref for ref in dict.fromkeys(told) if ref]

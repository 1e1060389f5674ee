"""What Shopee's pushes mean. Pure. One address of the application serves all of its shops."""

from hub import parse
from hub.model import Knock, Notice, Raw, Topic
from hub.signing import expect, hex_hmac
from hub.wire import Wire, of_body

ENDING = 12
CODES: dict[Topic, tuple[int, ...]] = {
    Topic.PING: (0,),  # the console's test
    Topic.ACCOUNT: (1, 2, ENDING),  # authorized, no longer, no longer within a week
    Topic.ORDER: (3, 4, 29, 30, 47),  # status (tells no amounts), tracking number, return; a parcel's way, its details
    Topic.LISTING: (6, 16, 22, 27),  # banned, violation, price, a scheduled item that was not published
    Topic.STOCK: (8,),  # units that a promotion reserves
    # Shopee's news, promotions (two), chat, videos, brands, a label's file, bookings (three), penalty points.
    Topic.IGNORED: (5, 7, 9, 10, 11, 13, 15, 23, 24, 25, 28),
}
TOPICS = {code: topic for topic, codes in CODES.items() for code in codes}
# Where the id stands in `data`; an order's has two names.
IDS = {Topic.ORDER: ("ordersn", "order_sn"), Topic.LISTING: ("item_id",), Topic.STOCK: ("item_id",)}


def verify(secret: str, knock: Knock) -> None:
    """`Authorization` is the hex HMAC-SHA256 of url|body under the partner key; the url is the registered one."""
    signed = knock.url.encode(errors="surrogateescape") + b"|" + knock.body
    expect(hex_hmac(secret, signed), "authorization", knock)


def read(knock: Knock) -> list[Notice]:
    """The notices of a push: one, but for authorizations that end, which name many shops."""
    return notices(of_body(knock.body).raw)


def notices(raw: Raw) -> list[Notice]:
    """The same of a push's JSON, as the list of lost ones holds it."""
    push = Wire(raw, "body")
    code, about = push.units("code"), push.object("data")  # some codes tell a bare string
    if code == ENDING and (shops := about.bare_refs("shop_expire_soon")):
        return [_notice(push, about, code, shop) for shop in shops]
    return [_notice(push, about, code, push.bare_ref("shop_id") or about.bare_ref("shop_id", "shopid"))]


def _notice(push: Wire, about: Wire, code: int | None, shop: str | None) -> Notice:
    topic = TOPICS.get(-1 if code is None else code, Topic.UNKNOWN)
    ref = about.bare_ref(*IDS.get(topic, ()))
    if topic in IDS and ref is None:
        topic = Topic.UNKNOWN  # refused, it would count against the application: too many and its pushes stop
    return Notice(
        topic=topic,
        ref=ref,
        account_ref=shop,
        # What is sent again may have another msg_id and time; what is found among the lost has neither.
        dedupe_key=f"{code}:{shop}:{ref}:{parse.digest(push.raw.get('data'))}",
        at=about.clock("update_time") or push.clock("timestamp"),
        raw=dict(push.raw) if topic is Topic.UNKNOWN else None,
    )

"""What Amazon's notifications mean, bare or as an EventBridge event. Pure. They come twice and out of order."""

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Topic
from hub.wire import Wire, of_body

TOPICS = {  # notification: (ours, the object that it tells, where in it the id stands)
    "ORDER_CHANGE": (Topic.ORDER, "OrderChangeNotification", "AmazonOrderId"),
    "ORDER_STATUS_CHANGE": (Topic.ORDER, "OrderStatusChangeNotification", "AmazonOrderId"),
    "LISTINGS_ITEM_MFN_QUANTITY_CHANGE": (Topic.STOCK, "", "Sku"),
    "LISTINGS_ITEM_STATUS_CHANGE": (Topic.LISTING, "", "Sku"),
    "LISTINGS_ITEM_ISSUES_CHANGE": (Topic.LISTING, "", "Sku"),
    "FBA_INVENTORY_AVAILABILITY_CHANGES": (Topic.IGNORED, "", "SKU"),  # Amazon's own shelf
    "FEED_PROCESSING_FINISHED": (Topic.IGNORED, "FeedProcessingFinishedNotification", "FeedId"),
}


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock; what changed is fetched."""
    bus = of_body(knock.body)
    told = _capitals(bus.part("detail") if "detail" in bus.raw else bus)
    name = told.text("NotificationType")
    topic, within, key = TOPICS.get(name or "", (Topic.UNKNOWN, "", ""))
    payload = _capitals(told.part("Payload"))
    if within and within in payload.raw:
        payload = _capitals(payload.part(within))
    ref = payload.ref(key) if key else None
    if ref is None and topic not in (Topic.IGNORED, Topic.UNKNOWN):
        raise Unreadable(payload.at(key), "not told")
    return [
        Notice(
            topic=topic,
            ref=ref,
            account_ref=payload.ref("SellerId"),
            dedupe_key=_capitals(told.part("NotificationMetadata")).text("NotificationId")
            or f"{name}:{ref}:{parse.digest(bus.raw)}",
            at=told.clock("EventTime"),
            raw=dict(bus.raw) if topic is Topic.UNKNOWN else None,
        )
    ]


def _capitals(told: Wire) -> Wire:
    """Feeds and listings write sellerId where orders write SellerId."""
    return Wire({key[:1].upper() + key[1:]: value for key, value in told.raw.items()}, told.path)

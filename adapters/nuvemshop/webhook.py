"""What Nuvemshop's webhooks mean. Pure. They tell an id and no time: what changed is fetched."""

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Topic
from hub.wire import of_body

TOPICS = {  # resource: (ours, where its id stands)
    "order": (Topic.ORDER, "id"),
    "fulfillment_order": (Topic.ORDER, "order_id"),
    "product": (Topic.LISTING, "id"),
    "app": (Topic.ACCOUNT, "store_id"),  # uninstalled, suspended, resumed
    "category": (Topic.IGNORED, "id"),
    "customer": (Topic.IGNORED, "id"),
    "location": (Topic.IGNORED, "id"),
    "domain": (Topic.IGNORED, "id"),
    "store": (Topic.IGNORED, "store_id"),  # store/redact and its like are the panel's
}
EVENTS = (
    "order/created", "order/updated", "order/paid", "order/packed", "order/fulfilled", "order/cancelled",
    "order/edited", "order/pending", "order/voided", "product/created", "product/updated", "product/deleted",
    "fulfillment_order/status_updated", "app/uninstalled", "app/suspended", "app/resumed",
)  # fmt: skip


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock. Two changes told alike coalesce only while the first still waits."""
    told = of_body(knock.body)
    event = told.text("event") or ""
    topic, key = TOPICS.get(event.partition("/")[0], (Topic.UNKNOWN, "id"))
    ref = told.ref(key)
    if ref is None and topic not in (Topic.IGNORED, Topic.UNKNOWN):
        raise Unreadable(told.at(key), "no id told")
    return [
        Notice(
            topic=topic,
            ref=ref,
            account_ref=told.ref("store_id"),
            dedupe_key=f"{event}:{ref}:{parse.digest(told.raw)}",
            raw=told.raw if topic is Topic.UNKNOWN else None,
        )
    ]

"""What Bling's webhooks mean. Pure. One address of the application serves all accounts: `companyId` tells whose."""

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Topic
from hub.wire import of_body

TOPICS = {
    "order": Topic.ORDER,
    "product": Topic.LISTING,
    "stock": Topic.STOCK,  # an entry in a deposit
    "virtual_stock": Topic.STOCK,  # reservations too; 9 to 22 s after the order
    "product_supplier": Topic.IGNORED,
    "invoice": Topic.IGNORED,  # names no order; the order is told as updated
    "consumer_invoice": Topic.IGNORED,
}


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock; what changed is fetched, for the body tells only a part."""
    told = of_body(knock.body)
    event = told.text("event") or ""
    topic = TOPICS.get(event.partition(".")[0], Topic.UNKNOWN)
    named = told.part("data.produto") if topic is Topic.STOCK else told.part("data")
    ref = named.ref("id")
    if ref is None and topic not in (Topic.IGNORED, Topic.UNKNOWN):
        raise Unreadable(named.at("id"), "no id told")
    return [
        Notice(
            topic=topic,
            ref=ref,
            account_ref=told.ref("companyId"),
            dedupe_key=told.text("eventId") or f"{event}:{ref}:{parse.digest(told.raw)}",
            at=told.clock("date"),
            raw=told.raw if topic is Topic.UNKNOWN else None,
        )
    ]

"""What UPS's Track Alert tells: one scan of one parcel, whole. Pure. Every field is there, "" where not told."""

from contextlib import suppress

from adapters.ups.mapping import scanned
from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Topic
from hub.wire import of_body


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock, read by mapping.parse. There is no event id: the body is the key."""
    told = of_body(knock.body)
    number = parse.bare(told.bare_ref("trackingNumber"))  # seen with a blank before it
    at = None
    with suppress(Unreadable):
        at = scanned(told).at
    return [
        Notice(
            topic=Topic.TRACKING if number else Topic.UNKNOWN,
            ref=number,
            dedupe_key=f"{number}:{parse.digest(told.raw)}",
            at=at,
            raw=told.raw,
        )
    ]

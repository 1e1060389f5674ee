"""What VTEX's order hook means. Pure. It carries the header that we configured, and no signature."""

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Topic
from hub.wire import of_body

HEADER = "X-Balcao-Token"
SENTINEL = "0001-01-01"  # a date that nobody set


def is_ping(knock: Knock) -> bool:
    """What is sent when the hook is configured; without a 200 the configuration fails."""
    try:
        return of_body(knock.body).text("hookConfig") == "ping"
    except Unreadable:
        return False


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock; a store that sells and ships may see both domains of one change."""
    if is_ping(knock):
        return [Notice(topic=Topic.PING, dedupe_key=f"ping:{parse.digest(knock.body)}")]
    told = of_body(knock.body)
    if "OrderId" not in told.raw:
        return [Notice(topic=Topic.UNKNOWN, dedupe_key=f"unknown:{parse.digest(told.raw)}", raw=told.raw)]
    ref, times = told.needed_ref("OrderId"), ("CurrentChange", "LastChange")
    key = f"{ref}:{told.text('State')}:{told.text('LastChange', 'CurrentChange')}:{parse.digest(told.raw)}"
    at = told.clock(*(time for time in times if not (told.text(time) or SENTINEL).startswith(SENTINEL)))
    return [Notice(topic=Topic.ORDER, ref=ref, dedupe_key=key, at=at)]

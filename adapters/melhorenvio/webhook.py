"""What Melhor Envio's webhooks mean: fat notices of one label each. Pure. `user_id` tells whose label it is."""

from adapters.melhorenvio.mapping import MILESTONES
from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Topic
from hub.parse import SAO_PAULO
from hub.wire import of_body


def is_ping(knock: Knock) -> bool:
    """A check of the address when it is registered: unsigned or signed, it names no label, and must get a 2xx."""
    try:
        return _ref(of_body(knock.body).object("data").told("id")) is None
    except Unreadable:
        return False


def read(knock: Knock) -> list[Notice]:
    """The one notice of a knock. There is no event's id: the same label, event and body is the same notice."""
    told = of_body(knock.body)
    order, event = told.object("data"), told.text("event") or ""
    ref = _ref(order.told("id"))
    if ref is None:
        return [Notice(topic=Topic.PING, dedupe_key=f"ping:{parse.digest(told.raw)}")]
    times = [at for field in MILESTONES if (at := order.clock(field, zone=SAO_PAULO))]
    return [
        Notice(
            topic=Topic.TRACKING if event.startswith("order.") else Topic.UNKNOWN,
            ref=ref,
            account_ref=parse.bare_ref(order.told("user_id")),
            dedupe_key=f"{ref}:{event}:{parse.digest(told.raw)}",
            at=max(times, default=None),
            raw=told.raw,
        )
    ]


def _ref(told: object) -> str | None:
    """A label's uuid; what is not of letters, digits and dashes names none."""
    found = parse.ref(told) if isinstance(told, str | int) else None
    return found.lower() if found and found.replace("-", "").isalnum() else None

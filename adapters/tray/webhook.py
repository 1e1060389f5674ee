"""What Tray's webhooks mean. Pure. Forms without a signature: only what they name is believed, and fetched."""

from urllib.parse import parse_qs

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Topic

TOPICS = {
    "order": (Topic.ORDER, ""),
    "product": (Topic.LISTING, ""),
    "product_price": (Topic.IGNORED, ""),
    "product_stock": (Topic.LISTING, ""),
    "variant": (Topic.LISTING, "variant:"),  # its product is asked for when it is fetched
    "variant_price": (Topic.IGNORED, "variant:"),
    "variant_stock": (Topic.LISTING, "variant:"),
    "customer": (Topic.IGNORED, ""),
}


def read(knock: Knock) -> list[Notice]:
    """The one notice of a form: seller_id, scope_id, scope_name, act."""
    try:
        form = {key: values[-1] for key, values in parse_qs(knock.body.decode(), strict_parsing=True).items()}
    except ValueError:
        raise Unreadable("body", "not a form") from None
    scope, act, ref = form.get("scope_name", ""), form.get("act", ""), parse.ref(form.get("scope_id"))
    topic, prefix = TOPICS.get(scope, (Topic.UNKNOWN, ""))
    if ref is None and topic not in (Topic.IGNORED, Topic.UNKNOWN):
        raise Unreadable("body.scope_id", "no id told")
    return [
        Notice(
            topic=topic,
            ref=f"{prefix}{ref}" if ref else None,
            account_ref=parse.ref(form.get("seller_id")),
            dedupe_key=f"{scope}:{act}:{ref}:{parse.digest(knock.body)}",
            raw=form if topic is Topic.UNKNOWN else None,
        )
    ]

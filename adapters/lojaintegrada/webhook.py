"""What Loja Integrada's webhooks mean. Pure. Orders come whole, in another shape than the API's; products in a list."""

import json

from hub import parse
from hub.faults import Unreadable
from hub.model import Knock, Notice, Raw, Topic
from hub.wire import Wire

ORDER = "pedido_venda"


def read(knock: Knock) -> list[Notice]:
    """One notice per order or product. The same body may come again: it has the same key."""
    try:
        raw = json.loads(knock.body)
    except (ValueError, RecursionError):
        raise Unreadable("body", "not JSON") from None
    if isinstance(raw, list):
        return [_product(row, n) for n, row in enumerate(raw)]
    told = Wire(raw, "body")
    if told.text("tipo") == ORDER or "itens" in told.raw:
        return [_order(told, raw)]
    if "sku" in told.raw:
        return [_product(raw, 0)]
    return [Notice(topic=Topic.UNKNOWN, dedupe_key=f"unknown:{parse.digest(raw)}", raw=raw)]


def _order(told: Wire, raw: Raw) -> Notice:
    ref = told.needed_ref("numero")
    try:
        at = told.instant("data_modificacao", zone=parse.SAO_PAULO)
    except Unreadable:  # an odd time must not lose the bell
        at = None
    # `token` is not documented and may be a secret: it is not kept
    kept = {key: value for key, value in raw.items() if key != "token"}
    return Notice(topic=Topic.ORDER, ref=ref, dedupe_key=f"order:{ref}:{parse.digest(kept)}", at=at, raw=kept)


def _product(raw: Raw, n: int) -> Notice:
    ref = Wire(raw, f"body.{n}").needed_ref("id")
    return Notice(topic=Topic.LISTING, ref=ref, dedupe_key=f"product:{ref}:{parse.digest(raw)}")

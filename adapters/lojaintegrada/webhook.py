"""What Loja Integrada's webhooks mean. Pure. Orders come whole, in another shape than the API's; products in a list."""

from hub import parse
from hub.model import Knock, Notice, Raw, Topic
from hub.wire import Wire, json_of_body

ORDER = "pedido_venda"


def read(knock: Knock) -> list[Notice]:
    """One notice per order or product. The same body may come again: it has the same key."""
    raw = json_of_body(knock.body)
    if isinstance(raw, list):
        return [_product(row, n) for n, row in enumerate(raw)]
    told = Wire(raw, "body")
    if told.text("tipo") == ORDER or "itens" in told.raw:
        return [_order(told, raw)]
    if "sku" in told.raw:
        return [_product(raw, 0)]
    return [Notice(topic=Topic.UNKNOWN, dedupe_key=f"unknown:{parse.digest(raw)}", raw=raw)]


def _order(told: Wire, raw: Raw) -> Notice:
    ref, at = told.needed_ref("numero"), told.clock("data_modificacao", zone=parse.SAO_PAULO)
    # `token` is not documented and may be a secret: it is not kept
    kept = {key: value for key, value in raw.items() if key != "token"}
    return Notice(topic=Topic.ORDER, ref=ref, dedupe_key=f"order:{ref}:{parse.digest(kept)}", at=at, raw=kept)


def _product(raw: Raw, n: int) -> Notice:
    ref = Wire(raw, f"body.{n}").needed_ref("id")
    return Notice(topic=Topic.LISTING, ref=ref, dedupe_key=f"product:{ref}:{parse.digest(raw)}")

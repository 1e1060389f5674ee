"""How a WooCommerce store is told its numbers, and what its answers say. Pure."""

import re
from collections.abc import Sequence
from html import unescape

from adapters.woocommerce.mapping import API
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import Outcome, Raw, Reply, Request, StockWrite
from hub.wire import Wire

BATCH = 100  # objects in one batch call
PLUGIN_ABSENT = "correios_plugin_absent"  # ours: the store ignored a field that the plugin answers
NOT_COUNTED = "stock_not_managed"  # ours: the number was taken and does nothing
SLOT = re.compile(r"(?:([0-9]{1,20}):)?([0-9]{1,20})")
BATCH_PATH = re.compile(r"/products/(?:(\d+)/variations/)?batch$")


def _slot(slot_ref: str, path: str = "slot_ref") -> tuple[str | None, str]:
    """Product and own id of a slot: "12" or "12:34"."""
    found = SLOT.fullmatch(slot_ref)
    if not found:
        raise Unreadable(path, f"not a product or product:variation: {slot_ref!r}"[:120])
    return found.group(1), found.group(2)


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """Batches of at most 100 absolute numbers: of simple products, and of each product with variations."""
    by_path: dict[str, list[StockWrite]] = {}
    for write in writes:
        parent, _own = _slot(write.slot_ref)
        by_path.setdefault(f"/products/{parent}/variations/batch" if parent else "/products/batch", []).append(write)
    groups = [(path, tuple(all_[n : n + BATCH])) for path, all_ in by_path.items() for n in range(0, len(all_), BATCH)]
    return [(_batch(path, group), group) for path, group in groups]


def _batch(path: str, writes: Sequence[StockWrite]) -> Request:
    own = [(int(_slot(write.slot_ref)[1]), write.quantity) for write in writes]
    body = {"update": [{"id": id_, "manage_stock": True, "stock_quantity": units} for id_, units in own]}
    return Request(method="POST", path=API + path, json=body, operation="stock", accept=frozenset({400, 404, 413}))


def sent(request: Request) -> list[StockWrite]:
    """The writes of a rendered batch, read back from the request."""
    found, told = BATCH_PATH.search(request.path), Wire(request.json, "request")
    if not found or "update" not in told.raw:
        raise Unreadable("request", "not a stock batch")
    return [_write(row, found.group(1)) for row in told.rows("update")]


def _write(row: Wire, parent: str | None) -> StockWrite:
    _no_parent, own = _slot(row.needed_ref("id"), row.at("id"))
    units = row.units("stock_quantity")
    if units is None or units < 0:
        raise Unreadable(row.at("stock_quantity"), "not told" if units is None else "below zero")
    if parent is None:
        return StockWrite(slot_ref=own, listing_ref=own, quantity=units)
    return StockWrite(slot_ref=f"{parent}:{own}", listing_ref=parent, variation_ref=own, quantity=units)


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """One outcome per write; the store answers a wrong id inside a 200, in that row's `error`."""
    body = json_of(reply)
    if reply.status >= 400:  # noqa: PLR2004 - HTTP
        return [Outcome.refused(write, *_error(body, str(reply.status))) for write in writes]
    told = Wire(body, "body")
    if "update" not in told.raw:
        raise Unreadable("body.update", "not told")
    by_id = {row.ref("id"): row for row in told.objects("update")}
    return [_outcome(write, by_id.get(_slot(write.slot_ref)[1])) for write in writes]


def _outcome(write: StockWrite, row: Wire | None) -> Outcome:
    if row is None:
        return Outcome.refused(write, "not_answered", "the store's answer has no row for this product")
    if row.raw.get("error"):
        return Outcome.refused(write, *_error(row.raw["error"], "error"))
    if row.value("manage_stock") in (False, "no", ""):  # stock management is off for the whole store
        return Outcome.refused(write, NOT_COUNTED, "the store does not count stock: turn stock management on")
    return Outcome.accepted(write, row.units("stock_quantity"))


def _error(body: Raw, otherwise: str) -> tuple[str, str | None]:
    """Code and sentence of `{code, message, data}`, or of the older `{error, message}`."""
    told = body if isinstance(body, dict) else {}
    code, message = told.get("code") or told.get("error"), told.get("message")
    words = unescape(message) if isinstance(message, str) else ""
    return code if isinstance(code, str) else otherwise, words or None


def error_code(reply: Reply) -> str | None:
    """The vendor's code of an error answer; null where there is none, so that the status decides."""
    failed = reply.status >= 400  # noqa: PLR2004 - HTTP
    if not failed and len(reply.body) >= 64:  # noqa: PLR2004 - no document is as short as the one that matters
        return None
    try:
        body = json_of(reply)
    except Unreadable:
        return None
    if failed:
        return _error(body, "")[0] or None
    return PLUGIN_ABSENT if isinstance(body, dict) and set(body) == {"id"} else None

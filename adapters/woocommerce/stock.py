"""How a WooCommerce store is told its numbers, and what its answers say. Pure."""

import re
from collections.abc import Sequence
from html import unescape
from typing import Any

from adapters.woocommerce.mapping import API
from hub import parse
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import Outcome, OutcomeKind, Raw, Reply, Request, StockWrite

BATCH = 100  # objects in one batch call
PLUGIN_ABSENT = "correios_plugin_absent"  # ours: the store ignored a field that the plugin answers
NOT_COUNTED = "stock_not_managed"  # ours: the number was taken and does nothing
SLOT = re.compile(r"(?:([0-9]{1,20}):)?([0-9]{1,20})")
BATCH_PATH = re.compile(r"/products/(?:(\d+)/variations/)?batch$")


def _slot(slot_ref: str) -> tuple[str | None, str]:
    """Product and own id of a slot: "12" or "12:34"."""
    found = SLOT.fullmatch(slot_ref)
    if not found:
        raise Unreadable("slot_ref", f"not a product or product:variation: {slot_ref!r}"[:120])
    return found.group(1), found.group(2)


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """Batches of at most 100 absolute numbers: of simple products, and of each product with variations."""
    by_path: dict[str, list[StockWrite]] = {}
    for write in writes:
        parent, _own = _slot(write.slot_ref)
        by_path.setdefault(f"/products/{parent}/variations/batch" if parent else "/products/batch", []).append(write)
    return [
        (_batch(path, tuple(group[n : n + BATCH])), tuple(group[n : n + BATCH]))
        for path, group in by_path.items()
        for n in range(0, len(group), BATCH)
    ]


def _batch(path: str, writes: Sequence[StockWrite]) -> Request:
    rows = [
        {"id": int(_slot(write.slot_ref)[1]), "manage_stock": True, "stock_quantity": write.quantity}
        for write in writes
    ]
    return Request(
        method="POST",
        path=API + path,
        json={"update": rows},
        operation="stock",
        accept=frozenset({400, 404, 413}),
    )


def sent(request: Request) -> list[StockWrite]:
    """The writes of a rendered batch, read back from the request."""
    found = BATCH_PATH.search(request.path)
    rows = request.json.get("update") if isinstance(request.json, dict) else None
    if not found or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unreadable("request", "not a stock batch")
    parent = found.group(1)
    writes = []
    for n, row in enumerate(rows):
        path = f"request.update.{n}"
        own = parse.ref(row.get("id"))
        if own is None or not SLOT.fullmatch(own):
            raise Unreadable(f"{path}.id", "not an id")
        units = parse.quantity(row.get("stock_quantity"), f"{path}.stock_quantity")
        if units < 0:
            raise Unreadable(f"{path}.stock_quantity", "below zero")
        writes.append(
            StockWrite(
                slot_ref=f"{parent}:{own}" if parent else own,
                listing_ref=parent or own,
                variation_ref=own if parent else None,
                quantity=units,
            )
        )
    return writes


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """One outcome per write; the store answers a wrong id inside a 200, in that row's `error`."""
    body = json_of(reply)
    if reply.status >= 400:  # noqa: PLR2004 - HTTP
        return [_fault(write, *_error(body, str(reply.status))) for write in writes]
    rows = body.get("update") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise Unreadable("body.update", "not a list of rows")
    by_id = {parse.ref(row.get("id")): (n, row) for n, row in enumerate(rows) if isinstance(row, dict)}
    return [_outcome(write, *by_id.get(_slot(write.slot_ref)[1], (0, None))) for write in writes]


def _outcome(write: StockWrite, n: int, row: dict[str, Any] | None) -> Outcome:
    if row is None:
        return _fault(write, "not_answered", "the store's answer has no row for this product")
    if row.get("error"):
        return _fault(write, *_error(row["error"], "error"))
    if row.get("manage_stock") in (False, "no", ""):  # stock management is off for the whole store
        return _fault(write, NOT_COUNTED, "the store does not count stock: turn stock management on")
    told = row.get("stock_quantity")
    is_told = parse.text(told) is not None
    seen = parse.quantity(told, f"body.update.{n}.stock_quantity") if is_told else None
    return Outcome(**_named(write), outcome=OutcomeKind.ACCEPTED, seen=seen)


def _fault(write: StockWrite, code: str, message: str | None) -> Outcome:
    return Outcome(**_named(write), outcome=OutcomeKind.FAULT, code=code, message=message)


def _named(write: StockWrite) -> dict[str, Any]:
    return {
        "listing_ref": write.listing_ref,
        "variation_ref": write.variation_ref,
        "slot_ref": write.slot_ref,
    }


def _error(body: Raw, otherwise: str) -> tuple[str, str | None]:
    """Code and sentence of `{code, message, data}`, or of the older `{error, message}`."""
    told = body if isinstance(body, dict) else {}
    code, message = told.get("code") or told.get("error"), told.get("message")
    return (
        code if isinstance(code, str) else otherwise,
        unescape(message) if isinstance(message, str) and message else None,
    )


def error_code(reply: Reply) -> str | None:
    """The vendor's code of an error answer; null where there is none, so that the status decides."""
    short = len(reply.body) < 64  # noqa: PLR2004 - no document is as short as the one answer that matters
    if reply.status < 400 and not short:  # noqa: PLR2004 - HTTP
        return None
    try:
        body = json_of(reply)
    except Unreadable:
        return None
    if reply.status < 400:  # noqa: PLR2004 - HTTP
        return PLUGIN_ABSENT if isinstance(body, dict) and set(body) == {"id"} else None
    return _error(body, "")[0] or None

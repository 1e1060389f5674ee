"""Mercado Livre's listings, stock answers and refusals. Pure."""

import json
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field

from adapters.mercadolivre.mapping import Amount, Id, id_of, known, slot, to_cents, told_at
from hub import parse
from hub.faults import Unreadable
from hub.model import (
    Listing,
    ListingStatus,
    ManagedBy,
    Outcome,
    OutcomeKind,
    Raw,
    Reply,
    Request,
    StockWrite,
)

LISTING_STATUSES = {
    "active": ListingStatus.ACTIVE,
    "paused": ListingStatus.PAUSED,  # by the seller, or out_of_stock: buyers cannot buy
    "payment_required": ListingStatus.PAUSED,
    "under_review": ListingStatus.PAUSED,
    "not_yet_active": ListingStatus.PAUSED,
    "inactive": ListingStatus.PAUSED,
    "closed": ListingStatus.CLOSED,
}
REVIEWS = {"warning": ListingStatus.ACTIVE, "forbidden": ListingStatus.CLOSED}  # sub_status of under_review
GTINS = ("GTIN", "EAN", "UPC", "ISBN", "JAN")
Units = Annotated[int, Field(ge=0, le=10**9)]


class _Attribute(BaseModel):
    id: str | None = None
    value_name: str | None = told_at("value_name", "values.0.name")


class _Sold(BaseModel):
    """What an item and its variations have in common."""

    price: Amount = None
    available_quantity: Units | None = None
    seller_custom_field: str | None = None
    user_product_id: str | None = None
    attributes: list[_Attribute] | None = None


class _Variation(_Sold):
    id: Id


class _Item(_Sold):
    id: Annotated[str, Field(pattern=r"^[A-Z]{3}\d+$")]
    title: str | None = None
    currency_id: str | None = None
    permalink: str | None = None
    status: str
    sub_status: list[str] | None = None
    variations: list[_Variation] | None = None
    logistic_type: str | None = told_at("shipping.logistic_type")
    bundle: str | None = told_at("bundle.type")


class _Location(BaseModel):
    type: str | None = None
    store_id: Id | None = None
    network_node_id: Id | None = None
    quantity: Units


class _Stock(BaseModel):
    id: str | None = None
    version: Id | None = None
    locations: list[_Location] = []


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """One listing per variation and stock location.

    Of an item, `{item, stock}` or a multiget (whole or one entry; what is not 200 is left out). `stock` is
    /user-products/{id}/stock with its x-version as `version`, or a list of those.
    """
    if isinstance(raw, list):
        return [listing for at, entry in enumerate(raw) for listing in _entry(entry, f"{at}")]
    return _entry(raw, "")


def _entry(raw: Raw, path: str) -> list[Listing]:
    stock: Any = []
    for key in ("body", "item"):  # {code, body} · {id, status_code, body} · {item, stock}
        if isinstance(raw, dict) and key in raw:
            if str(raw.get("code", raw.get("status_code", 200))) != "200":
                return []
            stock, path, raw = raw.get("stock") or stock, f"{path}.{key}".lstrip("."), raw[key]
    if not isinstance(raw, dict) or "id" not in raw:
        raise Unreadable(path or "item", "this is not a Mercado Livre item")
    item = parse.wire(_Item, raw, path or "item")
    known(item.status, LISTING_STATUSES, f"{path}.status".lstrip("."))
    stocks = [parse.wire(_Stock, told, "stock") for told in (stock if isinstance(stock, list) else [stock])]
    sold: list[_Variation | None] = [*item.variations] if item.variations else [None]
    return [listing for variation in sold for listing in _listing(item, variation, stocks)]


def _listing(item: _Item, variation: _Variation | None, stocks: Sequence[_Stock]) -> list[Listing]:
    own = variation or item
    ref = id_of(variation.id, "variations.id") if variation else None
    # Mercado Livre works out a kit's stock itself, and keeps Full's.
    theirs = item.logistic_type == "fulfillment" or item.bundle == "kit"
    base = Listing(
        ref=item.id,
        variation_ref=ref,
        slot_ref=parse.text(own.user_product_id) or slot(item.id, ref),
        sku=_sku(variation) or _sku(item),
        gtin=_gtin(variation) or _gtin(item),
        title=parse.text(item.title),
        url=parse.text(item.permalink),
        status=_listing_status(item),
        quantity=own.available_quantity,
        stock_quantity=own.available_quantity,
        price_cents=to_cents(item.price if own.price is None else own.price),
        currency=parse.text(item.currency_id),
        managed_by=ManagedBy.MARKETPLACE if theirs else ManagedBy.SELLER,
    )
    stock = next((s for s in stocks if s.id == base.slot_ref), _Stock())
    shelves = [at for at in stock.locations if at.type == "seller_warehouse"]
    return [base] if theirs or not shelves else [_on_shelf(base, at, stock.version) for at in shelves]


def _shelf(at: _Location) -> str:
    return f"{parse.text(at.store_id) or ''}:{parse.text(at.network_node_id) or ''}"


def _on_shelf(base: Listing, at: _Location, version: Id | None) -> Listing:
    told = {
        "location_ref": _shelf(at),
        "quantity": at.quantity,
        "stock_quantity": at.quantity,
        "version": parse.text(version),
    }
    return base.model_copy(update=told)


def _listing_status(item: _Item) -> ListingStatus:
    if item.status == "under_review":
        return next((REVIEWS[word] for word in item.sub_status or () if word in REVIEWS), ListingStatus.PAUSED)
    return LISTING_STATUSES[item.status]


def _attribute(own: _Sold | None, name: str) -> str | None:
    told = (own.attributes if own else None) or ()
    return next((parse.text(attribute.value_name) for attribute in told if attribute.id == name), None)


def _sku(own: _Sold | None) -> str | None:
    return _attribute(own, "SELLER_SKU") or (parse.text(own.seller_custom_field) if own else None)


def _gtin(own: _Sold | None) -> str | None:
    told = next((code for name in GTINS if (code := _attribute(own, name))), None)
    return parse.text(told.split(",")[0]) if told else None  # several may stand in one value


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


def stock_requests(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """One request per write.

    A variation is written under its own path: a PUT of the item that lists only some deletes the others.
    """
    return [(_shelf_request(w) if w.location_ref else _item_request(w), (w,)) for w in writes]


def _item_request(write: StockWrite) -> Request:
    variation = f"/variations/{write.variation_ref}" if write.variation_ref else ""
    path = f"/items/{write.listing_ref}{variation}"
    return Request(
        method="PUT",
        path=path,
        json={"available_quantity": write.quantity},
        operation="items",
        accept=frozenset({400}),
    )


def _shelf_request(write: StockWrite) -> Request:
    store, _, node = (write.location_ref or "").partition(":")
    return Request(
        method="PUT",
        path=f"/user-products/{write.slot_ref}/stock/type/seller_warehouse",
        headers={"x-version": write.version} if write.version else {},
        json={"locations": [{"store_id": store, "network_node_id": node, "quantity": write.quantity}]},
        operation="user_product_stock",
        accept=frozenset({400, 409}),
    )


class _Asked(BaseModel):
    available_quantity: Units | None = None
    variations: list[_Variation] = []
    locations: list[_Location] = []


def stock_writes(path: str, body: Raw) -> list[StockWrite]:
    """The writes that a PUT of this path and body asks for: `stock_requests` backwards."""
    told = parse.wire(_Asked, body, "request.json")
    if shelf := re.fullmatch(r"/user-products/(\w+)/stock/type/\w+", path):
        rows = ((_shelf(at), at.quantity) for at in told.locations)
        return [
            StockWrite(slot_ref=shelf[1], location_ref=place, listing_ref="", quantity=units) for place, units in rows
        ]
    found = re.fullmatch(r"/items/(\w+)(?:/variations/(\w+))?", path)
    if not found:
        raise Unreadable("request.path", f"not a stock write: {path!r}"[:120])
    own: list[tuple[str | None, int | None]] = [(found[2], told.available_quantity)]
    each = own + [(id_of(v.id, "request.json.variations.id"), v.available_quantity) for v in told.variations]
    return [
        StockWrite(slot_ref=slot(found[1], ref), listing_ref=found[1], variation_ref=ref, quantity=units)
        for ref, units in each
        if units is not None
    ]


def stock_outcomes(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """Each write's outcome; a 200 without JSON is Unreadable."""
    return [_outcome(write, reply) for write in writes]


def _outcome(write: StockWrite, reply: Reply) -> Outcome:
    kind, seen, code, why = OutcomeKind.ACCEPTED, None, None, None
    if reply.status >= HTTPStatus.BAD_REQUEST:
        code, why = _reason(reply)
        # 409: version mismatch, item optimistic locking; 400 "Missing X-Version header": look at it first.
        stale = reply.status == HTTPStatus.CONFLICT or "x-version" in (why or "").lower()
        kind = OutcomeKind.STALE if stale else OutcomeKind.FAULT
    else:
        seen = _seen(write, _json(reply))
        if seen not in (None, write.quantity):
            # A seller with several stock origins gets 200 for a PUT of the item, and nothing changes.
            kind, code = OutcomeKind.FAULT, "ignored"
            why = f"Mercado Livre answered {reply.status} and kept the quantity at {seen}"
    return Outcome(
        listing_ref=write.listing_ref or None,
        variation_ref=write.variation_ref,
        slot_ref=write.slot_ref,
        outcome=kind,
        seen=seen,
        code=code,
        message=why,
    )


def _seen(write: StockWrite, told: Raw) -> int | None:
    """The quantity in the answer: of the item, the variation, all its variations, or the stock locations."""
    if write.location_ref:
        store = write.location_ref.partition(":")[0]
        shelves = parse.wire(_Stock, told, "body").locations
        return next((at.quantity for at in shelves if parse.text(at.store_id) == store), None)
    if write.variation_ref and isinstance(told, dict) and isinstance(told.get("variations"), list):
        told = told["variations"]
    mine = write.variation_ref or write.listing_ref
    for row in told if isinstance(told, list) else [told]:
        if isinstance(row, dict) and parse.ref(row.get("id")) == mine and "available_quantity" in row:
            return parse.quantity(row["available_quantity"], "body.available_quantity")
    return None


def _json(reply: Reply) -> Raw:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        raise Unreadable("body", f"not JSON (status {reply.status})") from None


# ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────


def _refusal(reply: Reply) -> dict[str, Any]:
    """`{message, error, status, cause}`; empty when the body is something else."""
    try:
        told = _json(reply)
    except Unreadable:
        return {}
    return told if isinstance(told, dict) else {}


def read_error(reply: Reply) -> str | None:
    """The vendor's code in a refusal: `code` (told by policies), `error`, or a `message` that is a code."""
    told = _refusal(reply) if reply.status >= HTTPStatus.BAD_REQUEST else {}
    words = (told.get("code"), told.get("error"), told.get("message"))
    return next((word for word in words if isinstance(word, str) and re.fullmatch(r"[A-Za-z_.]+", word)), None)


def _reason(reply: Reply) -> tuple[str, str | None]:
    """Code and sentence; `cause` is a list of objects, of strings, or absent."""
    told = _refusal(reply)
    causes = told.get("cause")
    first = causes[0] if isinstance(causes, list) and causes else None
    cause = first if isinstance(first, dict) else {"message": first}
    codes = (cause.get("code"), told.get("error"), told.get("code"), reply.status)
    whys = (cause.get("message"), told.get("message"))
    code = next(str(word) for word in codes if isinstance(word, str | int) and word != "")
    return code, next((why for why in whys if isinstance(why, str) and why), None)

"""TikTok's products as listings, and the stock that they are told. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from adapters.tiktok.errors import code_of
from hub import parse
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import Listing, ListingStatus, Outcome, OutcomeKind, Raw, Reply, Request, StockWrite
from hub.wire import Wire

BATCH = 50  # SKUs of one product in one request: assumed
PATH = "/product/202309/products/{}/inventory/update"
LISTED = {
    "ACTIVATE": ListingStatus.ACTIVE,
    "DRAFT": ListingStatus.PAUSED,
    "PENDING": ListingStatus.PAUSED,  # TikTok looks at it
    "FAILED": ListingStatus.PAUSED,  # and did not like it
    "SELLER_DEACTIVATED": ListingStatus.PAUSED,
    "PLATFORM_DEACTIVATED": ListingStatus.PAUSED,
    "FREEZE": ListingStatus.PAUSED,
    "DELETED": ListingStatus.CLOSED,
}


def listings(raw: Raw) -> list[Listing]:
    """Listings of `{product, inventory}`: a product and its row of inventory/search (null: its own numbers stand).

    Also of a bare product, and of the whole answers of search and of one product.
    """
    box = raw if isinstance(raw, dict) and "product" in raw else {"product": raw}
    product = box["product"]
    if isinstance(product, dict) and "data" in product:
        product = product["data"]
    if isinstance(product, dict) and "products" in product:
        return [one for row in Wire(product, "data").rows("products") for one in listings(dict(row.raw))]
    p, counted = Wire(product, "product"), {}
    for row in Wire(box.get("inventory"), "inventory").rows("skus"):
        counted[row.needed_ref("id")] = row
    skus = p.rows("skus")
    if not skus:
        raise Unreadable(p.at("skus"), "not told")
    return [one for sku in skus for one in _places(p, sku, counted.get(sku.needed_ref("id")))]


def _places(p: Wire, sku: Wire, counted: Wire | None) -> Iterator[Listing]:
    """One listing per warehouse that keeps the SKU."""
    price, own = sku.part("price"), sku.needed_ref("id")
    options = [row.text("value_name") for row in sku.rows("sales_attributes")]
    common: dict[str, Any] = {
        "ref": p.needed_ref("id"),
        "variation_ref": own,
        "slot_ref": f"{p.needed_ref('id')}:{own}",
        "sku": sku.text("seller_sku"),
        "gtin": parse.bare(sku.part("identifier_code").text("code")),
        "title": parse.joined(p.text("title"), *options),
        "status": p.one_of("status", LISTED),
        "price_cents": price.cents("sale_price") if price.text("sale_price") else price.cents("tax_exclusive_price"),
        "currency": price.text("currency"),
    }
    for place, units in warehouses(sku) if counted is None else warehouses(counted):
        yield Listing(**common, location_ref=place, quantity=units, stock_quantity=units)


def warehouses(sku: Wire) -> list[tuple[str | None, int | None]]:
    """Warehouse and units that can be sold there, of a product's SKU or of a row of inventory/search."""
    kept = {row.ref("warehouse_id"): row.units("quantity") for row in sku.rows("inventory")}
    kept |= {row.ref("warehouse_id"): row.units("available_quantity") for row in sku.rows("warehouse_inventory")}
    return [(place, None if units is None else max(0, units)) for place, units in kept.items()] or [(None, None)]


def seen(write: StockWrite, sku: Wire | None) -> Listing | None:
    """What the slot of a write shows in a row of inventory/search; None for a SKU that has no row."""
    if sku is None:
        return None
    kept = warehouses(sku)
    units = dict(kept).get(write.location_ref) if write.location_ref else parse.total(units for _, units in kept)
    return Listing(
        ref=write.listing_ref,
        variation_ref=write.variation_ref,
        slot_ref=write.slot_ref,
        location_ref=write.location_ref,
        sku=sku.text("seller_sku"),
        status=ListingStatus.ACTIVE,  # not told here
        quantity=units,
        stock_quantity=units,
    )


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """One request per product, whose number stands in the path; a SKU that is left out keeps its number."""
    products: dict[str, list[StockWrite]] = {}
    for write in writes:
        products.setdefault(address(write)[0], []).append(write)
    return [
        (_update(product, chunk), chunk)
        for product, mine in products.items()
        for chunk in (tuple(mine[n : n + BATCH]) for n in range(0, len(mine), BATCH))
    ]


def address(write: StockWrite) -> tuple[str, str]:
    """Product and SKU of a slot."""
    product, _, sku = write.slot_ref.partition(":")
    if not (product.isdecimal() and sku.isdecimal()):
        raise Unreadable("slot_ref", f"not product:sku in numbers: {write.slot_ref!r}"[:120])
    return product, sku


def _update(product: str, writes: Sequence[StockWrite]) -> Request:
    """Without a warehouse it is the shop's only one."""
    skus: dict[str, list[dict[str, Any]]] = {}
    for write in writes:
        place = {"warehouse_id": write.location_ref} if write.location_ref else {}
        skus.setdefault(address(write)[1], []).append({**place, "quantity": write.quantity})
    return Request(
        method="POST",
        path=PATH.format(product),
        json={"skus": [{"id": sku, "inventory": told} for sku, told in skus.items()]},
        operation="stock",
        accept=frozenset({200, 400, 404}),  # what is refused stands inside
    )


def asked(request: Request) -> list[StockWrite]:
    """The writes of a rendered request."""
    before, after = PATH.split("{}")
    product = request.path.removeprefix(before).removesuffix(after)
    if not product.isdecimal():
        raise Unreadable("request.path", f"not {PATH.format('product_id')}")
    return [
        StockWrite(
            slot_ref=f"{product}:{sku.needed_ref('id')}",
            location_ref=place.ref("warehouse_id"),
            listing_ref=product,
            variation_ref=sku.ref("id"),
            quantity=place.count("quantity"),
        )
        for sku in Wire(request.json, "request").rows("skus")
        for place in sku.rows("inventory")
    ]


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """One outcome per write. Code 0 means that the request was read: `data.errors` names the SKUs that were refused."""
    body = json_of(reply)
    told, code = Wire(body, "body"), code_of(body)
    if code or reply.status >= 400:  # noqa: PLR2004 - HTTP
        why = (code or str(reply.status), told.text("message"))
        return [_outcome(write, why) for write in writes]
    if told.raw.get("code") is None:
        raise Unreadable("body.code", "not told")
    refused = [_refusal(row) for row in told.part("data").rows("errors")]
    return [_outcome(write, next((why for names, why in refused if _meant(write, names)), None)) for write in writes]


def _refusal(row: Wire) -> tuple[tuple[str | None, frozenset[str]], tuple[str, str | None]]:
    """Which SKU and warehouses, and why: the deepest words say most. An error that names none means all."""
    detail = row.part("detail")
    deeper = detail.rows("extra_errors")
    words = next((each for each in deeper if each.text("message")), row)
    places = frozenset(place for each in deeper if (place := each.ref("warehouse_id")))
    code = words.ref("code") or row.ref("code") or "inventory_update_failed"
    return (detail.ref("sku_id"), places), (code, words.text("message"))


def _meant(write: StockWrite, names: tuple[str | None, frozenset[str]]) -> bool:
    sku, places = names
    if sku is not None and sku != address(write)[1]:
        return False
    return not places or write.location_ref is None or write.location_ref in places


def _outcome(write: StockWrite, why: tuple[str, str | None] | None) -> Outcome:
    named: dict[str, Any] = {
        "listing_ref": write.listing_ref,
        "variation_ref": write.variation_ref,
        "slot_ref": write.slot_ref,
    }
    if why is None:
        return Outcome(**named, outcome=OutcomeKind.ACCEPTED)
    return Outcome(**named, outcome=OutcomeKind.FAULT, code=why[0], message=why[1])

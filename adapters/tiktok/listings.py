"""TikTok's products as listings, and the stock that they are told. Pure."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from adapters.tiktok.errors import read_error
from hub import parse
from hub.calls import batches, grouped, within
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import Listing, ListingStatus, Outcome, Raw, Reply, Request, StockWrite
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
    product = Wire(within(box["product"], "data") or box["product"], "product")
    if "products" in product.raw:
        return [one for row in product.rows("products") for one in listings(row.raw)]
    counted = {row.needed_ref("id"): row for row in Wire(box.get("inventory"), "inventory").rows("skus")}
    skus = product.rows("skus")
    if not skus:
        raise Unreadable(product.at("skus"), "not told")
    return [one for sku in skus for one in _places(product, sku, counted.get(sku.needed_ref("id"), sku))]


def _places(product: Wire, sku: Wire, counted: Wire) -> Iterator[Listing]:
    """One listing per warehouse that keeps the SKU."""
    ref, own, price = product.needed_ref("id"), sku.needed_ref("id"), sku.part("price")
    options = [row.text("value_name") for row in sku.rows("sales_attributes")]
    for place, units in warehouses(counted).items():
        yield Listing(
            ref=ref,
            variation_ref=own,
            slot_ref=f"{ref}:{own}",
            location_ref=place,
            sku=sku.text("seller_sku"),
            gtin=parse.bare(sku.text("identifier_code.code")),
            title=parse.joined(product.text("title"), *options),
            status=product.one_of("status", LISTED),
            quantity=units,
            stock_quantity=units,
            price_cents=price.cents("sale_price" if price.text("sale_price") else "tax_exclusive_price"),
            currency=price.text("currency"),
        )


def warehouses(sku: Wire) -> dict[str | None, int | None]:
    """Units that can be sold, by warehouse, of a product's SKU or of a row of inventory/search."""
    kept = {row.ref("warehouse_id"): row.units("quantity") for row in sku.rows("inventory")}
    kept |= {row.ref("warehouse_id"): row.units("available_quantity") for row in sku.rows("warehouse_inventory")}
    return {place: None if units is None else max(0, units) for place, units in kept.items()} or {None: None}


def seen(write: StockWrite, sku: Wire) -> Listing:
    """What the slot of a write shows in a row of inventory/search."""
    kept = warehouses(sku)
    units = kept.get(write.location_ref) if write.location_ref else parse.total(kept.values())
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
    products = grouped(writes, lambda write: address(write)[0])
    return [(_update(ref, chunk), chunk) for ref, mine in products.items() for chunk in batches(mine, BATCH)]


def address(write: StockWrite) -> tuple[str, str]:
    """Product and SKU of a slot."""
    product, _, sku = write.slot_ref.partition(":")
    if not (product.isdecimal() and sku.isdecimal()):
        raise Unreadable("slot_ref", f"not product:sku in numbers: {write.slot_ref!r}"[:120])
    return product, sku


def _update(product: str, writes: Sequence[StockWrite]) -> Request:
    skus = grouped(writes, lambda write: address(write)[1])
    return Request(
        method="POST",
        path=PATH.format(product),
        json={"skus": [{"id": sku, "inventory": [_level(write) for write in mine]} for sku, mine in skus.items()]},
        operation="stock",
        accept=frozenset({200, 400, 404}),  # what is refused stands inside
    )


def _level(write: StockWrite) -> dict[str, Raw]:
    """Without a warehouse it is the shop's only one."""
    return {**({"warehouse_id": write.location_ref} if write.location_ref else {}), "quantity": write.quantity}


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
    told, code = Wire(json_of(reply), "body"), read_error(reply)
    if code or reply.status >= HTTPStatus.BAD_REQUEST:
        return [Outcome.refused(write, code or str(reply.status), told.text("message")) for write in writes]
    if told.raw.get("code") is None:
        raise Unreadable("body.code", "not told")
    refusals = told.part("data").rows("errors")
    return [_outcome(write, refusals) for write in writes]


def _outcome(write: StockWrite, refusals: Sequence[Wire]) -> Outcome:
    """Refused by the first error that names its SKU and warehouse, or names none; its deepest words say most."""
    for row in refusals:
        detail = row.part("detail")
        deeper = detail.rows("extra_errors")
        places = {place for each in deeper if (place := each.ref("warehouse_id"))}
        elsewhere = places and write.location_ref and write.location_ref not in places
        if detail.ref("sku_id") in (None, address(write)[1]) and not elsewhere:
            words = next((each for each in deeper if each.text("message")), row)
            code = words.ref("code") or row.ref("code") or "inventory_update_failed"
            return Outcome.refused(write, code, words.text("message"))
    return Outcome.accepted(write)

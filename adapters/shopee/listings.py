"""Shopee's items and models as listings, and the stock that they are told. Pure."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from adapters.shopee.errors import named_by, read_error
from adapters.shopee.mapping import answered
from hub import parse
from hub.calls import batches, grouped
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import Listing, ListingStatus, ManagedBy, Outcome, Raw, Reply, Request, StockWrite
from hub.wire import Wire, listed

BATCH = 50  # rows of one item
LISTED = {
    "NORMAL": ListingStatus.ACTIVE,
    "UNLIST": ListingStatus.PAUSED,
    "REVIEWING": ListingStatus.PAUSED,
    "BANNED": ListingStatus.PAUSED,  # until the seller mends it
    "SELLER_DELETE": ListingStatus.CLOSED,
    "SHOPEE_DELETE": ListingStatus.CLOSED,
}
MODELS = {"MODEL_NORMAL": ListingStatus.ACTIVE, "MODEL_UNAVAILABLE": ListingStatus.PAUSED}
GTIN = range(8, 15)  # positions; "00" says that there is none


def listings(raw: Raw) -> list[Listing]:
    """Listings of `{item, models}`: a row of get_item_base_info and the answer of get_model_list (null: it has none).

    Also of get_item_base_info's whole answer: what has models is then left out, for they alone tell numbers.
    """
    box = raw if isinstance(raw, dict) and "item" in raw else {"item": raw}
    models, items = Wire(box.get("models"), "models"), answered(box["item"], "item_list", "item")
    if "response" in models.raw:
        models = models.part("response")
    sold = [(item, one) for item in items for one in (models.rows("model") if item.flag("has_model") else [item])]
    return [listing for item, one in sold for listing in _places(item, one, models)]


def _places(item: Wire, sold: Wire, models: Wire) -> Iterator[Listing]:
    """One listing, or one per place where a shop of several warehouses keeps it."""
    ref, model = item.needed_ref("item_id"), None if sold is item else sold.needed_ref("model_id")
    status = item.one_of("item_status", LISTED)
    if model and status is ListingStatus.ACTIVE and sold.text("model_status"):
        status = sold.one_of("model_status", MODELS)
    gtin = parse.bare(sold.text("gtin_code")) or ""
    price = next(iter(sold.rows("price_info")), Wire(None, "price_info"))
    mine, theirs = sold.rows("stock_info_v2.seller_stock"), sold.rows("stock_info_v2.shopee_stock")
    buyable = sold.units("stock_info_v2.summary_info.total_available_stock")
    is_kit = item.flag("tag.kit")  # its number follows from its parts: nothing is written
    for place in mine or [Wire(None, "seller_stock")]:
        units = place.units("stock")
        shown = units if buyable is None or len(mine) > 1 else buyable
        yield Listing(
            ref=ref,
            variation_ref=model,
            slot_ref=f"{ref}:{model}" if model else ref,
            location_ref=place.text("location_id"),
            sku=sold.text("model_sku") if model else item.text("item_sku"),
            gtin=gtin if gtin.isdecimal() and len(gtin) in GTIN else None,
            title=parse.joined(item.text("item_name"), _option(sold, models) if model else None),
            status=status,
            quantity=None if shown is None else max(0, shown),
            stock_quantity=None if is_kit else units,
            price_cents=price.cents("current_price"),
            currency=price.text("currency"),
            managed_by=ManagedBy.MARKETPLACE if theirs and not mine else ManagedBy.SELLER,
        )


def _option(model: Wire, models: Wire) -> str | None:
    """What tells a model from its sisters: its name, else its place in each tier."""
    places = listed(model.raw.get("tier_index"), model.at("tier_index"))
    named: list[str | None] = []
    for tier, place in zip(models.rows("tier_variation"), places, strict=False):
        named += [option.text("option") for n, option in enumerate(tier.rows("option_list")) if n == place]
    return model.text("model_name") or parse.joined(*named)


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """One request per item and at most BATCH of its models; a model that is left out keeps its number."""
    by_item = grouped(writes, lambda write: parse.slot(write.slot_ref)[0])
    return [(_request(item, some), some) for item, mine in by_item.items() for some in batches(mine, BATCH)]


def _request(item: str, writes: Sequence[StockWrite]) -> Request:
    """A model (0: the item itself) stands there once, with its places: "Repeat model_id." is an error."""
    models: dict[int, list[dict[str, Any]]] = {}
    for write in writes:
        place = {"location_id": write.location_ref} if write.location_ref else {}
        models.setdefault(int(parse.slot(write.slot_ref)[1] or 0), []).append({**place, "stock": write.quantity})
    rows = [{"model_id": model, "seller_stock": places} for model, places in models.items()]
    return Request(
        method="POST",
        path="/api/v2/product/update_stock",
        json={"item_id": int(item), "stock_list": rows},
        operation="stock",
        accept=frozenset({200, 400, 404}),  # which rows were refused stands inside
    )


def asked(request: Request) -> list[StockWrite]:
    """The writes of a rendered request."""
    told = Wire(request.json, "request")
    item = told.needed_ref("item_id")
    return [
        StockWrite(
            slot_ref=f"{item}:{model}" if (model := row.ref("model_id")) else item,
            location_ref=place.text("location_id"),
            listing_ref=item,
            variation_ref=model,
            quantity=place.count("stock"),
        )
        for row in told.rows("stock_list")
        for place in row.rows("seller_stock")
    ]


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """One outcome per write: an answer may take some models and refuse others, under an error or under none."""
    told = Wire(json_of(reply), "body")
    code = read_error(reply) or (str(reply.status) if reply.status >= HTTPStatus.BAD_REQUEST else None)
    answer = told.object("response")
    if code is None and not answer.raw.keys() & {"success_list", "failure_list"}:
        raise Unreadable("body.response", "neither success_list nor failure_list is told")
    done = {(row.count("model_id"), row.text("location_id")): row for row in answer.rows("success_list")}
    failed = {row.count("model_id"): row.text("failed_reason") for row in answer.rows("failure_list")}
    outcomes = []
    for write in writes:
        model = int(parse.slot(write.slot_ref)[1] or 0)
        row = done.get((model, write.location_ref)) or done.get((model, None))
        if row is not None and model not in failed:
            outcomes.append(Outcome.accepted(write, row.units("stock")))
        else:
            why = failed.get(model, told.text("message") or "the answer does not name this row")
            outcomes.append(Outcome.refused(write, named_by("", why) or code or "update_stock_failed", why))
    return outcomes

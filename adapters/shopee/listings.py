"""Shopee's items and models as listings, and the stock that they are told. Pure."""

from collections.abc import Sequence
from typing import Any

from adapters.shopee.errors import code_of, named_by
from adapters.shopee.mapping import answered, words
from hub import parse
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import Listing, ListingStatus, ManagedBy, Outcome, OutcomeKind, Raw, Reply, Request, StockWrite
from hub.wire import Wire, rows

UPDATE_STOCK = "/api/v2/product/update_stock"
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
    if (items := answered(raw, "item_list")) is not None:
        return [one for item in rows(items, "response.item_list") for one in _listings(item, Wire(None, "models"))]
    box = raw if isinstance(raw, dict) and "item" in raw else {"item": raw}
    models = box.get("models")
    told = models["response"] if isinstance(models, dict) and "response" in models else models
    return _listings(Wire(box["item"], "item"), Wire(told, "models"))


def _listings(item: Wire, models: Wire) -> list[Listing]:
    if not item.flag("has_model"):
        return _places(item, item, None, words(item, "item_name"))
    name = words(item, "item_name")
    return [
        one
        for model in models.rows("model")
        for one in _places(item, model, model.needed_ref("model_id"), parse.joined(name, _option(model, models)))
    ]


def _option(model: Wire, models: Wire) -> str | None:
    """What tells a model from its sisters: its name, else its place in each tier."""
    if told := words(model, "model_name"):
        return told
    places = model.raw.get("tier_index")
    found = []
    for tier, place in zip(models.rows("tier_variation"), places if isinstance(places, list) else (), strict=False):
        options = tier.rows("option_list")
        if isinstance(place, int) and 0 <= place < len(options):
            found.append(words(options[place], "option"))
    return parse.joined(*found)


def _places(item: Wire, sold: Wire, model: str | None, title: str | None) -> list[Listing]:
    """One listing, or one per place where a shop of several warehouses keeps it."""
    ref, stock = item.needed_ref("item_id"), sold.part("stock_info_v2")
    mine, buyable = stock.rows("seller_stock"), stock.part("summary_info").units("total_available_stock")
    theirs = not mine and bool(stock.rows("shopee_stock"))
    price = next(iter(sold.rows("price_info")), Wire(None, "price_info"))
    gtin = parse.bare(words(sold, "gtin_code"))
    status = item.one_of("item_status", LISTED)
    if model and status is ListingStatus.ACTIVE and words(sold, "model_status"):
        status = sold.one_of("model_status", MODELS)
    common: dict[str, Any] = {
        "ref": ref,
        "variation_ref": model,
        "slot_ref": f"{ref}:{model}" if model else ref,
        "sku": words(sold, "model_sku") if model else words(item, "item_sku"),
        "gtin": gtin if gtin and gtin.isdecimal() and len(gtin) in GTIN else None,
        "title": title,
        "status": status,
        "price_cents": price.cents("current_price"),
        "currency": words(price, "currency"),
        "managed_by": ManagedBy.MARKETPLACE if theirs else ManagedBy.SELLER,
    }
    kit = item.part("tag").flag("kit")  # follows from its parts: nothing is written
    if len(mine) <= 1:
        units = mine[0].units("stock") if mine else None
        shown = units if buyable is None else buyable
        place = words(mine[0], "location_id") if mine else None
        return [
            Listing(
                **common,
                location_ref=place,
                quantity=None if shown is None else max(0, shown),
                stock_quantity=None if kit else units,
            )
        ]
    return [
        Listing(**common, location_ref=words(row, "location_id"), quantity=max(0, units), stock_quantity=units)
        for row in mine
        if (units := row.units("stock")) is not None
    ]


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
    """One request per item and at most BATCH of its models; a model that is left out keeps its number."""
    by_item: dict[int, list[StockWrite]] = {}
    for write in writes:
        by_item.setdefault(_address(write)[0], []).append(write)
    chunks = [(item, tuple(mine[n : n + BATCH])) for item, mine in by_item.items() for n in range(0, len(mine), BATCH)]
    return [(_request(item, chunk), chunk) for item, chunk in chunks]


def _address(write: StockWrite) -> tuple[int, int]:
    """Item and model; the model 0 is the item itself."""
    item, _, model = write.slot_ref.partition(":")
    if not (item.isdecimal() and (model or "0").isdecimal() and len(write.slot_ref) <= 2 * BATCH):
        raise Unreadable("slot_ref", f"not item[:model] in numbers: {write.slot_ref!r}"[:120])
    return int(item), int(model or 0)


def _request(item: int, writes: Sequence[StockWrite]) -> Request:
    """A model stands there once, with each of its places: "Repeat model_id." is an error."""
    models: dict[int, list[dict[str, Any]]] = {}
    for write in writes:
        place = {"location_id": write.location_ref} if write.location_ref else {}
        models.setdefault(_address(write)[1], []).append({**place, "stock": write.quantity})
    body = {"item_id": item, "stock_list": [{"model_id": m, "seller_stock": told} for m, told in models.items()]}
    return Request(
        method="POST",
        path=UPDATE_STOCK,
        json=body,
        operation="stock",
        accept=frozenset({200, 400, 404}),  # which rows were refused stands inside
    )


def asked(request: Request) -> list[StockWrite]:
    """The writes of a rendered request."""
    told = Wire(request.json, "request")
    item = told.needed_ref("item_id")
    places = [(row.ref("model_id"), place) for row in told.rows("stock_list") for place in row.rows("seller_stock")]
    return [
        StockWrite(
            slot_ref=f"{item}:{model}" if model else item,
            location_ref=words(place, "location_id"),
            listing_ref=item,
            variation_ref=model,
            quantity=place.count("stock"),
        )
        for model, place in places
    ]


def read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    """One outcome per write: an answer may take some models and refuse others, under an error or under none."""
    body = json_of(reply)
    code = code_of(body) or (str(reply.status) if reply.status >= 400 else None)  # noqa: PLR2004 - HTTP
    message = parse.text(body.get("message"))
    told = body.get("response")
    lists = told if isinstance(told, dict) and ("success_list" in told or "failure_list" in told) else None
    if lists is None and code is None:
        raise Unreadable("body.response", "neither success_list nor failure_list is told")
    done = {_key(row, placed=True): row for row in rows((lists or {}).get("success_list"), "response.success_list")}
    failed = {_key(row)[0]: row for row in rows((lists or {}).get("failure_list"), "response.failure_list")}
    return [_outcome(write, done, failed, code, message) for write in writes]


def _key(row: Wire, *, placed: bool = False) -> tuple[int, str | None]:
    return row.count("model_id"), words(row, "location_id") if placed else None


def _outcome(
    write: StockWrite,
    done: dict[tuple[int, str | None], Wire],
    failed: dict[int, Wire],
    code: str | None,
    message: str | None,
) -> Outcome:
    named: dict[str, Any] = {
        "listing_ref": write.listing_ref,
        "variation_ref": write.variation_ref,
        "slot_ref": write.slot_ref,
    }
    model = _address(write)[1]
    refusal, row = failed.get(model), done.get((model, write.location_ref)) or done.get((model, None))
    if refusal is None and row is not None:
        return Outcome(**named, outcome=OutcomeKind.ACCEPTED, seen=row.units("stock"))
    why = words(refusal, "failed_reason") if refusal is not None else message or "the answer does not name this row"
    found = named_by("", why or "") or code or "update_stock_failed"
    return Outcome(**named, outcome=OutcomeKind.FAULT, code=found, message=why)

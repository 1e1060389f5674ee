"""Amazon's own examples and models, where they are beside this checkout: read, refused in a sentence, and fitted."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.amazon import ADAPTER, mapping, sandbox, stock, webhook
from hub.faults import Unreadable
from hub.model import Knock, News, Reply, Request, ShipmentNews, StockWrite, Topic
from hub.sandbox import Product
from tests.channels.conftest import Connect, PlainApi

SHARED = Path(__file__).parents[2].parent / "shared"
SAMPLES, MODELS = SHARED / "samples" / "amazon", SHARED / "openapi"
FILES = Path(__file__).parents[1] / "adapters" / "amazon"
ORDERS = {
    "v0_order_afn_shipped_with_br_pix", "v0_order_recipes_mfn", "v0_orders_page_last",
    "v0_orders_page_pending_next_token", "v2026_order_br_consumer", "v2026_order_example", "v2026_order_tr",
    "v2026_order_us_pickup", "v2026_orders_page_br_business", "v2026_orders_page_jp",
}  # fmt: skip
LISTINGS = {"listing_item_br", "listings_search_example"}
REPORTS = {"json_listings_feed_report_example"}  # rows of a feed's report, told like listings
PATCHED = {
    "listing_patch_accepted": "pending", "listing_patch_invalid_attributes": "fault",
    "listings_patch_response_0": "pending", "listings_patch_response_1": "pending",
}  # fmt: skip
NOTICES = {
    "notification_order_change": (Topic.ORDER, "903-8868176-2219830"),
    "notification_listings_item_mfn_quantity_change": (Topic.STOCK, "NLS-SHOES-03"),
    "notification_feed_processing_finished": (Topic.IGNORED, "53347018456"),
}
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not beside this checkout")
needs_models = pytest.mark.skipif(not MODELS.exists(), reason="the official models are not beside this checkout")


@needs_samples
def test_published_documents_are_read_or_refused_in_one_sentence():
    write = StockWrite(slot_ref="x", listing_ref="x", quantity=1)
    for file in sorted(SAMPLES.glob("*.json")):
        raw, body = json.loads(file.read_text()), file.read_bytes()
        for read, good in (
            (lambda raw=raw: mapping.order(raw), file.stem in ORDERS),
            (lambda raw=raw: mapping.listings(raw), file.stem in LISTINGS | REPORTS),
            (lambda body=body: stock.read(write, Reply(status=200, headers={}, body=body)), file.stem in PATCHED),
        ):
            if good:
                assert read()
            else:
                with pytest.raises(Unreadable, match=r"^[^\n]+$"):
                    read()
        (notice,) = webhook.read(Knock(headers={}, body=body))
        assert (notice.topic, notice.ref) == NOTICES.get(file.stem, (Topic.UNKNOWN, None)), file.stem


@needs_samples
def test_published_answers_to_patches():
    write = StockWrite(slot_ref="x", listing_ref="x", quantity=1)
    for name, kind in PATCHED.items():
        one = stock.read(write, Reply(status=200, headers={}, body=(SAMPLES / f"{name}.json").read_bytes()))
        assert one.outcome == kind


# ── The official models as referee ──────────────────────────────────────────────────────────────────────────


class Model:
    """A Swagger 2 document: what is wrong with a request or a value, by its path."""

    def __init__(self, name: str) -> None:
        self.told = json.loads((MODELS / f"amazon-{name}.json").read_text())

    def operation(self, request: Request) -> dict[str, Any]:
        path = urlsplit(request.path).path
        for pattern, found in self.told["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path) and request.method.lower() in found:
                return dict(found[request.method.lower()])
        raise AssertionError(f"no operation {request.method} {path}")

    def wrong_with(self, request: Request) -> list[str]:
        known = {each["name"]: each for each in self.operation(request)["parameters"]}
        told = dict(request.params)
        wrong = [f"{name}: no such parameter" for name in told if name not in known]
        wrong += [
            name for name, each in known.items() if each["in"] == "query" and each.get("required") and name not in told
        ]
        for name, value in told.items():
            each = known.get(name, {})
            allowed = each.get("enum") or each.get("items", {}).get("enum")
            wrong += [f"{name}: {one}" for one in value.split(",") if allowed and one not in allowed]
            wrong += (
                [f"{name}: too many"]
                if int(each.get("maximum", 10**9)) < int(value if value.isdecimal() else 0)
                else []
            )
        body = next((each for each in known.values() if each["in"] == "body"), None)
        return wrong + (list(self.misfits(request.json, body["schema"], "body")) if body else [])

    def misfits(self, value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
        if "$ref" in schema:
            schema = self.told["definitions"][schema["$ref"].rpartition("/")[2]]
        kinds: dict[str, Any] = {
            "string": str,
            "integer": int,
            "number": (int, float),
            "boolean": bool,
            "array": list,
            "object": dict,
        }
        kind = schema.get("type")
        if kind and not isinstance(value, kinds[kind]):
            yield f"{path}: not {kind}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{path}: {value!r} is not one of {schema['enum']}"
        if isinstance(value, list):
            for n, each in enumerate(value):
                yield from self.misfits(each, schema.get("items", {}), f"{path}.{n}")
        if isinstance(value, dict):
            known = schema.get("properties", {})
            yield from (f"{path}.{name}: missing" for name in schema.get("required", ()) if name not in value)
            for name, each in value.items():
                if name in known:
                    yield from self.misfits(each, known[name], f"{path}.{name}")
                elif known and not schema.get("additionalProperties"):
                    yield f"{path}.{name}: no such field"


@needs_models
def test_the_referee_sees_what_is_wrong():
    items = Model("listingsItems_2021-08-01")
    good = stock.render(StockWrite(slot_ref="A B", listing_ref="A B", quantity=0))
    assert items.wrong_with(good) == []
    bad = Request(method="PATCH", path=good.path, json={"patches": [{"op": "swap", "path": 1, "vale": []}]})
    assert set(items.wrong_with(bad)) >= {
        "marketplaceIds",
        "body.productType: missing",
        "body.patches.0.path: not string",
    }
    assert any("swap" in each for each in items.wrong_with(bad))


@needs_models
async def test_every_request_that_we_send_fits_the_models(connect: Connect):
    goods = [Product(sku=f"P{n}", title="x", quantity=n, price_cents=100) for n in range(25)]
    place = sandbox.create(goods, most=10)
    api = await connect(ADAPTER, place)
    api.facts = (await ADAPTER.check(api)).facts
    refs = [(await place.act("buy", {"lines": [{"sku": "P24", "quantity": 1}]}))["order_ref"] for _ in range(2)]
    await everything(api, refs)
    orders, items = Model("ordersV0"), Model("listingsItems_2021-08-01")
    told = [request for request in api.calls if request.path.startswith(("/orders/", "/listings/"))]
    assert {request.operation for request in told} == {
        "orders", "order", "order_items", "listings", "listing", "stock", "shipment",
    }  # fmt: skip
    for request in told:
        model = orders if request.path.startswith("/orders/") else items
        assert model.wrong_with(request) == [], request


async def everything(api: PlainApi, refs: list[str]) -> None:
    """Each call that the adapter knows."""
    orders, listings, sink, parcels = ADAPTER.orders, ADAPTER.listings, ADAPTER.stock, ADAPTER.shipments
    assert orders
    assert listings
    assert sink
    assert parcels
    assert parcels.prepare
    await orders.since(api, None)
    cursor = None
    while (page := await listings.pages(api, cursor)).more:
        cursor = page.cursor
    await listings.fetch(api, "P1")
    write = StockWrite(slot_ref="P1", listing_ref="P1", quantity=3)
    for request, _ in sink.render([write]):
        await api.call(request)
    for ref in refs:
        await orders.fetch(api, ref)
        news = ShipmentNews(
            news=News.DISPATCHED, order_ref=ref, tracking_code=f"AA{ref}", carrier="Jadlog", service="Package",
            at=datetime(2026, 11, 21, 10, tzinfo=UTC),
        )  # fmt: skip
        for request in parcels.render(news.model_copy(update={"there": await parcels.prepare(api, news)}), "default"):
            await api.call(request)


@needs_models
async def test_the_sandbox_answers_as_the_models_say():
    place = sandbox.create([Product(sku="P1", title="x", quantity=5, price_cents=100, gtin="7891000315507")])
    ref = (await place.act("buy", {"lines": [{"sku": "P1", "quantity": 1}]}))["order_ref"]
    sale = place.sale_of(ref)
    orders, items = Model("ordersV0"), Model("listingsItems_2021-08-01")
    rows = [place._line(sale, n, line) for n, line in enumerate(sale.lines)]
    for value, model, name in (
        (place._order(sale, whole=True), orders, "Order"),
        ({"AmazonOrderId": ref, "OrderItems": rows}, orders, "OrderItemsList"),
        (
            place._listing(place.by_sku["P1"], ["summaries", "attributes", "offers", "fulfillmentAvailability"]),
            items,
            "Item",
        ),
    ):
        assert list(model.misfits(value, {"$ref": f"#/definitions/{name}"}, name)) == []


@needs_models
def test_our_own_payloads_have_the_shapes_of_the_models():
    orders, items = Model("ordersV0"), Model("listingsItems_2021-08-01")
    new = Model("orders_2026-01-01")
    for file in sorted((FILES / "order").glob("*.json")):
        told = json.loads(file.read_text())
        if file.stem.startswith("v2026"):
            assert list(new.misfits(told["order"], {"$ref": "#/definitions/Order"}, file.stem)) == []
        elif "order" in told:
            assert list(orders.misfits(told["order"], {"$ref": "#/definitions/Order"}, file.stem)) == []
            rows = {"$ref": "#/definitions/OrderItemsList"}
            assert list(orders.misfits(without_null(told["orderItems"]), rows, file.stem)) == []
    for file in sorted((FILES / "listing").glob("*.json")):
        told = json.loads(file.read_text())
        for row in told.get("items", [told]):
            assert list(items.misfits(row, {"$ref": "#/definitions/Item"}, file.stem)) == []


def without_null(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: without_null(value) for key, value in told.items() if value is not None}
    return [without_null(each) for each in told] if isinstance(told, list) else told

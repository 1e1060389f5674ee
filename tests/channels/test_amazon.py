"""Amazon: what its documents mean and what it is told; explicit values worked out by hand from CANONICAL."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.amazon import ADAPTER, client, mapping, stock, webhook
from hub import orders
from hub.faults import BadSignature, ChannelError, Fault, Unreadable
from hub.model import (
    FulfilledBy,
    Fulfilment,
    Hold,
    Knock,
    LineQuantity,
    ListingStatus,
    ManagedBy,
    News,
    OutcomeKind,
    Payment,
    Reply,
    Request,
    ShipmentNews,
    Status,
    StockWrite,
    Topic,
    TrackingStatus,
    Unsigned,
)

FILES = Path(__file__).parents[1] / "adapters" / "amazon"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
CREDENTIALS = client.Credentials(client_id="id", client_secret=SecretStr("secret"), seller_id="A2BALCAOTESTE1")


def payload(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def v0(**changed: Any) -> dict[str, Any]:
    raw = payload("order", "item_price_is_of_the_whole_line")
    return {**raw, "order": raw["order"] | changed}


def v2026(**changed: Any) -> dict[str, Any]:
    return {"order": payload("order", "v2026_unit_price_is_of_one")["order"] | changed}


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────

STATUSES = [
    ("PendingAvailability", "PENDING_AVAILABILITY", Payment.PENDING, Fulfilment.NONE, Status.PLACED),
    ("Pending", "PENDING", Payment.PENDING, Fulfilment.NONE, Status.PLACED),
    ("Unshipped", "UNSHIPPED", Payment.PAID, Fulfilment.NONE, Status.PAID),
    ("PartiallyShipped", "PARTIALLY_SHIPPED", Payment.PAID, Fulfilment.PARTIAL, Status.DISPATCHED),
    ("Shipped", "SHIPPED", Payment.PAID, Fulfilment.DISPATCHED, Status.DISPATCHED),
    ("InvoiceUnconfirmed", "SHIPPED", Payment.PAID, Fulfilment.DISPATCHED, Status.DISPATCHED),
    ("Canceled", "CANCELLED", Payment.VOIDED, Fulfilment.NONE, Status.CANCELLED),
    ("Unfulfillable", "UNFULFILLABLE", None, Fulfilment.NONE, Status.PLACED),
]


@pytest.mark.parametrize(("old", "new", "payment", "fulfilment", "status"), STATUSES)
def test_statuses_of_both_apis(old: str, new: str, payment: Any, fulfilment: Any, status: Any):
    fulfilled = v2026()["order"]["fulfillment"] | {"fulfillmentStatus": new}
    for raw in (v0(OrderStatus=old), v2026(fulfillment=fulfilled)):
        order = mapping.order(raw)
        assert (order.payment, order.fulfilment, order.status) == (payment, fulfilment, status)
        assert (order.hold is Hold.FROZEN) == (old == "Unfulfillable")


def test_the_price_of_an_item_is_of_the_line_in_v0_and_of_one_in_2026():
    old, new = mapping.order(v0()), mapping.order(v2026())
    assert [(line.quantity, line.total_cents, line.unit_price_cents) for line in old.lines] == [(3, 11970, 3990)]
    assert (old.items_cents, old.shipping_cents, old.other_cents, old.total_cents) == (11970, 1590, 0, 13560)
    assert [(line.quantity, line.total_cents, line.unit_price_cents) for line in new.lines] == [(2, 7980, 3990)]
    assert (new.items_cents, new.shipping_cents, new.other_cents, new.total_cents) == (7980, 1590, None, 9570)


def test_a_unit_price_of_three_places_is_multiplied_before_it_is_rounded():
    (row,) = v2026()["order"]["orderItems"]
    price = {"price": {"unitPrice": {"amount": "3.335", "currencyCode": "BRL"}}}
    order = mapping.order(v2026(orderItems=[row | {"quantityOrdered": 3, "product": row["product"] | price}]))
    assert order.lines[0].total_cents == 1000  # 3 x 3.335 = 10.005, half-even


@pytest.mark.parametrize("amount", ["-7.98", "7.98"])
def test_a_discount_of_2026_is_taken_off_its_line_whatever_its_sign(amount: str):
    (row,) = v2026()["order"]["orderItems"]
    off = {"type": "DISCOUNT", "subtotal": {"amount": amount, "currencyCode": "BRL"}}
    order = mapping.order(v2026(orderItems=[row | {"proceeds": {"breakdowns": [off]}}]))
    assert order.items_cents == 7980 - 798


def test_discounts_of_v0_are_taken_off_line_and_shipping():
    order = mapping.order(payload("order", "promotion_and_free_shipping"))
    assert (order.items_cents, order.shipping_cents, order.discount_cents) == (11970 - 1197, 0, None)
    assert order.total_cents == 10773


def test_wrapping_taxes_and_collection_are_other_charges():
    raw = v0()
    (row,) = raw["orderItems"]["OrderItems"]
    charges = {"ItemTax": "1.00", "ShippingTax": "0.50", "CODFee": "2.00", "CODFeeDiscount": "0.75"}
    money = {name: {"CurrencyCode": "BRL", "Amount": amount} for name, amount in charges.items()}
    wrapped = {"BuyerInfo": {"GiftWrapPrice": {"CurrencyCode": "BRL", "Amount": "4.00"}}}
    raw["orderItems"]["OrderItems"] = [row | money | wrapped]
    assert mapping.order(raw).other_cents == 100 + 50 + 200 - 75 + 400


def test_a_pending_order_tells_no_money_and_is_none():
    order = mapping.order(payload("order", "pending_without_prices"))
    money = (order.items_cents, order.shipping_cents, order.other_cents, order.total_cents)
    assert money == (None,) * 4
    assert [(line.quantity, line.total_cents) for line in order.lines] == [(3, None)]
    assert (order.buyer, order.ship_to, order.currency) == (None, None, "BRL")
    assert ADAPTER.orders
    assert ADAPTER.orders.takes_stock(order) is None, "whether it takes units is not documented"


def test_rows_of_zero_units_are_no_lines_and_what_was_known_of_them_is_cancelled():
    known = orders.merge(None, mapping.order(payload("order", "item_price_is_of_the_whole_line")), 1, {})
    told = mapping.order(payload("order", "cancelled_with_rows_of_zero_units"))
    assert told.lines == ()
    after = orders.merge(known, told, 2, {}).order
    assert (after.status, orders.holds_stock(after, Status.PLACED)) == (Status.CANCELLED, False)
    whole = mapping.order(payload("order", "cancelled_with_its_units"))
    assert [line.cancelled_quantity for line in whole.lines] == [3]


def test_who_sends_it():
    def keeper(name: str) -> tuple[Any, Any]:
        order = mapping.order(payload("order", name))
        return order.fulfilled_by, order.lines[0].fulfilled_by

    assert keeper("sent_by_amazon") == (FulfilledBy.MARKETPLACE,) * 2
    assert keeper("v2026_sent_by_amazon_and_unwanted") == (FulfilledBy.MARKETPLACE,) * 2
    assert keeper("item_price_is_of_the_whole_line") == (FulfilledBy.SELLER,) * 2
    assert mapping.order(v0(FulfillmentChannel=None)).fulfilled_by is None


def test_holds():
    assert mapping.order(payload("order", "buyer_asks_to_cancel_in_a_string")).hold is Hold.CANCEL_REQUESTED
    assert mapping.order(payload("order", "item_price_is_of_the_whole_line")).hold is None  # told as "false"
    assert mapping.order(payload("order", "v2026_sent_by_amazon_and_unwanted")).hold is Hold.CANCEL_REQUESTED
    for word in ("NotFound", "Processing", "Errored"):
        assert mapping.order(v0(ElectronicInvoiceStatus=word)).hold is Hold.INVOICE_PENDING
    for word in ("NotRequired", "Accepted"):
        assert mapping.order(v0(ElectronicInvoiceStatus=word)).hold is None
    assert mapping.order(v0(ElectronicInvoiceStatus="NotFound", FulfillmentChannel="AFN")).hold is None  # Amazon's
    assert mapping.order(v0(ElectronicInvoiceStatus="NotFound", OrderStatus="Shipped")).hold is None
    taxed = {"taxInvoicing": {"invoiceStatus": "NOT_FOUND"}}
    assert mapping.order(v2026(tax=taxed)).hold is Hold.INVOICE_PENDING


def test_windows_end_at_midnight_of_sao_paulo():
    order = mapping.order(v0())
    assert order.ship_by == datetime(2026, 11, 21, 2, 59, 59, tzinfo=UTC)
    assert order.ship_by.astimezone(ZoneInfo("America/Sao_Paulo")).date().isoformat() == "2026-11-20"


def test_units_sent_are_those_told_else_all_of_an_order_that_was_sent():
    assert mapping.order(payload("order", "partially_shipped")).lines[0].dispatched_quantity == 1
    raw = v0(OrderStatus="Shipped")
    del raw["orderItems"]["OrderItems"][0]["QuantityShipped"]
    assert mapping.order(raw).lines[0].dispatched_quantity == 3


def test_parcels_that_arrived():
    assert mapping.order(payload("order", "easy_ship_delivered")).fulfilment is Fulfilment.DELIVERED
    assert mapping.order(v0(EasyShipShipmentStatus="Delivered")).fulfilment is Fulfilment.NONE  # not said to be sent
    shipped = payload("order", "v2026_shipped_with_its_package")
    (parcel,) = mapping.order(shipped).shipments
    assert (parcel.tracking_code, parcel.carrier, parcel.status) == (
        "AA123456785BR", "Correios", TrackingStatus.OUT_FOR_DELIVERY,
    )  # fmt: skip
    assert parcel.lines == (LineQuantity(line_ref="17198765432109", quantity=2),)
    first = shipped["order"]["packages"][0] | {"packageStatus": {"status": "DELIVERED"}}
    both = [first, first | {"packageReferenceId": "2", "packageStatus": {"status": "IN_TRANSIT"}}]
    assert mapping.order({"order": shipped["order"] | {"packages": [first]}}).fulfilment is Fulfilment.DELIVERED
    assert mapping.order({"order": shipped["order"] | {"packages": both}}).fulfilment is Fulfilment.DISPATCHED


def test_people_and_places():
    order = mapping.order(v0())
    assert order.buyer
    assert order.buyer.document
    assert (order.buyer.name, order.buyer.phone) == ("Maria da Silva", "+5511987650001")
    assert (order.buyer.document.kind, order.buyer.document.number) == ("cpf", "52998224725")
    assert order.ship_to
    told = order.ship_to.model_dump()
    assert told == {
        "recipient": "Maria da Silva", "street": "Rua das Acácias", "number": "120", "complement": "Apto 31",
        "district": "Vila Mariana", "city": "São Paulo", "state": "SP", "postal_code": "04101000", "country": "BR",
    }  # fmt: skip
    assert mapping.order(payload("order", "restricted_token_tells_all_in_the_order")).ship_to == order.ship_to
    lines = payload("order", "restricted_token_tells_all_in_the_order")
    del lines["order"]["ShippingAddress"]["ExtendedFields"]
    assert mapping.order(lines).ship_to == order.ship_to.model_copy(update={"district": None})
    masked = mapping.order(payload("order", "masked_without_the_role"))
    assert (masked.ship_to, masked.buyer) == (None, None)
    company = mapping.order(payload("order", "business_with_letters_in_its_cnpj")).buyer
    assert company
    assert company.document
    assert (company.document.kind, company.document.number) == ("cnpj", "12ABC34501DE35")
    new = mapping.order(v2026()).buyer  # the marketplace's own CNPJ stands before it
    assert new
    assert new.document
    assert new.document.number == "11144477735"


def test_an_order_within_any_of_its_envelopes():
    whole, bare = v2026(), v0()["order"]
    assert mapping.order(whole["order"]) == mapping.order(whole) == mapping.order({"orders": [whole["order"]]})
    assert mapping.order({"payload": {"Orders": [bare]}}) == mapping.order({"payload": bare}) == mapping.order(bare)
    composed = v0()
    wrapped = {name: {"payload": told} for name, told in composed.items()}
    assert mapping.order(wrapped) == mapping.order(composed)
    assert mapping.order({**composed, "orderItems": composed["orderItems"]["OrderItems"]}) == mapping.order(composed)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (v0(OrderStatus="Teleported"), "order.OrderStatus"),
        (v0(OrderStatus=None), "order.OrderStatus"),
        (v0(FulfillmentChannel="XFN"), "order.FulfillmentChannel"),
        (v0(AmazonOrderId=None), "order.AmazonOrderId"),
        (v0(OrderTotal={"Amount": "dez"}), "order.OrderTotal.Amount"),
        (v0(OrderTotal={"CurrencyCode": "reais"}), "order.OrderTotal.CurrencyCode"),
        (v0(LastUpdateDate="ontem"), "order.LastUpdateDate"),
        ({**v0(), "orderItems": {"OrderItems": [{"OrderItemId": "1"}]}}, "orderItems.OrderItems.0.QuantityOrdered"),
        (
            {**v0(), "orderItems": {"OrderItems": [{"OrderItemId": "1", "QuantityOrdered": -1}]}},
            "orderItems.OrderItems.0.QuantityOrdered",
        ),
        ({**v0(), "orderItems": {"OrderItems": [{"QuantityOrdered": 1}]}}, "orderItems.OrderItems.0.OrderItemId"),
        (v2026(fulfillment={"fulfillmentStatus": "SENT"}), "order.fulfillment.fulfillmentStatus"),
        (
            v2026(packages=[{"packageReferenceId": "1", "packageStatus": {"status": "EATEN"}}]),
            "order.packages.0.packageStatus.status",
        ),
        ({"payload": {"Orders": [v0()["order"], v0()["order"]]}}, "order"),
        ([], "order"),
    ],
)
def test_what_cannot_be_read_is_named(raw: Any, path: str):
    with pytest.raises(Unreadable) as problem:
        mapping.order(raw)
    assert problem.value.path == path


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_for_sale_is_told_and_not_what_was_submitted():
    (one,) = mapping.listings(payload("listing", "submitted_is_not_what_is_for_sale"))
    assert (one.ref, one.slot_ref, one.location_ref) == ("CANECA-001", "CANECA-001", None)
    assert (one.quantity, one.stock_quantity, one.price_cents, one.gtin) == (12, 12, 3990, "7891000315507")
    assert one.status is ListingStatus.ACTIVE


@pytest.mark.parametrize(
    ("name", "managed_by", "quantity", "stock_quantity"),
    [
        ("sent_by_amazon", ManagedBy.MARKETPLACE, None, None),
        ("patched_by_mistake_has_both_channels", ManagedBy.MARKETPLACE, 8, None),
        ("discoverable_cannot_be_bought", ManagedBy.SELLER, 0, 0),
        ("summaries_only_tells_no_number", ManagedBy.SELLER, None, None),
        ("one_supply_source", ManagedBy.SELLER, 4, 4),
        ("several_supply_sources", ManagedBy.SELLER, 9, None),
    ],
)
def test_whose_number_it_is(name: str, managed_by: Any, quantity: Any, stock_quantity: Any):
    (one,) = mapping.listings(payload("listing", name))
    assert (one.managed_by, one.quantity, one.stock_quantity) == (managed_by, quantity, stock_quantity)


def test_a_listing_of_two_countries_is_read_as_brazil_has_it():
    (one,) = mapping.listings(payload("listing", "sold_in_two_countries_and_to_companies"))
    assert (one.title, one.status, one.price_cents, one.currency) == (
        "Caneca azul 300 ml", ListingStatus.ACTIVE, 3990, "BRL",
    )  # fmt: skip
    (paused,) = mapping.listings(payload("listing", "discoverable_cannot_be_bought"))
    assert paused.status is ListingStatus.PAUSED


def test_the_parent_of_variations_is_no_listing():
    found = mapping.listings(payload("listing", "page_with_a_parent_of_variations"))
    assert [one.sku for one in found] == ["CANECA-008"]


# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────

WRITE = StockWrite(slot_ref="CANECA/AZUL 300", listing_ref="CANECA/AZUL 300", quantity=7)


def outcome(name: str) -> Any:
    told = payload("stock_response", name)
    reply = Reply(status=told["status"], headers={}, body=told["body"].encode())
    return stock.read(WRITE, reply)


def test_a_number_is_merged_into_its_channel_under_an_encoded_sku():
    request = stock.render(WRITE)
    assert request.path == "/listings/2021-08-01/items/{sellerId}/CANECA%2FAZUL%20300"
    (patch,) = request.json["patches"]
    assert (patch["op"], patch["path"]) == ("merge", "/attributes/fulfillment_availability")
    assert patch["value"] == [{"fulfillment_channel_code": "DEFAULT", "quantity": 7}]
    other = stock.render(WRITE.model_copy(update={"location_ref": "d7679e14"}))
    assert other.json["patches"][0]["value"][0]["fulfillment_channel_code"] == "d7679e14"
    assert stock.sent(other).location_ref == "d7679e14"


def test_accepted_is_pending_and_invalid_with_a_200_is_a_fault():
    pending = outcome("accepted_is_not_done_yet")
    assert (pending.outcome, pending.code) == (OutcomeKind.PENDING, "f1dc291475dd11edb8780242ac120002")
    invalid = outcome("invalid_with_a_200")
    assert (invalid.outcome, invalid.code, invalid.message) == (
        OutcomeKind.FAULT, "90000900", "The attributes are invalid.",
    )  # fmt: skip
    assert outcome("invalid_without_a_word").code == "INVALID"
    assert outcome("accepted_with_a_warning").outcome is OutcomeKind.PENDING
    assert (outcome("bad_request").code, outcome("bad_request").message) == ("BAD_REQUEST", "Invalid input")
    assert ADAPTER.faults[outcome("sku_is_gone").code] is Fault.MISSING


@pytest.mark.parametrize(
    ("body", "path"),
    [(b'{"status": "LATER"}', "body.status"), (b"{}", "body.status"), (b"[]", "body"), (b"<html>", "body")],
)
def test_an_answer_without_a_status_is_not_believed(body: bytes, path: str):
    with pytest.raises(Unreadable) as problem:
        stock.read(WRITE, Reply(status=200, headers={}, body=body))
    assert problem.value.path == path


@pytest.mark.parametrize(
    ("path", "patches"),
    [
        ("/orders/v0/orders", []),
        ("/listings/2021-08-01/items/A/S", []),
        ("/listings/2021-08-01/items/A/S", [{"op": "delete", "path": stock.ATTRIBUTE, "value": [{"quantity": 1}]}]),
        ("/listings/2021-08-01/items/A/S", [{"op": "merge", "path": stock.ATTRIBUTE, "value": [{"quantity": -1}]}]),
        ("/listings/2021-08-01/items/A/S", [{"op": "merge", "path": stock.ATTRIBUTE, "value": [{}]}]),
    ],
)
def test_only_a_patch_of_one_number_is_read_back(path: str, patches: Any):
    with pytest.raises(Unreadable, match="request"):
        stock.sent(Request(method="PATCH", path=path, json={"patches": patches}))


# ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────────

THERE = {"order": v0()["order"], "orderItems": v0()["orderItems"]}
NEWS = ShipmentNews(
    news=News.DISPATCHED, order_ref="702-1111111-2222222", tracking_code="AA123456785BR", carrier="Correios",
    service="SEDEX", at=datetime(2026, 11, 20, 12, tzinfo=UTC), there=THERE,
)  # fmt: skip


def told_of(**changed: Any) -> list[Request]:
    return stock.shipped(NEWS.model_copy(update=changed), "default")


def test_a_confirmation_names_what_has_not_left():
    (request,) = told_of()
    assert request.path == "/orders/v0/orders/702-1111111-2222222/shipmentConfirmation"
    parcel = request.json["packageDetail"]
    assert parcel["orderItems"] == [{"orderItemId": "68828574383266", "quantity": 3}]
    assert (parcel["carrierCode"], parcel["trackingNumber"]) == ("Correios", "AA123456785BR")
    assert parcel["shipDate"] == "2026-11-20T12:00:00Z"
    assert parcel["packageReferenceId"].isdecimal()
    assert int(parcel["packageReferenceId"]) > 0
    assert told_of()[0].json == request.json, "the same parcel is the same package"
    (other,) = told_of(tracking_code="BB123456785BR", carrier="Jadlog")
    assert other.json["packageDetail"]["packageReferenceId"] != parcel["packageReferenceId"]
    assert other.json["packageDetail"]["carrierCode"] == "Other"
    assert other.json["packageDetail"]["carrierName"] == "Jadlog"


def test_a_parcel_of_some_lines_names_no_more_than_is_left():
    some = (LineQuantity(line_ref="68828574383266", quantity=2),)
    assert told_of(lines=some)[0].json["packageDetail"]["orderItems"][0]["quantity"] == 2
    (row,) = THERE["orderItems"]["OrderItems"]
    part = THERE | {"orderItems": {"OrderItems": [row | {"QuantityShipped": 2}]}}
    assert told_of(there=part)[0].json["packageDetail"]["orderItems"][0]["quantity"] == 1
    assert told_of(there=part, lines=some)[0].json["packageDetail"]["orderItems"][0]["quantity"] == 1
    gone = THERE | {"orderItems": {"OrderItems": [row | {"QuantityShipped": 3}]}}
    assert told_of(there=gone) == [], "all of it has left"


@pytest.mark.parametrize(
    "changed",
    [
        {"news": News.DELIVERED},
        {"tracking_code": None},
        {"there": THERE | {"order": {"FulfillmentChannel": "AFN"}}},
        {"there": THERE | {"order": {"EasyShipShipmentStatus": "PendingPickUp"}}},
        {"there": None},
    ],
)
def test_there_is_nothing_to_tell(changed: Any):
    assert told_of(**changed) == []


# ── Notices ─────────────────────────────────────────────────────────────────────────────────────────────────


def heard(name: str) -> Any:
    (notice,) = webhook.read(Knock(headers={}, body=payload("notice", name)["body"].encode()))
    return notice


@pytest.mark.parametrize(
    ("name", "topic", "ref"),
    [
        ("order_change_from_the_bus", Topic.ORDER, "702-1111111-2222222"),
        ("order_change_bare_from_a_queue", Topic.ORDER, "702-1111111-2222222"),
        ("quantity_changed", Topic.STOCK, "CANECA-AZUL"),
        ("listing_status_changed", Topic.LISTING, "CANECA-AZUL"),
        ("feed_finished_in_small_letters", Topic.IGNORED, "53347018456"),
        ("fba_stock_is_amazons", Topic.IGNORED, "CANECA-FBA"),
        ("never_seen_before", Topic.UNKNOWN, None),
    ],
)
def test_topics(name: str, topic: Topic, ref: str | None):
    notice = heard(name)
    assert (notice.topic, notice.ref) == (topic, ref)
    assert (notice.raw is not None) == (topic is Topic.UNKNOWN)
    assert notice.account_ref == (None if topic is Topic.UNKNOWN else "A2BALCAOTESTE1")


def test_the_bus_and_a_queue_tell_one_thing():
    bus, queue = heard("order_change_from_the_bus"), heard("order_change_bare_from_a_queue")
    assert bus.dedupe_key == queue.dedupe_key
    assert bus.at == datetime(2026, 11, 18, 16, 10, 6, 109000, tzinfo=UTC)


def test_bodies_that_are_none_and_keys_that_are_not_told():
    for body, path in (
        (b"order", "body"),
        (b'{"NotificationType": "ORDER_CHANGE"}', r"body\.Payload\.AmazonOrderId"),
        (b'{"detail": 5}', r"body\.detail"),
    ):
        with pytest.raises(Unreadable, match=path):
            webhook.read(Knock(headers={}, body=body))
    odd = b'{"NotificationType": "ORDER_CHANGE", "EventTime": "ontem", "Payload": {"AmazonOrderId": "1"}}'
    (notice,) = webhook.read(Knock(headers={}, body=odd))
    assert (notice.ref, notice.at) == ("1", None)


def test_events_show_the_key_of_the_bus():
    hooks = ADAPTER.webhook
    assert hooks
    assert hooks.secret
    assert hooks.secret(CREDENTIALS) is None, "not given yet: every knock is refused"
    keyed = CREDENTIALS.model_copy(update={"event_key": SecretStr("chave")})
    assert hooks.secret(keyed) == "chave"
    hooks.verify("chave", Knock(headers={"x-api-key": "chave"}, body=b"{}"))
    with pytest.raises(BadSignature):
        hooks.verify("chave", Knock(headers={"x-api-key": "outra"}, body=b"{}"))


# ── Tokens ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_tokens_are_of_another_host_and_shown_to_nobody_there():
    request = client.refresh(CREDENTIALS.model_copy(update={"refresh_token": SecretStr("Atzr|1")}), None)
    assert (request.path, request.authenticate) == ("https://api.amazon.com/auth/o2/token", False)
    assert dict(request.form) == {
        "grant_type": "refresh_token", "refresh_token": "Atzr|1", "client_id": "id", "client_secret": "secret",
    }  # fmt: skip
    traded = client.exchange(CREDENTIALS, "code", "https://here", "")
    assert dict(traded.form)["code"] == "code"
    with pytest.raises(ChannelError, match="connected"):
        client.refresh(CREDENTIALS, None)


def test_the_seller_authorizes_in_brazil():
    with pytest.raises(ChannelError, match="application_id"):
        client.authorize(CREDENTIALS, "https://here", "state", "")
    url = client.authorize(CREDENTIALS.model_copy(update={"application_id": "amzn1.sp"}), "https://here", "s", "")
    assert url.startswith("https://sellercentral.amazon.com.br/apps/authorize/consent?application_id=amzn1.sp&state=s")


def test_each_request_has_amazons_headers_its_seller_and_the_narrower_token():
    def signed(**headers: str) -> Request:
        path = f"/listings/2021-08-01/items/{stock.SELLER}/%7BsellerId%7D"
        request = Request(method="GET", path=path, headers=headers)
        now = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
        unsigned = Unsigned(
            request=request, url="", content=None, shown={"x-amz-access-token": "account"}, credentials=CREDENTIALS,
            facts={}, external_id=None, now=now,
        )  # fmt: skip
        return client.sign(unsigned)

    told = signed()
    assert told.path == "/listings/2021-08-01/items/A2BALCAOTESTE1/%7BsellerId%7D"
    assert told.headers["x-amz-access-token"] == "account"
    assert told.headers["x-amz-date"] == "20261120T123000Z"
    assert told.headers["user-agent"] == "Balcao/1.0 (Language=Python)"
    assert signed(**{"x-amz-access-token": "restricted"}).headers["x-amz-access-token"] == "restricted"


# ── Anything at all ─────────────────────────────────────────────────────────────────────────────────────────


@given(JSON)
def test_any_json_is_read_or_refused(raw: Any):
    body = json.dumps(raw).encode()
    news = NEWS.model_copy(update={"there": raw})
    for read in (
        lambda: mapping.order(raw),
        lambda: mapping.listings(raw),
        lambda: webhook.read(Knock(headers={}, body=body)),
        lambda: stock.read(WRITE, Reply(status=200, headers={}, body=body)),
        lambda: stock.read(WRITE, Reply(status=400, headers={}, body=body)),
        lambda: stock.sent(Request(method="PATCH", path="/listings/2021-08-01/items/A/S", json=raw)),
        lambda: stock.shipped(news, "default"),
    ):
        try:
            read()
        except ChannelError as problem:
            assert isinstance(problem, Unreadable)  # noqa: PT017 - it may as well be read


def _mutated(data: st.DataObject, raw: Any) -> Any:
    """The document with one value, anywhere, deleted or made something else."""
    raw = json.loads(json.dumps(raw))
    spot = raw
    while True:
        keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(spot[key], dict | list) and spot[key] and data.draw(st.booleans()):
            spot = spot[key]
        elif data.draw(st.booleans()):
            spot[key] = data.draw(JSON)
            return raw
        else:
            del spot[key]
            return raw


ORDERS = sorted(path.stem for path in (FILES / "order").glob("*.json"))
LISTINGS = sorted(path.stem for path in (FILES / "listing").glob("*.json"))


@given(st.data(), st.sampled_from(ORDERS))
def test_a_broken_order_is_read_or_refused(data: st.DataObject, name: str):
    try:
        mapping.order(_mutated(data, payload("order", name)))
    except ChannelError as problem:
        assert isinstance(problem, Unreadable)  # noqa: PT017 - it may as well be read


@given(st.data(), st.sampled_from(LISTINGS))
def test_a_broken_listing_is_read_or_refused(data: st.DataObject, name: str):
    try:
        mapping.listings(_mutated(data, payload("listing", name)))
    except ChannelError as problem:
        assert isinstance(problem, Unreadable)  # noqa: PT017 - it may as well be read

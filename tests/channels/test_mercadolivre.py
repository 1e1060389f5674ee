"""Mercado Livre's words: every table, every trap with values worked out by hand, and no input breaks them."""

import copy
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.mercadolivre import ADAPTER, client, mapping, stock, webhook
from adapters.mercadolivre.shipment_statuses import STAGES
from hub.contract import LabelState, Token
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import (
    FulfilledBy,
    Fulfilment,
    Hold,
    Knock,
    ListingStatus,
    ManagedBy,
    News,
    Order,
    OutcomeKind,
    Payment,
    Reply,
    Request,
    ShipmentNews,
    Status,
    StockWrite,
    Topic,
    TrackingStatus,
)
from tests.channels.mercadolivre_statuses import TRACKING

FILES = Path(__file__).parents[1] / "adapters" / "mercadolivre"
CATALOGUE = FILES.parents[3] / "shared" / "samples" / "mercadolivre" / "shipment_statuses_catalogue.json"


def told(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def order(name: str) -> Order:
    return mapping.order(told("order", name))


def changed(name: str, path: str, value: Any) -> Any:
    raw = told("order", name)
    at = raw
    *keys, last = path.split(".")
    for key in keys:
        at = at[int(key) if key.isdigit() else key]
    at[last] = value
    return raw


def at(told_time: str) -> datetime:
    return datetime.fromisoformat(told_time).astimezone(UTC)


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_paid_order_in_full():
    o = order("paid_ready_to_ship")
    assert (o.ref, o.number, o.group_ref) == ("2000010000000001", "2000010000000001", None)
    assert (o.payment, o.fulfilment, o.cancelled, o.hold) == (Payment.PAID, Fulfilment.NONE, False, None)
    assert (o.status, o.fulfilled_by) == (Status.PAID, FulfilledBy.SELLER)
    # 2 x 59.90 = 119.80; with 15.90 of shipping 135.70; commission 2 x 7.19
    assert (o.items_cents, o.shipping_cents, o.other_cents, o.total_cents) == (11980, 1590, None, 13570)
    assert (o.fees_cents, o.discount_cents, o.channel_discount_cents, o.refunded_cents) == (
        1438,
        None,
        None,
        0,
    )
    assert o.placed_at == at("2026-03-02T14:14:59Z")
    assert o.changed_at == at("2026-03-02T14:17:20Z")  # the order's, later than the shipment's
    assert o.paid_at == at("2026-03-02T14:15:42Z")
    assert o.ship_by == at("2026-03-04T02:59:59Z")  # 23:59:59 -03:00 of the day before
    assert o.deliver_by == at("2026-03-06T03:00:00Z")
    (line,) = o.lines
    assert (line.ref, line.listing_ref, line.variation_ref) == ("MLB4100000001", "MLB4100000001", None)
    assert (line.sku, line.quantity, line.total_cents, line.unit_price_cents) == (
        "GARRAFA-AZUL",
        2,
        11980,
        5990,
    )
    assert (line.cancelled_quantity, line.dispatched_quantity, line.fulfilled_by) == (
        0,
        0,
        FulfilledBy.SELLER,
    )
    assert o.buyer
    assert (o.buyer.ref, o.buyer.name, o.buyer.phone) == ("700000001", "Marina Teste Alves", None)
    assert o.buyer.document
    assert (o.buyer.document.kind, o.buyer.document.number, o.buyer.document.valid) == (
        "cpf",
        "52998224725",
        True,
    )
    assert o.ship_to
    assert o.ship_to.model_dump() == {
        "recipient": "Marina Teste",
        "street": "Rua do Teste",
        "number": "120",
        "complement": "Apto 31",
        "district": "Centro",
        "city": "Niterói",
        "state": "RJ",
        "postal_code": "24020003",
        "country": "BR",
    }
    (parcel,) = o.shipments
    assert (parcel.ref, parcel.service, parcel.carrier) == ("45000000001", "me2:drop_off", "MEL Distribution")
    assert (parcel.tracking_code, parcel.status) == ("MEL45000000001FMXDF01", TrackingStatus.LABEL_CREATED)
    assert set(o.clocks) == {"order", "shipment", "billing"}
    assert o.clocks["shipment"] == at("2026-03-02T14:16:52Z")
    assert o.raw_status["shipment"] == "ready_to_ship/ready_to_print"


@pytest.mark.parametrize(
    ("status", "unpaid", "paid"),
    [
        ("confirmed", Payment.PENDING, Payment.PENDING),
        ("payment_required", Payment.PENDING, Payment.PENDING),
        ("payment_in_process", Payment.PENDING, Payment.PENDING),
        ("partially_paid", Payment.PENDING, Payment.PENDING),
        ("paid", Payment.PAID, Payment.PAID),
        ("partially_refunded", Payment.PARTIALLY_REFUNDED, Payment.PARTIALLY_REFUNDED),
        ("pending_cancel", Payment.PENDING, Payment.PAID),
        ("cancelled", Payment.VOIDED, Payment.REFUNDED),
        ("invalid", Payment.VOIDED, Payment.REFUNDED),
    ],
)
def test_every_order_status(status: str, unpaid: Payment, paid: Payment):
    raw = changed("paid_ready_to_ship", "order.status", status)
    assert mapping.order(raw).payment == paid
    raw["order"]["payments"] = []
    without = mapping.order(raw)
    assert without.payment == unpaid
    assert without.cancelled == (status in {"cancelled", "invalid"})
    assert without.lines[0].cancelled_quantity == (2 if without.cancelled else 0)


@pytest.mark.parametrize("path", ["order.status", "shipment.status"])
def test_an_unknown_status_is_named_by_its_path(path: str):
    with pytest.raises(Unreadable, match=rf"{path}: unknown: 'teleported'") as refusal:
        mapping.order(changed("paid_ready_to_ship", path, "teleported"))
    assert refusal.value.fault == Fault.SHAPE


def test_an_order_without_its_shipment_does_not_say_who_sends_it():
    o = order("bare_order_without_shipment")
    assert (o.fulfilled_by, o.fulfilment, o.shipments, o.ship_to) == (None, None, (), None)
    assert "shipment" not in o.clocks
    assert (o.shipping_cents, o.total_cents) == (1590, 13570)  # as its approved payment says


def test_an_order_without_shipping_is_the_sellers():
    o = order("bare_order_without_shipping")
    assert (o.fulfilled_by, o.lines[0].fulfilled_by) == (FulfilledBy.SELLER, FulfilledBy.SELLER)
    assert o.clocks["shipment"] is None  # told, by the order itself
    assert o.fulfilment == Fulfilment.DELIVERED  # the seller's tag
    assert (o.shipping_cents, o.total_cents) == (0, 11980)
    untagged = changed("bare_order_without_shipping", "tags", ["paid"])
    assert mapping.order(untagged).fulfilled_by == FulfilledBy.SELLER
    tagged = changed("bare_order_without_shipping", "shipping.id", 45000000001)
    assert mapping.order(tagged).fulfilled_by == FulfilledBy.SELLER  # no_shipping says so too


def test_a_search_of_one_is_that_order():
    o = order("search_page_of_one")
    assert (o.ref, o.changed_at) == ("2000010000000001", at("2026-03-02T14:17:20Z"))


def test_the_shipping_of_a_pack_is_never_repeated_on_its_orders():
    o = order("pack_shipping_is_never_repeated")
    assert (o.number, o.group_ref) == ("2000006000000001", "2000006000000001")
    assert (o.shipping_cents, o.total_cents) == (None, 11980)  # though lead_time.cost is 15.90
    o = order("pack_shipping_told_by_the_order")
    assert (o.shipping_cents, o.total_cents) == (0, 11980)


def test_full_is_fulfilled_by_the_marketplace():
    o = order("full_is_fulfilled_by_marketplace")
    assert o.fulfilled_by == o.lines[0].fulfilled_by == FulfilledBy.MARKETPLACE
    assert o.shipments[0].service == "me2:fulfillment"
    assert (o.fulfilment, o.lines[0].dispatched_quantity) == (Fulfilment.DISPATCHED, 2)


def test_me2_without_a_logistic_type_does_not_say_who_sends_it():
    raw = changed("paid_ready_to_ship", "shipment.logistic", {"mode": "me2"})
    assert mapping.order(raw).fulfilled_by is None
    raw["shipment"]["logistic"] = {"mode": "custom"}
    assert mapping.order(raw).fulfilled_by == FulfilledBy.SELLER


def test_a_shipment_from_before_x_format_new():
    o = order("shipment_before_x_format_new")
    assert (o.fulfilled_by, o.shipments[0].service) == (FulfilledBy.SELLER, "me2:xd_drop_off")
    assert o.hold == Hold.INVOICE_PENDING
    assert o.ship_to
    assert (o.ship_to.recipient, o.ship_to.street) == ("Marina Teste", "Rua do Teste")
    assert (o.ship_by, o.deliver_by) == (at("2026-03-03T03:00:00Z"), at("2026-03-06T03:00:00Z"))
    assert o.shipping_cents == 1590
    assert o.buyer
    assert o.buyer.phone == "+552199887766"


def test_a_masked_address_is_not_told():
    o = order("address_masked_until_paid")
    assert (o.ship_to, o.payment, o.status) == (None, Payment.PENDING, Status.PLACED)
    assert "billing" in o.clocks
    assert o.buyer
    assert (o.buyer.ref, o.buyer.name, o.buyer.document) == ("700000001", None, None)
    raw = changed("paid_ready_to_ship", "shipment.destination.shipping_address.zip_code", None)
    assert mapping.order(raw).ship_to is None


def test_holds():
    assert order("fraud_after_payment").hold == Hold.FRAUD
    assert order("pending_cancel").hold == Hold.CANCEL_REQUESTED
    for substatus, hold in (("invoice_pending", Hold.INVOICE_PENDING), ("ready_to_print", None)):
        assert mapping.order(changed("paid_ready_to_ship", "shipment.substatus", substatus)).hold == hold


def test_what_a_refused_payment_would_have_paid_is_not_paid():
    raw = changed("bare_order_without_shipment", "payments.0.status", "rejected")
    raw["payments"][0]["date_approved"] = None
    o = mapping.order(raw)
    assert (o.shipping_cents, o.total_cents, o.paid_at) == (None, 11980, None)


def test_a_live_order_is_not_cancelled_at_any_time():
    raw = told("order", "cancelled_after_payment")
    raw["order"]["status"] = "partially_refunded"
    assert mapping.order(raw).cancelled_at is None


def test_cancelled_orders():
    before, after = order("cancelled_before_payment"), order("cancelled_after_payment")
    assert (before.payment, before.status) == (Payment.VOIDED, Status.CANCELLED)
    assert before.cancelled_at == at("2026-03-02T15:00:00Z")
    assert (after.payment, after.refunded_cents, after.status) == (Payment.REFUNDED, 11980, Status.CANCELLED)
    assert (after.lines[0].quantity, after.lines[0].cancelled_quantity) == (2, 2)
    assert after.total_cents == 13570  # as first charged
    split = order("pack_splitted")
    assert (split.status, split.fulfilment) == (Status.CANCELLED, Fulfilment.NONE)


def test_goods_sent_outside_mercado_envios_are_gone():
    o = order("shipped_outside_mercado_envios")
    assert (o.fulfilment, o.status, o.cancelled) == (Fulfilment.DISPATCHED, Status.DISPATCHED, False)
    assert o.shipments[0].status == TrackingStatus.CANCELLED


def test_not_delivered_goes_by_its_substatus():
    back, lost = order("not_delivered_returned"), order("not_delivered_lost")
    assert (back.fulfilment, back.shipments[0].status) == (Fulfilment.RETURNED, TrackingStatus.RETURNED)
    assert (back.payment, back.refunded_cents) == (Payment.PARTIALLY_REFUNDED, 5990)
    assert (back.lines[0].dispatched_quantity, back.lines[0].returned_quantity) == (2, 2)
    assert (lost.fulfilment, lost.shipments[0].status) == (Fulfilment.DISPATCHED, TrackingStatus.LOST)


@pytest.mark.parametrize(
    ("words", "fulfilment", "tracking"),
    [
        ("to_be_agreed", Fulfilment.NONE, TrackingStatus.LABEL_CREATED),
        ("pending/buffered", Fulfilment.NONE, TrackingStatus.LABEL_CREATED),
        ("handling/waiting_for_label_generation", Fulfilment.NONE, TrackingStatus.LABEL_CREATED),
        ("ready_to_ship/printed", Fulfilment.NONE, TrackingStatus.LABEL_CREATED),
        ("ready_to_ship/dropped_off", Fulfilment.DISPATCHED, TrackingStatus.ACCEPTED),
        ("stale_ready_to_ship", Fulfilment.NONE, TrackingStatus.LABEL_CREATED),
        ("shipped", Fulfilment.DISPATCHED, TrackingStatus.IN_TRANSIT),
        ("shipped/out_for_delivery", Fulfilment.DISPATCHED, TrackingStatus.OUT_FOR_DELIVERY),
        ("shipped/receiver_absent", Fulfilment.DISPATCHED, TrackingStatus.FAILED_ATTEMPT),
        ("shipped/unauthorized_receiver", Fulfilment.DISPATCHED, TrackingStatus.FAILED_ATTEMPT),
        ("shipped/waiting_for_withdrawal", Fulfilment.DISPATCHED, TrackingStatus.AWAITING_PICKUP),
        ("shipped/at_customs", Fulfilment.DISPATCHED, TrackingStatus.CUSTOMS),
        ("stale_shipped", Fulfilment.DISPATCHED, TrackingStatus.IN_TRANSIT),
        ("delivered", Fulfilment.DELIVERED, TrackingStatus.DELIVERED),
        ("delivered/inferred", Fulfilment.DELIVERED, TrackingStatus.DELIVERED),
        ("delivered/damaged", Fulfilment.DELIVERED, TrackingStatus.DELIVERED),
        ("not_delivered", Fulfilment.DISPATCHED, TrackingStatus.EXCEPTION),
        ("not_delivered/stolen", Fulfilment.DISPATCHED, TrackingStatus.LOST),
        ("not_delivered/destroyed", Fulfilment.DISPATCHED, TrackingStatus.DAMAGED),
        ("not_delivered/returning_to_sender", Fulfilment.DISPATCHED, TrackingStatus.RETURNING),
        ("not_delivered/returned_to_hub", Fulfilment.DISPATCHED, TrackingStatus.RETURNING),
        ("not_delivered/returned_to_warehouse", Fulfilment.RETURNED, TrackingStatus.RETURNED),
        ("cancelled/label_expired", Fulfilment.NONE, TrackingStatus.CANCELLED),
        ("cancelled/pack_partially_cancelled", Fulfilment.NONE, TrackingStatus.CANCELLED),
        ("cancelled/inferred_shipped", Fulfilment.DISPATCHED, TrackingStatus.CANCELLED),
        ("closed", None, TrackingStatus.UNKNOWN),
        ("not_verified", None, TrackingStatus.UNKNOWN),
        ("error", None, TrackingStatus.EXCEPTION),
        ("shipped/handed_to_a_drone", Fulfilment.DISPATCHED, TrackingStatus.IN_TRANSIT),
    ],
)
def test_shipment_statuses(words: str, fulfilment: Fulfilment | None, tracking: TrackingStatus):
    status, _, substatus = words.partition("/")
    raw = changed("paid_ready_to_ship", "shipment.status", status)
    raw["shipment"]["substatus"] = substatus or None
    o = mapping.order(raw)
    assert (o.fulfilment, o.shipments[0].status) == (fulfilment, tracking)


@pytest.mark.skipif(not CATALOGUE.is_file(), reason="no samples beside the repository")
def test_the_whole_catalogue_of_statuses_is_in_the_tables():
    rows = json.loads(CATALOGUE.read_text())
    assert {row["id"] for row in rows} == set(STAGES)
    listed = {(row["id"], sub["id"]) for row in rows for sub in row["substatuses"]}
    assert listed | {("shipped", "unauthorized_receiver")} == set(TRACKING)


@pytest.mark.parametrize(("status", "substatus"), sorted(TRACKING))
def test_every_substatus_of_the_catalogue(status: str, substatus: str):
    raw = told("order", "paid_ready_to_ship")
    raw["shipment"] |= {"status": status, "substatus": substatus}
    assert mapping.order(raw).shipments[0].status == TRACKING[status, substatus]


def test_me1_tells_a_phone_and_its_mode():
    o = order("me1_own_carrier")
    assert (o.shipments[0].service, o.fulfilled_by) == ("me1", FulfilledBy.SELLER)
    assert o.buyer
    assert (o.buyer.phone, o.buyer.document) == ("+5511999887766", None)


def test_a_kit_component_is_an_order_like_any_other():
    o = order("kit_component")
    assert (o.lines[0].listing_ref, o.lines[0].quantity) == ("MLB4100000001", 2)
    assert "bundle_component" in o.raw_status["tags"]


def test_money_is_rounded_by_the_line_never_by_the_unit():
    o = order("money_as_long_floats")
    assert (o.lines[0].total_cents, o.items_cents, o.total_cents) == (2858, 2858, 2858)
    assert o.fees_cents == 343  # 2 x 1.715, not 2 x 1.72
    assert o.shipping_cents == 0  # told as zero


def test_discounts_stay_in_the_line_and_the_channels_part_in_its_own_field():
    o = order("discount_shared_with_the_channel")
    assert (o.items_cents, o.channel_discount_cents) == (11980, 1200)  # 2 x (10.00 - 4.00)
    assert (o.other_cents, o.total_cents) == (321, 11980 + 321 + 1590)


def test_numbers_may_come_as_strings_and_strings_as_numbers():
    o = order("variation_and_types_drift")
    (line,) = o.lines
    assert (line.ref, line.variation_ref) == ("MLB4100000001:176000000001", "176000000001")
    assert (line.sku, line.quantity, line.total_cents) == ("GARRAFA-AZUL-1L", 2, 11980)
    assert o.ship_to
    assert (o.ship_to.number, o.ship_to.postal_code) == ("120", "24020003")
    assert o.buyer
    assert o.buyer.document
    assert (o.buyer.name, o.buyer.document.kind) == ("Teste Ltda", "cnpj")
    assert (o.buyer.document.number, o.buyer.document.valid) == ("11222333000181", True)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("order.order_items.0.quantity", 1.5, "order.order_items.0.quantity: "),
        ("order.order_items.0.unit_price", "muito", "order.order_items.0.unit_price: "),
        ("order.order_items.0.item", None, "order.order_items.0.item.id: "),
        ("order.order_items", [], "order.order_items: "),
        ("order.id", 0, "order.id: "),
        ("order.date_created", "ontem", "order.date_created: "),
        ("order.currency_id", "reais", "order.currency_id: "),
        ("shipment.id", None, "shipment.id: "),
        ("shipment.last_updated", "2026-13-01", "shipment.last_updated: "),
    ],
)
def test_a_refusal_names_the_path(path: str, value: Any, sentence: str):
    with pytest.raises(Unreadable) as refusal:
        mapping.order(changed("paid_ready_to_ship", path, value))
    assert refusal.value.detail.startswith(sentence)
    assert "\n" not in refusal.value.detail


@pytest.mark.parametrize(
    "raw",
    [None, [], [{"id": 46803546483, "type": "forward"}], {"id": 1, "status": "pending"}, {"results": []}],
)
def test_what_is_no_order_is_refused(raw: Any):
    with pytest.raises(Unreadable, match="this is not a Mercado Livre order"):
        mapping.order(raw)


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listed(name: str) -> list[Any]:
    return mapping.listings(told("listing", name))


def test_an_item_in_full():
    (one,) = listed("item_with_user_product")
    assert (one.ref, one.variation_ref, one.slot_ref) == ("MLB4100000001", None, "MLBU3100000001")
    assert (one.sku, one.gtin) == ("GARRAFA-AZUL", "7891234567895")  # SELLER_SKU before seller_custom_field
    assert (one.status, one.quantity, one.stock_quantity) == (ListingStatus.ACTIVE, 8, 8)
    assert (one.price_cents, one.currency, one.managed_by) == (5990, "BRL", ManagedBy.SELLER)
    assert (one.location_ref, one.version) == (None, None)


def test_an_item_without_stock_is_paused():
    (one,) = listed("item_before_user_products")
    assert (one.slot_ref, one.sku) == ("MLB4100000001", "interno-17")
    assert (one.status, one.quantity, one.stock_quantity) == (ListingStatus.PAUSED, 0, 0)


def test_a_variation_is_a_listing_of_its_own():
    blue, black, green = listed("variations_sku_precedence")
    assert (blue.variation_ref, blue.slot_ref) == ("176000000001", "MLB4100000001:176000000001")
    assert (blue.sku, blue.gtin, blue.quantity) == ("GARRAFA-AZUL", "4006381333931", 4)
    assert (black.slot_ref, black.sku, black.price_cents) == ("MLBU3100000002", "GARRAFA-PRETA", 6490)
    # Nothing of its own: the item's SELLER_SKU, then GTIN and price.
    assert (green.sku, green.gtin, green.price_cents) == ("GARRAFA-AZUL", "7891234567895", 5990)


def test_variations_do_not_share_the_items_user_product():
    raw = told("listing", "variations_sku_precedence") | {"user_product_id": "MLBU3100000009"}
    assert [one.slot_ref for one in mapping.listings(raw)] == [
        "MLB4100000001:176000000001",
        "MLBU3100000002",
        "MLB4100000001:176000000003",
    ]


def test_full_and_kits_keep_their_own_stock():
    assert [one.managed_by for one in listed("full_is_managed_by_marketplace")] == [ManagedBy.MARKETPLACE]
    assert [one.managed_by for one in listed("kit_stock_is_not_ours")] == [ManagedBy.MARKETPLACE]


def test_stock_by_location():
    here, there = listed("stock_by_location")
    assert (here.slot_ref, here.location_ref) == ("MLBU3100000001", "70000001:BRP160001")
    assert (here.quantity, here.stock_quantity, here.version) == (5, 5, "17")
    assert (there.location_ref, there.stock_quantity) == ("70000002:BRP160002", 3)


def test_the_stock_of_another_user_product_is_not_ours():
    raw = told("listing", "stock_by_location")
    raw["stock"] = [raw["stock"] | {"id": "MLBU3199999999"}]
    assert [one.location_ref for one in mapping.listings(raw)] == [None]


def test_both_multigets():
    assert [one.ref for one in listed("multiget_with_one_gone")] == ["MLB4100000001"]
    assert listed("multiget_with_one_gone")[0].quantity == 8
    assert [one.ref for one in listed("bulk_multiget")] == ["MLB4100000001"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("under_review_with_a_warning", ListingStatus.ACTIVE),
        ("under_review_forbidden", ListingStatus.CLOSED),
        ("closed_by_uptin_migration", ListingStatus.CLOSED),
    ],
)
def test_listing_statuses(name: str, status: ListingStatus):
    assert [one.status for one in listed(name)] == [status]


def test_an_unknown_listing_status_is_named_by_its_path():
    with pytest.raises(Unreadable, match=r"item\.status: unknown: 'melting'"):
        mapping.listings(told("listing", "item_with_user_product") | {"status": "melting"})


@pytest.mark.parametrize("odd", [-1, "", 1.5, "many"])
def test_a_quantity_that_is_none_is_named_by_its_path(odd: Any):
    with pytest.raises(Unreadable, match=r"item\.available_quantity: "):
        mapping.listings(told("listing", "item_with_user_product") | {"available_quantity": odd})


def test_users_are_no_items():
    with pytest.raises(Unreadable, match=r"0\.body\.id"):
        mapping.listings([{"code": 200, "body": {"id": 401114259, "nickname": "X", "site_id": "MLB"}}])


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


def write(**more: Any) -> StockWrite:
    given: dict[str, Any] = {"slot_ref": "MLBU3100000001", "listing_ref": "MLB4100000001", "quantity": 6}
    return StockWrite(**(given | more))


def put(path: str, body: Any) -> Request:
    return Request(method="PUT", path=path, json=body)


def test_each_write_has_its_own_path():
    plain, variation = write(), write(variation_ref="176000000001")
    shelf = write(location_ref="70000001:BRP160001", version="17")
    requests = [request for request, _ in stock.render([plain, variation, shelf])]
    assert [(r.method, r.path) for r in requests] == [
        ("PUT", "/items/MLB4100000001"),
        ("PUT", "/items/MLB4100000001/variations/176000000001"),  # never a list of some variations
        ("PUT", "/user-products/MLBU3100000001/stock/type/seller_warehouse"),
    ]
    assert [r.json for r in requests[:2]] == [{"available_quantity": 6}] * 2
    assert requests[2].headers == {"x-version": "17"}
    assert requests[2].json == {"locations": [{"store_id": "70000001", "network_node_id": "BRP160001", "quantity": 6}]}
    assert 409 in requests[2].accept
    assert 409 not in requests[0].accept  # there it is TRANSIENT
    assert ADAPTER.stock
    assert [ADAPTER.stock.compare_and_set(one) for one in (plain, variation, shelf)] == [False, False, True]


@pytest.mark.parametrize(
    ("name", "kind", "seen", "code"),
    [
        ("item_accepted", OutcomeKind.ACCEPTED, 6, None),
        ("item_paused_at_zero", OutcomeKind.ACCEPTED, 0, None),
        ("variation_accepted", OutcomeKind.ACCEPTED, 4, None),
        ("ignored_for_several_stock_origins", OutcomeKind.FAULT, 8, "ignored"),
        ("location_accepted", OutcomeKind.ACCEPTED, 10, None),
        ("version_mismatch_is_stale", OutcomeKind.STALE, None, "conflict"),
        ("missing_version_header_is_stale", OutcomeKind.STALE, None, "bad_request"),
        ("kit_is_refused", OutcomeKind.FAULT, None, "item.available_quantity.not_modifiable"),
        ("cause_as_strings", OutcomeKind.FAULT, None, "bad_request"),
    ],
)
def test_stock_answers(name: str, kind: OutcomeKind, seen: int | None, code: str | None):
    said = told("stock_response", name)
    writes = stock.asked(put(said["request"]["path"], said["request"]["json"]))
    reply = Reply(status=said["status"], headers=said["headers"], body=json.dumps(said["body"]).encode())
    (outcome,) = stock.read(writes, reply)
    assert (outcome.outcome, outcome.seen, outcome.code) == (kind, seen, code)
    assert (outcome.message is None) == (kind == OutcomeKind.ACCEPTED)


def test_the_quantity_seen_is_that_of_the_variation_written():
    rows = [{"id": 1, "available_quantity": 3}, {"id": 2, "available_quantity": 6}]
    for body in (rows, {"id": "MLB4100000001", "available_quantity": 9, "variations": rows}, rows[1]):
        reply = Reply(status=200, headers={}, body=json.dumps(body).encode())
        (outcome,) = stock.read([write(variation_ref="2")], reply)
        assert (outcome.outcome, outcome.seen) == (OutcomeKind.ACCEPTED, 6)


def test_writes_are_what_the_request_asks_for():
    for one in (write(slot_ref="MLB4100000001"), write(variation_ref="17", slot_ref="MLB4100000001:17")):
        ((request, _),) = stock.render([one])
        assert stock.asked(request) == [one]
    shelf = write(location_ref="7:BRP1", listing_ref="", version=None)
    ((request, _),) = stock.render([shelf])
    assert stock.asked(request) == [shelf]
    with pytest.raises(Unreadable):
        stock.asked(put("/questions/1", {}))


# ── Errors and tokens ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (400, {"error": "invalid_grant", "status": 400, "cause": []}, Fault.AUTH),
        (400, {"message": "x", "error": "validation_error", "status": 400}, Fault.REJECTED),
        (401, {"message": "invalid_token", "error": "not_found", "status": 401}, Fault.AUTH),
        (403, {"code": "PA_UNAUTHORIZED_RESULT_FROM_POLICIES", "status": 403}, Fault.AUTH),
        (403, {"error": "forbidden", "message": "User 1 cannot access to seller_product X"}, Fault.REJECTED),
        (404, {"error": "not_found", "message": "Order do not exists"}, Fault.MISSING),
        (409, {"message": "item optimistic locking error", "error": "conflict"}, Fault.TRANSIENT),
        (429, {"message": "local_rate_limited", "status": 429}, Fault.THROTTLED),
        (429, {"error": "too_many_requests", "message": "client.id over quota"}, Fault.THROTTLED),
        (500, {"message": "internal"}, Fault.TRANSIENT),
    ],
)
def test_faults(status: int, body: dict[str, Any], fault: Fault):
    code = ADAPTER.read_error(Reply(status=status, headers={}, body=json.dumps(body).encode()))
    assert ADAPTER.faults.get(code or "", ADAPTER.faults.get(status)) == fault


def test_an_answer_that_is_no_refusal_has_no_code():
    assert ADAPTER.read_error(Reply(status=200, headers={}, body=b'{"error": "x", "code": "y"}')) is None
    assert ADAPTER.read_error(Reply(status=502, headers={}, body=b"<html>Bad Gateway</html>")) is None


CREDENTIALS = client.Credentials(client_id="42", client_secret=SecretStr("s"), refresh_token=SecretStr("TG-1"))


def test_tokens():
    assert ADAPTER.token
    assert ADAPTER.token.single_use
    first = ADAPTER.token.request(CREDENTIALS, None)
    assert dict(first.form)["refresh_token"] == "TG-1"
    assert (first.path, first.authenticate, first.is_repeatable()) == ("/oauth/token", False, False)
    body = b'{"access_token": "APP_USR-1", "expires_in": 10800, "user_id": 1234567, "refresh_token": "TG-2"}'
    now = datetime(2026, 3, 2, tzinfo=UTC)
    token = ADAPTER.token.read(Reply(status=200, headers={}, body=body), now)
    assert token.expires_at == datetime(2026, 3, 2, 3, tzinfo=UTC)
    assert token.account_ref == "1234567"
    assert ADAPTER.token.headers(token) == {"Authorization": "Bearer APP_USR-1"}
    assert dict(ADAPTER.token.request(CREDENTIALS, token).form)["refresh_token"] == "TG-2"


@pytest.mark.parametrize(("status", "fault"), [(400, Fault.AUTH), (429, Fault.THROTTLED), (503, Fault.TRANSIENT)])
def test_a_token_refused(status: int, fault: Fault):
    reply = Reply(status=status, headers={}, body=b'{"error": "invalid_grant"}')
    with pytest.raises(ChannelError) as refusal:
        client.read_token(reply, datetime(2026, 3, 2, tzinfo=UTC))
    assert (refusal.value.fault, refusal.value.code) == (fault, "invalid_grant")


def test_without_any_refresh_token_the_seller_must_connect():
    bare = CREDENTIALS.model_copy(update={"refresh_token": None})
    with pytest.raises(ChannelError) as refusal:
        client.refresh(bare, Token(access=SecretStr("a"), expires_at=None))
    assert refusal.value.fault == Fault.AUTH


def test_authorize():
    assert ADAPTER.oauth
    url = ADAPTER.oauth.authorize(CREDENTIALS, "https://hub.example/oauth", "st", "challenge")
    assert url == (
        "https://auth.mercadolivre.com.br/authorization?response_type=code&client_id=42"
        "&redirect_uri=https%3A%2F%2Fhub.example%2Foauth&state=st"
        "&code_challenge=challenge&code_challenge_method=S256"
    )
    form = dict(ADAPTER.oauth.exchange(CREDENTIALS, "TG-c", "https://hub.example/oauth", "verifier").form)
    assert (form["grant_type"], form["code_verifier"]) == ("authorization_code", "verifier")


# ── Shipments ───────────────────────────────────────────────────────────────────────────────────────────────


def news(what: News, **more: Any) -> list[Request]:
    given: dict[str, Any] = {
        "news": what,
        "order_ref": "1",
        "shipment_ref": "45000000001",
        "service": "me1",
        "at": datetime(2026, 1, 16, 16, 3, 51, 175_000, tzinfo=UTC),
    }
    assert ADAPTER.shipments
    return ADAPTER.shipments.render(ShipmentNews(**(given | more)), ADAPTER.shipments.targets[0])


def test_me1_is_told():
    (request,) = news(News.DISPATCHED, tracking_code="OP1BR", tracking_url="https://t.example/OP1BR")
    assert (request.method, request.path) == ("POST", "/shipments/45000000001/seller_notifications")
    assert request.json == {
        "payload": {"service_id": 11, "comment": "Despachado", "date": "2026-01-16T13:03:51.175-03:00"},
        "tracking_number": "OP1BR",
        "tracking_url": "https://t.example/OP1BR",
        "status": "shipped",
        "substatus": "null",  # a string
    }
    (request,) = news(News.DELIVERED)
    assert request.json == {
        "payload": {"comment": "Pedido entregue", "date": "2026-01-16T13:03:51.175-03:00"},
        "status": "delivered",
        "substatus": "null",
    }
    assert news(News.OUT_FOR_DELIVERY)[0].json["substatus"] == "out_for_delivery"
    assert news(News.RETURNED)[0].json["status"] == "not_delivered"
    assert news(News.IN_TRANSIT) == []
    assert news(News.FAILED_ATTEMPT) == []  # wants a reason that we do not have


def test_only_me1_is_told():
    for service in ("me2:drop_off", "custom", "not_specified", None):
        assert news(News.DISPATCHED, service=service) == []
    with pytest.raises(ChannelError) as refusal:
        news(News.DISPATCHED, shipment_ref=None)
    assert refusal.value.fault == Fault.REJECTED


# ── Notices ─────────────────────────────────────────────────────────────────────────────────────────────────


def notice(name: str) -> Any:
    said = told("notice", name)
    (one,) = webhook.read(Knock(headers=said["headers"], body=said["body"].encode(), url=said["url"]))
    return one


@pytest.mark.parametrize(
    ("name", "topic", "ref"),
    [
        ("orders_v2", Topic.ORDER, "2000010000000001"),
        ("user_id_as_a_string", Topic.ORDER, "2000010000000001"),
        ("shipments", Topic.SHIPMENT, "45000000001"),
        ("items", Topic.LISTING, "MLB4100000001"),
        ("stock_location", Topic.STOCK, "MLBU3100000001"),
        ("fbm_stock_operations", Topic.STOCK, "9876"),
        ("id_and_resource_without_slash", Topic.IGNORED, "5100000001"),
        ("recieved_misspelt_with_nanoseconds", Topic.IGNORED, "1234567"),
        ("a_topic_never_seen", Topic.UNKNOWN, "1"),
    ],
)
def test_notices(name: str, topic: Topic, ref: str):
    one = notice(name)
    assert (one.topic, one.ref, one.account_ref) == (topic, ref, "123456789")
    assert one.at == datetime(2026, 3, 2, 14, 15, 44, 106_074 if "nano" in name else 106_000, tzinfo=UTC)
    assert (one.raw is None) == (topic != Topic.UNKNOWN)  # the others only ring the bell


def test_an_attempt_repeated_is_the_same_notice_and_a_new_change_is_not():
    first = notice("orders_v2")
    assert notice("orders_v2_retried").dedupe_key == first.dedupe_key
    assert notice("user_id_as_a_string").dedupe_key == first.dedupe_key  # as embedded in missed_feeds
    later = json.loads(told("notice", "orders_v2")["body"]) | {"received": "2026-03-02T14:16:00.000Z"}
    assert webhook.notice(later).dedupe_key != first.dedupe_key
    assert notice("shipments").dedupe_key != first.dedupe_key


def test_an_odd_time_does_not_lose_the_bell():
    body = json.loads(told("notice", "orders_v2")["body"]) | {"received": "agora"}
    assert webhook.notice(body).at is None
    assert notice("received_missing").at == datetime(2026, 3, 2, 14, 15, 44, 129_000, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"null", b'{"topic": "orders_v2"}', b"[" * 100_000])
def test_what_is_no_notification_is_refused(body: bytes):
    with pytest.raises(Unreadable):
        webhook.read(Knock(headers={}, body=body))


def test_every_topic_the_vendor_lists_is_known():
    topics = (
        "orders_v2 shipments items items_prices stock-locations payments messages questions public_offers "
        "invoices post_purchase orders_feedback flex-handshakes user-products-families price_suggestion"
    )
    for topic in topics.split():
        assert webhook.notice({"topic": topic, "resource": "/x/1"}).topic != Topic.UNKNOWN


# ── Whatever comes in ───────────────────────────────────────────────────────────────────────────────────────

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars, lambda of: st.lists(of, max_size=4) | st.dictionaries(st.text(max_size=12), of, max_size=4)
)
odd: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, 1e308, "", "0", "x", "NaN", "1e999999", [], [None], {}, {"id": []}]
)


def paths(raw: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    rows = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    return [step for key, value in rows for step in ((*at, key), *paths(value, (*at, key)))]


def mutated(raw: Any, at: tuple[Any, ...], value: Any, *, drop: bool) -> Any:
    copied = copy.deepcopy(raw)
    inner = copied
    for key in at[:-1]:
        inner = inner[key]
    if drop:
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    return copied


def survives(read: Any, raw: Any) -> None:
    with suppress(ChannelError):
        read(raw)


@given(values)
def test_any_json_is_read_or_refused(raw: Any):
    for read in (mapping.order, mapping.listings, webhook.notice):
        survives(read, raw)
    body = json.dumps(raw).encode("utf-8", "surrogatepass")
    survives(lambda raw: stock.read([write()], Reply(status=200, headers={}, body=body)), raw)
    survives(lambda raw: stock.read([write()], Reply(status=400, headers={}, body=body)), raw)
    survives(lambda raw: stock.asked(put("/items/MLB1", raw)), raw)
    survives(
        lambda raw: client.read_token(Reply(status=200, headers={}, body=body), at("2026-03-02T00:00:00Z")),
        raw,
    )


READERS = {"order": mapping.order, "listing": mapping.listings}
CASES = sorted((f.parent.name, f.stem) for facet in READERS for f in (FILES / facet).glob("*.json"))


@settings(max_examples=400)
@given(st.sampled_from(CASES), st.data())
def test_a_payload_with_one_thing_wrong_is_read_or_refused(case: tuple[str, str], data: st.DataObject):
    facet, name = case
    raw = told(facet, name)
    where = data.draw(st.sampled_from(paths(raw)))
    survives(READERS[facet], mutated(raw, where, data.draw(odd | scalars), drop=data.draw(st.booleans())))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_notice_or_refused(body: bytes):
    survives(lambda raw: webhook.read(Knock(headers={}, body=raw)), body)


# ── Labels ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("where", "state"),
    [
        ("ready_to_ship/ready_to_print", LabelState.READY), ("ready_to_ship/printed", LabelState.READY),
        ("ready_to_ship/invoice_pending", LabelState.INVOICE), ("handling/invoice_pending", LabelState.INVOICE),
        ("pending/buffered", LabelState.WAITING), ("handling/waiting_for_label_generation", LabelState.WAITING),
        ("ready_to_ship/dropped_off", LabelState.POSTED), ("ready_to_ship/in_transit", LabelState.POSTED),
        ("shipped", LabelState.POSTED), ("delivered", LabelState.POSTED), ("not_delivered/returned", LabelState.POSTED),
        ("cancelled", LabelState.CANCELLED), ("cancelled/shipped_outside_me", LabelState.CANCELLED),
    ],
)  # fmt: skip
def test_whether_a_label_can_be_had(where: str, state: LabelState):
    status, _, substatus = where.partition("/")
    promised = {"buffering": {"date": "2026-03-04T12:00:00.000-03:00"}} if substatus == "buffered" else None
    raw = {"id": 1, "status": status, "substatus": substatus or None, "lead_time": promised,
           "logistic": {"mode": "me2", "type": "drop_off"}}  # fmt: skip
    found = mapping.label(raw)
    assert found.state is state
    assert found.until == (datetime(2026, 3, 4, 15, tzinfo=UTC) if promised else None)


@pytest.mark.parametrize("logistic", [{"mode": "me2", "type": "fulfillment"}, {"mode": "me1", "type": "default"}])
def test_full_and_a_sellers_own_carrier_have_no_label(logistic: Any):
    raw = {"id": 1, "status": "ready_to_ship", "substatus": "ready_to_print", "logistic": logistic}
    assert mapping.label(raw).state is LabelState.NONE


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"status": 7}, {"status": "teleported"}])
def test_a_shipment_that_cannot_be_read_has_no_label(raw: Any):
    with pytest.raises(Unreadable):
        mapping.label(raw)

"""WooCommerce's words, worked out by hand, and whatever else may come."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import adapters
from adapters.woocommerce import ADAPTER, client, mapping, stock, webhook
from hub.addresses import is_safe, store_ref
from hub.faults import BadSignature, ChannelError, Fault, Unreadable
from hub.model import (
    Fulfilment,
    Knock,
    LineQuantity,
    ListingStatus,
    News,
    OutcomeKind,
    Payment,
    Reply,
    Request,
    ShipmentNews,
    Status,
    StockWrite,
    Topic,
)

FILES = Path(__file__).parent.parent / "adapters" / "woocommerce"
NOTICES = sorted((FILES / "notice").glob("*.json"))


def told(facet: str, case: str) -> Any:
    return json.loads((FILES / facet / f"{case}.json").read_text())


def order(case: str = "processing_paid", **changes: Any) -> Any:
    return mapping.order(told("order", case) | changes)


def test_is_found_by_its_folder():
    assert adapters.get("woocommerce") is ADAPTER
    assert ADAPTER.can() == ("webhook", "orders", "listings", "stock", "shipments")


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("case", "payment", "fulfilment", "cancelled", "status"),
    [
        ("processing_paid", Payment.PAID, Fulfilment.NONE, False, Status.PAID),
        ("pending_awaits_pix", Payment.PENDING, Fulfilment.NONE, False, Status.PLACED),
        ("on_hold_is_payment_pending", Payment.PENDING, Fulfilment.NONE, False, Status.PLACED),
        ("failed_is_payment_pending", Payment.PENDING, Fulfilment.NONE, False, Status.PLACED),
        ("checkout_draft", Payment.PENDING, Fulfilment.NONE, False, Status.PLACED),
        ("cash_on_delivery_unpaid", Payment.PENDING, Fulfilment.NONE, False, Status.PLACED),
        ("completed_is_paid_and_dispatched", Payment.PAID, Fulfilment.DISPATCHED, False, Status.DISPATCHED),
        ("core_fulfillment_shipped", Payment.PAID, Fulfilment.DISPATCHED, False, Status.DISPATCHED),
        ("cancelled_before_payment_is_voided", Payment.VOIDED, Fulfilment.NONE, True, Status.CANCELLED),
        ("cancelled_after_payment", Payment.REFUNDED, Fulfilment.NONE, True, Status.CANCELLED),
        ("trash_is_cancelled", Payment.VOIDED, Fulfilment.NONE, True, Status.CANCELLED),
        ("refunded_whole", Payment.REFUNDED, Fulfilment.NONE, False, Status.PAID),
        ("refunded_after_dispatch", Payment.REFUNDED, Fulfilment.DISPATCHED, False, Status.DISPATCHED),
        (
            "partial_refund_keeps_status",
            Payment.PARTIALLY_REFUNDED,
            Fulfilment.DISPATCHED,
            False,
            Status.DISPATCHED,
        ),
        ("status_of_a_plugin_paid", Payment.PAID, Fulfilment.NONE, False, Status.PAID),
        ("status_of_a_plugin_unpaid", Payment.PENDING, Fulfilment.NONE, False, Status.PLACED),
    ],
)
def test_status(case: str, payment: Payment, fulfilment: Fulfilment, cancelled: bool, status: Status):
    found = order(case)
    assert (found.payment, found.fulfilment, found.cancelled, found.status) == (
        payment,
        fulfilment,
        cancelled,
        status,
    )
    assert found.raw_status == {"status": told("order", case)["status"]}
    assert found.hold is None


def test_processing_without_any_word_on_payment_is_paid():
    raw = told("order", "processing_paid")
    del raw["date_paid"], raw["date_paid_gmt"]
    assert mapping.order(raw).payment is Payment.PAID


def test_cancelled_order_paid_before_stays_paid_until_refunded():
    assert order("cancelled_after_payment", refunds=[]).payment is Payment.PAID


def test_a_cancelled_order_cancels_every_unit_and_no_other_does():
    assert [(line.quantity, line.cancelled_quantity) for line in order("trash_is_cancelled").lines] == [(2, 2)]
    assert [line.cancelled_quantity for line in order("refunded_whole").lines] == [0]


def test_completed_has_dispatched_every_unit():
    assert [line.dispatched_quantity for line in order("completed_is_paid_and_dispatched").lines] == [2]
    assert [line.dispatched_quantity for line in order().lines] == [0]


@pytest.mark.parametrize(
    ("case", "items", "discount", "shipping_", "other", "total", "refunded"),
    [
        ("processing_paid", 5980, 0, 1840, 0, 7820, 0),
        ("taxes_and_fees", 5980, 0, 1840, 477 + 600, 8897, 0),
        ("pix_discount_is_a_negative_fee", 5980, 299, 1840, 0, 7521, 0),
        ("coupon_is_inside_the_lines", 5000, 0, 1840, 0, 6840, 0),
        ("price_is_a_float_artefact", 2990, 0, 1840, 0, 4830, 0),
        ("partial_refund_keeps_status", 5980, 0, 1840, 0, 7820, 1250),
        ("refunded_whole", 5980, 0, 1840, 0, 7820, 7820),
        ("types_drift", 5980, 0, 1840, 0, 7820, 0),
        ("php_lists_with_gaps", 6980, 0, 1840, 0, 8820, 0),
    ],
)
def test_money(case, items, discount, shipping_, other, total, refunded):
    found = order(case)
    assert (found.items_cents, found.discount_cents, found.shipping_cents) == (items, discount, shipping_)
    assert (found.other_cents, found.total_cents, found.refunded_cents) == (other, total, refunded)
    assert items - discount + shipping_ + other == total


def test_money_not_told_is_null():
    raw = told("order", "processing_paid")
    for key in ("refunds", "shipping_total", "total_tax", "total"):
        del raw[key]
    found = mapping.order(raw)
    assert (found.refunded_cents, found.shipping_cents, found.other_cents, found.total_cents) == (None,) * 4


def test_unit_price_comes_from_the_total_and_not_from_the_float():
    (line,) = order("price_is_a_float_artefact").lines
    assert (line.total_cents, line.unit_price_cents) == (2990, 1495)


def test_lines():
    (line,) = order("line_of_a_variation").lines
    assert (line.ref, line.listing_ref, line.variation_ref, line.sku) == ("811", "90", "94", "CAM-P")
    assert line.title == "Camiseta – P & slim"
    (line,) = order().lines
    assert (line.listing_ref, line.variation_ref) == ("71", None)
    (line,) = order("line_of_a_deleted_product").lines
    assert (line.listing_ref, line.variation_ref, line.sku) == (None, None, None)


def test_numbers_told_as_strings_and_strings_as_numbers():
    found = order("types_drift")
    assert (found.ref, found.number, found.buyer.ref) == ("5120", "5120", "33")
    (line,) = found.lines
    assert (line.sku, line.quantity, line.listing_ref, line.variation_ref) == ("70415", 2, "71", None)


def test_number_is_what_a_person_reads():
    found = order("number_of_a_numbering_plugin")
    assert (found.ref, found.number) == ("5120", "LOJA-2026-0077")


@pytest.mark.parametrize("units", [1.5, "0.5", 0, -1, "dois", None, True, "1e999999"])
def test_a_quantity_that_is_no_count_of_units_is_refused(units: Any):
    raw = told("order", "processing_paid")
    raw["line_items"][0]["quantity"] = units
    with pytest.raises(Unreadable, match=r"order\.line_items\.0\.quantity: "):
        mapping.order(raw)


def test_times_are_utc_from_the_gmt_twin():
    found = order()
    assert found.placed_at == datetime(2026, 3, 4, 13, 15, 20, tzinfo=UTC)
    assert found.changed_at == datetime(2026, 3, 4, 13, 16, 2, tzinfo=UTC)
    assert found.paid_at == datetime(2026, 3, 4, 13, 16, 1, tzinfo=UTC)
    assert found.clocks == {"order": found.changed_at}


def test_without_the_twin_the_site_is_in_sao_paulo():
    assert order("dates_without_gmt") == order()


def test_the_gmt_twin_wins_where_the_site_itself_runs_on_utc():
    found = order(date_created="2026-03-04T13:15:20")
    assert found.placed_at == datetime(2026, 3, 4, 13, 15, 20, tzinfo=UTC)


def test_buyer():
    buyer = order().buyer
    assert buyer.model_dump() == {
        "ref": "33",
        "name": "Beatriz Nogueira",
        "email": "beatriz@example.com",
        "phone": "+553132221100",
        "document": {"kind": "cpf", "number": "52998224725", "valid": True},
    }
    assert order(customer_id=0).buyer.ref is None


@pytest.mark.parametrize(
    ("case", "kind", "number", "valid"),
    [
        ("company_tells_cpf_and_cnpj", "cnpj", "11222333000181", True),
        ("cnpj_with_letters", "cnpj", "12ABC34501DE35", True),
        ("brazilian_fields_in_meta_only", "cnpj", "11222333000181", True),
        ("cpf_with_wrong_digits", "cpf", "12345678900", False),
    ],
)
def test_document(case: str, kind: str, number: str, valid: bool):
    assert order(case).buyer.document.model_dump() == {"kind": kind, "number": number, "valid": valid}


def test_a_person_who_also_tells_a_cnpj_is_known_by_the_cpf():
    billing = told("order", "processing_paid")["billing"] | {"cnpj": "11.222.333/0001-81"}
    assert order(billing=billing).buyer.document.kind == "cpf"


def test_the_kind_of_person_may_stand_in_the_meta_only():
    billing = told("order", "company_tells_cpf_and_cnpj")["billing"] | {"persontype": ""}
    for persontype, kind in (("1", "cpf"), ("2", "cnpj")):
        meta = [{"key": "_billing_persontype", "value": persontype}]
        assert order(billing=billing, meta_data=meta).buyer.document.kind == kind


def test_no_document_without_the_plugin():
    assert order("no_brazilian_fields").buyer.document is None


def test_cellphone_where_no_phone_is_told():
    assert order("company_tells_cpf_and_cnpj").buyer.phone == "+5531988887766"


def test_ship_to():
    assert order().ship_to.model_dump() == {
        "recipient": "Otávio Nogueira",
        "street": "Avenida Afonso Pena",
        "number": "1500",
        "complement": None,
        "district": "Centro",
        "city": "Belo Horizonte",
        "state": "MG",
        "postal_code": "30130921",
        "country": "BR",
    }


def test_an_empty_shipping_block_means_the_billing_address():
    found = order("empty_shipping_block_is_billing").ship_to
    assert (found.recipient, found.street, found.number, found.complement) == (
        "Beatriz Nogueira",
        "Rua das Laranjeiras",
        "318",
        "Apto 42",
    )


def test_number_and_district_from_the_raw_meta():
    found = order("brazilian_fields_in_meta_only").ship_to
    assert (found.street, found.number, found.district) == ("Rua das Laranjeiras", "318", "Funcionários")


def test_meta_that_is_no_plain_value_tells_nothing():
    meta = [{"key": "_billing_number", "value": {"n": 1}}, {"key": "_billing_neighborhood", "value": ["x"]}]
    found = order("brazilian_fields_in_meta_only", meta_data=meta).ship_to
    assert (found.number, found.district) == (None, None)


def test_shipping_is_never_mixed_with_billing():
    found = order("no_brazilian_fields").ship_to
    assert (found.street, found.number, found.district) == ("Av. Afonso Pena, 1500", None, None)


@pytest.mark.parametrize("key", ["address_1", "city", "postcode"])
def test_no_address_without_street_city_and_postal_code(key: str):
    raw = told("order", "processing_paid")
    raw["shipping"][key] = ""
    assert mapping.order(raw).ship_to is None


def test_correios_codes():
    found = order("correios_codes_comma_joined").shipments
    assert [(shipment.ref, shipment.carrier, shipment.tracking_code) for shipment in found] == [
        ("AA123456785BR", "correios", "AA123456785BR"),
        ("AB987654320BR", "correios", "AB987654320BR"),
    ]


def test_a_page_of_one_is_that_order_and_of_two_is_refused():
    assert order() == mapping.order(told("order", "page_of_one"))
    with pytest.raises(Unreadable, match="a page of 2 orders"):
        mapping.order([told("order", "processing_paid")] * 2)


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("id", None, "order.id"),
        ("id", 0, "order.id"),
        ("status", None, "order.status"),
        ("status", " ", "order.status"),
        ("total", "a lot", "order.total"),
        ("currency", "reais", "order.currency"),
        ("date_modified_gmt", "ontem", "order.date_modified_gmt"),
        ("line_items", "none", "order.line_items"),
    ],
)
def test_what_cannot_be_read_is_named(key: str, value: Any, path: str):
    with pytest.raises(Unreadable) as refused:
        order(**{key: value})
    assert refused.value.path == path
    assert refused.value.fault is Fault.SHAPE


@pytest.mark.parametrize("key", ["id", "status", "line_items"])
def test_what_no_order_can_do_without(key: str):
    raw = told("order", "processing_paid")
    del raw[key]
    with pytest.raises(Unreadable, match=f"order.{key}: "):
        mapping.order(raw)


def test_a_clock_that_cannot_be_read_costs_no_page():
    assert mapping.modified({"date_modified_gmt": "2026-03-04T13:16:02"}) == datetime(2026, 3, 4, 13, 16, 2, tzinfo=UTC)
    assert mapping.modified({"date_modified_gmt": "ontem"}) is None
    assert mapping.modified(7) is None


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("case", "quantity", "stock_quantity", "status"),
    [
        ("simple_managed", 14, 14, ListingStatus.ACTIVE),
        ("not_managed_is_unlimited", None, None, ListingStatus.ACTIVE),
        ("not_managed_and_out_of_stock", 0, None, ListingStatus.ACTIVE),
        ("below_the_out_of_stock_threshold", 0, 2, ListingStatus.ACTIVE),
        ("backorders_are_unlimited", None, -3, ListingStatus.ACTIVE),
        ("oversold_is_negative", 0, -1, ListingStatus.ACTIVE),
        ("draft_is_paused", 14, 14, ListingStatus.PAUSED),
        ("trash_is_closed", 14, 14, ListingStatus.CLOSED),
        ("types_drift", 12, 12, ListingStatus.ACTIVE),
    ],
)
def test_listing(case: str, quantity: int | None, stock_quantity: int | None, status: ListingStatus):
    (found,) = mapping.listings(told("listing", case))
    assert (found.ref, found.variation_ref, found.slot_ref) == ("71", None, "71")
    assert (found.quantity, found.stock_quantity, found.status) == (quantity, stock_quantity, status)
    assert (found.price_cents, found.currency, found.version) == (2990, None, None)


@pytest.mark.parametrize(
    ("told_stock", "quantity", "stock_quantity"),
    [("", None, None), (None, None, None), (-1, 0, -1), (0, 0, 0), ("7", 7, 7), (7.0, 7, 7)],
)
def test_stock_as_stores_tell_it(told_stock: Any, quantity: int | None, stock_quantity: int | None):
    (found,) = mapping.listings(told("listing", "simple_managed") | {"stock_quantity": told_stock})
    assert (found.quantity, found.stock_quantity) == (quantity, stock_quantity)


def test_a_link_that_is_none():
    (found,) = mapping.listings(told("listing", "types_drift"))
    assert found.url is None


def test_variations_stand_for_their_product():
    found = mapping.listings(told("listing", "variable_with_its_variations"))
    assert [(each.ref, each.variation_ref, each.slot_ref, each.sku) for each in found] == [
        ("90", "93", "90:93", "CAM-P"),
        ("90", "94", "90:94", "CAM-M"),
        ("90", "95", "90:95", "CAM-G"),
    ]
    assert [each.title for each in found] == [f"Camiseta Sol & Mar - {size}" for size in ("P", "M", "G")]
    assert [(each.quantity, each.status) for each in found] == [
        (5, ListingStatus.ACTIVE),
        (0, ListingStatus.ACTIVE),
        (5, ListingStatus.PAUSED),  # private: not enabled
    ]


def test_a_variation_is_seen_no_better_than_its_product():
    raw = told("listing", "variable_with_its_variations") | {"status": "draft"}
    assert {each.status for each in mapping.listings(raw)} == {ListingStatus.PAUSED}


def test_variations_that_share_their_parent_share_its_slot():
    found = mapping.listings(told("listing", "variations_share_their_parent"))
    assert [(each.variation_ref, each.slot_ref, each.stock_quantity) for each in found] == [
        ("93", "90", 16),
        ("94", "90", 16),
        ("95", "90:95", 2),
    ]


def test_a_variation_alone_tells_its_product_by_link_or_parent_id():
    for case in ("variation_alone", "variation_as_a_product_row"):
        (found,) = mapping.listings(told("listing", case))
        assert (found.ref, found.variation_ref, found.slot_ref) == ("90", "93", "90:93")
    raw = told("listing", "variation_alone")
    del raw["_links"]
    with pytest.raises(Unreadable, match=r"listing\.parent_id: "):
        mapping.listings(raw)


def test_what_is_not_sold_by_itself():
    assert mapping.listings(told("listing", "variable_with_ids_only")) == []
    assert mapping.listings(told("listing", "grouped_is_not_sold_itself")) == []


def test_whole_answers():
    assert [each.sku for each in mapping.listings(told("listing", "page_of_products"))] == [
        "CAN-ESM",
        "CAN-AZ",
    ]
    assert [each.stock_quantity for each in mapping.listings(told("listing", "batch_answer"))] == [9]


@pytest.mark.parametrize(
    ("key", "value"),
    [("status", "sold"), ("status", ""), ("stock_quantity", 16.5), ("price", "caro"), ("id", 0)],
)
def test_a_listing_that_cannot_be_read_is_named(key: str, value: Any):
    with pytest.raises(Unreadable, match=rf"listing\.{key}: "):
        mapping.listings(told("listing", "simple_managed") | {key: value})


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────


def write(slot_ref: str, quantity: int = 1) -> StockWrite:
    parent, _, own = slot_ref.rpartition(":")
    return StockWrite(
        slot_ref=slot_ref, listing_ref=parent or own, variation_ref=own if parent else None, quantity=quantity
    )


def test_batches_are_by_parent_and_of_at_most_a_hundred():
    simple = [write(str(n), n) for n in range(1, 251)]
    small = [write("900:7", 3), write("901:8", 0), write("900:9", 4)]
    rendered = stock.render([*simple[:10], *small, *simple[10:]])
    sizes = {(request.path, len(covered)) for request, covered in rendered}
    assert sizes == {
        ("/wp-json/wc/v3/products/batch", 100),
        ("/wp-json/wc/v3/products/batch", 50),
        ("/wp-json/wc/v3/products/900/variations/batch", 2),
        ("/wp-json/wc/v3/products/901/variations/batch", 1),
    }
    assert [w for _request, covered in rendered for w in covered if ":" not in w.slot_ref] == simple
    for request, covered in rendered:
        assert request.method == "POST"
        assert not request.is_repeatable()  # a repeat could undo a sale that came between
        assert [row["stock_quantity"] for row in request.json["update"]] == [w.quantity for w in covered]
        assert all(row["manage_stock"] is True for row in request.json["update"])
        assert stock.sent(request) == list(covered)


@pytest.mark.parametrize("slot_ref", ["", "abc", "1:2:3", "1:", "²", "1" * 5000])
def test_a_slot_that_is_none_is_refused(slot_ref: str):
    with pytest.raises(Unreadable, match="slot_ref: "):
        stock.render([StockWrite(slot_ref=slot_ref, listing_ref="1", quantity=1)])


def outcomes(case: str) -> list[tuple[str, OutcomeKind, int | None, str | None]]:
    known = told("stock_response", case)
    reply = Reply(status=known["status"], headers={}, body=json.dumps(known["body"]).encode())
    found = stock.read(stock.sent(Request(**known["request"])), reply)
    return [(each.slot_ref, each.outcome, each.seen, each.code) for each in found]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("simple_products", [("71", "accepted", 7, None), ("72", "accepted", 0, None)]),
        ("variations_of_a_product", [("90:93", "accepted", 4, None), ("90:94", "accepted", 1, None)]),
        (
            "wrong_id_inside_a_200",
            [("71", "accepted", 7, None), ("9999", "fault", None, "woocommerce_rest_product_invalid_id")],
        ),
        (
            "variation_gone_inside_a_200",
            [
                ("90:93", "accepted", 4, None),
                ("90:98", "fault", None, "woocommerce_rest_product_variation_invalid_id"),
            ],
        ),
        ("variation_addressed_as_product", [("93", "fault", None, "woocommerce_rest_invalid_product_id")]),
        ("row_left_out", [("71", "accepted", 7, None), ("72", "fault", None, "not_answered")]),
        ("stock_as_a_string", [("71", "accepted", 7, None)]),
        ("the_store_does_not_count", [("71", "fault", None, "stock_not_managed")]),
        (
            "too_many_rows",
            [(slot, "fault", None, "woocommerce_rest_request_entity_too_large") for slot in ("71", "72")],
        ),
        ("no_route", [("90:93", "fault", None, "rest_no_route")]),
    ],
)
def test_outcomes(case: str, expected: list[Any]):
    assert outcomes(case) == expected


def test_rows_are_matched_by_id_and_not_by_place():
    known = told("stock_response", "simple_products")
    body = json.dumps({"update": known["body"]["update"][::-1]}).encode()
    found = stock.read(stock.sent(Request(**known["request"])), Reply(status=200, headers={}, body=body))
    assert [(each.slot_ref, each.seen) for each in found] == [("71", 7), ("72", 0)]


def test_an_accepted_number_that_is_not_told_back_is_still_accepted():
    body = json.dumps({"update": [{"id": 71, "manage_stock": True, "stock_quantity": None}]}).encode()
    (found,) = stock.read([write("71", 7)], Reply(status=200, headers={}, body=body))
    assert (found.outcome, found.seen) == (OutcomeKind.ACCEPTED, None)


@pytest.mark.parametrize("body", [[], {}, {"update": "none"}, {"create": []}, 7])
def test_an_answer_without_rows_is_unreadable(body: Any):
    with pytest.raises(Unreadable, match="body"):
        stock.read([write("71", 7)], Reply(status=200, headers={}, body=json.dumps(body).encode()))


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/products/batch", {}, "request: not a stock batch"),
        ("/products", {"update": []}, "request: not a stock batch"),
        ("/products/batch", {"update": [{"id": "1:2", "stock_quantity": 1}]}, "request.update.0.id: "),
        ("/products/9/variations/batch", {"update": [{"id": "a", "stock_quantity": 1}]}, "request.update.0.id: "),
        ("/products/batch", {"update": [{"id": 1}]}, "request.update.0.stock_quantity: not told"),
        ("/products/batch", {"update": [{"id": 1, "stock_quantity": -1}]}, "request.update.0.stock_quantity: below"),
    ],
)
def test_a_request_that_is_no_batch_is_named(path: str, body: Any, named: str):
    with pytest.raises(Unreadable) as refused:
        stock.sent(Request(method="POST", path=path, json=body))
    assert refused.value.detail.startswith(named)


def test_a_missing_product_is_missing_by_the_table():
    assert ADAPTER.faults["woocommerce_rest_product_invalid_id"] is Fault.MISSING


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, {"code": "rest_no_route", "message": "No route", "data": {"status": 404}}, "rest_no_route"),
        (404, {"error": "rest_no_route", "message": "No route"}, "rest_no_route"),
        (400, {"code": 0, "message": "The fulfillment should contain at least one item."}, None),
        (403, "<html>Attention Required!</html>", None),
        (200, {"id": 5120}, "correios_plugin_absent"),
        (200, {"id": 5120, "correios_tracking_code": "AA1BR"}, None),
        (200, [], None),
    ],
)
def test_error_code(status: int, body: Any, code: str | None):
    raw = body if isinstance(body, str) else json.dumps(body)
    assert stock.error_code(Reply(status=status, headers={}, body=raw.encode())) == code


def test_a_firewall_does_not_hold_the_account_and_a_refused_key_does():
    assert ADAPTER.faults[403] is Fault.TRANSIENT
    assert ADAPTER.faults["woocommerce_rest_cannot_view"] is Fault.AUTH


# ── Shipments ───────────────────────────────────────────────────────────────────────────────────────────────

NEWS = ShipmentNews(
    news=News.DISPATCHED,
    order_ref="5120",
    carrier="Correios",
    tracking_code="AA123456785BR",
    tracking_url="https://rastreio.example/AA123456785BR",
    at=datetime(2026, 3, 5, 12, tzinfo=UTC),
    lines=(LineQuantity(line_ref="811", quantity=2),),
)
COMPLETED = ("PUT", "/wp-json/wc/v3/orders/5120", {"status": "completed"})


def calls(news: ShipmentNews, target: str) -> list[tuple[str, str, Any]]:
    return [(request.method, request.path, request.json) for request in stock.shipped(news, target)]


def test_targets_are_probed_in_the_order_of_the_facts():
    assert ADAPTER.shipments
    assert ADAPTER.shipments.targets == ("fulfillments", "shipment_tracking", "correios_plugin", "note")


def test_core_fulfillments():
    meta = [
        {"key": "_items", "value": [{"item_id": 811, "qty": 2}]},
        {"key": "_tracking_number", "value": "AA123456785BR"},
        {"key": "_shipping_provider", "value": "Correios"},
        {"key": "_tracking_url", "value": "https://rastreio.example/AA123456785BR"},
    ]
    body = {"status": "fulfilled", "meta_data": meta, "notify_customer": True}
    assert calls(NEWS, "fulfillments") == [
        ("POST", "/wp-json/wc/v3/orders/5120/fulfillments", body),
        COMPLETED,
    ]


def test_a_fulfillment_without_lines_is_for_the_next_target():
    with pytest.raises(ChannelError) as refused:
        stock.shipped(NEWS.model_copy(update={"lines": ()}), "fulfillments")
    assert refused.value.fault is Fault.MISSING


def test_shipment_tracking_plugin():
    path = "/wp-json/wc-shipment-tracking/v3/orders/5120/shipment-trackings"
    told_link = {
        "custom_tracking_provider": "Correios",
        "custom_tracking_link": "https://rastreio.example/AA123456785BR",
        "tracking_number": "AA123456785BR",
        "date_shipped": "2026-03-05",
    }
    assert calls(NEWS, "shipment_tracking") == [("POST", path, told_link), COMPLETED]
    no_link = {
        "tracking_provider": "Correios",
        "tracking_number": "AA123456785BR",
        "date_shipped": "2026-03-05",
    }
    assert calls(NEWS.model_copy(update={"tracking_url": None}), "shipment_tracking")[0] == (
        "POST",
        path,
        no_link,
    )


def test_correios_plugin_is_never_sent_twice():
    first, second = stock.shipped(NEWS, "correios_plugin")
    assert first.json == {"correios_tracking_code": "AA123456785BR"}
    assert first.params == (("_fields", "id,correios_tracking_code"),)
    assert not first.is_repeatable()
    assert (second.method, second.path, second.json) == COMPLETED
    assert second.is_repeatable()


def test_note():
    text = "Pedido enviado por Correios. Código de rastreamento: AA123456785BR. https://rastreio.example/AA123456785BR"
    assert calls(NEWS, "note") == [
        ("POST", "/wp-json/wc/v3/orders/5120/notes", {"note": text, "customer_note": True}),
        COMPLETED,
    ]
    bare = NEWS.model_copy(update={"carrier": None, "tracking_code": None, "tracking_url": None})
    assert calls(bare, "note")[0][2]["note"] == "Pedido enviado."


@pytest.mark.parametrize("target", ["shipment_tracking", "correios_plugin"])
def test_without_a_code_there_is_only_the_status(target: str):
    assert calls(NEWS.model_copy(update={"tracking_code": None}), target) == [COMPLETED]


@pytest.mark.parametrize("news", [each for each in News if each is not News.DISPATCHED])
@pytest.mark.parametrize("target", tuple(stock.TARGETS))
def test_the_store_has_no_word_for_what_comes_after(news: News, target: str):
    assert stock.shipped(NEWS.model_copy(update={"news": news}), target) == []


def test_an_order_ref_cannot_lead_elsewhere():
    with pytest.raises(Unreadable):
        stock.shipped(NEWS.model_copy(update={"order_ref": "../products/1"}), "note")


# ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────────


def knock(case: str) -> tuple[str, Knock]:
    known = told("notice", case)
    return known["secret"], Knock(headers=known["headers"], body=known["body"].encode(), url=known["url"])


@pytest.mark.parametrize("path", NOTICES, ids=lambda path: path.stem)
def test_signature(path: Path):
    secret, right = knock(path.stem)
    if webhook.is_ping(right):
        return
    webhook.verify(secret, right)
    for forged in (
        Knock(headers=right.headers, body=right.body + b" "),
        Knock(headers={}, body=right.body),
        Knock(headers={**right.headers, "x-wc-webhook-signature": "é"}, body=right.body),
    ):
        with pytest.raises(BadSignature):
            webhook.verify(secret, forged)
    with pytest.raises(BadSignature):
        webhook.verify(secret + "x", right)


def test_signature_against_a_vector_made_elsewhere():
    """`printf '{"id":1}' | openssl dgst -sha256 -hmac 'a&b' -binary | base64`; secrets are decoded first."""
    signed = {"x-wc-webhook-signature": "DZZ3mhyNjKxgGYJPujiR4ZGjbQJd9qbIQuhcMQ11PTE="}
    webhook.verify("a&amp;b", Knock(headers=signed, body=b'{"id":1}'))
    webhook.verify("a&b", Knock(headers=signed, body=b'{"id":1}'))


@pytest.mark.parametrize(
    ("case", "topic", "ref", "fat"),
    [
        ("order_created", Topic.ORDER, "5120", True),
        ("order_updated_same_body_as_created", Topic.ORDER, "5120", True),
        ("order_created_says_completed", Topic.ORDER, "5120", True),
        ("order_deleted_is_an_id", Topic.ORDER, "5120", False),
        ("order_restored", Topic.ORDER, "5120", True),
        ("product_updated", Topic.LISTING, "71", True),
        ("variation_updated_names_its_product", Topic.LISTING, "90", True),
        ("variable_product_names_its_variations", Topic.LISTING, "90", False),
        ("product_deleted_is_an_id", Topic.LISTING, "71", False),
        ("customer_is_ignored", Topic.IGNORED, "33", True),
        ("action_is_ignored", Topic.IGNORED, None, True),
        ("topic_never_seen", Topic.UNKNOWN, "8", True),
    ],
)
def test_notice(case: str, topic: Topic, ref: str | None, fat: bool):
    _secret, came = knock(case)
    (notice,) = webhook.read(came)
    assert (notice.topic, notice.ref, notice.account_ref) == (topic, ref, "loja.example")
    assert notice.raw == (json.loads(came.body) if fat else None)


def test_registration_ping():
    _secret, came = knock("registration_ping_is_unsigned")
    assert webhook.is_ping(came)
    assert [notice.topic for notice in webhook.read(came)] == [Topic.PING]
    assert not webhook.is_ping(Knock(headers={}, body=b'{"webhook_id":12}'))
    assert not webhook.is_ping(Knock(headers={}, body=b"webhook_id=12&more=1"))


def keys(*cases: str, **headers: str) -> list[str]:
    found = []
    for case in cases:
        _secret, came = knock(case)
        (notice,) = webhook.read(Knock(headers={**came.headers, **headers}, body=came.body))
        found.append(notice.dedupe_key)
    return found


def test_dedupe_key_is_resource_version_topic_and_body_never_the_delivery_id():
    once, pair, completed = keys("order_created", "order_updated_same_body_as_created", "order_created_says_completed")
    assert len({once, pair, completed}) == 3
    assert keys("order_created", **{"x-wc-webhook-delivery-id": "another"}) == [once]
    assert once.startswith("order.created:5120:2026-03-04T13:16:02:")


def test_the_pair_of_a_new_order_reads_to_the_same_order():
    (first,) = webhook.read(knock("order_created")[1])
    (second,) = webhook.read(knock("order_updated_same_body_as_created")[1])
    assert mapping.order(first.raw) == mapping.order(second.raw)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"7", b"\xff", b'{"id":', b'{"id":null}', b'{"code":"x"}', b'{"id":{"a":1}}', b"[" * 9000],
)
def test_a_body_that_names_nothing_is_unreadable(body: bytes):
    with pytest.raises(Unreadable, match="body"):
        webhook.read(Knock(headers={"x-wc-webhook-topic": "order.updated"}, body=body))


def test_a_time_that_cannot_be_read_costs_no_bell():
    body = b'{"id":1,"status":"pending","date_modified_gmt":"ontem"}'
    (notice,) = webhook.read(Knock(headers={"x-wc-webhook-topic": "order.updated"}, body=body))
    assert (notice.ref, notice.at) == ("1", None)


# ── Credentials ─────────────────────────────────────────────────────────────────────────────────────────────

KEY = {"consumer_key": "ck_1", "consumer_secret": "cs_1"}


@pytest.mark.parametrize(
    ("typed", "base_url", "external_id"),
    [
        ("https://loja.example", "https://loja.example", "loja.example"),
        (" loja.example/ ", "https://loja.example", "loja.example"),
        ("https://Loja.Example:443/br/", "https://Loja.Example:443/br", "loja.example/br"),
        ("https://loja.example/wp-json/wc/v3", "https://loja.example", "loja.example"),
        ("https://loja.example/wp-admin/admin.php?page=wc", "https://loja.example", "loja.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1:8080"),
    ],
)
def test_store_url(typed: str, base_url: str, external_id: str):
    credentials = client.WooCredentials.model_validate({"store_url": typed, **KEY})
    assert credentials.base_url() == base_url
    assert store_ref(credentials.store_url) == external_id


@pytest.mark.parametrize("source", ["", "https://[::1", "http://a:b", "http://a:99999999"])
def test_a_source_that_is_no_address(source: str):
    headers = {"x-wc-webhook-topic": "order.updated", "x-wc-webhook-source": source}
    (notice,) = webhook.read(Knock(headers=headers, body=b'{"id":1}'))
    assert (notice.ref, notice.account_ref) == ("1", None)


@pytest.mark.parametrize("typed", ["", "ftp://loja.example", "https://", "https://[::1", "https://a:b"])
def test_what_is_no_store_is_refused_in_the_form(typed: str):
    with pytest.raises(ValidationError, match="store_url"):
        client.WooCredentials.model_validate({"store_url": typed, **KEY})


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://loja.example", True),
        ("http://loja.example", False),
        ("http://93.184.215.14", False),
        ("http://127.0.0.1:9", True),
        ("http://[::1]:9", True),
        ("http://192.168.0.7", True),
        ("http://localhost:8080", True),
        ("http://woo.local", True),
    ],
)
def test_the_key_travels_over_https_or_at_home(url: str, safe: bool):
    assert is_safe(client.WooCredentials.model_validate({"store_url": url, **KEY}).store_url) is safe


def test_basic_header_and_no_secret_in_sight():
    credentials = client.WooCredentials.model_validate({"store_url": "loja.example", **KEY})
    assert credentials.headers() == {"Authorization": "Basic Y2tfMTpjc18x"}
    assert "cs_1" not in repr(credentials)


# ── Whatever comes ──────────────────────────────────────────────────────────────────────────────────────────

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "",
            "0",
            "1e999999",
            "NaN",
            "Infinity",
            "2026-03-04T10:15:20",
            "9999-12-31T23:59:59",
            "0001-01-01",
            "parent",
        ]
    )
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "status", "line_items", "update", "type", "variations", "error", "billing", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def paths(raw: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    return [here, *(path for key, value in inner for path in paths(value, (*here, key)))]


@st.composite
def mutated(draw: st.DrawFn, facet: str) -> Any:
    """A payload file with some places deleted or replaced by anything."""
    raw = copy.deepcopy(json.loads(draw(st.sampled_from(sorted((FILES / facet).glob("*.json")))).read_text()))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(paths(raw)))
        if not path:
            return draw(anything)
        place = raw
        for key in path[:-1]:
            place = place[key]
        if draw(st.booleans()):
            place[path[-1]] = draw(anything)
        else:
            del place[path[-1]]
    return raw


def reads_or_says_why(read: Any, *args: Any) -> None:
    try:
        found = read(*args)
    except Unreadable as refused:
        sentence = refused.detail
    else:
        sentence = "read: " + "; ".join(repr(each.model_dump(mode="json")) for each in _all(found))
    assert ": " in sentence
    assert "\n" not in sentence.partition(": ")[0]


def _all(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


@given(anything | mutated("order"))
@settings(max_examples=600, deadline=None)
def test_any_order_is_read_or_refused_in_a_sentence(raw: Any):
    reads_or_says_why(mapping.order, raw)


@given(anything | mutated("listing"))
@settings(max_examples=600, deadline=None)
def test_any_listing_is_read_or_refused_in_a_sentence(raw: Any):
    reads_or_says_why(mapping.listings, raw)


@given(anything | mutated("stock_response").map(lambda known: known.get("body") if isinstance(known, dict) else known))
@settings(max_examples=400, deadline=None)
def test_any_stock_answer_is_read_or_refused_in_a_sentence(body: Any):
    writes = [write("71", 7), write("90:93", 4)]
    for status in (200, 400):
        reply = Reply(status=status, headers={}, body=json.dumps(body).encode())
        reads_or_says_why(stock.read, writes, reply)
        stock.error_code(reply)


@given(anything)
@settings(max_examples=200, deadline=None)
def test_any_batch_is_read_back_or_refused(body: Any):
    reads_or_says_why(stock.sent, Request(method="POST", path="/x/products/9/variations/batch", json=body))


@given(
    st.binary(max_size=200) | (anything | mutated("order")).map(lambda raw: json.dumps(raw).encode()),
    st.text(),
)
@settings(max_examples=400, deadline=None)
def test_any_knock_is_read_or_refused_in_a_sentence(body: bytes, source: str):
    for topic in ("order.updated", "product.updated", "order.deleted", "what.ever", ""):
        headers = {"x-wc-webhook-topic": topic, "x-wc-webhook-source": source}
        reads_or_says_why(webhook.read, Knock(headers=headers, body=body))

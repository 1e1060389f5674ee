"""TikTok Shop: one row per unit, words that webhooks spell otherwise, codes inside a 200, queries that are signed."""

import hashlib
import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.tiktok import ADAPTER, client, listings, mapping, shipping, webhook
from hub.contract import Token
from hub.faults import BadSignature, ChannelError, Fault, Unreadable
from hub.model import (
    FulfilledBy,
    Fulfilment,
    Hold,
    Knock,
    LineQuantity,
    News,
    Order,
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
from tests.channels.test_bling import JSON
from tests.contract.test_notices import mutated

FILES = Path(__file__).parents[1] / "adapters" / "tiktok"
AT = datetime(2026, 3, 4, 15, tzinfo=UTC)
BLUE, PINK, FILTER = "1730000000000000101", "1730000000000000102", "1730000000000000300"
PARCEL, OTHER = "1153412783902886915", "1153412783902886916"
KEYS = client.Credentials(app_key="29a39d", app_secret=SecretStr("e59af819cc"))


def payload(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def told(name: str) -> Order:
    return mapping.order(payload("order", name))


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "payment", "fulfilment", "hold", "status"),
    [
        ("two_units_of_one_sku", Payment.PAID, Fulfilment.NONE, None, Status.PAID),
        ("unpaid_and_yet_with_a_paid_time", Payment.PENDING, Fulfilment.NONE, None, Status.PLACED),
        ("on_hold_has_no_address", Payment.PAID, Fulfilment.NONE, Hold.FROZEN, Status.PAID),
        ("waits_for_its_nfe", Payment.PAID, Fulfilment.NONE, Hold.INVOICE_PENDING, Status.PAID),
        ("buyer_asks_to_cancel", Payment.PAID, Fulfilment.NONE, Hold.CANCEL_REQUESTED, Status.PAID),
        ("one_parcel_of_two_sent", Payment.PAID, Fulfilment.PARTIAL, None, Status.DISPATCHED),
        ("arranged_and_not_collected", Payment.PAID, Fulfilment.NONE, None, Status.PAID),
        ("sent_with_its_code", Payment.PAID, Fulfilment.DISPATCHED, None, Status.DISPATCHED),
        ("the_whole_answer", Payment.PAID, Fulfilment.DELIVERED, None, Status.DELIVERED),
        ("completed_is_delivered", Payment.PAID, Fulfilment.DELIVERED, None, Status.DELIVERED),
        ("cancelled_before_payment", Payment.VOIDED, Fulfilment.NONE, None, Status.CANCELLED),
        ("cancelled_after_payment", Payment.REFUNDED, Fulfilment.NONE, None, Status.CANCELLED),
        ("cancelled_as_a_webhook_spells_it", Payment.REFUNDED, Fulfilment.NONE, None, Status.CANCELLED),
        ("cancelled_on_its_way", Payment.REFUNDED, Fulfilment.DISPATCHED, None, Status.DISPATCHED),
    ],
)
def test_statuses(name: str, payment: Any, fulfilment: Any, hold: Any, status: Any):
    order = told(name)
    assert (order.payment, order.fulfilment, order.hold, order.status) == (payment, fulfilment, hold, status)


def test_units_of_one_sku_are_one_line():
    order = told("two_units_of_one_sku")
    ((line),) = order.lines
    assert (line.ref, line.variation_ref, line.listing_ref) == (BLUE, BLUE, "1729000000000000010")
    assert (line.sku, line.title, line.quantity) == ("CANECA-AZUL", "Caneca de porcelana Azul, 300 ml", 2)
    assert (line.total_cents, line.unit_price_cents) == (7980, 3990)
    assert (order.items_cents, order.shipping_cents, order.total_cents) == (7980, 1590, 9570)


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("one_unit_of_three_cancelled", [(BLUE, 3, 1, 0)]),
        ("cancelled_after_payment", [(BLUE, 2, 2, 0)]),
        ("cancelled_on_its_way", [(BLUE, 1, 1, 1)]),
        ("one_parcel_of_two_sent", [(BLUE, 2, 0, 1), (PINK, 1, 0, 1)]),
        ("completed_is_delivered", [(BLUE, 2, 0, 2)]),
        ("combined_listing_is_told_as_its_parts", [(BLUE, 3, 0, 0), (FILTER, 1, 0, 0)]),
    ],
)
def test_what_became_of_units(name: str, counted: list[tuple[Any, ...]]):
    found = [(line.ref, line.quantity, line.cancelled_quantity, line.dispatched_quantity) for line in told(name).lines]
    assert found == counted


def test_money_is_told_once():
    kit = told("combined_listing_is_told_as_its_parts")
    assert [(line.sku, line.total_cents) for line in kit.lines] == [("CANECA-AZUL", 13970), ("COADOR", 0)]
    gift = told("a_gift_costs_nothing")
    assert [(line.sku, line.total_cents) for line in gift.lines] == [("CANECA-AZUL", 3990), ("BRINDE", 0)]
    borne = told("discount_that_tiktok_bears")
    assert [(line.total_cents, line.unit_price_cents) for line in borne.lines] == [(6781, 3390)], "33.905, half-even"
    assert (borne.channel_discount_cents, borne.discount_cents) == (799 + 500, None), "the lines carry both"
    assert (borne.items_cents, borne.shipping_cents, borne.total_cents) == (6781, 1090, 7871)


def test_parcels_hold_units():
    first, second = told("one_parcel_of_two_sent").shipments
    assert (first.ref, first.carrier, first.tracking_code) == (PARCEL, "Correios", "AA123456785BR")
    assert first.status is TrackingStatus.IN_TRANSIT
    assert first.lines == (LineQuantity(line_ref=BLUE, quantity=1), LineQuantity(line_ref=PINK, quantity=1))
    assert (second.ref, second.status, second.tracking_code) == (OTHER, None, None)
    assert [one.status for one in told("arranged_and_not_collected").shipments] == [TrackingStatus.LABEL_CREATED]


def test_masked_is_not_told():
    order = told("masked_by_tiktoks_own_logistics")
    assert order.ship_to is None
    assert order.buyer
    assert (order.buyer.name, order.buyer.phone, order.buyer.document) == (None, None, None)
    assert order.buyer.ref == "7021436810468230477"


def test_one_asterisk_is_a_mask():
    told_ = payload("order", "two_units_of_one_sku")
    told_["recipient_address"]["name"] = told_["cpf_name"] = "M*a S*a"
    order = mapping.order(told_)
    assert order.buyer
    assert order.ship_to
    assert (order.buyer.name, order.ship_to.recipient) == (None, None)


@pytest.mark.parametrize("key", ["address_line1", "postal_code", "district_info"])
def test_an_address_in_part_is_none(key: str):
    told_ = payload("order", "two_units_of_one_sku")
    told_["recipient_address"] |= {key: None, "address_detail": None}
    assert mapping.order(told_).ship_to is None


def test_what_has_left_is_held_by_nothing():
    raw = payload("order", "sent_with_its_code") | {
        "is_buyer_request_cancel": True,
        "need_upload_invoice": "NEED_INVOICE",
    }
    assert mapping.order(raw).hold is None


def test_people_and_places():
    order = told("company_and_an_address_without_number")
    assert order.buyer
    assert order.buyer.document
    assert (order.buyer.document.kind, order.buyer.document.number) == ("cnpj", "12ABC34501DE35")
    assert order.ship_to
    assert (order.ship_to.street, order.ship_to.number, order.ship_to.district) == (
        "Rua das Acácias", None, "Vila Mariana",
    )  # fmt: skip
    assert (order.ship_to.city, order.ship_to.state, order.ship_to.postal_code) == ("São Paulo", "SP", "04101000")


def test_what_tiktok_fulfils_is_the_marketplaces():
    order = told("fulfilled_by_tiktok")
    assert order.fulfilled_by is FulfilledBy.MARKETPLACE
    assert [line.fulfilled_by for line in order.lines] == [FulfilledBy.MARKETPLACE]


def test_an_unpaid_order_was_not_paid_whatever_else_it_tells():
    """The vendor's own example is UNPAID and has a paid_time."""
    assert told("unpaid_and_yet_with_a_paid_time").paid_at is None


def test_numbers_and_strings_are_read_alike():
    one, other = told("two_units_of_one_sku"), told("numbers_for_strings_and_back")
    assert one.model_dump(exclude={"raw_status"}) == other.model_dump(exclude={"raw_status"})


def test_whether_units_were_taken():
    taken = {name: mapping.takes_stock(told(name)) for name in ("two_units_of_one_sku", "cancelled_after_payment")}
    assert taken == {"two_units_of_one_sku": True, "cancelled_after_payment": False}
    assert mapping.takes_stock(told("unpaid_and_yet_with_a_paid_time")) is None, "not documented: it is read back"


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"status": "LIMBO"}, "order.status"),
        ({"status": None}, "order.status"),
        ({"id": "0"}, "order.id"),
        ({"line_items": []}, "order.line_items"),
        ({"line_items": [{"sku_id": BLUE, "display_status": "EATEN"}]}, "order.line_items.0.display_status"),
        ({"line_items": [{"seller_sku": "A"}]}, "order.line_items.0.sku_id"),
        ({"line_items": [{"sku_id": BLUE, "sale_price": "caro"}]}, "order.line_items.0.sale_price"),
        (
            {"line_items": [{"sku_id": BLUE, "package_id": "1", "package_status": "EATEN"}]},
            "order.line_items.0.package_status",
        ),
        ({"fulfillment_type": "BY_MAGIC"}, "order.fulfillment_type"),
        ({"need_upload_invoice": "PERHAPS"}, "order.need_upload_invoice"),
        ({"update_time": "yesterday"}, "order.update_time"),
        ({"payment": {"currency": "reais"}}, "order.payment.currency"),
    ],
)
def test_what_cannot_be_read_is_named(changed: dict[str, Any], path: str):
    with pytest.raises(Unreadable) as problem:
        mapping.order(payload("order", "two_units_of_one_sku") | changed)
    assert problem.value.path == path


def test_a_list_of_packages_is_told_from_an_order():
    packages = {"total_count": 1, "packages": [{"id": "57", "orders": [{"id": "58"}]}]}
    for raw in (packages, {"code": 0, "data": packages}):
        with pytest.raises(Unreadable, match=r"line_items: .* and here is only total_count, packages"):
            mapping.order(raw)


def test_an_answer_of_two_orders_is_not_one():
    one = payload("order", "two_units_of_one_sku")
    with pytest.raises(Unreadable, match="2 orders"):
        mapping.order({"code": 0, "data": {"orders": [one, one]}})


@given(JSON)
def test_any_json_is_read_or_refused(raw: Any):
    for read in (mapping.order, listings.listings):
        try:
            read(raw)
        except ChannelError:
            continue


def cases(facet: str) -> list[str]:
    return sorted(path.stem for path in (FILES / facet).glob("*.json"))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_real_order_with_odd_parts_is_read_or_refused(data: st.DataObject):
    raw = data.draw(mutated(payload("order", data.draw(st.sampled_from(cases("order"))))))
    with suppress(ChannelError):
        mapping.order(raw)
    with suppress(ChannelError):
        shipping.shipped(news("two_units_of_one_sku", there={"order": raw, "providers": CARRIERS}), "default")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_real_listings_and_answers_with_odd_parts_are_read_or_refused(data: st.DataObject):
    with suppress(ChannelError):
        listings.listings(data.draw(mutated(payload("listing", data.draw(st.sampled_from(cases("listing")))))))
    file = payload("stock_response", data.draw(st.sampled_from(cases("stock_response"))))
    body = json.dumps(data.draw(mutated(file["body"]))).encode()
    for status in (200, 400):
        with suppress(ChannelError):
            assert (
                len(listings.read([write(BLUE, "W1"), write(PINK)], Reply(status=status, headers={}, body=body))) == 2
            )
        ADAPTER.read_error(Reply(status=status, headers={}, body=body))
    with suppress(ChannelError):
        listings.asked(
            Request(method="POST", path=file["request"]["path"], json=data.draw(mutated(file["request"]["json"])))
        )
    with suppress(ChannelError):
        client.read_token(Reply(status=200, headers={}, body=body), AT)


# ── Listings and stock ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("live_number_beats_the_searched_one", [("7068517275539719942", 7)]),
        ("kept_in_two_warehouses", [("7068517275539719942", 7), ("7068517275539719955", 0)]),
        ("no_live_number_its_own_stand", [("7068517275539719942", 4)]),
        ("several_skus_and_their_options", [("7068517275539719942", 5), ("7068517275539719942", 0)]),
    ],
)
def test_numbers_are_told_by_warehouse(name: str, numbers: list[tuple[str, int]]):
    found = listings.listings(payload("listing", name))
    assert [(one.location_ref, one.stock_quantity) for one in found] == numbers
    assert [(one.location_ref, one.quantity) for one in found] == numbers


def test_options_tell_skus_apart():
    blue, pink = listings.listings(payload("listing", "several_skus_and_their_options"))
    assert (blue.title, blue.gtin) == ("Caneca de porcelana Azul 300 ml", "7891000315507")
    assert (pink.title, pink.gtin, pink.price_cents) == ("Caneca de porcelana Rosa", None, 4250)


def test_below_zero_is_nothing_to_buy():
    raw = payload("listing", "sold_out")
    raw["inventory"]["skus"][0]["warehouse_inventory"][0]["available_quantity"] = -2
    assert [(one.quantity, one.stock_quantity) for one in listings.listings(raw)] == [(0, 0)]


def test_a_product_without_skus_is_refused():
    with pytest.raises(Unreadable, match=r"product\.skus"):
        listings.listings({"product": {"id": "1", "status": "ACTIVATE", "skus": []}})


def write(sku: str, place: str | None = None, units: int = 5) -> StockWrite:
    slot = f"1729000000000000010:{sku}"
    return StockWrite(
        slot_ref=slot, listing_ref="1729000000000000010", variation_ref=sku, location_ref=place, quantity=units
    )


def test_a_product_is_one_request_and_a_sku_stands_there_once():
    """Its number is in the path; with two warehouses a SKU has two rows inside one."""
    other = StockWrite(slot_ref="17:18", listing_ref="17", variation_ref="18", quantity=0)
    (first, mine), (second, rest) = listings.render([write(BLUE, "W1"), other, write(BLUE, "W2", 0), write(PINK)])
    assert first.path == "/product/202309/products/1729000000000000010/inventory/update"
    assert first.json == {
        "skus": [
            {
                "id": BLUE,
                "inventory": [{"warehouse_id": "W1", "quantity": 5}, {"warehouse_id": "W2", "quantity": 0}],
            },
            {"id": PINK, "inventory": [{"quantity": 5}]},
        ]
    }
    assert (len(mine), rest) == (3, (other,))
    assert second.path == "/product/202309/products/17/inventory/update"


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("taken", [None]),
        ("warehouse_is_not_there_inside_code_0", ["12052097"]),
        ("one_of_two_skus_refused_inside_code_0", [None, "12052023"]),
        ("one_of_two_warehouses_refused", [None, "12052097"]),
        ("an_error_that_names_no_sku_means_all", ["12052900", "12052900"]),
        ("whole_request_refused", ["36009009", "36009009"]),
    ],
)
def test_refusals_inside_a_good_answer(name: str, codes: list[str | None]):
    file = payload("stock_response", name)
    writes = listings.asked(Request(method="POST", path=file["request"]["path"], json=file["request"]["json"]))
    found = listings.read(writes, Reply(status=file["status"], headers={}, body=json.dumps(file["body"]).encode()))
    assert [one.code for one in found] == codes


@pytest.mark.parametrize("slot", ["", "1", "1:", ":1", "a:b", "1:2:3"])
def test_a_slot_that_is_none_of_ours_is_refused(slot: str):
    with pytest.raises(Unreadable, match="slot_ref"):
        listings.render([write(BLUE).model_copy(update={"slot_ref": slot})])


def test_an_error_without_a_code_is_its_status():
    (one,) = listings.read([write(BLUE)], Reply(status=404, headers={}, body=b'{"message":"gone"}'))
    assert (one.code, one.message) == ("404", "gone")


def test_a_good_answer_without_a_code_is_none():
    with pytest.raises(Unreadable, match=r"body\.code"):
        listings.read([write(BLUE)], Reply(status=200, headers={}, body=b"{}"))


# ── Signatures and tokens ───────────────────────────────────────────────────────────────────────────────────


def unsigned(path: str, **more: Any) -> Unsigned:
    request = Request(method="POST", path=path, params=(("page_token", "a+/="), ("ids", "1,2")))
    named: dict[str, Any] = {
        "request": request, "url": f"https://open-api.tiktokglobalshop.com{path}?ids=1", "content": None,
        "shown": {client.ACCESS: "tok"}, "credentials": KEYS, "facts": {"shop_cipher": "BR_x"}, "external_id": None,
        "now": datetime.fromtimestamp(1623812664, UTC),
    }  # fmt: skip
    return Unsigned(**named | more)


def test_the_vendors_own_vector():
    params = {"app_key": "29a39d", "timestamp": "1623812664", "sign": "old", "access_token": "tok"}
    signed = client.signature("e59af819cc", "/authorization/202309/shops", params, None)
    assert signed == "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8"


def test_the_body_is_signed_as_it_leaves():
    body = b'{"address":"https://partner.tiktokshop.com", "event_type": "PACKAGE_UPDATE"}'
    asked = client.sign(unsigned("/event/202309/webhooks", content=body))
    params = dict(asked.params)
    shown = params.pop("sign")
    base = (
        "e59af819cc/event/202309/webhooksapp_key29a39dids1,2page_tokena+/=shop_cipherBR_xtimestamp1623812664"
        + body.decode()
        + "e59af819cc"
    )
    assert shown == hmac.digest(b"e59af819cc", base.encode(), hashlib.sha256).hex()
    assert asked.headers == {"Content-Type": "application/json", "x-tts-access-token": "tok"}
    assert "tok" not in params.values(), "the token stays a header"


def test_a_call_that_belongs_to_no_shop_names_none():
    assert "shop_cipher" not in dict(client.sign(unsigned("/authorization/202309/shops")).params)
    assert "shop_cipher" not in dict(client.sign(unsigned("/order/202309/orders", facts={})).params)


def test_tokens_come_from_another_host_and_end_at_an_instant():
    request = client.refresh(KEYS, Token(access=SecretStr("a"), expires_at=None, refresh=SecretStr("r1")))
    assert (request.method, request.path) == ("GET", "https://auth.tiktok-shops.com/api/v2/token/refresh")
    assert dict(request.params)["refresh_token"] == "r1"
    assert (request.authenticate, request.is_repeatable()) == (False, False)
    answer = {"code": 0, "data": {"access_token": "a2", "access_token_expire_in": 1772634600, "refresh_token": "r2"}}
    token = client.read_token(Reply(status=200, headers={}, body=json.dumps(answer).encode()), AT)
    assert token.expires_at == datetime.fromtimestamp(1772634600, UTC)
    assert token.refresh
    assert token.refresh.get_secret_value() == "r2", "whatever comes back is kept"
    with pytest.raises(ChannelError) as problem:
        client.refresh(KEYS, None)
    assert problem.value.fault is Fault.AUTH


def test_consent_is_asked_for_by_service_or_by_key():
    service = KEYS.model_copy(update={"service_id": "743"})
    assert client.authorize(service, "", "s1", "") == (
        "https://services.tiktokshop.com/open/authorize?service_id=743&state=s1"
    )
    assert (
        client.authorize(KEYS, "", "s1", "") == "https://auth.tiktok-shops.com/oauth/authorize?app_key=29a39d&state=s1"
    )


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b'{"code":0}', None),
        (b'{"code":"0"}', None),
        (b'{"code":105002}', Fault.AUTH),
        (b'{"code":"105005"}', Fault.AUTH),
        (b'{"code":105999}', Fault.AUTH),
        (b'{"code":36004007}', Fault.AUTH),
        (b'{"code":106013}', Fault.AUTH),
        (b'{"code":36009002}', Fault.THROTTLED),
        (b'{"code":36009007}', Fault.TRANSIENT),
    ],
)
def test_codes_inside_a_200(body: bytes, fault: Fault | None):
    code = ADAPTER.read_error(Reply(status=200, headers={}, body=body))
    assert (ADAPTER.faults[code] if code else None) is fault


def test_only_an_expired_token_is_renewed():
    assert ADAPTER.token
    assert ADAPTER.token.renew_on == {401, "105002"}


# ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────────


def knock(body: Any, **more: Any) -> Knock:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Knock(headers={}, body=content, **more)


def signed(key: str, secret: str, told_: Knock) -> Knock:
    shown = hmac.digest(secret.encode(), key.encode() + told_.body, hashlib.sha256).hex()
    return Knock(headers={"authorization": shown}, body=told_.body, url=told_.url)


def test_both_forms_of_the_secret():
    good = signed("k1", "s1", knock(b"{}", url="https://h/hook?app_key=k1&x=1"))
    webhook.verify("k1:s1", good)
    webhook.verify("s1", good)
    webhook.verify("s1", signed("k1", "s1", knock(b"{}", url="https://[?app_key=k1")))  # an address that is none


@pytest.mark.parametrize(
    ("secret", "url"),
    [
        ("s1", "https://h/hook"),  # nowhere told which key it is
        ("s1", "https://h/hook?app_key=k2"),
        ("k2:s1", "https://h/hook?app_key=k1"),  # what we know ourselves counts, not what an address says
        ("k1:s2", "https://h/hook?app_key=k1"),
    ],
)
def test_another_key_or_secret_is_refused(secret: str, url: str):
    with pytest.raises(BadSignature):
        webhook.verify(secret, signed("k1", "s1", knock(b"{}", url=url)))


def test_the_credentials_tell_what_signs():
    assert ADAPTER.webhook
    assert ADAPTER.webhook.secret
    assert ADAPTER.webhook.secret(KEYS) == "29a39d:e59af819cc"


@pytest.mark.parametrize(
    ("name", "topic", "refs"),
    [
        ("order_status", Topic.ORDER, ["576486316948490001"]),
        ("order_spelt_cancel", Topic.ORDER, ["576486316948490001"]),
        ("parcels_of_two_orders", Topic.ORDER, ["576486316948490001", "576486316948490002"]),
        ("parcel_that_names_no_order", Topic.SHIPMENT, [PARCEL]),
        ("nfe_of_two_orders_invalid", Topic.ORDER, ["576486316948490001", "576486316948490003"]),
        ("product_status", Topic.LISTING, ["1729000000000000010"]),
        ("authorization_taken_back", Topic.ACCOUNT, [None]),
        ("a_message_is_not_for_us", Topic.IGNORED, [None]),
        ("a_type_never_seen", Topic.UNKNOWN, [None]),
    ],
)
def test_notices(name: str, topic: Topic, refs: list[str | None]):
    found = webhook.read(knock(payload("notice", name)["body"].encode()))
    assert [(one.topic, one.ref, one.account_ref) for one in found] == [
        (topic, ref, "7494049642642441621") for ref in refs
    ]
    assert len({one.dedupe_key for one in found}) == len(found)


def test_parcels_that_name_no_order_are_told_apart():
    about = {"package_list": [{"package_id": PARCEL}, {"package_id": OTHER}, {"package_id": "a/b"}, 7]}
    found = webhook.read(knock({"type": 4, "tts_notification_id": "9", "shop_id": "1", "data": about}))
    assert [(one.topic, one.ref, one.dedupe_key) for one in found] == [
        (Topic.SHIPMENT, PARCEL, f"9:{PARCEL}"), (Topic.SHIPMENT, OTHER, f"9:{OTHER}"),
    ]  # fmt: skip


def test_a_notification_has_its_own_id_and_an_older_one_none():
    (one,) = webhook.read(knock(payload("notice", "order_status")["body"].encode()))
    assert one.dedupe_key == "7327112393057371901"
    old = json.loads(payload("notice", "older_application_without_a_notification_id")["body"])
    later = old | {"data": old["data"] | {"update_time": 1772634999}}
    keys = [webhook.read(knock(body))[0].dedupe_key for body in (old, dict(reversed(old.items())), later)]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"type":1,"data":{}}',
        b'{"type":1,"data":{"order_id":"a/b"}}',
        b'{"type":5,"data":null}',
        b'{"type":{}}',
    ],
)
def test_a_notice_that_names_nothing_is_refused(body: bytes):
    with pytest.raises(Unreadable):
        webhook.read(knock(body))


# ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────────

CARRIERS = [{"id": "11", "name": "Correios - Sedex"}, {"id": "12", "name": "Jadlog"}, {"id": "13", "name": "Correios"}]


def news(name: str, **more: Any) -> ShipmentNews:
    there = {"order": payload("order", name), "providers": CARRIERS}
    named = {"news": News.DISPATCHED, "order_ref": "576486316948490001", "carrier": "CORREIOS", "at": AT}
    return ShipmentNews(**{**named, "tracking_code": "BB123456785BR", "there": there, **more})


def sent(told_: ShipmentNews) -> list[tuple[str, Any]]:
    return [(request.path, request.json) for request in shipping.shipped(told_, "default")]


def test_units_without_a_parcel_go_into_one():
    body = {"tracking_number": "BB123456785BR", "shipping_provider_id": "13"}
    path = "/fulfillment/202309/orders/576486316948490001/packages"
    first, second, third = (f"5764863169484900{n:02}" for n in (1, 2, 3))
    assert sent(news("two_units_of_one_sku")) == [(path, body | {"order_line_item_ids": [first, second]})]
    one = (LineQuantity(line_ref=BLUE, quantity=1),)
    assert sent(news("two_units_of_one_sku", lines=one)) == [(path, body | {"order_line_item_ids": [first]})]
    assert sent(news("one_unit_of_three_cancelled")) == [(path, body | {"order_line_item_ids": [first, third]})]
    assert sent(news("one_parcel_of_two_sent")) == [(path, body | {"order_line_item_ids": [second]})]


def test_another_code_is_put_in_the_place_of_the_first():
    path = f"/fulfillment/202309/packages/{PARCEL}/shipping_info/update"
    body = {"tracking_number": "BB123456785BR", "shipping_provider_id": "12"}
    assert sent(news("sent_with_its_code", carrier="Jadlog Package")) == [(path, body)]
    assert sent(news("sent_with_its_code", tracking_code="AA123456785BR")) == [], "told already"
    assert sent(news("sent_with_its_code", tracking_code="AA123456785BR", carrier="Trem Azul")) == []


def test_nothing_is_told_of_what_tiktok_carries_or_hears_of_itself():
    assert sent(news("masked_by_tiktoks_own_logistics")) == []
    assert sent(news("two_units_of_one_sku", news=News.DELIVERED)) == []
    assert sent(news("cancelled_after_payment")) == []
    assert sent(news("two_units_of_one_sku", there=None)) == []


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"tracking_code": None}, "no_tracking_code", "tracking code"),
        ({"carrier": "Trem Azul"}, "no_such_carrier", "Trem Azul: TikTok knows Correios - Sedex, Jadlog, Correios"),
        ({"carrier": None}, "no_such_carrier", "not told"),
    ],
)
def test_what_tiktok_would_not_take_is_told_before(changed: dict[str, Any], code: str, words: str):
    with pytest.raises(ChannelError, match=words) as problem:
        sent(news("two_units_of_one_sku", **changed))
    assert (problem.value.fault, problem.value.code) == (Fault.REJECTED, code)

"""Shopee: what its documents and errors mean, how its calls and pushes are signed; values worked out by hand."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.shopee import ADAPTER, client, errors, listings, mapping, shipping, webhook
from hub.contract import Token
from hub.faults import BadSignature, ChannelError, Fault, Unreadable
from hub.model import (
    FulfilledBy,
    Fulfilment,
    Hold,
    Knock,
    ManagedBy,
    News,
    Payment,
    Reply,
    Request,
    ShipmentNews,
    StockWrite,
    Topic,
    TrackingStatus,
    Unsigned,
)
from hub.parse import instant

FILES = Path(__file__).parents[1] / "adapters" / "shopee"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def payload(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def told(**changed: Any) -> dict[str, Any]:
    row = payload("order", "ready_to_ship_whole_answer")["response"]["order_list"][0]
    return {**row, **changed}


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("word", "paid", "payment", "fulfilment", "hold", "cancelled"),
    [
        ("UNPAID", False, Payment.PENDING, Fulfilment.NONE, None, False),
        ("PENDING", False, Payment.PENDING, Fulfilment.NONE, Hold.FROZEN, False),
        ("PENDING", True, Payment.PAID, Fulfilment.NONE, Hold.FROZEN, False),
        ("INVOICE_PENDING", True, Payment.PAID, Fulfilment.NONE, Hold.INVOICE_PENDING, False),
        ("READY_TO_SHIP", True, Payment.PAID, Fulfilment.NONE, None, False),
        ("PROCESSED", True, Payment.PAID, Fulfilment.NONE, None, False),
        ("RETRY_SHIP", True, Payment.PAID, Fulfilment.NONE, None, False),
        ("IN_CANCEL", True, Payment.PAID, Fulfilment.NONE, Hold.CANCEL_REQUESTED, False),
        ("SHIPPED", True, Payment.PAID, Fulfilment.DISPATCHED, None, False),
        ("TO_CONFIRM_RECEIVE", True, Payment.PAID, Fulfilment.DELIVERED, None, False),
        ("TO_RETURN", True, Payment.PAID, Fulfilment.DELIVERED, None, False),
        ("COMPLETED", True, Payment.PAID, Fulfilment.DELIVERED, None, False),
        ("CANCELLED", False, Payment.VOIDED, Fulfilment.NONE, None, True),
        ("CANCELLED", True, Payment.REFUNDED, Fulfilment.NONE, None, True),
    ],
)
def test_statuses(word: str, paid: bool, payment: Any, fulfilment: Any, hold: Any, cancelled: bool):
    order = mapping.order(told(order_status=word, pay_time=1763640240 if paid else None))
    assert (order.payment, order.fulfilment, order.hold, order.cancelled) == (payment, fulfilment, hold, cancelled)


def test_a_whole_order():
    order = mapping.order(payload("order", "processed_with_nfe"))
    assert [(line.ref, line.sku, line.quantity, line.total_cents) for line in order.lines] == [
        ("22500001:9100001", "CAM-AZ-M", 2, 11980),
        ("22500002", "CANECA", 1, 3990),
    ]
    assert (order.items_cents, order.total_cents, order.shipping_cents) == (15970, 15970, None)
    assert order.changed_at == order.clocks["order"] == instant(1763650000, "")
    assert order.ship_by == instant(1763812800, "")
    assert order.deliver_by == instant(1764244800, "")
    (note,) = order.invoices
    assert (note.key, note.number, note.total_cents) == (
        "35251130188025000121550010000065411234567897", "6541", 15970,
    )  # fmt: skip
    (parcel,) = order.shipments
    assert (parcel.ref, parcel.carrier, parcel.status) == (
        "OFG100000000001", "Shopee Xpress", TrackingStatus.LABEL_CREATED,
    )  # fmt: skip
    assert [(row.line_ref, row.quantity) for row in parcel.lines] == [("22500001:9100001", 2), ("22500002", 1)]
    assert order.buyer
    assert (order.buyer.ref, order.buyer.name, order.buyer.phone) == ("770012345", "Maria da Silva", "+5511987650001")
    assert order.buyer.document
    assert (order.buyer.document.number, order.buyer.document.valid) == ("52998224725", True)
    assert order.ship_to
    assert (order.ship_to.street, order.ship_to.district, order.ship_to.state, order.ship_to.postal_code) == (
        "Rua das Acácias, 120, Apto 31", "Vila Mariana", "SP", "04101000",
    )  # fmt: skip


def test_units_cancelled_in_part_and_asked_for():
    part = mapping.order(payload("order", "cancelled_in_part"))
    assert [(line.quantity, line.cancelled_quantity) for line in part.lines] == [(2, 1), (1, 0)]
    assert (part.cancelled, part.hold) == (False, None)
    asked = mapping.order(payload("order", "partial_cancellation_asked_for"))
    assert (asked.hold, asked.lines[0].cancelled_quantity) == (Hold.CANCEL_REQUESTED, 0)
    line = told()["item_list"][0]
    shrunk = mapping.order(
        told(item_list=[{**line, "model_quantity_purchased": 1, "active_qty": 1, "cancelled_qty": 1}])
    )
    assert (shrunk.lines[0].quantity, shrunk.lines[0].cancelled_quantity) == (2, 1)


def test_a_bundles_rows_are_lines_of_their_own_and_tell_no_price():
    order = mapping.order(payload("order", "bundle_deal_tells_no_price"))
    assert [(line.ref, line.total_cents) for line in order.lines] == [
        ("22500001:9100001:1:7850298", None),
        ("22500001:9100001:2:0", 11980),
    ]
    assert (order.items_cents, order.total_cents) == (None, 17000)
    assert [row.line_ref for row in order.shipments[0].lines] == [line.ref for line in order.lines]


def test_what_was_masked_is_not_told():
    order = mapping.order(payload("order", "shipped_and_masked"))
    assert order.ship_to is None
    assert order.buyer
    assert (order.buyer.ref, order.buyer.name, order.buyer.phone, order.buyer.document) == ("770012345",) + (None,) * 3


def test_whose_shelf_it_leaves():
    assert mapping.order(payload("order", "fulfilled_by_shopee")).fulfilled_by is FulfilledBy.MARKETPLACE
    assert mapping.order(payload("order", "advance_package_left_before")).fulfilled_by is FulfilledBy.MARKETPLACE
    assert mapping.order(told()).lines[0].fulfilled_by is FulfilledBy.SELLER
    assert mapping.order(payload("order", "fields_not_asked_for")).fulfilled_by is None
    with pytest.raises(Unreadable, match=r"order\.fulfillment_flag: unknown"):
        mapping.order(told(fulfillment_flag="fulfilled_by_nobody"))


def test_one_parcel_of_two_left():
    order = mapping.order(payload("order", "split_one_parcel_left"))
    assert order.fulfilment is Fulfilment.PARTIAL
    assert [line.dispatched_quantity for line in order.lines] == [1, 0]


def test_what_is_cancelled_on_its_way_has_left_all_the_same():
    order = mapping.order(payload("order", "cancelled_as_it_could_not_be_delivered"))
    assert (order.cancelled, order.fulfilment, order.payment) == (True, Fulfilment.DISPATCHED, Payment.REFUNDED)
    assert (order.lines[0].dispatched_quantity, order.lines[0].cancelled_quantity) == (2, 2)
    assert order.shipments[0].status is TrackingStatus.RETURNING
    assert mapping.takes_stock(order) is None
    assert mapping.takes_stock(mapping.order(payload("order", "cancelled_after_payment"))) is False


def test_all_that_came_back():
    order = mapping.order(payload("order", "completed_returned_whole"))
    assert (order.fulfilment, order.lines[0].returned_quantity) == (Fulfilment.RETURNED, 2)


def test_the_parents_sku_is_no_models():
    line = {**told()["item_list"][0], "model_sku": ""}
    assert mapping.order(told(item_list=[line])).lines[0].sku is None


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (told(order_status="EXPLODED"), "order.order_status"),
        (told(order_status=None), "order.order_status"),
        (told(order_sn=None), "order.order_sn"),
        (told(item_list=None), "order.item_list"),
        (
            told(item_list=[{"item_id": 1, "model_quantity_purchased": 1.5}]),
            "order.item_list.0.model_quantity_purchased",
        ),
        (told(item_list=[{"model_quantity_purchased": 1}]), "order.item_list.0.item_id"),
        (told(total_amount="dez"), "order.total_amount"),
        (told(update_time="ontem"), "order.update_time"),
        (told(currency="R$"), "order.currency"),
        ({"error": "error_auth", "message": "Invalid access_token."}, "response.order_list"),
        ({"error": "", "response": {"order_list": [told(), told()]}}, "response.order_list"),
        ([], "order"),
    ],
)
def test_what_cannot_be_read_is_named(raw: Any, path: str):
    with pytest.raises(Unreadable) as problem:
        mapping.order(raw)
    assert problem.value.path == path


@given(JSON)
def test_any_json_is_read_or_refused(raw: Any):
    for read in (mapping.order, listings.listings, webhook.notices):
        try:
            read(raw)
        except Unreadable:
            continue


def spots(raw: Any) -> list[tuple[Any, Any]]:
    """Each container of a document with each of its keys."""
    inner = list(raw.items()) if isinstance(raw, dict) else list(enumerate(raw)) if isinstance(raw, list) else []
    return [(raw, key) for key, _ in inner] + [spot for _, each in inner for spot in spots(each)]


@pytest.mark.parametrize(("facet", "read"), [("order", mapping.order), ("listing", listings.listings)])
@given(data=st.data())
def test_a_broken_document_is_read_or_refused(facet: str, read: Any, data: st.DataObject):
    path = data.draw(st.sampled_from(sorted((FILES / facet).glob("*.json"))))
    raw = copy.deepcopy(json.loads(path.read_text()))
    at, key = data.draw(st.sampled_from(spots(raw)))
    if isinstance(at, dict) and data.draw(st.booleans()):
        del at[key]
    else:
        at[key] = data.draw(JSON)
    try:
        read(raw)
    except ChannelError as problem:
        assert isinstance(problem, Unreadable)  # noqa: PT017 - it may as well be read


# ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "message", "fault"),
    [
        ("error_auth", "Invalid access_token.", Fault.AUTH),
        ("invalid_acceess_token", "Invalid access_token, please have a check.", Fault.AUTH),
        ("error_auth", "Invalid refresh_token.", Fault.AUTH),
        ("error_auth", "Invalid partner_id or shopid.", Fault.AUTH),
        ("error_auth", "System error, please try again later.", Fault.TRANSIENT),
        ("error_auth", "Total stock must be more than reserved stock.", Fault.REJECTED),
        ("error_auth", "No permission to current api.", Fault.REJECTED),
        ("error_auth", "Please wait for the holiday mode set then to edit item. Please try later.", Fault.REJECTED),
        ("error_auth", "Lack of location_id, please double check.", Fault.REJECTED),
        ("common.error_auth", "Invalid access_token.", Fault.AUTH),
        ("error_sign", "Wrong sign.", Fault.AUTH),
        ("error_param", "Timestamp is expired.", Fault.AUTH),
        ("error_param", "Wrong model_id.", Fault.REJECTED),
        ("error_param", "The information you queried is not found.", Fault.MISSING),
        ("error_server", "Something wrong. Please try later.\t", Fault.TRANSIENT),
        (
            "error_server",
            "The current item belong to the full FBS shop, so normal stock must be equal to 0",
            Fault.REJECTED,
        ),
        ("error_inner", "Invalid stock location ID", Fault.REJECTED),
        ("error_rate_limit", "Too many requests.", Fault.THROTTLED),
        ("error_limit", "The total API call number has reached the daily API call limit", Fault.THROTTLED),
        ("logistics.error_limit", "The batch request reach limit 50.", Fault.REJECTED),
        ("logistics.error_limit", "Can not update order logistics in current status.", Fault.REJECTED),
        ("order.order_list_invalid_time", "Start time must be earlier than end time", Fault.REJECTED),
        ("product.error_item_not_found", "Item_id is not found.", Fault.MISSING),
    ],
)
def test_an_overloaded_code_is_told_by_its_message(code: str, message: str, fault: Fault):
    body = json.dumps({"error": code, "message": message, "request_id": "1"}).encode()
    found = errors.read_error(Reply(status=200, headers={}, body=body))
    assert found is not None
    assert errors.FAULTS[found] is fault


@pytest.mark.parametrize("error", ["", "-", None])
def test_no_error_is_no_error(error: str | None):
    body = json.dumps({"error": error, "message": "", "response": {}}).encode()
    assert errors.read_error(Reply(status=200, headers={}, body=body)) is None


def test_a_spent_day_ends_at_midnight_in_singapore():
    assert errors.until("error_daily_limit", NOW) == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert errors.until("error_daily_limit", NOW + timedelta(hours=5)) == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert errors.until("error_rate_limit", NOW) is None


def test_only_a_stale_token_is_renewed():
    assert ADAPTER.token
    assert ADAPTER.token.renew_on == {"invalid_access_token", "invalid_acceess_token"}


# ── Signatures ──────────────────────────────────────────────────────────────────────────────────────────────

SHOP_SIGNATURE = "f961fc7bc3531597a07f32e92945974b6ad3ee3f8580a31705a068ef12919e9d"
PUBLIC_SIGNATURE = "227df551d3517a7a41eb3c37c987f806d54033807864c269e48ed89a71a9e670"
CREDENTIALS = client.Credentials(partner_id="1000001", partner_key=SecretStr("key"), shop_id="600000")


def unsigned(shown: dict[str, str], request: Request) -> Unsigned:
    url = f"https://openplatform.shopee.com.br{request.path}?order_sn_list=A%2CB"
    return Unsigned(
        request=request, url=url, content=None, shown=shown, credentials=CREDENTIALS, facts={}, external_id=None,
        now=datetime.fromtimestamp(1655714431, UTC),
    )  # fmt: skip


def test_a_shops_call_shows_its_token_in_the_query_and_a_public_one_none():
    """Worked out apart: openssl dgst -sha256 -hmac key over id, path, time, token and shop."""
    request = Request(method="GET", path="/api/v2/order/get_order_detail", params=(("order_sn_list", "A,B"),))
    signed = dict(client.sign(unsigned({"access_token": "tok"}, request)).params)
    assert signed == {
        "order_sn_list": "A,B", "partner_id": "1000001", "timestamp": "1655714431", "access_token": "tok",
        "shop_id": "600000", "sign": SHOP_SIGNATURE,
    }  # fmt: skip
    public = dict(client.sign(unsigned({}, Request(method="POST", path="/api/v2/auth/token/get"))).params)
    assert public == {"partner_id": "1000001", "timestamp": "1655714431", "sign": PUBLIC_SIGNATURE}


def test_a_lifetime_is_a_duration_or_an_instant():
    def ends(told: int) -> datetime | None:
        body = json.dumps({"error": "", "access_token": "a", "refresh_token": "b", "expire_in": told, "shop_id": 6})
        return client.read_token(Reply(status=200, headers={}, body=body.encode()), NOW).expires_at

    assert ends(14400) == NOW + timedelta(hours=4)
    assert ends(1795000000) == datetime.fromtimestamp(1795000000, UTC)


def test_a_renewal_takes_the_last_refresh_token_of_this_shop():
    token = Token(access=SecretStr("a"), expires_at=None, refresh=SecretStr("newer"))
    request = client.refresh(CREDENTIALS.model_copy(update={"refresh_token": SecretStr("first")}), token)
    assert request.json == {"refresh_token": "newer", "partner_id": 1000001, "shop_id": 600000}
    assert (request.authenticate, request.signed) == (False, True)
    with pytest.raises(ChannelError) as problem:
        client.refresh(CREDENTIALS, None)
    assert problem.value.fault is Fault.AUTH


# ── Pushes ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_push_is_signed_over_the_registered_address():
    raw = payload("notice", "order_status")
    knock = Knock(headers=raw["headers"], body=raw["body"].encode(), url=raw["url"])
    webhook.verify(raw["secret"], knock)
    for url in (raw["url"].replace("https", "http"), raw["url"] + "/", ""):
        with pytest.raises(BadSignature):
            webhook.verify(raw["secret"], Knock(headers=knock.headers, body=knock.body, url=url))


def read(name: str) -> list[Any]:
    raw = payload("notice", name)
    return webhook.read(Knock(headers=raw["headers"], body=raw["body"].encode(), url=raw["url"]))


def test_what_is_sent_again_has_the_same_key_and_a_change_another():
    (first,), (again,), (changed,) = map(
        read, ("order_status", "order_status_again_under_another_msg_id", "order_cancelled")
    )
    assert (first.topic, first.ref, first.account_ref) == (Topic.ORDER, "261120AB12CD34", "336094210")
    assert first.dedupe_key == again.dedupe_key != changed.dedupe_key


def test_a_push_names_its_shop_wherever_it_stands():
    (gone,) = read("deauthorized_names_shopid")
    assert (gone.topic, gone.account_ref) == (Topic.ACCOUNT, "336094210")
    assert [notice.account_ref for notice in read("authorizations_that_end_name_many_shops")] == [
        "336094210",
        "336094211",
    ]


def test_a_known_code_without_its_id_is_kept_and_never_refused():
    """Refused pushes count: below 30 % of success the application's pushes stop."""
    (kept,) = read("order_code_without_an_order_is_kept")
    assert (kept.topic, kept.ref, kept.raw["code"]) == (Topic.UNKNOWN, None, 30)
    (test,) = read("consoles_test")
    assert test.topic is Topic.PING


# ── Listings and stock ──────────────────────────────────────────────────────────────────────────────────────


def test_listings():
    shirts = listings.listings(payload("listing", "item_with_models"))
    assert [(one.slot_ref, one.variation_ref, one.sku, one.title, one.stock_quantity) for one in shirts] == [
        ("22500001:9100001", "9100001", "CAM-AZ-M", "Camiseta lisa Azul M", 7),
        ("22500001:9100002", "9100002", "CAM-PT-M", "Camiseta lisa Preta M", 0),
        ("22500001:9100003", "9100003", None, "Camiseta lisa Preta,P", 3),
    ]
    assert [one.gtin for one in shirts] == [None] * 3
    (cup,) = listings.listings(payload("listing", "item_without_models"))
    assert (cup.slot_ref, cup.variation_ref, cup.price_cents, cup.quantity, cup.gtin) == (
        "22500002", None, 3990, 40, "7891000315507",
    )  # fmt: skip
    places = listings.listings(payload("listing", "several_warehouses"))
    assert [(one.location_ref, one.quantity, one.stock_quantity) for one in places] == [("BRZ", 9, 9), ("BRS", 3, 3)]
    (theirs,) = listings.listings(payload("listing", "fulfilled_by_shopee"))
    assert (theirs.managed_by, theirs.quantity, theirs.stock_quantity) == (ManagedBy.MARKETPLACE, 30, None)
    (kit,) = listings.listings(payload("listing", "native_kit_is_not_written"))
    assert (kit.quantity, kit.stock_quantity) == (40, None)
    assert [one.sku for one in listings.listings(payload("listing", "whole_answer_of_base_info"))] == [None]


def write(slot: str, quantity: int, place: str | None = None) -> StockWrite:
    item, _, model = slot.partition(":")
    return StockWrite(
        slot_ref=slot, listing_ref=item, variation_ref=model or None, quantity=quantity, location_ref=place
    )


def test_a_request_is_of_one_item_and_names_a_model_once():
    writes = [write("1:5", 3), write("2", 4), write("1:6", 0), write("2", 9, "BRZ")]
    (first, mine), (second, rest) = listings.render(writes)
    assert first.json == {
        "item_id": 1,
        "stock_list": [
            {"model_id": 5, "seller_stock": [{"stock": 3}]},
            {"model_id": 6, "seller_stock": [{"stock": 0}]},
        ],
    }
    assert second.json == {
        "item_id": 2,
        "stock_list": [{"model_id": 0, "seller_stock": [{"stock": 4}, {"location_id": "BRZ", "stock": 9}]}],
    }
    assert (mine, rest) == ((writes[0], writes[2]), (writes[1], writes[3]))
    many = listings.render([write(f"1:{n}", n) for n in range(1, 102)])
    assert [len(covered) for _request, covered in many] == [50, 50, 1]


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("all_taken", [("accepted", 7, None), ("accepted", 0, None)]),
        ("one_model_refused_inside_a_200", [("accepted", 7, None), ("fault", None, "error_reserved_stock")]),
        (
            "one_model_refused_and_no_error_told",
            [("accepted", None, None), ("fault", None, "error_cannt_edit_stock_in_promotion")],
        ),
        ("error_auth_that_is_a_business_rule", [("fault", None, "error_reserved_stock")]),
        ("item_of_shopees_own_shelf", [("fault", None, "error_fbs_stock")]),
        ("model_that_is_not_named_is_not_taken", [("accepted", 7, None), ("fault", None, "update_stock_failed")]),
        ("model_in_both_lists_is_refused", [("fault", None, "update_stock_failed")]),
        ("two_warehouses", [("accepted", 9, None), ("accepted", 3, None)]),
    ],
)
def test_each_model_has_its_own_outcome(name: str, outcomes: Any):
    file = payload("stock_response", name)
    asked = listings.asked(Request(method="POST", path="", json=file["request"]["json"]))
    found = listings.read(asked, Reply(status=200, headers={}, body=json.dumps(file["body"]).encode()))
    assert [(one.outcome, one.seen, one.code) for one in found] == outcomes


def test_an_answer_without_lists_is_not_believed():
    with pytest.raises(Unreadable, match=r"body\.response"):
        listings.read([write("2", 4)], Reply(status=200, headers={}, body=b'{"error": "", "response": {}}'))


# ── Shipping ────────────────────────────────────────────────────────────────────────────────────────────────

NEWS = ShipmentNews(
    news=News.DISPATCHED, order_ref="261120AB12CD34", tracking_code="AA123456785BR", carrier="Correios", at=NOW
)


def arranged(needed: Any, news: ShipmentNews = NEWS, order: Any = None, **there: Any) -> Any:
    parameter = {"info_needed": needed, **there}
    (request,) = shipping.arranged(
        news.model_copy(update={"there": {"order": order or told(), "parameter": parameter}}), ""
    )
    return {key: value for key, value in request.json.items() if key != "order_sn"}


PLACES = [
    {"address_id": 1, "address_flag": [], "time_slot_list": None},
    {
        "address_id": 2,
        "address_flag": ["default_address", "pickup_address"],
        "time_slot_list": [{"pickup_time_id": "a"}, {"pickup_time_id": "b", "flags": ["recommended"]}],
    },
]


def test_a_shipment_is_arranged_as_its_carrier_asks():
    assert arranged({"non_integrated": ["tracking_no"]}) == {"non_integrated": {"tracking_number": "AA123456785BR"}}
    assert arranged({"non_integrated": []}) == {"non_integrated": {"tracking_number": "AA123456785BR"}}
    assert arranged({"dropoff": [], "pickup": ["address_id"]}) == {"dropoff": {}}
    branches = {"branch_list": [{"branch_id": 7}, {"branch_id": 8}]}
    assert arranged({"dropoff": ["branch_id", "tracking_no"]}, dropoff=branches) == {
        "dropoff": {"branch_id": 7, "tracking_number": "AA123456785BR"}
    }
    pickup = {"pickup": ["address_id", "pickup_time_id"]}
    assert arranged(pickup, pickup={"address_list": PLACES}) == {"pickup": {"address_id": 2, "pickup_time_id": "b"}}
    named = arranged({"dropoff": ["sender_real_name"], **pickup}, pickup={"address_list": PLACES})
    assert named == {"pickup": {"address_id": 2, "pickup_time_id": "b"}}, "a name that nobody told us"


def test_a_split_orders_parcel_is_named():
    split = payload("order", "split_one_parcel_left")
    assert arranged({"dropoff": []}, order=split) == {"package_number": "OFG100000000012", "dropoff": {}}
    mine = NEWS.model_copy(update={"shipment_ref": "OFG100000000011"})
    assert arranged({"dropoff": []}, mine, order=split)["package_number"] == "OFG100000000011"


def test_what_nobody_told_us_is_left_to_the_seller():
    with pytest.raises(ChannelError, match="it asks for pickup: address_id, pickup_time_id") as problem:
        arranged({"pickup": ["address_id", "pickup_time_id"]}, pickup={"address_list": PLACES[:1]})
    assert problem.value.fault is Fault.REJECTED
    with pytest.raises(ChannelError):
        arranged({"non_integrated": ["tracking_no"]}, NEWS.model_copy(update={"tracking_code": None}))


def test_nothing_is_told_twice():
    assert shipping.arranged(NEWS, "") == []
    done = NEWS.model_copy(update={"there": {"order": told(), "parameter": None}})
    assert shipping.arranged(done, "") == []
    later = NEWS.model_copy(update={"news": News.DELIVERED, "there": {"parameter": {"info_needed": {"dropoff": []}}}})
    assert shipping.arranged(later, "") == []

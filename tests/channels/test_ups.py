"""UPS: the vocabulary against the published tables, every trap of its answers, quotes, postings, and nonsense."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.ups import ADAPTER, client, freight, mapping, sandbox, webhook
from hub import normalize
from hub.contract import Consignment
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import (
    Address,
    DeclaredGoods,
    Knock,
    Parcel,
    Party,
    Posting,
    Reply,
    Request,
    Topic,
    TrackingStatus,
    Unsigned,
)
from tests.channels.parcels import Cases, z

PAYLOADS = Path(__file__).parent.parent / "adapters" / "ups"
FILES = Cases("ups", mapping.parse)
payload, tracked, the_only = FILES.payload, FILES.tracked, FILES.the_only
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "ups"
with_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")
S = TrackingStatus


# ── The vocabulary ─────────────────────────────────────────────────────────────────────────────────────────

WORDS = {  # a published sentence says what its status must be
    "Out for Delivery": S.OUT_FOR_DELIVERY,
    "Your Driver is Arriving Soon!": S.OUT_FOR_DELIVERY,
    "On the Way": S.IN_TRANSIT,
    "Delay": S.IN_TRANSIT,
    "Shipment Ready for UPS": S.LABEL_CREATED,
    "On the Way to UPS": S.LABEL_CREATED,
    "Delivered": S.DELIVERED,
    "Delivered by Local Post Office": S.DELIVERED,
    "Delivered to Agent": S.IN_TRANSIT,
    "Delivered to Post Office for Pickup": S.AWAITING_PICKUP,
    "Delivered to UPS Access Point": S.AWAITING_PICKUP,
    "Ready for Customer Pickup": S.AWAITING_PICKUP,
    "Returned to Sender": S.RETURNED,
    "Returning to Sender": S.RETURNING,
    "Delivery Attempted": S.FAILED_ATTEMPT,
    "Customs Clearance in Progress": S.CUSTOMS,
    "Picked Up by UPS": S.ACCEPTED,
    "Damage Reported": S.DAMAGED,
    "Sent to Lost and Found": S.LOST,
    "Shipment Information Voided": S.CANCELLED,
    "Delivery Refused": S.EXCEPTION,
}
LEFT_OUT = {
    88: "a test of theirs",
    156: "Commercial Inside Release: whether it is a delivery is not said",
}


def published() -> dict[int, str]:
    with (SAMPLES / "vocab" / "status-description-codes.csv").open() as page:
        return {int(row["CODE"]): row["Customer Facing Text Description"] for row in csv.DictReader(page)}


@with_samples
def test_every_published_code_has_a_status_or_stands_still_or_is_left_out_with_a_reason():
    told = published()
    assert len(told) == 160
    assert set(told) == set(mapping.STATUS) | mapping.STILL | set(LEFT_OUT)
    assert not set(mapping.STATUS) & mapping.STILL
    assert set(mapping.STATUS) >= mapping.DELAYING


@with_samples
def test_published_words_and_our_statuses_agree():
    told = published()
    for number, status in mapping.STATUS.items():
        assert WORDS.get(told[number], status) is status, told[number]
    assert {told[number].partition(":")[0] for number in mapping.DELAYING} == {"Delay", "Airport Security Delay"}
    still = [told[number] for number in mapping.STILL]
    assert not [words for words in still if words in WORDS]


@with_samples
def test_every_published_type_is_known():
    with (SAMPLES / "vocab" / "package-activity-types.csv").open() as page:
        told = {row["ACTIVITY TYPE"] for row in csv.DictReader(page)}
    assert told == set(mapping.TYPES) | mapping.STILL_TYPES


@pytest.mark.parametrize(
    ("numbers", "status"),  # as our facts propose them
    [
        ((3, 44, 45, 79, 80), S.LABEL_CREATED),
        ((7,), S.CANCELLED),
        ((38,), S.ACCEPTED),
        ((5, 10, 25, 39, 47, 57, 87, 143, 46, 48, 49, 51, 52, 53, 86, 90, 132), S.IN_TRANSIT),
        ((6, 21, 37, 72, 89, 91, 146), S.OUT_FOR_DELIVERY),
        ((11, 26), S.DELIVERED),
        ((22, 23, 24, 60, 61, 62, 66, 145), S.FAILED_ATTEMPT),
        ((17, 40, 70, 144), S.AWAITING_PICKUP),
        ((12, 14, 58, 84, 92, 123, 124, 125, 126, 134), S.CUSTOMS),
        ((33, 35, 36, 118, 119), S.RETURNING),
        ((34, 67, 81), S.RETURNED),
        ((68, 140), S.LOST),
        ((59,), S.DAMAGED),
        ((64, 69, 147, 149), S.EXCEPTION),
    ],
)
def test_a_number_means(numbers: tuple[int, ...], status: TrackingStatus):
    assert {mapping.STATUS[number] for number in numbers} == {status}


# ── Traps ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_delivered_and_its_alert_are_one_scan():
    """The alert writes the city in capitals and tells no offset; a scan told both ways is known once."""
    told, [alerted] = the_only("delivered"), tracked("alert_delivered")
    assert told.status is alerted.status is S.DELIVERED
    last, scan = told.events[-1], alerted.events[0]
    assert (last.at, last.raw_code, last.place, last.state) == (scan.at, scan.raw_code, scan.place, scan.state)
    assert (last.at, last.raw_code, last.place, last.state) == (z("2026-03-12T17:15:03"), "FS/011", "CURITIBA", "PR")
    assert told.deliver_by == z("2026-03-13T02:59:59")  # the hour of delivery is not the promise's


def test_delivered_to_an_agent_is_no_delivery():
    assert the_only("delivered_to_agent_is_no_delivery").status is S.IN_TRANSIT


def test_not_found_is_an_object_with_an_error_and_no_status():
    told = the_only("not_found_inside_a_200")
    assert told.error is not None
    assert (told.error.code, told.status, told.events) == ("TW0001", None, ())


def test_the_number_decides_where_type_and_simple_words_disagree():
    told = the_only("type_x_says_delivered_in_simple_words")
    assert (told.status, told.events[-1].raw_code) == (S.CUSTOMS, "SR/084")


def test_an_unknown_number_is_listed_and_changes_nothing():
    told = the_only("status_code_in_no_table")
    assert (told.status, told.events[-1].status) == (S.OUT_FOR_DELIVERY, S.UNKNOWN)


def test_times_in_gmt_with_and_without_their_zero_and_colons():
    events = the_only("gmt_time_lost_its_zero").events
    assert [event.at for event in events[1:]] == [z("2026-03-11T00:47:00"), z("2026-03-11T07:47:00")]
    assert [event.zone for event in events] == [None, None, None]


def test_a_local_time_alone_is_taken_for_brasilias_and_says_so():
    events = the_only("local_time_alone").events
    assert [(event.at, event.zone) for event in events] == [
        (z("2026-03-10T11:12:00"), "America/Sao_Paulo"),
        (z("2026-03-10T20:30:01"), "America/Sao_Paulo"),
    ]
    assert events[0].raw_at == "20260310T081200"


def test_a_foreign_scan_tells_its_country():
    assert [event.place for event in the_only("foreign_scan_keeps_its_country").events] == [
        "MIAMI, US",
        "LOUISVILLE, US",
    ]


def test_a_delay_and_the_new_day_and_hour():
    told = the_only("delay_and_new_day")
    assert (told.status, told.delayed, told.deliver_by) == (S.IN_TRANSIT, True, z("2026-03-13T20:00:00"))


def test_a_delay_ends_with_the_delivery():
    rows = payload("delay_and_new_day")
    activity = rows["trackResponse"]["shipment"][0]["package"][0]["activity"]
    activity.insert(0, payload("delivered")["trackResponse"]["shipment"][0]["package"][0]["activity"][0])
    activity[0] = {**activity[0], "date": "20260314"}
    [told] = mapping.parse(rows, [])
    assert (told.status, told.delayed) == (S.DELIVERED, False)


def test_a_request_stands_where_the_scan_before_it_did():
    told = the_only("request_moves_nothing")
    assert (told.status, told.events[-1].status) == (S.OUT_FOR_DELIVERY, S.OUT_FOR_DELIVERY)
    assert told.events[-1].raw_code == "DC/054"


def test_a_request_before_anything_else_moves_nothing():
    first = payload("request_moves_nothing")["trackResponse"]["shipment"][0]["package"][0]["activity"][:1]
    [told] = mapping.parse({"trackingNumber": "1ZA1B2C30400000010", "activity": first}, [])
    assert told.events[0].status is S.UNKNOWN


def test_returned_voided_waiting_and_sticky():
    assert the_only("returned_to_sender").status is S.RETURNED
    assert the_only("voided_label").status is S.CANCELLED
    assert the_only("waiting_at_access_point").status is S.AWAITING_PICKUP
    assert the_only("transit_scan_after_delivery").status is S.DELIVERED


def test_packages_of_one_shipment_are_objects():
    first, second = tracked("two_packages_of_one_shipment")
    assert (first.status, second.status) == (S.DELIVERED, S.IN_TRANSIT)
    [only] = mapping.parse(payload("two_packages_of_one_shipment"), [second.code])
    assert only == second


def test_a_number_used_again_is_the_one_scanned_last():
    assert the_only("number_used_again_is_the_last_scanned").status is S.IN_TRANSIT


def test_a_parcel_asked_by_another_number_keeps_the_carriers():
    told = the_only("inquired_by_another_number")
    assert (told.code, told.status) == ("ICN123456789", S.OUT_FOR_DELIVERY)
    assert told.carrier_code is not None
    assert told.carrier_code.startswith("1Z")


def test_without_a_number_the_type_is_all_there_is():
    told = the_only("bare_package_without_status_code")
    assert [(event.raw_code, event.status) for event in told.events] == [("MP", S.LABEL_CREATED), ("XD", S.IN_TRANSIT)]


def test_an_alert_with_blank_fields_and_a_blank_before_the_number():
    told = the_only("alert_of_a_label_tells_no_place")
    assert not told.code.startswith(" ")
    assert (told.events[0].place, told.events[0].state, told.deliver_by) == (None, None, None)


def test_objects_come_in_the_order_asked_and_codes_are_given_back_as_asked():
    raw = payload("delivered")
    number = the_only("delivered").code
    asked = [number.lower(), "1Z999", number]
    told = mapping.parse(raw, asked)
    assert [one.code for one in told] == asked
    assert [one.error.code if one.error else None for one in told] == [None, "not_told", None]


def test_an_answer_without_its_number_is_that_of_the_only_one_asked():
    unnamed = {"trackResponse": {"shipment": [{"warnings": [{"code": "TW0001", "message": "Not Found"}]}]}}
    [told] = mapping.parse(unnamed, ["1Z9"])
    assert told.error is not None
    assert (told.code, told.error.code) == ("1Z9", "TW0001")
    with pytest.raises(Unreadable, match=r"inquiryNumber: not told \(TW0001 Not Found\)"):
        mapping.parse(unnamed, [])


def test_an_error_answers_for_every_number_asked():
    error = {"response": {"errors": [{"code": "TV1002", "message": "Invalid inquiry number"}]}}
    told = mapping.parse(error, ["A", "B"])
    assert [(one.code, one.error.code if one.error else None) for one in told] == [("A", "TV1002"), ("B", "TV1002")]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (
            {"response": {"errors": [{"code": "TV1002", "message": "Invalid"}]}},
            "an error, not a tracking answer: TV1002",
        ),
        ([], "not an object"),
        (None, "not a tracking answer"),
        ("words", "not an object"),
        ({"trackResponse": {"shipment": [{"package": [{"activity": []}]}]}}, "trackingNumber: not told"),
        ({"trackingNumber": "1Z9", "activity": [{"time": "101010"}]}, "activity.0.date: no time"),
        (
            {"trackingNumber": "1Z9", "activity": [{"date": "20261340", "time": "101010"}]},
            "activity.0.date: not a time",
        ),
        (
            {"trackingNumber": "1Z9", "activity": [{"date": "20260310", "gmtOffset": "x"}]},
            "activity.0.date: not a time",
        ),
        ({"activityStatus": {}, "localActivityDate": "20260310"}, "trackingNumber: not told"),
    ],
)
def test_what_is_no_tracking_answer_is_refused_with_one_sentence(document: Any, why: str):
    with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
        mapping.parse(document, [])
    assert why in refusal.value.detail


def test_nobody_has_to_type_an_address_anywhere():
    assert ADAPTER.registers()
    assert not replace(ADAPTER, tracking=None).registers()


def test_a_parcel_is_asked_by_its_number():
    assert ADAPTER.tracking is not None
    assert ADAPTER.tracking.code_of(Consignment(tracking_code="1Z9", service="65", ref="1Z8")) == "1Z9"


# ── Alerts ─────────────────────────────────────────────────────────────────────────────────────────────────


def knock(case: str) -> Knock:
    told = payload(case, "notice")
    return Knock(headers={name.lower(): word for name, word in told["headers"].items()}, body=told["body"].encode())


def test_an_alert_is_whole_and_settles_its_parcel():
    [told] = webhook.read(knock("delivered"))
    assert (told.topic, told.at) == (Topic.TRACKING, z("2026-03-12T17:15:03"))
    assert told.ref is not None
    [settled] = mapping.parse(told.raw, [told.ref])
    assert (settled.code, settled.status) == (told.ref, S.DELIVERED)


def test_an_alert_of_a_new_day_tells_the_promise_and_no_scan():
    [told] = webhook.read(knock("update_of_the_promise"))
    [settled] = mapping.parse(told.raw, [])
    assert (settled.events, settled.status, settled.error) == ((), None, None)
    assert settled.deliver_by == z("2026-03-14T02:59:59")


def test_an_alert_of_no_parcel_is_kept_and_shown():
    [told] = webhook.read(knock("no_number_is_kept"))
    assert (told.topic, told.ref, told.raw) == (Topic.UNKNOWN, None, {"event": "test"})


# ── Quotes and purchases ───────────────────────────────────────────────────────────────────────────────────


def test_prices_days_and_promises():
    quotes = freight.read_quotes([payload("three_services", "quote")], ["11", "65", "02"])
    told = [(quote.service, quote.name, quote.price_cents, quote.days, quote.deliver_by) for quote in quotes[:2]]
    assert told == [
        ("11", "UPS Standard", 3940, 4, z("2026-03-17T02:30:00")),
        ("65", "UPS Worldwide Saver", 7130, 1, z("2026-03-12T02:30:00")),
    ]
    assert quotes[2].error is not None
    assert quotes[2].error.code == "not_told"


@pytest.mark.parametrize(
    ("case", "cents"), [("own_rates_with_taxes", 5250), ("taxes_on_the_published_rate", 7487), ("three_services", 7130)]
)
def test_what_is_paid_is_the_accounts_own_rate_with_taxes_where_told(case: str, cents: int):
    assert freight.read_quotes([payload(case, "quote")], ["65"])[0].price_cents == cents


def test_a_price_in_another_currency_is_no_price_in_reais():
    [dollars] = freight.read_quotes([payload("dollars_are_not_reais", "quote")], ["08"])
    assert dollars.error is not None
    assert (dollars.price_cents, dollars.error.code) == (None, "currency")
    assert "USD" in dollars.error.message


def test_a_single_row_may_be_an_object():
    assert [
        quote.price_cents for quote in freight.read_quotes([payload("single_rows_told_as_objects", "quote")], ())
    ] == [3940]


def test_days_of_a_guarantee():
    [quote] = freight.read_quotes([payload("guaranteed_days_without_a_calendar", "quote")], ())
    assert (quote.days, quote.deliver_by, quote.name) == (1, None, "UPS Worldwide Express Plus")


HOME = Address(
    street="Rua Doutor Antônio Augusto de Almeida Prado", number="1000", complement="Bloco B, apto 12",
    district="Jardim das Flores", city="Londrina", state="PR", postal_code="86010000",
)  # fmt: skip
SHOP = Party(name="Loja", document="11222333000181", phone="+551133334444", address=HOME)
BOX = Parcel(
    from_postal_code="01001000", to_postal_code="86010000", weight_g=810, length_cm=20, width_cm=15, height_cm=5
)
POSTING = Posting(
    reference="pedido-1", service="65", sender=SHOP, recipient=SHOP, parcel=BOX,
    goods=(DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),),
)  # fmt: skip


def test_a_purchase_is_rendered_whole_and_completed_with_the_account():
    body = freight.charged_to(freight.buy(POSTING).json, "A1B2C3")["ShipmentRequest"]
    shipment = body["Shipment"]
    assert shipment["ShipTo"]["Address"]["AddressLine"] == [
        "Rua Doutor Antônio Augusto de",
        "Almeida Prado, 1000, Bloco B, apto",
        "12, Jardim das Flores",
    ]
    assert shipment["Shipper"]["ShipperNumber"] == "A1B2C3"
    assert shipment["PaymentInformation"]["ShipmentCharge"] == {
        "Type": "01",
        "BillShipper": {"AccountNumber": "A1B2C3"},
    }
    assert shipment["Package"]["PackageWeight"] == {"UnitOfMeasurement": {"Code": "KGS"}, "Weight": "0.9"}
    assert (shipment["Description"], shipment["Service"]) == ("Caneca", {"Code": "65"})
    assert shipment["ReferenceNumber"] == {"Value": "pedido-1"}
    assert body["Request"]["TransactionReference"]["CustomerContext"] == "65"
    assert "ShipperNumber" not in freight.buy(POSTING).json["ShipmentRequest"]["Shipment"]["Shipper"]


def test_a_label_needs_an_address():
    nowhere = SHOP.model_copy(update={"address": HOME.model_copy(update={"city": None})})
    with pytest.raises(Unreadable, match=r"recipient\.address\.city"):
        freight.buy(POSTING.model_copy(update={"recipient": nowhere}))


def bought(**changed: Any) -> dict[str, Any]:
    results = {
        "ShipmentIdentificationNumber": "1ZA1B2C30400000017",
        "PackageResults": [{"TrackingNumber": "1ZA1B2C30400000017"}],
        "ShipmentCharges": {"TotalCharges": {"CurrencyCode": "BRL", "MonetaryValue": "71.30"}},
    }
    context = {"TransactionReference": {"CustomerContext": "65"}}
    return {"ShipmentResponse": {"Response": context, "ShipmentResults": results | changed}}


def test_a_purchase():
    told = freight.read_purchase(bought())
    assert (told.ref, told.tracking_code, told.service, told.price_cents, told.label) == (
        "1ZA1B2C30400000017", "1ZA1B2C30400000017", "65", 7130, None,
    )  # fmt: skip
    single = freight.read_purchase(bought(PackageResults={"TrackingNumber": "1Z7"}))
    assert single.tracking_code == "1Z7"
    dollars = {"TotalCharges": {"CurrencyCode": "USD", "MonetaryValue": "9.00"}}
    assert freight.read_purchase(bought(ShipmentCharges=dollars)).price_cents is None


def test_a_purchase_whose_context_did_not_come_back_is_still_one():
    raw = bought()
    raw["ShipmentResponse"]["Response"] = {}
    assert freight.read_purchase(raw).service is None


def test_a_label_is_a_pdf_or_unreadable():
    def answer(image: str) -> dict[str, Any]:
        return {
            "LabelRecoveryResponse": {"LabelResults": {"TrackingNumber": "1Z7", "LabelImage": {"GraphicImage": image}}}
        }

    assert freight.label_pdfs(answer("JVBERi0=")) == [b"%PDF-"]
    for image, why in (("R0lGODlh", "not a PDF"), ("é", "not base64")):
        with pytest.raises(Unreadable, match=why):
            freight.label_pdfs(answer(image))


def test_candidates_instead_of_a_label_are_no_purchase():
    raw = {"LabelRecoveryResponse": {"TrackingCandidate": [{"TrackingNumber": "1Z7"}, {"TrackingNumber": "1Z8"}]}}
    with pytest.raises(Unreadable, match="ShipmentIdentificationNumber: not told"):
        freight.read_recovered(raw, POSTING)


# ── Tokens, names of calls, errors ─────────────────────────────────────────────────────────────────────────

CREDENTIALS = client.Credentials(client_id="loja", client_secret=SecretStr("segredo"), account="a1b2c3")


def test_the_token_request():
    request = client.ask_token(CREDENTIALS, None)
    assert request.headers == {"Authorization": "Basic bG9qYTpzZWdyZWRv", "x-merchant-id": "A1B2C3"}
    assert request.form == (("grant_type", "client_credentials"),)
    assert not request.authenticate


def test_a_token_lasts_as_told_in_a_string():
    body = {"access_token": "t", "issued_at": "1", "expires_in": "14399", "token_type": "Bearer"}
    token = client.read_token(Reply(status=200, headers={}, body=json.dumps(body).encode()), z("2026-03-10T10:00:00"))
    assert token.expires_at == z("2026-03-10T13:59:59")


def test_every_call_has_a_name_of_its_own():
    def named(now: str) -> Request:
        return client.name_request(
            Unsigned(
                request=Request(method="GET", path="/x"), url="https://u/x", content=None, shown={"Authorization": "B"},
                credentials=CREDENTIALS, facts={}, external_id=None, now=z(now),
            )
        )  # fmt: skip

    one, other = named("2026-03-10T10:00:00"), named("2026-03-10T10:00:01")
    assert one.headers["transId"] != other.headers["transId"]
    assert len(one.headers["transId"]) <= 32
    assert (one.headers["transactionSrc"], one.headers["Authorization"]) == ("balcao", "B")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, '{"response":{"errors":[{"code":"250002","message":"x"}]}}', "250002"),
        (404, '{"errors":[{"code":"404","message":"x"}]}', "404"),
        (200, '{"response":{"errors":[{"code":"250002","message":"x"}]}}', None),
        (200, '{"VoidShipmentResponse":{"SummaryResult":{"Status":{"Code":"1"}}}}', None),
        (200, '{"VoidShipmentResponse":{"SummaryResult":{"Status":{"Code":"0"}}}}', "void_refused"),
        (503, "<html>", None),
    ],
)
def test_the_vendors_code_of_an_error(status: int, body: str, code: str | None):
    assert ADAPTER.read_error(Reply(status=status, headers={}, body=body.encode())) == code


# ── Samples ────────────────────────────────────────────────────────────────────────────────────────────────

REFUSED = {
    "pickup__PickupErrorResponse.json": "an error, not a tracking answer: 9560131",
    "rate__FRRateResponseJSON.json": "not a tracking answer",
    "rate__RateResponseJSON.json": "not a tracking answer",
    "return_shipment__ShipmentResponseJSON.json": "not a tracking answer",
    "shipment__ShipmentCancelResponseJSON.json": "not a tracking answer",
    "tracking__InvalidTrackingNumberResponseJSON.json": "an error, not a tracking answer: TV1002",
    "tracking__TrackingNumberNotFoundResponseJSON.json": "inquiryNumber: not told (TW0001",
}


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


@with_samples
def test_every_sample_is_read_or_refused_with_one_sentence():
    assert {path.name for path in SAMPLES.glob("*.json")} == {*REFUSED, "trackalert_webhook_delivered.json"}
    for name, why in REFUSED.items():
        with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
            normalize.tracking(ADAPTER, sample(name))
        assert why in refusal.value.detail
    [told] = mapping.parse(sample("trackalert_webhook_delivered.json"), [])
    assert (told.code, told.status, told.events[0].at) == (
        "1Z204W4R0308071865", S.DELIVERED, z("2024-04-23T13:50:04"),
    )  # fmt: skip
    for name in (
        "tracking__InvalidTrackingNumberResponseJSON.json",
        "tracking__TrackingNumberNotFoundResponseJSON.json",
    ):
        assert normalize.tracking(ADAPTER, sample(name), ["1Z9"])["objects"][0]["error"]["code"] in {"TV1002", "TW0001"}


@with_samples
def test_sampled_rates_are_read_and_not_taken_for_reais():
    for name, services in (
        ("rate__FRRateResponseJSON.json", ["07", "65", "11"]),
        ("rate__RateResponseJSON.json", ["14", "01", "13", "02", "11"]),
    ):
        quotes = freight.read_quotes([sample(name)], ())
        assert [quote.service for quote in quotes] == services
        assert {quote.error.code if quote.error else None for quote in quotes} == {"currency"}
        assert all(quote.days and quote.deliver_by for quote in quotes)
    told = freight.read_purchase(sample("return_shipment__ShipmentResponseJSON.json"))
    assert told.price_cents is None


@pytest.mark.parametrize("number", ["1ZCIETST0111111114", "1Z12345E6605272234"])
def test_the_sandboxs_check_digit_is_that_of_known_numbers(number: str):
    assert sandbox.check_digit(number[2:17]) == int(number[17])


# ── Nonsense ───────────────────────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def refusal_of(reader: Callable[[], object]) -> ChannelError | None:
    """Why a reader refused; anything but a ChannelError fails the test."""
    try:
        reader()
    except ChannelError as refusal:
        return refusal
    return None


def read_everything(raw: Any) -> None:
    """Every pure reader reads it or refuses it with one sentence."""
    readers: tuple[Callable[[], object], ...] = (
        lambda: mapping.parse(raw, []),
        lambda: mapping.parse(raw, ["1Z9", "", "x y"]),
        lambda: freight.read_quotes([raw], []),
        lambda: freight.read_quotes([raw], ["65"]),
        lambda: freight.read_purchase(raw),
        lambda: freight.read_recovered(raw, POSTING),
        lambda: freight.label_pdfs(raw),
        lambda: ADAPTER.read_error(Reply(status=200, headers={}, body=json.dumps(raw).encode())),
        lambda: ADAPTER.read_error(Reply(status=400, headers={}, body=json.dumps(raw).encode())),
        lambda: client.read_token(Reply(status=200, headers={}, body=json.dumps(raw).encode()), z("2026-01-01")),
    )
    for reader in readers:
        if refusal := refusal_of(reader):
            assert refusal.fault is Fault.SHAPE
            assert 0 < len(refusal.detail.strip()) < 400


@given(JSON)
@settings(max_examples=150, deadline=None)
def test_any_json_is_read_or_refused(raw: Any):
    read_everything(raw)


def branches(raw: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    keys = list(raw) if isinstance(raw, dict) else list(range(len(raw))) if isinstance(raw, list) else []
    return [(raw, key) for key in keys] + [deeper for key in keys for deeper in branches(raw[key])]


CASES = sorted((path.parent.name, path.stem) for path in PAYLOADS.glob("*/*.json") if path.parent.name != "notice")


@given(case=st.sampled_from(CASES), where=st.integers(min_value=0), instead=JSON | st.just("gone"))
@settings(max_examples=400, deadline=None)
def test_a_payload_with_one_thing_wrong_is_read_or_refused(case: tuple[str, str], where: int, instead: Any):
    raw = payload(case[1], case[0])
    places = branches(raw)
    container, key = places[where % len(places)]
    if instead == "gone":
        del container[key]
    else:
        container[key] = instead
    read_everything(raw)

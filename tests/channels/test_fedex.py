"""FedEx: the vocabulary, every trap of its answers, quotes, postings, signatures, and nonsense."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.fedex import ADAPTER, client, freight, mapping, webhook
from hub import normalize
from hub.faults import BadSignature, ChannelError, Fault, Unreadable
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

PAYLOADS = Path(__file__).parent.parent / "adapters" / "fedex"
FILES = Cases("fedex", mapping.parse)
payload, tracked, the_only = FILES.payload, FILES.tracked, FILES.the_only
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "fedex"
with_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")
S = TrackingStatus


# ── The vocabulary ─────────────────────────────────────────────────────────────────────────────────────────

PUBLISHED = (  # codes of the tracking service's own table of status codes (movement and regulatory)
    "AA AC AD AF AO AP AR AX CA CH DD DE DL DP DR DS DY EA ED EO EP FD HL HP IT IX LO OC OD OF OW OX PD PF PL PM PU PX "
    "RR RM RC RS RP LP RG RD SE SF SP TR CC CD CP"
)
PROPOSED = {  # our facts; RD apart: there it is cancelled, in the published table a return label's link that expired
    S.LABEL_CREATED: "OC OX EP MD",
    S.ACCEPTED: "PU PX AP OF",
    S.IN_TRANSIT: "IT IX AA AC AF AR AX DP EA EO FD LO PF PL PM SF TR DY DD PY",
    S.OUT_FOR_DELIVERY: "AD ED OD",
    S.DELIVERED: "DL",
    S.FAILED_ATTEMPT: "DE",
    S.EXCEPTION: "SE",
    S.CUSTOMS: "CD",
    S.AWAITING_PICKUP: "HA HL HP",
    S.RETURNING: "RS RT",
    S.CANCELLED: "CA",
}


def test_every_published_code_has_a_status_or_stands_still():
    assert set(PUBLISHED.split()) <= set(mapping.STATUS) | mapping.STILL
    assert not set(mapping.STATUS) & mapping.STILL
    assert set(mapping.STATUS) >= mapping.DELAYING


@pytest.mark.parametrize("status", PROPOSED)
def test_a_code_means(status: TrackingStatus):
    assert {mapping.STATUS[code] for code in PROPOSED[status].split()} == {status}


# ── Traps ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_delivered():
    told = the_only("delivered")
    assert (told.status, told.deliver_by, told.delayed) == (S.DELIVERED, z("2026-03-11T21:00:00"), False)
    assert [event.raw_code for event in told.events] == ["OC", "PU", "DP", "AR", "OD", "DL"]
    last = told.events[-1]
    assert (last.at, last.place, last.state) == (z("2026-03-11T17:26:00"), "CURITIBA", "PR")


def test_an_error_of_one_number_inside_a_200():
    found, missing = tracked("not_found_beside_one_that_is")
    assert (found.status, found.error) == (S.OUT_FOR_DELIVERY, None)
    assert missing.error is not None
    assert (missing.error.code, missing.status) == ("TRACKING.TRACKINGNUMBER.NOTFOUND", None)


def test_of_several_results_the_one_scanned_last_is_meant():
    assert the_only("number_used_twice_is_the_last_scanned").status is S.IN_TRANSIT
    both = the_only("number_used_twice_and_both_scanned")
    assert (both.status, len(both.events)) == (S.DELIVERED, 3)
    raw = payload("number_used_twice_and_both_scanned")
    raw["output"]["completeTrackResults"][0]["trackResults"].reverse()
    assert mapping.parse(raw, []) == [both]


def test_an_error_is_told_only_where_no_result_tells_anything():
    raw = payload("number_used_twice_is_the_last_scanned")
    results = raw["output"]["completeTrackResults"][0]["trackResults"]
    results[1] = {"error": {"code": "TRACKING.TRACKINGNUMBER.NOTFOUND", "message": "x"}}
    assert [told.status for told in mapping.parse(raw, [])] == [S.DELIVERED]
    results[:] = [results[1], payload("number_without_scans")["output"]["completeTrackResults"][0]["trackResults"][0]]
    assert [told.error for told in mapping.parse(raw, [])] == [None]


def test_an_error_beside_data_says_nothing():
    told = the_only("error_beside_data_says_nothing")
    assert (told.status, told.error) == (S.ACCEPTED, None)


def test_a_midnight_without_an_offset_is_a_date_and_not_before_its_label():
    label, pickup = the_only("midnight_without_offset_is_a_date").events
    assert (label.raw_code, pickup.raw_code) == ("OC", "PU")
    assert (pickup.at, pickup.raw_at, pickup.zone) == (label.at, "2026-03-10T00:00:00", "America/Sao_Paulo")
    assert the_only("midnight_without_offset_is_a_date").status is S.ACCEPTED


def test_a_midnight_with_an_offset_is_a_time():
    raw = payload("midnight_without_offset_is_a_date")
    raw["output"]["completeTrackResults"][0]["trackResults"][0]["scanEvents"][1]["date"] += "-03:00"
    [told] = mapping.parse(raw, [])
    assert (told.events[0].raw_code, told.events[0].at) == ("PU", z("2026-03-10T03:00:00"))


def test_a_time_without_an_offset_is_taken_for_brasilias_and_says_so():
    zones = [(event.at, event.zone) for event in the_only("time_without_offset").events[1:]]
    assert zones == [(z("2026-03-10T19:05:00"), None), (z("2026-03-11T12:10:00"), "America/Sao_Paulo")]


def test_an_unknown_code_is_listed_and_changes_nothing():
    told = the_only("event_in_no_table")
    assert (told.status, told.events[-1].status) == (S.OUT_FOR_DELIVERY, S.UNKNOWN)


def test_the_event_decides_where_the_derived_status_says_less():
    assert the_only("ready_for_pickup_though_derived_says_in_transit").status is S.AWAITING_PICKUP


def test_what_moves_nothing_stands_where_the_scan_before_it_did():
    assert the_only("arriving_on_time_moves_nothing").events[-1].status is S.ACCEPTED
    told = the_only("return_label_expired_is_no_cancellation")
    assert (told.status, told.events[-1].raw_code) == (S.OUT_FOR_DELIVERY, "RD")


def test_what_moves_nothing_and_is_told_alone_is_no_scan():
    raw = payload("arriving_on_time_moves_nothing")
    scans = raw["output"]["completeTrackResults"][0]["trackResults"][0]["scanEvents"]
    del scans[1:]
    assert mapping.parse(raw, [])[0].events == ()


def test_a_delay_and_a_promise_of_a_day():
    told = the_only("delayed_with_its_day")
    assert (told.status, told.delayed, told.deliver_by) == (S.IN_TRANSIT, True, z("2026-03-13T02:59:59"))


def test_a_delay_told_only_with_the_latest_status():
    raw = payload("number_used_twice_and_both_scanned")
    results = raw["output"]["completeTrackResults"][0]["trackResults"]
    assert [mapping.parse({"trackingNumber": "1", "trackResults": [row]}, [])[0].delayed for row in results] == [
        True,
        False,
    ]


def test_reasons_are_part_of_the_code():
    assert [event.raw_code for event in the_only("attempts_by_their_reasons").events[-2:]] == ["DE/08", "DE/A47"]


def test_delivered_on_the_way_back_is_returned():
    assert the_only("delivered_back_to_the_sender").status is S.RETURNED


def test_cancelled_cleared_sticky_and_silent():
    assert the_only("cancelled_shipment").status is S.CANCELLED
    abroad = the_only("clearance_abroad")
    assert (abroad.status, abroad.events[1].place) == (S.CUSTOMS, "MEMPHIS, US")
    assert the_only("transit_scan_after_delivery").status is S.DELIVERED
    silent = the_only("number_without_scans")
    assert (silent.status, silent.error, silent.events) == (None, None, ())


def test_objects_come_in_the_order_asked():
    raw = payload("not_found_beside_one_that_is")
    first, second = (told.code for told in tracked("not_found_beside_one_that_is"))
    told = mapping.parse(raw, [second, "999", first])
    assert [one.code for one in told] == [second, "999", first]
    assert told[1].error is not None
    assert told[1].error.code == "not_told"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"errors": [{"code": "NOT.AUTHORIZED.ERROR", "message": "x"}]}, "an error, not a tracking answer: NOT.AUTH"),
        ([], "not an object"),
        (None, "not a tracking answer"),
        ({"output": {"alerts": []}}, "not a tracking answer"),
        (
            {"output": {"completeTrackResults": [{"trackResults": []}]}},
            "completeTrackResults.0.trackingNumber: not told",
        ),
        (
            {"trackingNumber": "1", "trackResults": [{"scanEvents": [{"eventType": "PU"}]}]},
            "scanEvents.0.date: no time",
        ),
        (
            {"trackingNumber": "1", "trackResults": [{"scanEvents": [{"date": "ontem"}]}]},
            "scanEvents.0.date: not a time",
        ),
    ],
)
def test_what_is_no_tracking_answer_is_refused_with_one_sentence(document: Any, why: str):
    with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
        mapping.parse(document, [])
    assert why in refusal.value.detail


# ── Webhooks ───────────────────────────────────────────────────────────────────────────────────────────────


def knock(case: str) -> Knock:
    told = payload(case, "notice")
    return Knock(headers={name.lower(): word for name, word in told["headers"].items()}, body=told["body"].encode())


def test_a_body_of_two_numbers_is_two_notices_each_with_its_own_results():
    notices = webhook.read(knock("two_numbers_in_one_body"))
    assert len({notice.dedupe_key for notice in notices}) == 2
    for notice in notices:
        assert notice.ref is not None
        assert notice.topic is Topic.TRACKING
        [told] = mapping.parse(notice.raw, [notice.ref])
        assert (told.error, told.events[-1].at) == (None, notice.at)


def test_a_body_never_seen_is_kept_and_shown():
    [told] = webhook.read(knock("never_seen_before"))
    assert (told.topic, told.ref, told.raw) == (Topic.UNKNOWN, None, {"event": "SUBSCRIPTION_TEST"})


@pytest.mark.parametrize("encode", [lambda digest: base64.b64encode(digest).decode(), lambda digest: digest.hex()])
def test_a_signature_in_either_spelling_and_no_other(encode: Callable[[bytes], str]):
    shown = encode(hmac.digest(b"token", b"{}", hashlib.sha256))
    webhook.verify("token", Knock(headers={"fdx-signature": shown}, body=b"{}"))
    for secret, signature in (("other", shown), ("token", shown[:-1]), ("token", "")):
        with pytest.raises(BadSignature):
            webhook.verify(secret, Knock(headers={"fdx-signature": signature}, body=b"{}"))


def test_without_a_token_every_knock_is_refused():
    assert client.security_token(CREDENTIALS) is None
    given = CREDENTIALS.model_copy(update={"webhook_token": SecretStr("T1")})
    assert client.security_token(given) == "T1"


# ── Quotes and purchases ───────────────────────────────────────────────────────────────────────────────────


def test_prices_days_and_promises():
    asked = ["FEDEX_DISTANCE_DEFERRED", "FEDEX_NEXT_DAY", "SAME_DAY"]
    quotes = freight.read_quotes([payload("two_services", "quote")], asked)
    assert [(quote.name, quote.price_cents, quote.days, quote.deliver_by) for quote in quotes[:2]] == [
        ("FedEx Distance Deferred", 3542, 5, z("2026-03-17T23:00:00")),
        ("FedEx Next Day", 6492, 1, z("2026-03-11T13:30:00")),
    ]
    assert quotes[2].error is not None
    assert quotes[2].error.code == "not_told"


@pytest.mark.parametrize(
    ("case", "cents", "code"),
    [
        ("second_currency_is_ours", 6492, None),
        ("own_rate_before_the_published", 6492, None),
        ("no_rate_in_reais", None, "currency"),
        ("no_price_and_no_day", None, "no_price"),
    ],
)
def test_the_price_is_the_accounts_own_in_reais_or_none(case: str, cents: int | None, code: str | None):
    [quote] = freight.read_quotes([payload(case, "quote")], ())
    assert (quote.price_cents, quote.error.code if quote.error else None) == (cents, code)


def test_days_are_told_in_words():
    assert (freight.DAYS["ONE_DAY"], freight.DAYS["TWO_DAYS"], freight.DAYS["TWENTY_DAYS"]) == (1, 2, 20)
    assert len(freight.DAYS) == 20


HOME = Address(
    street="Rua Doutor Antônio Augusto de Almeida Prado", number="1000", complement="Bloco B, apto 12",
    district="Jardim das Flores", city="Londrina", state="PR", postal_code="86010000",
)  # fmt: skip
SHOP = Party(name="Loja", document="11222333000181", phone="+551133334444", address=HOME)
BOX = Parcel(
    from_postal_code="01001000", to_postal_code="86010000", weight_g=810, length_cm=20, width_cm=15, height_cm=5
)
POSTING = Posting(
    reference="pedido-1", service="FEDEX_NEXT_DAY", sender=SHOP, recipient=SHOP, parcel=BOX,
    goods=(DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),),
)  # fmt: skip


def test_a_purchase_is_rendered_whole_and_completed_with_account_and_day():
    body = freight.completed(freight.buy(POSTING).json, "123456789", "2026-03-10")
    shipment = body["requestedShipment"]
    assert (body["accountNumber"], body["labelResponseOptions"]) == ({"value": "123456789"}, "LABEL")
    assert shipment["shipDatestamp"] == "2026-03-10"
    assert shipment["recipients"][0]["address"]["streetLines"] == [
        "Rua Doutor Antônio Augusto de",
        "Almeida Prado, 1000, Bloco B, apto",
        "12, Jardim das Flores",
    ]
    package = shipment["requestedPackageLineItems"][0]
    assert package["weight"] == {"units": "KG", "value": 0.81}
    assert package["customerReferences"] == [{"customerReferenceType": "CUSTOMER_REFERENCE", "value": "pedido-1"}]
    assert shipment["labelSpecification"]["imageType"] == "PDF"
    assert "accountNumber" not in freight.buy(POSTING).json


def test_a_label_needs_an_address():
    nowhere = SHOP.model_copy(update={"address": HOME.model_copy(update={"city": None})})
    with pytest.raises(Unreadable, match=r"recipient\.address\.city"):
        freight.buy(POSTING.model_copy(update={"recipient": nowhere}))


def bought(**changed: Any) -> dict[str, Any]:
    page = base64.b64encode(b"%PDF-1.4 x").decode()
    told = {
        "serviceType": "FEDEX_NEXT_DAY",
        "masterTrackingNumber": "794953535000",
        "pieceResponses": [
            {
                "trackingNumber": "794953535001",
                "netChargeAmount": 120.0,
                "packageDocuments": [
                    {"contentType": "AUXILIARY_LABEL", "encodedLabel": "JVBERi0="},
                    {"contentType": "LABEL", "docType": "PDF", "encodedLabel": page},
                ],
            }
        ],
    }
    return {"output": {"transactionShipments": [told | changed]}}


def test_a_purchase_comes_with_its_label_and_a_price_only_in_reais():
    told = freight.read_purchase(bought())
    assert (told.ref, told.tracking_code, told.service) == ("794953535000", "794953535001", "FEDEX_NEXT_DAY")
    assert (told.label, told.price_cents) == (b"%PDF-1.4 x", None)  # a charge without its currency is no price
    assert "label" not in told.model_dump()
    rates = [
        {"rateType": "PAYOR_LIST_SHIPMENT", "totalNetCharge": 90.1, "currency": "BRL"},
        {"rateType": "PAYOR_ACCOUNT_SHIPMENT", "totalNetCharge": 64.92, "currency": "BRL"},
    ]
    detail = {"shipmentRating": {"shipmentRateDetails": rates}}
    assert freight.read_purchase(bought(completedShipmentDetail=detail)).price_cents == 6492


def test_a_purchase_without_pieces_is_still_one_and_an_empty_answer_is_none():
    assert freight.read_purchase(bought(pieceResponses=[])).tracking_code == "794953535000"
    with pytest.raises(Unreadable, match="transactionShipments: not told"):
        freight.read_purchase({"output": {"transactionShipments": []}})


# ── Tokens, what every call bears, errors ──────────────────────────────────────────────────────────────────

CREDENTIALS = client.Credentials(api_key="chave", secret_key=SecretStr("segredo"), account="123456789")


def test_the_token_request():
    request = client.ask_token(CREDENTIALS, None)
    assert dict(request.form) == {
        "grant_type": "client_credentials", "client_id": "chave", "client_secret": "segredo",
    }  # fmt: skip
    assert (request.authenticate, request.operation) == (False, "token")


def spoken(request: Request) -> Request:
    return client.speak(
        Unsigned(
            request=request, url="https://f/x", content=None, shown={"Authorization": "B"}, credentials=CREDENTIALS,
            facts={}, external_id=None, now=z("2026-03-10T10:00:00"),
        )
    )  # fmt: skip


def test_a_cancellation_bears_the_account_and_nothing_else_is_changed():
    told = spoken(freight.cancellation("794953535000"))
    assert told.json == {
        "accountNumber": {"value": "123456789"},
        "trackingNumber": "794953535000",
        "deletionControl": "DELETE_ALL_PACKAGES",
    }
    assert (told.headers["Authorization"], told.headers["x-locale"]) == ("B", "pt_BR")
    other = Request(method="POST", path="/track/v1/trackingnumbers", json={"a": 1})
    assert spoken(other).json == {"a": 1}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, '{"errors":[{"code":"NOT.AUTHORIZED.ERROR","message":"x"}]}', "NOT.AUTHORIZED.ERROR"),
        (429, '{"errors":[{"code":"X","message":"Daily transaction quota exceeded."}]}', "daily_quota"),
        (429, '{"errors":[{"code":"X","message":"We have received too many requests."}]}', "X"),
        (200, '{"output":{"cancelledShipment":true}}', None),
        (200, '{"output":{"cancelledShipment":false}}', "cancel_refused"),
        (200, '{"output":{"completeTrackResults":[{"trackResults":[{"error":{"code":"X"}}]}]}}', None),
        (503, "<html>", None),
    ],
)
def test_the_vendors_code_of_an_error(status: int, body: str, code: str | None):
    assert ADAPTER.read_error(Reply(status=status, headers={}, body=body.encode())) == code


def test_a_days_quota_is_whole_again_at_midnight_gmt():
    assert ADAPTER.until("daily_quota", z("2026-03-10T21:30:00")) == z("2026-03-11T00:00:00")
    assert ADAPTER.until("X", z("2026-03-10T21:30:00")) is None


# ── Samples ────────────────────────────────────────────────────────────────────────────────────────────────

REFUSED = ("rate__RateResponse", "return_shipment__ShipmentResponseJSON", "shipment__ShipmentCancelResponse")
READ = {
    "tracking__DuplicateTrackingResponse": [("delivered", None)],
    "tracking__TrackingResponse": [("accepted", None), (None, "TRACKING.TRACKINGNUMBER.NOTFOUND")],
}


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


@with_samples
def test_every_sample_is_read_or_refused_with_one_sentence():
    assert {path.stem for path in SAMPLES.iterdir()} == {*REFUSED, *READ}
    for name in REFUSED:
        with pytest.raises(Unreadable, match="not a tracking answer"):
            normalize.tracking(ADAPTER, sample(name))
    for name, expected in READ.items():
        told = normalize.tracking(ADAPTER, sample(name))["objects"]
        assert [(one["status"], one["error"] and one["error"]["code"]) for one in told] == expected


@with_samples
def test_the_sampled_duplicate_is_the_parcel_delivered():
    [told] = mapping.parse(sample("tracking__DuplicateTrackingResponse"), ["776094337676"])
    assert (told.events[-1].at, len(told.events)) == (z("2024-04-26T16:26:00"), 8)


@with_samples
def test_sampled_rates_and_purchase():
    [quote] = freight.read_quotes([sample("rate__RateResponse")], ())
    assert quote.error is not None
    assert (quote.service, quote.error.code) == ("FEDEX_EXPRESS_SAVER", "currency")
    told = freight.read_purchase(sample("return_shipment__ShipmentResponseJSON"))
    assert (told.ref, told.service, told.price_cents) == ("794953535000", "STANDARD_OVERNIGHT", None)
    assert told.label is not None
    assert told.label.startswith(b"%PDF")
    cancelled = json.dumps(sample("shipment__ShipmentCancelResponse")).encode()
    assert ADAPTER.read_error(Reply(status=200, headers={}, body=cancelled)) is None


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
    body = json.dumps(raw).encode()
    readers: tuple[Callable[[], object], ...] = (
        lambda: mapping.parse(raw, []),
        lambda: mapping.parse(raw, ["776094000001", "", "x y"]),
        lambda: freight.read_quotes([raw], []),
        lambda: freight.read_quotes([raw], ["FEDEX_NEXT_DAY"]),
        lambda: freight.read_purchase(raw),
        lambda: webhook.read(Knock(headers={}, body=body)),
        lambda: ADAPTER.read_error(Reply(status=200, headers={}, body=body)),
        lambda: ADAPTER.read_error(Reply(status=429, headers={}, body=body)),
        lambda: client.read_token(Reply(status=200, headers={}, body=body), z("2026-01-01")),
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

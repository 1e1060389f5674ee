"""DHL Express: its codes, every trap of its tracking answers, rates, shipments, and nonsense."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dhl import ADAPTER, freight, legacy, mapping
from hub.faults import ChannelError, Unreadable
from hub.model import Address, DeclaredGoods, Parcel, Party, Posting, Reply, TrackingStatus
from hub.tracked import UNHEARD
from tests.channels.parcels import Cases, z

PAYLOADS = Path(__file__).parent.parent / "adapters" / "dhl"
FILES = Cases("dhl", mapping.parse)
payload, tracked, the_only = FILES.payload, FILES.tracked, FILES.the_only
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "dhl_express"
S = TrackingStatus


# ── The vocabulary ─────────────────────────────────────────────────────────────────────────────────────────

_PUBLISHED = (  # DHL's list of codes of Express, less those of a whole shipment (101 to 104)
    "AD AF AR BA BN BR CA CC CD CM CR CS DD DF DS FD HP IC MC MD MS ND NH OH OK PD PL PU RD RR RT SA SC SS TP TR UD WC"
)
PUBLISHED = set(_PUBLISHED.split())


def test_every_published_code_has_a_meaning():
    assert set(mapping.STATUS) >= PUBLISHED
    assert set(mapping.STATUS) - PUBLISHED == {"PO", "SM"}  # of older answers and of the facts


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        ("PU SA", S.ACCEPTED), ("DF AF AR PL FD TR TP MS MC SM RR SC AD MD PD", S.IN_TRANSIT),
        ("WC", S.OUT_FOR_DELIVERY), ("OK DD", S.DELIVERED), ("BA CA CM ND NH RD", S.FAILED_ATTEMPT),
        ("CC", S.AWAITING_PICKUP), ("BN BR CD CR IC UD", S.CUSTOMS), ("HP OH SS CS DS", S.EXCEPTION),
        ("RT", S.RETURNED),
    ],
)  # fmt: skip
def test_codes_mean(codes, status):
    assert {mapping.STATUS[code] for code in codes.split()} == {status}


# ── Traps ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_oldest_first_without_an_offset():
    told = the_only("delivered_oldest_first")
    assert [event.raw_code for event in told.events] == ["PU", "PL", "DF", "AR", "WC", "OK"]
    assert (told.status, told.deliver_by, told.delayed) == (S.DELIVERED, z("2026-03-04T02:59:00"), False)
    last = told.events[-1]
    assert (last.at, last.raw_at, last.zone) == (
        z("2026-03-03T14:59:23"),
        "2026-03-03T11:59:23",
        "America/Sao_Paulo",
    )
    assert (last.place, last.state, last.description) == ("CURITIBA-BR", None, "Delivered : PORTARIA")


def test_newest_first_with_offsets_and_a_promise_for_the_day():
    told = the_only("newest_first_with_offsets")
    assert [event.raw_code for event in told.events] == ["PU", "DF", "AF", "IC", "CR", "WC", "OK"]
    assert (told.events[0].at, told.events[0].zone) == (z("2026-03-02T19:20:00"), None)
    assert told.events[0].raw_at == "2026-03-02T14:20:00-05:00"
    assert told.deliver_by == z("2026-03-06T02:59:59")


def test_late_until_a_delivery_follows():
    assert [(told.status, told.delayed) for told in tracked("missed_cycle_is_delayed")] == [
        (S.IN_TRANSIT, True),
        (S.DELIVERED, False),
    ]


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("partial_delivery_is_not_final", S.IN_TRANSIT),
        ("returned_to_consignor", S.RETURNED),
        ("delivered_damaged_then_transit_scan", S.DELIVERED),
        ("unknown_code_keeps_previous", S.OUT_FOR_DELIVERY),
        ("forwarded_to_third_party", S.IN_TRANSIT),
        ("awaiting_collection_after_not_home", S.AWAITING_PICKUP),
        ("only_its_piece_tells", S.IN_TRANSIT),
        ("unified_delivered_in_words_only", S.LABEL_CREATED),
        ("unified_express_codes", S.DELIVERED),
        ("unified_other_service_same_code", S.LABEL_CREATED),
    ],
)
def test_a_story_ends_as(case, status):
    assert the_only(case).status is status


def test_an_unknown_code_is_listed():
    last = the_only("unknown_code_keeps_previous").events[-1]
    assert (last.status, last.raw_code, last.description) == (S.UNKNOWN, "RW", None)


def test_a_404_is_an_object_for_each_number_with_an_error():
    told = tracked("not_found_yet")
    assert [(one.code, one.status, one.events) for one in told] == [
        ("3180000082", None, ()),
        ("3180000093", None, ()),
    ]
    assert [one.error and (one.error.code, one.error.message) for one in told] == [("404", "No data found")] * 2
    [other] = mapping.parse(payload("not_found_yet"), ["77"])
    assert (other.code, other.error and other.error.code) == ("77", "404")


def test_a_404_that_names_no_number_is_for_those_asked():
    raw = {"title": "No result found", "detail": "No shipment with given tracking number found.", "status": 404}
    assert [one.code for one in mapping.parse(raw, ["1", "2"])] == ["1", "2"]
    with pytest.raises(Unreadable, match="No shipment with given"):
        mapping.parse(raw, [])
    with pytest.raises(Unreadable, match="No shipment with given"):
        mapping.parse(raw | {"status": 400}, ["1"])  # another error says nothing of a parcel


def test_an_account_in_the_address_of_an_error_is_no_waybill():
    instance = "/expressapi/tracking?shipmentReference=A1&shipperAccountNumber=300865060"
    raw = {"instance": instance, "detail": "No Shipments Found for ReferenceID | A1", "status": "404"}
    with pytest.raises(Unreadable, match="an error, not a tracking answer"):
        mapping.parse(raw, [])


def test_refused_inside_a_200():
    refused, found = tracked("refused_inside_a_200")
    assert refused.error is not None
    assert refused.error.message == "Shipment data is not available"
    assert (found.status, found.error) == (S.ACCEPTED, None)


def test_what_the_answer_leaves_out_is_not_told():
    told = mapping.parse(payload("delivered_oldest_first"), ["77", "3180000012"])
    assert [(one.code, one.error) for one in told] == [("77", UNHEARD), ("3180000012", None)]


def test_unified_events_by_express_codes():
    told = the_only("unified_express_codes")
    assert [(event.raw_code, event.place) for event in told.events] == [
        ("PU", "SAO PAULO"),
        ("WC", "CURITIBA"),
        ("OK", "CURITIBA"),
    ]
    assert [event.zone for event in told.events] == ["America/Sao_Paulo", None, "America/Sao_Paulo"]
    assert told.deliver_by == z("2026-03-03T21:00:00")


def test_codes_of_other_services_mean_nothing():
    events = the_only("unified_other_service_same_code").events
    assert [(event.raw_code, event.status) for event in events] == [
        ("pre-transit", S.LABEL_CREATED),  # DD of Parcel Germany is no delivery
        ("unknown", S.UNKNOWN),
    ]


def test_xml_promises_in_utc_or_with_an_offset():
    first, second = tracked("xml_two_objects_promise_in_utc")
    assert (first.deliver_by, second.deliver_by) == (z("2026-03-05T02:59:00"), z("2026-03-05T03:59:00"))
    assert [(event.raw_code, event.status) for event in first.events] == [
        ("PU", S.ACCEPTED),
        ("PO", S.IN_TRANSIT),
        ("RW", S.UNKNOWN),
        ("OK", S.DELIVERED),
    ]
    assert (first.events[3].description, first.events[3].place) == ("Shipment delivered", "Curitiba - Brazil")
    assert second.status is S.ACCEPTED


def test_xml_not_found_names_the_number_in_words():
    told = the_only("xml_not_found_names_it_in_words")
    assert (told.code, told.status, told.events) == ("3180000211", None, ())
    assert told.error is not None
    assert told.error.code == "103"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("<!DOCTYPE html><html></html>", "HTML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><TrackingResponse>&a;</TrackingResponse>', "DTD"),
        ("<TrackingResponse><AWBInfo></TrackingResponse>", "not XML"),
        ("<TrackingResponse><Response/></TrackingResponse>", "TrackingResponse.AWBInfo: not told"),
        ("<res:DCTResponse xmlns:res='x'><GetQuoteResponse/></res:DCTResponse>", "DCTResponse"),
        ("plain words", "not XML"),
        ([], "not a tracking answer"),
        (None, "not a tracking answer"),
        ({"token": "x"}, "shipments: not told"),
        ({"status": "400", "detail": "Missing mandatory parameters: a"}, "an error, not a tracking answer"),
        ({"shipments": [{"events": []}]}, "shipments.0.shipmentTrackingNumber: not told"),
        ({"shipments": [{"shipmentTrackingNumber": "1", "events": [{"typeCode": "PU"}]}]}, "events.0.date: no time"),
        (
            {"shipmentTrackingNumber": "1", "events": [{"date": "ontem", "time": "9h", "typeCode": "PU"}]},
            "events.0.date: not a time",
        ),
        ({"shipmentTrackingNumber": "1", "estimatedDeliveryDate": "breve"}, "estimatedDeliveryDate: not a time"),
    ],
)
def test_what_is_no_tracking_answer_is_refused_with_one_sentence(document, why):
    with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
        mapping.parse(document, [])
    assert why in refusal.value.detail


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"detail": "7008: The requested Special Service Code"}, "7008"),
        (400, {"detail": "The account number is not found"}, None),
        (200, {"detail": "7008: x"}, None),
        (500, {"detail": ["7008: x"]}, None),
    ],
)
def test_the_vendors_code_of_an_error(status, body, code):
    assert ADAPTER.read_error(Reply(status=status, headers={}, body=json.dumps(body).encode())) == code


# ── Rates ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("case", "rows"),
    [
        ("two_products", [("N", 6770, 2, None), ("I", 11205, 1, None)]),
        ("price_zero_is_no_rate", [("N", 6770, 2, None), ("P", None, 2, "no_price")]),
        ("billed_price_first", [("N", 6770, 2, None)]),
        ("only_dollars", [("P", None, 2, "no_price")]),
        ("no_promise_told", [("N", 106770, None, None)]),
        ("refused", []),
    ],
)
def test_quotes(case, rows):
    told = freight.read_quotes([payload(case, "quote")], [])
    assert [(one.service, one.price_cents, one.days, one.error and one.error.code) for one in told] == rows


def test_a_promise_is_local():
    first, second = freight.read_quotes([payload("two_products", "quote")], [])
    assert (first.deliver_by, second.deliver_by) == (z("2026-03-06T02:59:00"), z("2026-03-04T12:00:00"))


def test_a_refusal_stands_for_every_product_asked():
    told = freight.read_quotes([payload("refused", "quote")], ["N", "P"])
    assert [(one.service, one.error and one.error.code) for one in told] == [("N", "400"), ("P", "400")]
    assert told[0].error is not None
    assert "account number" in told[0].error.message


# ── Shipments ──────────────────────────────────────────────────────────────────────────────────────────────

HOME = Address(
    street="Rua das Flores", number="10", city="Londrina", state="PR", postal_code="86010000", district="Centro"
)
AWAY = Address(street="Main St", number="5", city="Lisboa", postal_code="1000001", country="PT")
SHOP = Party(name="Loja", document="11222333000181", phone="+551133334444", address=HOME)
BUYER = Party(name="Ana", document="52998224725", phone="+5543999998888", address=HOME)
BOX = Parcel(
    from_postal_code="01001000",
    to_postal_code="86010000",
    weight_g=900,
    length_cm=20,
    width_cm=15,
    height_cm=5,
)
GOODS = (
    DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),
    DeclaredGoods(description="Prato", quantity=1, value_cents=1010),
)
POSTING = Posting(reference="pedido 1", service="N", sender=SHOP, recipient=BUYER, parcel=BOX, invoice_key="3" * 44)


def test_a_domestic_shipment():
    request = freight.purchase(POSTING)
    assert (request.method, request.path, request.is_repeatable()) == ("POST", "/shipments", False)
    body = request.json
    assert body["content"]["packages"] == [{"weight": 0.9, "dimensions": {"length": 20, "width": 15, "height": 5}}]
    assert body["content"]["description"] == "NF-e " + "3" * 44
    assert body["content"]["isCustomsDeclarable"] is False
    assert "exportDeclaration" not in body["content"]
    assert body["customerReferences"] == [{"value": "pedido 1", "typeCode": "CU"}]
    receiver = body["customerDetails"]["receiverDetails"]
    assert receiver["postalAddress"] == {
        "postalCode": "86010000",
        "cityName": "Londrina",
        "countryCode": "BR",
        "provinceCode": "PR",
        "addressLine1": "Rua das Flores, 10",
        "addressLine3": "Centro",
    }
    assert receiver["contactInformation"] == {"fullName": "Ana", "companyName": "Ana", "phone": "+5543999998888"}
    assert receiver["registrationNumbers"] == [{"typeCode": "CNP", "number": "52998224725", "issuerCountryCode": "BR"}]


def test_goods_that_leave_the_country_are_declared():
    abroad = BUYER.model_copy(update={"address": AWAY})
    posting = POSTING.model_copy(update={"recipient": abroad, "invoice_key": None, "goods": GOODS, "service": "P"})
    content = freight.purchase(posting).json["content"]
    assert (content["declaredValue"], content["declaredValueCurrency"]) == (69.9, "BRL")
    lines = content["exportDeclaration"]["lineItems"]
    assert [(row["number"], row["price"], row["quantity"]["value"], row["weight"]["netValue"]) for row in lines] == [
        (1, 29.9, 2, 0.6),
        (2, 10.1, 1, 0.3),
    ]
    assert "registrationNumbers" not in freight.purchase(posting).json["customerDetails"]["receiverDetails"]
    with pytest.raises(Unreadable, match=r"posting\.goods: customs"):
        freight.purchase(POSTING.model_copy(update={"recipient": abroad}))


@pytest.mark.parametrize("change", [{"invoice_key": None}, {"goods": GOODS}])
def test_exactly_one_document_is_required(change):
    with pytest.raises(Unreadable, match="exactly one"):
        freight.purchase(POSTING.model_copy(update=change))


@pytest.mark.parametrize(
    ("change", "path"),
    [({"phone": None}, "recipient.phone"), ({"address": HOME.model_copy(update={"city": None})}, "address.city")],
)
def test_what_the_label_and_the_courier_need(change, path):
    with pytest.raises(Unreadable) as refusal:
        freight.purchase(POSTING.model_copy(update={"recipient": BUYER.model_copy(update=change)}))
    assert refusal.value.path.endswith(path)


def test_a_purchase_brings_its_label():
    pdf = base64.b64encode(b"%PDF-1").decode()
    raw = {
        "shipmentTrackingNumber": 3180000012,  # seen as a number too
        "documents": [{"typeCode": "invoice", "content": "eA=="}, {"typeCode": "label", "content": pdf}],
        "shipmentCharges": [{"currencyType": "BILLC", "priceCurrency": "BRL", "price": 67.7}],
    }
    told = freight.read_purchase(raw)
    assert (told.ref, told.tracking_code, told.price_cents, told.label) == (
        "3180000012",
        "3180000012",
        6770,
        b"%PDF-1",
    )
    assert freight.read_purchase({"shipmentTrackingNumber": "1"}).label is None
    with pytest.raises(Unreadable, match=r"documents\.0\.content: not base64"):
        freight.read_purchase({"shipmentTrackingNumber": "1", "documents": [{"content": "é"}]})
    with pytest.raises(Unreadable, match="shipmentTrackingNumber: not told"):
        freight.read_purchase({"documents": []})


# ── Real answers ───────────────────────────────────────────────────────────────────────────────────────────

READ = {
    "tracking__IntransitTrackingResponseXML.xml": [("9053283201", "accepted")],
    "tracking__TrackingResponseXML.xml": [
        ("3180831640", "delivered"),
        ("7740842550", "accepted"),
        ("1815115363", "accepted"),
    ],
    "tracking__TrackingSingleNotFound.xml": [("123456789", None)],
}
REFUSED = {
    "rate__RateMissingArgsError.xml": "not tracking: DCTResponse",
    "shipment__ShipmentParsingError.xml": "not tracking: ShipmentValidateErrorResponse",
}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")
def test_every_sample_is_read_or_refused_with_one_sentence():
    assert {path.name for path in SAMPLES.iterdir() if path.is_file()} == {*READ, *REFUSED}
    for name, told in READ.items():
        assert [(one.code, one.status) for one in mapping.parse((SAMPLES / name).read_text(), [])] == told
    for name, why in REFUSED.items():
        with pytest.raises(Unreadable, match=rf"\A[^\n]*{why}\Z"):
            mapping.parse((SAMPLES / name).read_text(), [])


# ── Nonsense ───────────────────────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
WORDS = (
    "shipments shipmentTrackingNumber id status service events pieces date time GMTOffset typeCode detail instance "
    "statusCode timestamp serviceArea products productCode totalPrice price documents estimatedDeliveryDate "
    "deliveryCapabilities totalTransitDays"
)
SHAPED = st.recursive(
    st.none() | st.integers() | st.text(max_size=8) | st.sampled_from(["2026-01-01", "404", "OK", "express"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS.split()),
            inner,
        )
    ),
    max_leaves=20,
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
    readers = (
        lambda: mapping.parse(raw, []),
        lambda: mapping.parse(raw, ["3180000012", "", "x y"]),
        lambda: freight.read_quotes([raw], []),
        lambda: freight.read_quotes(raw, ["N"]),
        lambda: freight.read_purchase(raw),
        lambda: legacy.from_xml(str(raw)),
    )
    for reader in readers:
        if refusal := refusal_of(reader):
            assert 0 < len(refusal.detail.strip()) < 400


@given(JSON | SHAPED)
@settings(max_examples=300, deadline=None)
def test_any_json_is_read_or_refused(raw):
    read_everything(raw)


@given(st.text() | st.text(alphabet="<>/!AWBInfo \"'&;?=[]DOCTYPE\x00\ud800", max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused(page):
    read_everything(page)
    read_everything(f"<TrackingResponse><AWBInfo>{page}</AWBInfo></TrackingResponse>")


def branches(raw: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    keys = list(raw) if isinstance(raw, dict) else list(range(len(raw))) if isinstance(raw, list) else []
    return [(raw, key) for key in keys] + [deeper for key in keys for deeper in branches(raw[key])]


CASES = sorted((path.parent.name, path.stem) for path in PAYLOADS.glob("*/*.json"))


@given(case=st.sampled_from(CASES), where=st.integers(min_value=0), instead=JSON | st.just("gone"))
@settings(max_examples=300, deadline=None)
def test_a_payload_with_one_thing_wrong_is_read_or_refused(case, where, instead):
    raw = payload(case[1], case[0])
    if isinstance(raw, str):
        cut = where % len(raw)
        read_everything(raw[:cut] + str(instead)[:20] + raw[cut + 5 :])
        return
    places = branches(raw)
    container, key = places[where % len(places)]
    if instead == "gone":
        del container[key]
    else:
        container[key] = instead
    read_everything(raw)

"""Loggi: its codes and the other scale's, every trap of its answers and webhooks, quotes, postings, and nonsense."""

import base64
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.loggi import ADAPTER, client, freight, mapping, webhook
from hub.faults import BadSignature, ChannelError, Fault, Unreadable
from hub.model import (
    Address,
    DeclaredGoods,
    Knock,
    Parcel,
    Party,
    Posting,
    Reply,
    Topic,
    TrackingStatus,
)
from tests.channels.parcels import Cases, z
from tests.channels.test_totalexpress import KEY

PAYLOADS = Path(__file__).parent.parent / "adapters" / "loggi"
FILES = Cases("loggi", mapping.parse)
payload, the_only = FILES.payload, FILES.the_only
S = TrackingStatus
PLACE = Address(street="Rua A", number="10", city="São Paulo", state="SP", postal_code="01310200")
WHO = Party(name="Maria", document="529.982.247-25", phone="+5511987654321", address=PLACE)
NOWHERE = WHO.model_copy(update={"address": Address(street="A", city="B", state="SP")})
BOX = Parcel(
    from_postal_code="01310200", to_postal_code="20040002", weight_g=800, length_cm=20, width_cm=15, height_cm=10
)
GOODS = (DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),)
POSTING = Posting(reference="P-77", service="FREIGHT_TYPE_EXPRESS", sender=WHO, recipient=WHO, parcel=BOX, goods=GOODS)
ECONOMIC, EXPRESS = freight.SERVICES


def reply(told: Any, status: int = 200) -> Reply:
    return Reply(status=status, headers={}, body=told if isinstance(told, bytes) else json.dumps(told).encode())


# ── Tracking ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("1", S.LABEL_CREATED), ("2", S.CANCELLED), ("5", S.DELIVERED), ("11", S.OUT_FOR_DELIVERY), ("14", S.ACCEPTED),
        ("21", S.FAILED_ATTEMPT), ("22", S.EXCEPTION), ("26", S.EXCEPTION), ("27", S.EXCEPTION),
    ],
)  # fmt: skip
def test_a_code_means(code, status):
    assert mapping.STATUS[code] is status


def test_no_other_code_means_anything():
    """Integrators read the rest in ways that contradict each other; the public site's are another scale."""
    assert set(mapping.STATUS) == {"1", "2", "5", "11", "14", "21", "22", "26", "27"}


@pytest.mark.parametrize(
    ("code", "high", "description", "status"),
    [
        ("2", "Cancelado", None, S.CANCELLED),
        ("2", None, None, S.CANCELLED),
        ("2", "Entregue", "Objeto entregue", S.UNKNOWN),  # the public site's 2
        ("5", "Entregue", "O pacote foi entregue", S.DELIVERED),
        ("5", "DELIVERED", None, S.DELIVERED),
        ("5", "Devolvido", "Entregue ao remetente", S.UNKNOWN),
        ("5", "Entregue", "Pacote em devolução", S.UNKNOWN),
        ("5", "Não entregue", None, S.UNKNOWN),
        ("5", "Saiu para entrega", None, S.UNKNOWN),
        ("5", "Cancelado", None, S.UNKNOWN),
        ("11", "Entregue", None, S.OUT_FOR_DELIVERY),  # words alone end nothing
        ("83", "Entregue", None, S.UNKNOWN),
        (None, "Entregue", None, S.UNKNOWN),
    ],
)
def test_an_end_is_told_by_the_code_and_not_against_the_words(code, high, description, status):
    scan = {"code": code, "highLevelStatus": high, "description": description, "updatedTime": "2026-03-12T10:00:00Z"}
    [told] = mapping.parse({"trackingCode": "A1", "status": scan}, [])
    assert told.events[0].status is status


def test_what_the_other_scale_says_leaves_a_parcel_as_it_was():
    assert the_only("code_two_is_cancelled_here").status is S.CANCELLED
    assert the_only("code_two_of_the_public_site_proves_nothing").status is S.ACCEPTED
    assert the_only("five_to_the_sender_is_no_delivery").status is S.OUT_FOR_DELIVERY
    assert the_only("unknown_code_keeps_previous").status is S.ACCEPTED


def test_scans_stand_oldest_first_with_their_place_and_the_time_they_told():
    told = the_only("delivered")
    assert [event.raw_code for event in told.events] == ["1", "14", "11", "5"]
    last = told.events[-1]
    assert (last.at, last.raw_at, last.zone) == (z("2026-03-15T17:05:33"), "2026-03-15T17:05:33Z", None)
    assert (last.place, last.state, told.status) == ("Belo Horizonte", "MG", S.DELIVERED)


def test_the_current_status_counts_once():
    assert len(the_only("delivered").events) == 4
    told = the_only("current_status_not_yet_in_history")
    assert ([event.raw_code for event in told.events], told.status) == (["1", "14", "11"], S.OUT_FOR_DELIVERY)
    flat = the_only("history_oldest_first_and_flat_with_the_typo")
    assert [(event.raw_code, event.place) for event in flat.events] == [("1", None), ("14", "São Paulo")]


@pytest.mark.parametrize(
    ("promised", "deliver_by"),
    [
        ("2026-03-16", z("2026-03-17T02:59:59")),
        ("2026-03-16T00:00:00Z", z("2026-03-17T02:59:59")),
        ("2026-03-16T18:30:00Z", z("2026-03-16T18:30:00")),
        ({"year": 2026, "month": 3, "day": 16}, z("2026-03-17T02:59:59")),
        ({"year": 0}, None),
        ("", None),
        (None, None),
    ],
)
def test_a_promise_told_as_a_day_holds_until_its_end(promised, deliver_by):
    [told] = mapping.parse({"trackingCode": "A1", "promisedDate": promised}, [])
    assert told.deliver_by == deliver_by


def test_not_found_is_an_object_with_an_error():
    told = the_only("not_found_yet")
    assert told.error
    assert (told.error.code, told.error.message, told.status, told.events) == (
        "not_found", "package not found", None, (),
    )  # fmt: skip


def test_a_package_without_scans_is_no_error():
    told = the_only("added_without_scans")
    assert (told.status, told.error, told.events) == (None, None, ())


def test_codes_of_melhor_envio_are_loggis_tracking_codes():
    raw = payload("bare_package_of_melhor_envio")
    told = mapping.parse(raw, ["me250tcu900br", "ME250TCU901BR"])
    assert [one.code for one in told] == ["me250tcu900br", "ME250TCU901BR"]
    assert told[0].status is S.OUT_FOR_DELIVERY
    assert told[1].error
    assert told[1].error.code == "not_told"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"code": 16, "message": "Jwt is expired", "details": []}, "an error, not a tracking answer: Jwt is expired"),
        ({"quotations": []}, "not a tracking answer"),
        ({"message": {}}, "not a tracking answer"),
        ([], "not an object"),
        ("words", "not an object"),
        ({"packages": {"a": 1}}, "packages: not a list"),
        ({"packages": [{"loggiKey": "K"}]}, "packages.0.trackingCode: not told"),
        ({"packages": [{"trackingCode": "A1", "statusCode": 2}]}, "of the public tracking site"),
        (
            {"trackingCode": "A1", "trackingHistory": [{"status": {"code": "1"}}]},
            "trackingHistory.0.status.updatedTime",
        ),
        ({"trackingCode": "A1", "promisedDate": "breve"}, "promisedDate: not a time"),
        ({"trackingCode": "A1", "promisedDate": {"year": 2026, "month": 13}}, "promisedDate: not a time"),
    ],
)
def test_what_is_no_tracking_answer_is_refused_with_one_sentence(document, why):
    with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
        mapping.parse(document, [])
    assert why in refusal.value.detail


# ── Errors ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "code", "fault"),
    [
        (reply({"code": 16, "message": "x"}, 401), "unauthenticated", Fault.AUTH),
        (reply({"code": 7, "message": "x"}, 403), "permission_denied", Fault.AUTH),
        (reply({"code": 5, "message": "x"}, 404), "not_found", Fault.MISSING),
        (reply({"code": 3, "message": "x"}, 422), "invalid_argument", Fault.REJECTED),
        (reply({"code": "8", "message": "x"}, 429), "resource_exhausted", Fault.THROTTLED),
        (reply({"code": 14, "message": "x"}, 503), "unavailable", Fault.TRANSIENT),
        (reply({"warning_type": "OUT", "warning_message": "x"}), "cancel_warning", Fault.REJECTED),
        (reply({"code": 99}, 400), "99", None),
        (reply({"code": 5, "message": "x"}), None, None),
        (reply({"packages": []}), None, None),
        (reply([{"code": 5}], 400), None, None),
    ],
)
def test_an_error_has_the_name_of_its_grpc_code(answer, code, fault):
    assert ADAPTER.read_error(answer) == code
    assert ADAPTER.faults.get(code or "") is fault


# ── Webhook ────────────────────────────────────────────────────────────────────────────────────────────────


def knock(case: str) -> Knock:
    told = payload(case, "notice")
    headers = {name.lower(): value for name, value in told["headers"].items()}
    return Knock(headers=headers, body=told["body"].encode())


def test_without_a_password_no_knock_is_believed():
    told = {"company_id": "1", "client_id": "c", "client_secret": "s"}
    assert webhook.secret(client.Credentials.model_validate(told)) is None
    agreed = told | {"webhook_user": "loggi", "webhook_password": "p"}
    assert webhook.secret(client.Credentials.model_validate(agreed)) == "loggi:p"


def test_a_webhook_is_known_by_our_user_and_its_secret():
    good = knock("package_delivered")
    webhook.verify("balcao:s3gredo-do-webhook", good)
    pairs = ("balcao:outro", "loggi:s3gredo-do-webhook", ":s3gredo-do-webhook")
    forged = ["Basic " + base64.b64encode(pair.encode()).decode() for pair in pairs]
    for told in (*forged, "", "Bearer s3gredo-do-webhook", good.headers["authorization"].lower()):
        with pytest.raises(BadSignature):
            webhook.verify("balcao:s3gredo-do-webhook", replace(good, headers={"authorization": told}))


def test_each_package_is_a_notice_that_is_read_by_itself():
    notices = webhook.read(knock("two_packages"))
    assert [(notice.topic, notice.ref) for notice in notices] == [
        (Topic.TRACKING, "LGG10000012BR"), (Topic.TRACKING, "LGG10000013BR"),
    ]  # fmt: skip
    for notice in notices:
        [told] = mapping.parse(notice.raw, [notice.ref])
        assert (told.code, told.status) == (notice.ref, S.EXCEPTION)


def test_the_same_scan_told_again_is_the_same_notice_and_another_is_not():
    [one], [again] = webhook.read(knock("package_delivered")), webhook.read(knock("package_delivered"))
    assert one.dedupe_key == again.dedupe_key
    moved = json.loads(knock("package_delivered").body)
    moved["packages"][0]["status"]["updatedTime"] = "2026-03-15T17:05:34Z"
    [other] = webhook.read(replace(knock("package_delivered"), body=json.dumps(moved).encode()))
    assert other.dedupe_key != one.dedupe_key


def test_an_odd_time_loses_no_bell_and_no_package_is_kept_as_unknown():
    [late] = webhook.read(knock("odd_time_rings_all_the_same"))
    assert (late.topic, late.at) == (Topic.TRACKING, None)
    odd: tuple[Any, ...] = ({"a": 1}, [], None, "")
    for odd_code in odd:
        body = json.dumps({"trackingCode": odd_code, "status": {"updatedTime": {}}}).encode()
        assert [notice.topic for notice in webhook.read(Knock(headers={}, body=body))] == [Topic.UNKNOWN]
    [unknown] = webhook.read(knock("no_package_is_unknown"))
    assert (unknown.topic, unknown.ref, unknown.raw) == (
        Topic.UNKNOWN, None, {"event": "LABEL_READY", "loggiKey": "KEY1"},
    )  # fmt: skip


# ── Quotes, postings, labels ───────────────────────────────────────────────────────────────────────────────


def test_quotes_in_the_order_asked():
    quotes = freight.read_quotes([payload("two_services", "quote")], [EXPRESS, ECONOMIC, "OTHER"])
    assert [(quote.price_cents, quote.days) for quote in quotes] == [(20_30, 2), (13_70, 5), (None, None)]
    [cheapest] = freight.read_quotes([payload("cheapest_of_two_pickups", "quote")], [])
    assert (cheapest.price_cents, cheapest.days) == (9_09, 6)


def test_a_refusal_stands_for_every_service_asked():
    quotes = freight.read_quotes([payload("refused_postal_code", "quote")], [ECONOMIC, EXPRESS])
    assert [quote.error and (quote.error.code, quote.error.message) for quote in quotes] == [
        ("invalid_argument", "postal code not found")
    ] * 2


@pytest.mark.parametrize(
    ("told", "price"),
    [
        ({"units": "13", "nanos": 700_000_000}, 13_70),
        ({"units": 0, "nanos": 990_000_000}, 99),
        ({"units": "1000"}, 1000_00),
        ({"units": "13", "nanos": 709_999_999}, 13_71),
        ({"currencyCode": "USD", "units": "13"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_money_is_units_and_billionths_of_reais(told, price):
    raw = {"quotations": [{"freightType": ECONOMIC, "price": {"totalAmount": told}}]}
    [quote] = freight.read_quotes([raw], [])
    assert quote.price_cents == price
    assert bool(quote.error) is (price is None)


def test_a_quotation_names_pickups_or_the_contracts_service_never_both():
    plain = freight.quotation(BOX.model_copy(update={"value_cents": 87_35}), "PICKUP_TYPE_SPOT", None)
    assert plain["packages"][0]["goodsValue"] == {"currencyCode": "BRL", "units": "87", "nanos": 350_000_000}
    assert (plain["pickupTypes"], "externalServiceIds" in plain) == (["PICKUP_TYPE_SPOT"], False)
    contracted = freight.quotation(BOX, "PICKUP_TYPE_SPOT", "SISU-1")
    assert (contracted["externalServiceIds"], "pickupTypes" in contracted) == (["SISU-1"], False)


def test_a_posting_in_their_words():
    body = freight.buy(POSTING).json
    [package] = body["packages"]
    assert (package["freightType"], package["weightG"], package["lengthCm"]) == (EXPRESS, 800, 20)
    assert package["documentTypes"] == [{"contentDeclaration": {"totalValue": "59.80", "description": "2 Caneca"}}]
    assert body["shipTo"]["federalTaxId"] == "52998224725"
    assert body["shipTo"]["phoneNumber"] == "5511987654321"
    assert body["shipTo"]["address"]["correiosAddress"]["cep"] == "01310200"
    valued = BOX.model_copy(update={"value_cents": 844_82})
    invoiced = freight.buy(POSTING.model_copy(update={"goods": (), "invoice_key": KEY, "parcel": valued})).json
    assert invoiced["packages"][0]["documentTypes"] == [
        {"invoice": {"key": KEY, "series": "1", "number": "1234", "totalValue": "844.82", "icms": "ICMS_TAXED"}}
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"goods": ()}, "exactly one of invoice_key and goods"),
        ({"goods": (), "invoice_key": "12"}, "invoice_key: an NF-e key has 44 positions"),
        ({"sender": NOWHERE}, "sender.address.postal_code"),
        ({"parcel": BOX.model_copy(update={"weight_g": 30_001})}, "at most 30000 g and 100 cm"),
        ({"parcel": BOX.model_copy(update={"width_cm": 101})}, "at most 30000 g and 100 cm"),
    ],
)
def test_a_posting_that_cannot_be_told_names_the_field(change, why):
    with pytest.raises(ChannelError) as refusal:
        freight.buy(POSTING.model_copy(update=change))
    assert why in refusal.value.detail


def test_a_purchase():
    told = {"packages": [{"trackingCode": "LGG1BR", "barcode": "x", "loggiKey": "KEY1", "sequence": "1"}]}
    bought = freight.read_purchase(told)
    assert (bought.ref, bought.tracking_code, bought.service) == ("KEY1", "LGG1BR", None)
    odd: tuple[Any, ...] = ({"packages": []}, {}, {"packages": [{"trackingCode": "x"}]})
    for raw in odd:
        with pytest.raises(ChannelError):
            freight.read_purchase(raw)


WAITS = {"status": {"code": 9}}
PDF = base64.b64encode(b"%PDF-1.4 x").decode()


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        (reply({"success": {"content": PDF}, "failure": []}), b"%PDF-1.4 x"),
        (reply({"success": None, "failure": [{"loggiKey": "K", "status": {"code": 9, "message": "x"}}]}), None),
        (reply({"failure": [{"status": {"code": 5}}]}), None),
        (reply({"code": 5, "message": "not yet"}, 404), None),
        (reply({}), None),
    ],
)
def test_a_label_or_that_it_is_still_being_made(answer, label):
    assert freight.label_pdf(answer) == label


@pytest.mark.parametrize(
    ("answer", "fault", "code"),
    [
        (reply({"failure": [WAITS, {"status": {"code": 3, "message": "x"}}]}), Fault.REJECTED, "invalid_argument"),
        (reply({"code": 3, "message": "x"}, 400), Fault.REJECTED, "invalid_argument"),
        (reply({"success": {"content": "%%%"}}), Fault.SHAPE, "unreadable"),
    ],
)  # fmt: skip
def test_a_label_that_is_refused_says_why(answer, fault, code):
    with pytest.raises(ChannelError) as refusal:
        freight.label_pdf(answer)
    assert (refusal.value.fault, refusal.value.code) == (fault, code)


# ── Token ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_token_with_its_end():
    now = z("2026-03-12T10:00:00")
    token = client.read_token(reply({"idToken": "abc", "expiresIn": "3600"}), now)
    assert (token.access.get_secret_value(), token.expires_at) == ("abc", z("2026-03-12T11:00:00"))
    assert client.read_token(reply({"idToken": "abc"}), now).expires_at is None
    assert client.read_token(reply({"idToken": "abc", "expiresIn": "999999999999"}), now).expires_at
    odd: tuple[Any, ...] = ({}, {"idToken": "abc", "expiresIn": -1}, {"idToken": {}}, [])
    for told in odd:
        with pytest.raises(Unreadable):
            client.read_token(reply(told), now)


def test_a_company_cannot_leave_its_part_of_the_address():
    told = {"company_id": "../1", "client_id": "c", "client_secret": "s"}
    assert client.Credentials.model_validate(told).base_url() == "https://api.loggi.com/v1/companies/..%2F1"


# ── Nonsense ───────────────────────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
KEYS = (
    "packages trackingCode loggiKey status code highLevelStatus description updatedTime location locatiion city state "
    "promisedDate year month day trackingHistory error message statusCode packagesQuotations quotations price "
    "totalAmount units nanos currencyCode freightType sloInDays success content failure idToken expiresIn"
)
SHAPED = st.recursive(
    st.sampled_from([None, "", "0", 0, 1, 5, "5", "A1", "2026-03-12", "2026-03-12T10:00:00Z", -1, 1e300, True, 13]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=6),
    max_leaves=20,
)


def read_everything(raw: Any) -> None:
    answer = reply(raw)
    for read in (
        lambda: mapping.parse(raw, []),
        lambda: mapping.parse(raw, ["A1", ""]),
        lambda: freight.read_quotes([raw], []),
        lambda: freight.read_quotes([raw], [EXPRESS]),
        lambda: freight.read_purchase(raw),
        lambda: freight.label_pdf(answer),
        lambda: freight.label_pdf(replace(answer, status=400)),
        lambda: mapping.error_code(answer),
        lambda: mapping.error_code(replace(answer, status=400)),
        lambda: client.read_token(answer, z("2026-03-12T10:00:00")),
        lambda: webhook.read(Knock(headers={}, body=answer.body)),
    ):
        with suppress(ChannelError):
            read()


@given(JSON | SHAPED)
@settings(max_examples=400, deadline=None)
def test_any_json_is_read_or_refused(raw):
    read_everything(raw)


def branches(raw: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    keys = list(raw) if isinstance(raw, dict) else list(range(len(raw))) if isinstance(raw, list) else []
    return [(raw, key) for key in keys] + [deeper for key in keys for deeper in branches(raw[key])]


CASES = [(path.parent.name, path.stem) for path in sorted(PAYLOADS.glob("*/*.json")) if path.parent.name != "notice"]


@given(case=st.sampled_from(CASES), where=st.integers(min_value=0), instead=JSON | st.just("gone"))
@settings(max_examples=400, deadline=None)
def test_a_payload_with_one_thing_wrong_is_read_or_refused(case, where, instead):
    raw = payload(case[1], case[0])
    places = branches(raw)
    container, key = places[where % len(places)]
    if instead == "gone":
        del container[key]
    else:
        container[key] = instead
    read_everything(raw)

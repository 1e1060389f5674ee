"""Frenet: types corrected by words, every trap of its answers and notices, prices, shipments, and nonsense."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.frenet import ADAPTER, client, freight, mapping, webhook
from hub.contract import Consignment
from hub.faults import BadSignature, ChannelError, Fault, Unreadable
from hub.model import Knock, Parcel, Posting, Purchase, Quote, Reply, Topic, TrackingStatus
from tests.channels.parcels import Cases, z
from tests.channels.test_jadlog import GOODS, KEY, SHOP

PAYLOADS = Path(__file__).parent.parent / "adapters" / "frenet"
FILES = Cases("frenet", mapping.parse_tracking)
payload, tracked, the_only = FILES.payload, FILES.tracked, FILES.the_only
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "frenet"
S = TrackingStatus


def reply(body: Any, status: int = 200) -> Reply:
    return Reply(status=status, headers={}, body=json.dumps(body).encode())


# ── Types and words ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "words", "status"),
    [
        ("0", "Objeto postado", S.ACCEPTED), ("18", "Objeto postado", S.ACCEPTED), ("1", None, S.IN_TRANSIT),
        ("2", "Atraso", S.IN_TRANSIT), ("3", "Devolvido", S.RETURNING), ("4", None, S.LOST),
        ("5", "Saiu para entrega", S.OUT_FOR_DELIVERY), ("9", "Entregue", S.DELIVERED),
        ("77", "Objeto entregue ao destinatário", S.UNKNOWN), ("?", "Objeto entregue", S.UNKNOWN),
        ("9", "Objeto entregue ao remetente", S.RETURNED), ("3", "Objeto entregue ao remetente", S.RETURNED),
        ("3", "Objeto em devolução ao remetente", S.RETURNING),
        ("5", "Objeto saiu para entrega ao remetente", S.RETURNING),
        ("1", "Etiqueta emitida - Aguardando postagem pelo remetente", S.LABEL_CREATED),
        ("1", "Etiqueta expirada - Prazo para postagem encerrado", S.EXCEPTION),
        ("1", "Objeto não entregue - carteiro não atendido", S.FAILED_ATTEMPT),
        ("1", "Objeto disponível para retirada", S.AWAITING_PICKUP),
        ("1", "Objeto será devolvido ao remetente", S.RETURNING),
        ("1", "Objeto entregue no ponto de postagem", S.IN_TRANSIT),
        ("1", "Objeto entregue ao destinatário", S.IN_TRANSIT),
    ],
)  # fmt: skip
def test_a_type_means_and_its_words_correct_it(kind, words, status):
    assert mapping.status_of(kind, words) is status


def test_eight_types_are_known():
    assert set(mapping.STATUS) == {"0", "1", "2", "3", "4", "5", "9", "18"}


# ── Traps ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_delivered_with_its_way_oldest_first_in_utc():
    told = the_only("delivered")
    assert (told.code, told.carrier_code, told.status, told.delayed) == ("QS100000025BR", None, S.DELIVERED, False)
    assert [event.raw_code for event in told.events] == ["0", "1", "1", "5", "9"]
    last = told.events[-1]
    # 16:48 in Brasília is 19:48 UTC: three hours are added, not taken off
    assert (last.at, last.raw_at, last.zone) == (z("2026-03-13T19:48"), "13/03/2026 16:48", "America/Sao_Paulo")
    assert (last.place, last.state) == ("Niterói-RJ", "RJ")


def test_a_repeated_type_is_another_event():
    assert [event.raw_code for event in the_only("repeated_type_is_another_event").events] == ["0", "1", "1", "1"]


def test_a_label_that_was_only_issued_is_not_on_its_way():
    assert the_only("label_issued_is_not_in_transit").status is S.LABEL_CREATED


def test_delivered_to_the_sender_is_returned():
    assert [told.status for told in tracked("delivered_to_the_sender_is_returned")] == [
        S.RETURNED, S.RETURNED, S.RETURNING,
    ]  # fmt: skip


def test_an_unknown_type_changes_nothing_and_types_come_as_numbers_too():
    told = the_only("unknown_type_keeps_previous")
    assert told.status is S.OUT_FOR_DELIVERY
    assert [event.raw_code for event in told.events] == ["0", "5", "?", "31"]


def test_a_delay_stands_until_the_delivery():
    assert [(told.delayed, told.status) for told in tracked("delayed_until_delivered")] == [
        (True, S.IN_TRANSIT), (False, S.DELIVERED),
    ]  # fmt: skip


def test_times_with_seconds_with_an_offset_and_of_an_older_summer():
    events = the_only("times_of_other_kinds").events
    assert [event.at for event in events] == [
        z("2018-01-15T22:33"), z("2026-03-13T11:05:30"), z("2026-03-13T19:48"),
    ]  # fmt: skip
    assert [event.zone for event in events] == ["America/Sao_Paulo", "America/Sao_Paulo", None]


def test_an_error_beside_events_takes_nothing_from_them():
    told = the_only("events_beside_an_error")
    assert (told.status, told.error) == (S.IN_TRANSIT, None)


def test_both_spellings_are_read_and_a_place_abroad_has_no_state():
    told = the_only("camel_case")
    assert (told.status, [event.state for event in told.events]) == (S.LOST, ["SP", None])


def test_an_error_is_that_of_the_code_asked():
    raw = {"ErrorMessage": "Objeto não encontrado na base de dados dos Correios."}
    [told] = mapping.parse_tracking(raw, ["03298:QS100000025BR"])
    assert (told.code, told.carrier_code, told.status, told.events) == (
        "03298:QS100000025BR",
        "QS100000025BR",
        None,
        (),
    )
    assert told.error
    assert told.error.code == "not_found"
    with pytest.raises(Unreadable, match="an error that names no parcel: Objeto não"):
        mapping.parse_tracking(raw, [])
    with pytest.raises(Unreadable, match="an error that names no parcel"):
        mapping.parse_tracking(raw, ["QS100000025BR", "QS100000034BR"])


def test_what_our_fetch_answers_is_read_by_what_was_asked():
    codes = ["1:10000040000022", "QS999999999BR", "03298:QS100000048BR"]
    found = mapping.parse_tracking(payload("answers_of_our_fetch"), codes)
    assert [one.code for one in found] == codes
    assert [one.error and one.error.code for one in found] == ["no_service", "not_told", None]
    assert (found[2].status, found[2].carrier_code) == (S.IN_TRANSIT, "QS100000048BR")


def test_another_number_in_the_answer_is_not_taken_for_the_one_asked():
    [told] = mapping.parse_tracking(payload("delivered"), ["QS100000034BR"])
    assert told.error
    assert told.error.code == "not_told"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("ShippingServiceCode ou CarrierCode informado não foram encontrados", "no_service"),
        ("Serviço não encontrado", "no_service"),
        ("Objeto não encontrado na base de dados dos Correios.", "not_found"),
        ("Object reference not set to an instance of an object.", "server_fault"),
        ("Value cannot be null. Parameter name: s", "server_fault"),
        ("Cannot deserialize the current JSON array", "server_fault"),
        ("Acesso negado para o cliente", "acesso_negado"),
        ("Outra coisa", "refused"),
    ],
)
def test_errors_are_told_apart_by_their_sentence(words, code):
    [told] = mapping.parse_tracking({"TrackingNumber": "QS100000025BR", "ErrorMessage": words}, [])
    assert told.error
    assert (told.error.code, told.error.message) == (code, words)


def test_of_a_complaint_neither_the_stack_nor_an_address_is_kept():
    stack = "Falhou --> System.NullReference at Frenet.Core.Do() in C:\\x.cs"
    assert mapping.sentence(stack) == "Falhou"
    assert mapping.sentence("Erro em https://painel.frenet.com.br/Label?p=QTFC fim") == "Erro em fim"
    assert mapping.sentence("Erro   at Frenet.White.Label()") == "Erro"
    assert mapping.sentence("Detalhes identificador: 123e4567-e89b-12d3-a456-426614174000 Sem saldo") == "Sem saldo"
    assert mapping.sentence("https://x") == "refused without a word"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"ShippingSevicesArray": []}, "not a tracking answer"),
        ({"OrderId": "1", "ShipmentId": 1, "ShipmentStatus": 5, "Balance": 50.5}, "not a tracking answer"),
        ("<xml/>", "not a tracking answer"),
        ([1], "0: not an object"),
        ({"TrackingNumber": "Q", "TrackingEvents": [{"EventType": "1"}]}, "TrackingEvents.0.EventDateTime: no time"),
        ({"TrackingNumber": "Q", "TrackingEvents": [{"EventDateTime": "32/01/2026 10:00"}]}, "not a time"),
        ({"TrackingEvents": [{"EventDateTime": "01/01/2026 10:00"}]}, "trackingNumber: not a tracking answer"),
    ],
)
def test_other_documents_are_refused_with_one_sentence(raw, why):
    with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
        mapping.parse_tracking(raw, [])
    assert why.lower() in refusal.value.detail.lower().replace("_", "")


# ── The code asked by ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("number", "service", "code", "asked"),
    [
        ("QS100000025BR", "03220", "03220:QS100000025BR", "03220"),
        ("qs100000025br", None, "QS100000025BR", "03298"),
        ("QS100000025BR", "SEDEX", "QS100000025BR", "03298"),
        ("QS100000025BR", "FR03220", "03220:QS100000025BR", "03220"),
        ("10000040000015", "JAD3", "JAD3:10000040000015", "JAD3"),
        ("10000040000015", "FRETE_A", "FRETE_A:10000040000015", "FRETE_A"),
    ],
)
def test_a_parcel_is_asked_by_its_service_and_number(number, service, code, asked):
    assert mapping.code_of(Consignment(tracking_code=number, service=service)) == code
    assert mapping.asked_with(code) == {"ShippingServiceCode": asked, "TrackingNumber": mapping.number_of(code)}


@pytest.mark.parametrize(
    ("number", "service"), [(None, "03220"), ("10000040000015", None), ("10000040000015", "Jadlog Package")]
)
def test_a_parcel_without_number_or_service_cannot_be_asked_about(number, service):
    assert mapping.code_of(Consignment(tracking_code=number, service=service, ref="21255")) is None


# ── Errors ─────────────────────────────────────────────────────────────────────────────────────────────────


NO_MONEY = {"Code": 3000, "Message": "Saldo insuficiente."}
NO_PARTNER = {"Code": 1, "Message": "Acesso negado para o parceiro"}
NULL = "Object reference not set to an instance of an object."


@pytest.mark.parametrize(
    ("told", "code", "fault"),
    [
        (reply({"ErrorMessage": NULL}), "server_fault", Fault.TRANSIENT),
        (reply({"ErrorMessage": "Objeto não encontrado"}), None, None),
        (reply({"ErrorMessage": "Object reference not set", "TrackingEvents": [{}]}), None, None),
        (reply({"message": "Acesso negado para o cliente", "details": []}, 401), "acesso_negado", Fault.AUTH),
        (reply({"Message": "Erro", "Details": [NO_PARTNER]}, 400), "acesso_negado", Fault.AUTH),
        (reply({"Message": "Erro", "Details": [NO_MONEY]}, 400), "3000", Fault.REJECTED),
        (reply({"Message": "Erro", "Details": [NO_MONEY]}), None, None),
        (reply({"items": [{"errors": [{"code": 1}]}]}), None, None),
        (reply([]), None, None),
        (Reply(status=502, headers={}, body=b"<html>"), None, None),
    ],
)  # fmt: skip
def test_errors_are_classed(told, code, fault):
    assert ADAPTER.read_error(told) == code
    assert code is None or ADAPTER.faults[code] is fault


# ── Notices ────────────────────────────────────────────────────────────────────────────────────────────────


def knock(case: str) -> Knock:
    told = payload(case, "notice")
    headers = {name.lower(): value for name, value in told["headers"].items()}
    return Knock(headers=headers, body=told["body"].encode(), url=told["url"])


def test_a_notice_is_fat_and_settled_by_its_number():
    [told] = webhook.read(knock("tracking_delivered"))
    assert (told.topic, told.ref, told.at) == (Topic.TRACKING, "QS100000025BR", z("2026-03-13T19:48"))
    [parcel] = mapping.parse_tracking(told.raw, [told.ref or ""])
    assert (parcel.code, parcel.status) == ("QS100000025BR", S.DELIVERED)


def test_a_list_is_a_notice_for_each():
    told = webhook.read(knock("two_parcels_in_a_list"))
    assert [one.ref for one in told] == ["QS100000065BR", "10000040000029"]
    assert [mapping.parse_tracking(one.raw, [one.ref or ""])[0].status for one in told] == [
        S.ACCEPTED,
        S.OUT_FOR_DELIVERY,
    ]


def test_labels_and_the_wallet_are_not_for_us_and_news_is_kept():
    assert [(one.topic, one.ref, one.raw) for one in webhook.read(knock("status_of_a_label"))] == [
        (Topic.IGNORED, "1", None)
    ]
    [odd] = webhook.read(knock("something_else"))
    assert (odd.topic, odd.raw) == (Topic.UNKNOWN, {"Aviso": "manutenção programada"})
    assert [one.topic for one in webhook.read(replace(knock("something_else"), body=b"[]"))] == [Topic.UNKNOWN]


def test_events_of_nobody_are_refused():
    with pytest.raises(Unreadable, match="no number of a parcel"):
        webhook.read(replace(knock("something_else"), body=b'{"TrackingEvents": []}'))


@pytest.mark.parametrize(
    ("headers", "url", "is_ours"),
    [
        ({"x-balcao-token": "segredo"}, "https://h/in/t", True),
        ({}, "https://h/in/t?token=segredo", True),
        ({}, "https://h/in/t?token=outro&token=segredo", True),
        ({}, "https://h/in/t", False),
        ({}, "https://h/in/t?token=", False),
        ({}, "https://h/in/t?chave=segredo", False),
        ({"x-balcao-token": "outro"}, "https://h/in/t?token=segredo", False),
        ({"x-balcao-token": ""}, "https://h/in/t?token=segredo", False),
    ],
)
def test_our_token_comes_in_a_header_or_in_the_address(headers, url, is_ours):
    told = Knock(headers=headers, body=b"{}", url=url)
    if is_ours:
        webhook.verify("segredo", told)
        return
    with pytest.raises(BadSignature):
        webhook.verify("segredo", told)


def test_until_a_token_is_made_up_every_knock_is_refused():
    assert ADAPTER.webhook
    assert ADAPTER.webhook.secret
    known = client.Credentials(token=SecretStr("t"), cnpj="1")
    assert ADAPTER.webhook.secret(known) is None
    assert ADAPTER.webhook.secret(known.model_copy(update={"webhook_token": SecretStr("w")})) == "w"


# ── Prices ─────────────────────────────────────────────────────────────────────────────────────────────────

BOX = Parcel(
    from_postal_code="01310200", to_postal_code="20040002", weight_g=1250, length_cm=30, width_cm=20, height_cm=10,
    value_cents=59_80,
)  # fmt: skip


def test_a_question_about_prices():
    assert freight.question(BOX, []) == {
        "SellerCEP": "01310200", "RecipientCEP": "20040002", "ShipmentInvoiceValue": 59.8, "RecipientCountry": "BR",
        "ShippingItemArray": [{"Weight": 1.25, "Length": 30, "Height": 10, "Width": 20, "Quantity": 1}],
    }  # fmt: skip
    assert freight.question(BOX, ["03298"])["ShippingServiceCode"] == "03298"
    assert "ShippingServiceCode" not in freight.question(BOX, ["03298", "03220"])


@pytest.mark.parametrize(
    ("case", "want"),
    [
        (
            "services_side_by_side",
            [
                ("03298", "Correios PAC", 3250, 7, None),
                ("03220", "Correios SEDEX", 5410, 2, None),
                ("JAD3", "Jadlog .PACKAGE", 2890, 5, None),
            ],
        ),
        (
            "error_as_text",
            [
                ("03298", "Correios PAC", None, None, "CEP de destino não atendido"),
                ("03220", "Correios SEDEX", 5410, 2, None),
            ],
        ),
        ("minimal_rows", [("03298", None, 1990, 3, None)]),
        ("price_with_comma", [("03298", "Correios PAC", 103250, 7, None)]),
        ("price_of_nothing_is_no_price", [("JAD3", "Jadlog .PACKAGE", None, 5, "no price is told for this service")]),
        ("stack_behind_the_words", [("03298", "Correios PAC", None, None, "Serviço indisponível")]),
        ("whole_call_refused", []),
    ],
)
def test_prices_and_why_there_are_none(case, want):
    found = freight.read_quotes([payload(case, "quote")], [])
    assert [
        (one.service, one.name, one.price_cents, one.days, one.error and one.error.message) for one in found
    ] == want


def test_a_refused_call_is_the_reason_of_every_service_asked():
    [quote] = freight.read_quotes([payload("whole_call_refused", "quote")], ["03298"])
    assert quote.error
    assert quote.error.message == "CEP de origem inválido"


# ── Shipments ──────────────────────────────────────────────────────────────────────────────────────────────

OFFER = Quote(service="03298", price_cents=32_50, days=7)
POSTING = Posting(
    reference="V-1", service="03298", sender=SHOP, recipient=SHOP, parcel=BOX, goods=GOODS, quote=OFFER
)  # fmt: skip


def test_a_shipment_as_their_server_wants_it():
    request = freight.shipment(POSTING)
    assert (request.method, request.path, request.is_repeatable()) == ("POST", "/shipments", False)
    [body] = request.json
    assert body["Volumes"] == {
        "Weight": 1.25, "Length": 30, "Height": 10, "Width": 20, "Price": 59.8, "DeclaredValue": 59.8,
        "OrderItemsId": ["V-1-1"],
    }, "one object, not a list"  # fmt: skip
    assert body["Quotation"] == {
        "ShippingServiceCode": "03298", "PlatformShippingPrice": 32.5, "ShippingPrice": 32.5, "DeliveryTime": 7,
        "Services": {"DeclaredValue": False, "ReceiptNotification": False, "OwnHand": False},
    }  # fmt: skip
    assert body["Order"]["To"] == {
        "Name": "Loja", "Email": "loja@example.com", "Phone": "1133334444", "Cellphone": "1133334444",
        "Document": "11222333000181",
        "Address": {
            "ZipCode": "24020077", "City": "Niterói", "Street": "Rua A", "AddressNumber": "9", "AddressComplement": "",
            "AddressQuarter": "Centro", "AddressState": "RJ", "Country": "BR",
        },
    }  # fmt: skip
    [item] = body["Order"]["Items"]
    assert (item["ProductName"], item["Quantity"], item["Price"]) == ("Caneca", 2, 29.9)


def test_our_address_goes_along_with_the_shipment_and_with_no_other_than_ours():
    [body] = freight.shipment(POSTING.model_copy(update={"notify": "https://balcao.example/in/t0ken"})).json
    assert {body[name] for name in freight.NOTIFIED} == {"https://balcao.example/in/t0ken"}
    assert not freight.shipment(POSTING).json[0].keys() & set(freight.NOTIFIED)


def test_an_invoice_goes_along_by_its_key():
    [body] = freight.shipment(POSTING.model_copy(update={"goods": (), "invoice_key": KEY})).json
    assert body["Order"]["Invoice"] == {"Key": KEY, "Number": "1234", "Series": "1", "Value": 59.8}
    for wrong in ({"goods": ()}, {"invoice_key": KEY}):
        with pytest.raises(Unreadable, match="exactly one of invoice_key and goods"):
            freight.shipment(POSTING.model_copy(update=wrong))


@pytest.mark.parametrize("gone", ["street", "district", "city", "state", "postal_code"])
def test_a_shipment_needs_whole_addresses(gone):
    place = SHOP.address.model_copy(update={gone: None})
    with pytest.raises(Unreadable, match=r"sender\.\w+: Frenet makes no label without it"):
        freight.shipment(POSTING.model_copy(update={"sender": SHOP.model_copy(update={"address": place})}))


def test_a_purchase_is_refused_inside_a_good_answer():
    assert freight.read_purchase({"items": [{"shipmentId": 21255, "errors": None}]}).ref == "21255"
    assert freight.read_purchase({"Items": [{"ShipmentId": "21255", "Errors": []}]}).ref == "21255"
    for raw, code, words in (
        ({"items": [{"shipmentId": 9, "errors": [NO_MONEY]}]}, "3000", "Saldo insuficiente."),
        ({"items": [], "error": {"message": "Nota fiscal --> at X.Y()"}}, "refused", "Nota fiscal"),
        ({"items": []}, "no_shipment", "Frenet answered no shipment"),
    ):  # fmt: skip
        with pytest.raises(ChannelError) as refusal:
            freight.read_purchase(raw)
        assert (refusal.value.fault, refusal.value.code, refusal.value.detail) == (Fault.REJECTED, code, words)


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (4, None, None), (5, None, None), (18, None, None),
        (2, {"errors": [NO_MONEY]}, "3000"),
        (1, None, "not_paid"), (3, [], "not_paid"), (6, None, "cancelled"),
        (7, None, "cancelled"), (9, None, "cancelled"),
    ],
)  # fmt: skip
def test_only_its_status_says_that_a_shipment_is_paid(status, said, code):
    problem = freight.unsettled(status, said)
    assert (problem.code if problem else None) == code
    if problem:
        assert problem.fault is (Fault.TRANSIENT if code == "not_paid" else Fault.REJECTED), "it may be paid yet"


def test_a_status_in_no_table_is_unreadable():
    assert freight.status({"ShipmentStatus": "4"}) == 4
    for odd in (8, None, "x"):
        with pytest.raises(Unreadable):
            freight.status({"shipmentStatus": odd})


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"trackingUrl": "https://rastreio.frenet.com.br/COR/QS100000025BR"}, "QS100000025BR"),
        ({"TrackingUrl": "https://rastreio.frenet.com.br/JAD/10000040000015/?a=b"}, "10000040000015"),
        ({"trackingNumber": "QS100000025BR", "trackingUrl": None}, "QS100000025BR"),
        ({"trackingUrl": None, "labelUrl": "https://painel.frenet.com.br/Label?p=QTFC"}, None),
    ],
)
def test_a_tracking_code_stands_at_the_end_of_the_public_address(told, code):
    assert freight.labelled(Purchase(ref="1"), told) == Purchase(ref="1", tracking_code=code)


def test_labels_come_in_base64():
    assert freight.pdf({"document": "JVBERi0xLjQ=", "items": []}) == b"%PDF-1.4"
    assert freight.pdf({"Document": None, "Items": []}) is None
    with pytest.raises(Unreadable, match="document: not base64"):
        freight.pdf({"document": "é"})
    with pytest.raises(ChannelError) as refusal:
        freight.pdf(
            {"document": None, "items": [{"shipmentId": 1, "errors": [{"code": 4000, "message": "Apenas pagas"}]}]}
        )
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "4000")


def test_a_shipment_is_called_off_by_its_number():
    assert freight.cancellation("21255").path == "/shipments/21255/cancel"
    with pytest.raises(ChannelError):
        freight.cancellation("../wallet")


# ── Real answers, where they are at hand ───────────────────────────────────────────────────────────────────

READ = {"trackinginfo_delivered.json": "QS123456789BR", "webhook_tracking_delivered.json": "QS123456789BR"}
REFUSED = {
    "quote_minimal.json": "not a tracking answer",
    "quote_minimal_2.json": "not a tracking answer",
    "trackinginfo_error_in_200.json": "an error that names no parcel: Serviço não encontrado",
    "webhook_shipment_status_wallet.json": "not a tracking answer",
}
WITH_SAMPLES = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")


@WITH_SAMPLES
def test_every_sample_is_read_or_refused_with_one_sentence():
    assert {path.name for path in SAMPLES.glob("*.json")} == {*READ, *REFUSED}
    for path in SAMPLES.glob("*.json"):
        raw = json.loads(path.read_text())
        if path.name in READ:
            [told] = mapping.parse_tracking(raw, [])
            assert (told.code, told.status) == (READ[path.name], S.DELIVERED)
            assert told.events[0].at == z("2017-02-10T18:48"), "summer: two hours from UTC"
            continue
        with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
            mapping.parse_tracking(raw, [])
        assert REFUSED[path.name] in refusal.value.detail


@WITH_SAMPLES
def test_the_real_prices_and_notices():
    quotes = [freight.read_quotes([json.loads((SAMPLES / name).read_text())], [])[0] for name in sorted(REFUSED)[:2]]
    assert [(one.service, one.name, one.price_cents, one.days) for one in quotes] == [
        ("04510", "PAC", 3250, 7),
        ("1", "Correios PAC", 1990, 3),
    ]
    topics = [
        webhook.read(Knock(headers={}, body=(SAMPLES / name).read_bytes()))[0].topic
        for name in ("webhook_tracking_delivered.json", "webhook_shipment_status_wallet.json")
    ]
    assert topics == [Topic.TRACKING, Topic.IGNORED]


# ── Nonsense ───────────────────────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def refusal_of(reader: Callable[[], object]) -> str | None:
    """Why a reader refused; anything but a ChannelError fails the test."""
    try:
        reader()
    except ChannelError as refusal:
        return refusal.detail
    return None


def read_everything(raw: Any) -> None:
    """Every pure reader reads it or refuses it with one sentence."""
    for reader in (
        lambda: mapping.parse_tracking(raw, []),
        lambda: mapping.parse_tracking(raw, ["03298:QS100000025BR"]),
        lambda: mapping.parse_tracking(raw, ["QS100000025BR", "", ":", "x y"]),
        lambda: mapping.error_code(reply(raw)),
        lambda: mapping.error_code(reply(raw, 400)),
        lambda: freight.read_quotes([raw], []),
        lambda: freight.read_quotes([raw], ["03298", "03220"]),
        lambda: freight.services(raw),
        lambda: freight.read_purchase(raw),
        lambda: freight.status(raw),
        lambda: freight.unsettled(2, raw),
        lambda: freight.labelled(Purchase(ref="1"), raw),
        lambda: freight.pdf(raw),
    ):
        said = refusal_of(reader)
        assert said is None or 0 < len(said.strip()) < 400


def branches(raw: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    keys = list(raw) if isinstance(raw, dict) else list(range(len(raw))) if isinstance(raw, list) else []
    return [(raw, key) for key in keys] + [deeper for key in keys for deeper in branches(raw[key])]


@given(JSON)
@settings(max_examples=150, deadline=None)
def test_any_json_is_read_or_refused(raw):
    read_everything(raw)
    read_everything({"TrackingNumber": raw, "TrackingEvents": raw, "ErrorMessage": raw})
    read_everything({"items": [raw], "document": raw, "errors": raw, "ShipmentStatus": raw})


CASES = sorted((path.parent.name, path.stem) for path in PAYLOADS.glob("*/*.json") if path.parent.name != "notice")


@given(case=st.sampled_from(CASES), where=st.integers(min_value=0), instead=JSON | st.just("gone"))
@settings(max_examples=300, deadline=None)
def test_a_payload_with_one_thing_wrong_is_read_or_refused(case, where, instead):
    raw = payload(case[1], case[0])
    places = branches(raw)
    container, key = places[where % len(places)]
    if instead == "gone":
        del container[key]
    else:
        container[key] = instead
    read_everything(raw)

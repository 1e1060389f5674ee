"""Correios: the vocabulary, every trap of its tracking answers, quotes, postings, and nonsense."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.correios import ADAPTER, client, freight, mapping
from hub import carriers, oauth
from hub.contract import Token
from hub.deadlines import day_in
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Address, DeclaredGoods, Parcel, Party, Posting, Reply, TrackingStatus
from tests.channels.parcels import Cases, z

PAYLOADS = Path(__file__).parent.parent / "adapters" / "correios"
FILES = Cases("correios", mapping.parse)
payload, tracked, the_only = FILES.payload, FILES.tracked, FILES.the_only
S = TrackingStatus


# ── The vocabulary ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("family", ["BDE", "BDI", "BDR"])
@pytest.mark.parametrize(
    ("number", "status"),
    [
        (0, S.DELIVERED), (1, S.DELIVERED), (67, S.DELIVERED), (68, S.DELIVERED), (70, S.DELIVERED),
        (2, S.FAILED_ATTEMPT), (20, S.FAILED_ATTEMPT), (25, S.FAILED_ATTEMPT), (33, S.FAILED_ATTEMPT),
        (4, S.RETURNING), (7, S.RETURNING), (10, S.RETURNING), (21, S.RETURNING), (26, S.RETURNING),
        (64, S.RETURNING), (89, S.RETURNING), (23, S.RETURNED), (24, S.AWAITING_PICKUP),
        (9, S.IN_TRANSIT), (66, S.IN_TRANSIT), (69, S.IN_TRANSIT), (45, S.IN_TRANSIT),
        (13, S.DAMAGED), (28, S.DAMAGED), (37, S.DAMAGED), (86, S.DAMAGED),
        (50, S.LOST), (51, S.LOST), (52, S.LOST),
        (31, S.CUSTOMS), (40, S.CUSTOMS), (54, S.CUSTOMS), (59, S.CUSTOMS), (63, S.CUSTOMS), (83, S.CUSTOMS),
        (3, S.EXCEPTION), (22, S.EXCEPTION), (43, S.EXCEPTION), (71, S.EXCEPTION), (76, S.EXCEPTION),
        (98, S.EXCEPTION), (11, S.UNKNOWN), (99, S.UNKNOWN), (53, S.IN_TRANSIT), (55, S.CUSTOMS),
    ],
)  # fmt: skip
def test_the_final_scans_share_one_table(family, number, status):
    assert mapping.status_of(family, number) is status


@pytest.mark.parametrize(
    ("code", "number", "status"),
    [
        ("CO", 2, S.LABEL_CREATED), ("CO", 5, S.LABEL_CREATED), ("CO", 13, S.LABEL_CREATED),
        ("CO", 1, S.ACCEPTED), ("CO", 8, S.ACCEPTED), ("CO", 6, S.EXCEPTION), ("CO", 11, S.EXCEPTION),
        ("PO", 0, S.ACCEPTED), ("PO", 1, S.ACCEPTED), ("PO", 9, S.ACCEPTED), ("PO", 2, S.UNKNOWN),
        ("RO", 1, S.IN_TRANSIT), ("DO", 2, S.IN_TRANSIT), ("CD", 3, S.IN_TRANSIT), ("TRI", 0, S.IN_TRANSIT),
        ("CMT", 0, S.IN_TRANSIT), ("CMR", 1, S.IN_TRANSIT), ("CUN", 1, S.IN_TRANSIT),
        ("PMT", 1, S.IN_TRANSIT),
        ("OEC", 0, S.OUT_FOR_DELIVERY), ("OEC", 1, S.OUT_FOR_DELIVERY), ("OEC", 3, S.OUT_FOR_DELIVERY),
        ("OEC", 9, S.RETURNING), ("LDE", 9, S.RETURNING), ("LDI", 0, S.AWAITING_PICKUP),
        ("LDI", 14, S.AWAITING_PICKUP), ("LDI", 5, S.UNKNOWN),
        ("FC", 1, S.RETURNING), ("FC", 3, S.IN_TRANSIT), ("FC", 8, S.IN_TRANSIT), ("FC", 4, S.FAILED_ATTEMPT),
        ("FC", 24, S.CUSTOMS), ("FC", 37, S.CUSTOMS), ("FC", 36, S.UNKNOWN), ("FC", 51, S.LOST),
        ("FC", 42, S.EXCEPTION), ("FC", 82, S.LABEL_CREATED),
        ("PAR", 13, S.RETURNED), ("PAR", 15, S.IN_TRANSIT), ("PAR", 17, S.CUSTOMS), ("PAR", 24, S.RETURNING),
        ("PAR", 26, S.EXCEPTION), ("PAR", 42, S.CUSTOMS),
        ("BLQ", 1, S.EXCEPTION), ("BLQ", 44, S.IN_TRANSIT), ("BLQ", 31, S.LOST), ("IDC", 4, S.LOST),
        ("EST", 1, S.UNKNOWN), ("XYZ", 1, S.UNKNOWN),
    ],
)  # fmt: skip
def test_a_pair_means(code, number, status):
    assert mapping.status_of(code, number) is status


def test_the_table_has_every_published_pair():
    # 374 published, less 15 of the moving families (any number) and 7 of EST (revokes), plus 10 of our own
    assert len(mapping.STATUS) == 374 - 15 - 7 + 10
    assert {f"EST/0{number}" for number in (1, 2, 3, 4, 5, 6, 9)} == mapping.REVOKING


@pytest.mark.parametrize("code", ["BDE", "BDI", "BDR"])
@pytest.mark.parametrize(
    ("number", "words", "now", "then"),
    [
        (7, "Objeto sujeito a atraso na entrega ou a devolução ao remetente", S.RETURNING, S.FAILED_ATTEMPT),
        (9, "Objeto não localizado", S.IN_TRANSIT, S.LOST),
        (33, "Objeto será devolvido ao remetente", S.FAILED_ATTEMPT, S.RETURNING),
        (69, "Objeto com atraso na entrega", S.IN_TRANSIT, S.IN_TRANSIT),
    ],
)
def test_what_meant_something_else_in_2017(code, number, words, now, then):
    assert meaning(code, number, "2026-03-01T10:00:00") is now
    assert meaning(code, number, "2026-03-01T10:00:00", descricao="Entrega não realizada") is now
    assert meaning(code, number, "2019-03-01T10:00:00", detalhe=words) is then  # still in the words of then
    assert meaning(code, number, "2017-06-01T10:00:00") is then


def test_what_customs_meant_in_2017():
    assert meaning("PAR", 17, "2026-03-01T10:00:00", descricao="Aguardando pagamento") is S.CUSTOMS
    assert meaning("PAR", 17, "2017-06-01T10:00:00", descricao="Objeto liberado pela alfândega") is S.IN_TRANSIT


def meaning(code: str, number: int, at: str, **words: str) -> TrackingStatus:
    row = {"codigo": code, "tipo": number, "dtHrCriado": at, **words}
    return mapping.parse({"codObjeto": "A1", "eventos": [row]}, [])[0].events[0].status


@pytest.mark.parametrize(
    "code",
    [
        "QQ850419295BR", "QH991577104BR", "LB528961554HK", "DG049186226BR", "DU055087593BR", "EC272330554BR",
        "JT365572014BR", "PM135787152BR", "SI047624825BR", "SX104110463BR", "OK524037370BR", "AA123456785BR",
        "RR473124829CN", "AA100000025BR", "AA100000140BR",
    ],
)  # fmt: skip
def test_the_check_digit_of_codes_in_use(code):
    assert carriers.s10_digit(code[2:10]) == int(code[10])


def test_the_check_digit_of_a_sum_that_leaves_nothing_or_one():
    assert carriers.s10_digit("00000000") == 5
    assert carriers.s10_digit("00010200") == 0  # 2 + 2 * 5 = 12 leaves 1


# ── Traps ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_number_comes_as_integer_and_as_string():
    events = the_only("int_and_string_type").events
    assert [event.raw_code for event in events] == ["PO/01", "OEC/01", "BDE/07", "OEC/09", "BDE/23"]
    assert the_only("int_and_string_type").status is S.RETURNED


def test_est_takes_the_previous_event_back():
    told = the_only("est_revokes_previous")
    assert told.status is S.OUT_FOR_DELIVERY
    marks = [(event.raw_code, event.revokes, event.revoked) for event in told.events]
    assert marks[1:] == [("OEC/01", False, False), ("BDE/01", False, True), ("EST/01", True, False)]


def test_delivered_to_the_sender_is_returned():
    assert the_only("delivered_to_sender_bde23").status is S.RETURNED


def test_out_for_delivery_to_the_sender_is_returning():
    assert the_only("oec9_out_to_sender").status is S.RETURNING


def test_handed_to_the_agency_is_no_delivery():
    told = the_only("co8_entregue_is_not_delivery")
    assert (told.status, told.events[-1].description) == (S.ACCEPTED, "Entregue")


def test_bdi_is_delivered_only_by_its_number():
    statuses = [told.status for told in tracked("bdi_not_always_delivered")]
    assert statuses == [S.DELIVERED, S.RETURNING, S.AWAITING_PICKUP, S.LOST, S.DAMAGED, S.FAILED_ATTEMPT]


def test_not_found_is_an_object_with_an_error_and_no_status():
    told = tracked("not_found_yet")
    assert [one.error.code if one.error else None for one in told] == ["SRO-020", "SRO-019", "SRO-009", None]
    assert told[0].error is not None
    assert told[0].error.message == "Objeto não encontrado na base de dados dos Correios."
    assert [(one.status, one.events) for one in told[:3]] == [(None, ())] * 3


def test_objects_come_in_the_order_asked_and_codes_are_given_back_as_asked():
    raw = payload("answer_order_differs_from_asked")
    asked = ["AD710021313BR", "ad710021327br", "AD710021335BR", "AD710021335BR", "AA123456789BR"]
    told = mapping.parse(raw, asked)
    assert [one.code for one in told] == asked
    assert [len(one.events) for one in told] == [1, 1, 1, 1, 0]
    assert told[4].error is not None
    assert told[4].error.code == "not_told"
    assert [one.code for one in mapping.parse(raw, [])] == ["AD710021335BR", "AD710021313BR", "AD710021327BR"]


def test_a_bare_object_with_a_promise():
    told = the_only("bare_object")
    assert (told.status, told.deliver_by) == (S.AWAITING_PICKUP, z("2026-03-14T02:59:59"))
    last = told.events[-1]
    assert (last.place, last.state) == ("Agência dos Correios - CONTAGEM", "MG")
    assert last.description == "Objeto aguardando retirada no endereço indicado (retirar até 21/03/2026)"
    assert day_in(last.description, last.at) == date(2026, 3, 21)  # where the last call before it goes back comes from


def test_php_times_of_the_public_app_and_events_without_a_code():
    told = the_only("public_app_php_time")
    assert [event.at for event in told.events] == [
        z("2026-08-31T13:00:00"),
        z("2026-09-01T10:30:00"),
        z("2026-09-01T11:00:00"),
    ]
    assert [event.raw_code for event in told.events] == ["PO/01", "OEC/01", "?"]
    assert (told.status, told.events[2].description) == (S.DELIVERED, "Entregue")


@pytest.mark.parametrize(("zone", "utc"), [("-02:00", "2026-01-01T12:00:00"), ("UTC", "2026-01-01T10:00:00")])
def test_a_php_time_in_another_zone(zone, utc):
    at = {"date": "2026-01-01 10:00:00.000000", "timezone_type": 1, "timezone": zone}
    raw = {"codObjeto": "AA100000025BR", "eventos": [{"codigo": "PO", "tipo": 1, "dtHrCriado": at}]}
    assert mapping.parse(raw, [])[0].events[0].at == z(utc)


def test_words_alone_are_read_for_the_sender_first():
    told = the_only("only_words_returned_to_sender")
    statuses = [event.status for event in told.events]
    assert statuses == [S.UNKNOWN, S.FAILED_ATTEMPT, S.RETURNING, S.RETURNED]
    assert told.status is S.RETURNED


def test_summer_time_of_older_rows():
    events = the_only("older_summer_time").events
    assert [event.at for event in events] == [z("2017-07-10T15:00:00"), z("2018-01-10T14:00:00")]


def test_late_until_a_delivery_follows():
    assert [told.delayed for told in tracked("delayed_not_arrived")] == [True, False]


def test_a_revoked_delay_is_none():
    delay = {"codigo": "BDE", "tipo": 9, "dtHrCriado": "2026-03-12T10:00:00"}
    revoked = {"codigo": "EST", "tipo": 1, "dtHrCriado": "2026-03-12T11:00:00"}
    both: list[dict[str, Any]] = [{"codObjeto": "A1", "eventos": rows} for rows in ([delay], [revoked, delay])]
    assert [told.delayed for told in mapping.parse({"objetos": both[:1]}, [])] == [True]
    assert [told.delayed for told in mapping.parse({"objetos": both[1:]}, [])] == [False]


def test_an_unknown_pair_is_listed_and_changes_nothing():
    told = the_only("unknown_pair_keeps_previous")
    assert told.status is S.OUT_FOR_DELIVERY
    assert (told.events[-1].status, told.events[-1].raw_code) == (S.UNKNOWN, "XYZ/77")


def test_a_transit_scan_does_not_undo_a_delivery_but_returning_does():
    assert the_only("transit_scan_after_delivery").status is S.DELIVERED
    assert the_only("returning_after_delivery").status is S.RETURNING


def test_a_foreign_unit_has_a_name_and_no_state():
    events = the_only("international_prefix").events
    assert [(event.place, event.state) for event in events[1:4]] == [
        ("País - HONG KONG", None),
        ("País - Unidade de Tratamento Internacional", None),  # told as "BR"
        ("Unidade de Tratamento - CURITIBA", "PR"),
    ]
    assert the_only("international_prefix").status is S.CUSTOMS


def test_a_label_issued_is_label_created():
    assert the_only("label_issued_only").status is S.LABEL_CREATED


def test_two_events_of_one_minute_keep_the_carriers_order():
    told = the_only("two_events_same_minute")
    assert [event.raw_code for event in told.events] == ["PO/01", "RO/01", "OEC/01", "BDE/20"]
    assert told.status is S.FAILED_ATTEMPT


def test_equal_minutes_told_oldest_first_stay_so():
    rows = [
        {"codigo": "PO", "tipo": 1, "dtHrCriado": "2026-03-01T10:00:00"},
        {"codigo": "DO", "tipo": 1, "dtHrCriado": "2026-03-01T12:00:00"},
        {"codigo": "RO", "tipo": 1, "dtHrCriado": "2026-03-01T12:00:00"},
    ]
    for told in (rows, rows[::-1]):
        events = mapping.parse({"codObjeto": "A1", "eventos": told}, [])[0].events
        assert [event.raw_code for event in events] == ["PO/01", "DO/01", "RO/01"]


def test_legacy_soap():
    told = tracked("legacy_soap_json_string")
    assert [one.status for one in told] == [S.DELIVERED, None, None]
    assert [event.raw_code for event in told[0].events] == ["PO/01", "LDI/01", "BDI/01"]
    assert told[0].events[0].place == "BELO HORIZONTE"  # the unit was told as "?"
    assert told[0].events[2].at == z("2016-05-30T15:10:00")
    assert told[1].error is not None
    assert told[1].error.code == "SRO-020"
    assert told[2].error is None


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("<!DOCTYPE html><html><body>Rastreamento</body></html>", "HTML"),
        ("<HTML></HTML>", "HTML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><buscaEventosResponse>&a;</buscaEventosResponse>', "DTD"),
        ("<buscaEventosResponse><objeto></buscaEventosResponse>", "not XML"),
        ("<Envelope><Body><CalcPrecoPrazoResponse/></Body></Envelope>", "CalcPrecoPrazoResponse"),
        ("<Envelope><Body><Fault><faultstring>x</faultstring></Fault></Body></Envelope>", "Fault"),
        ("plain words", "not XML"),
        ({"msgs": ["SRO-018: Permitido apenas os valores pt-BR"]}, "SRO-018"),
        ([], "not a tracking answer"),
        (None, "not a tracking answer"),
        ({"token": "x"}, "objetos"),
        ({"codObjeto": " "}, "codObjeto: no code"),
        ({"objetos": [{"codObjeto": "A1", "eventos": [{"codigo": "PO"}]}]}, "objetos.0.eventos.0.dtHrCriado"),
        ({"codObjeto": "A1", "eventos": [{"codigo": "PO", "dtHrCriado": "ontem"}]}, "eventos.0.dtHrCriado"),
        ({"codObjeto": "A1", "eventos": [{"codigo": {}, "dtHrCriado": "2026-01-01"}]}, "eventos.0.codigo"),
        ({"codObjeto": "A1", "dtPrevista": "breve"}, "dtPrevista: not a time"),
    ],
)
def test_what_is_no_tracking_answer_is_refused_with_one_sentence(document, why):
    with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
        mapping.parse(document, [])
    assert why in refusal.value.detail


def test_an_unknown_zone_is_refused():
    at = {"date": "2026-01-01 10:00:00", "timezone": "Mars/Olympus"}
    with pytest.raises(Unreadable, match="unknown zone"):
        mapping.parse({"codObjeto": "A1", "eventos": [{"codigo": "PO", "dtHrCriado": at}]}, [])


@pytest.mark.parametrize(
    ("told", "raw_code", "status"),
    [
        ({"codigo": "BDE"}, "BDE", S.UNKNOWN),  # the code alone means nothing
        ({"codigo": "BDE", "tipo": "A1"}, "BDE/A1", S.UNKNOWN),
        ({"codigo": "bde", "tipo": 1.0}, "BDE/01", S.DELIVERED),
        ({"codigo": "RO", "tipo": None}, "RO", S.IN_TRANSIT),
        ({"tipo": "9"}, "?/09", S.UNKNOWN),
    ],
)
def test_codes_and_numbers_that_are_not_as_usual(told, raw_code, status):
    raw = {"codObjeto": "A1", "eventos": [told | {"dtHrCriado": "2026-01-01T10:00:00"}]}
    [event] = mapping.parse(raw, [])[0].events
    assert (event.raw_code, event.status) == (raw_code, status)


# ── Quotes ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_price_and_deadline_are_joined_in_the_order_asked():
    quotes = freight.read_quotes([payload("two_services_joined", "quote")], ["03220", "03298"])
    told = [(quote.service, quote.name, quote.price_cents, quote.days) for quote in quotes]
    assert told == [("03220", "SEDEX", 3455, 1), ("03298", "PAC", 102109, 5)]
    assert quotes[0].deliver_by == z("2026-03-12T02:58:00")
    assert [quote.home_delivery for quote in quotes] == [True, True]
    assert [quote.error for quote in quotes] == [None, None]


def test_rows_without_a_service_are_joined_by_their_request_number():
    rows = {"preco": [{"nuRequisicao": 2, "pcFinal": "20,00"}, {"nuRequisicao": "03220", "pcFinal": "30,00"}]}
    quotes = freight.read_quotes([rows], ["03220", "03298"])
    assert [quote.price_cents for quote in quotes] == [3000, 2000]


def test_one_refused_service_does_not_spoil_the_others():
    good, bad = freight.read_quotes([payload("one_service_refused", "quote")], ["03220", "03298"])
    assert (good.price_cents, good.error) == (3455, None)
    assert bad.price_cents is None
    assert bad.error is not None
    assert (bad.error.code, bad.error.message) == ("ERP-005", "CEP inexistente (00000001).")


def test_a_refused_batch_is_told_for_each_service():
    quotes = freight.read_quotes([payload("whole_batch_refused", "quote")], ["03220", "03298"])
    told = [quote.error.message if quote.error else None for quote in quotes]
    assert told == ["Informe de 1 a 5 requisições por lote."] * 2


def test_a_service_that_is_not_told_has_an_error():
    quotes = freight.read_quotes([payload("single_get_answers", "quote")], ["03220", "03298"])
    assert (quotes[0].price_cents, quotes[0].days, quotes[0].error) == (1992, 2, None)
    assert quotes[1].error is not None
    assert quotes[1].error.code == "not_told"


def test_price_kept_beside_a_refused_deadline_and_lost_zeros_found():
    [quote] = freight.read_quotes([payload("deadline_refused_price_told", "quote")], [])
    assert (quote.price_cents, quote.days) == (3455, None)
    assert quote.error is not None
    [quote] = freight.read_quotes([payload("leading_zero_lost", "quote")], ["03220"])
    assert (quote.service, quote.price_cents, quote.days) == ("03220", 3455, 1)
    [quote] = freight.read_quotes([payload("no_home_delivery", "quote")], ["03298"])
    assert quote.home_delivery is False


@pytest.mark.parametrize(
    ("told", "amount"), [("34,55", 3455), ("1.021,09", 102109), ("34.55", 3455), (34.55, 3455), (34, 3400)]
)
def test_money_with_a_comma_or_as_it_stands(told, amount):
    [quote] = freight.read_quotes([{"coProduto": "03220", "pcFinal": told}], [])
    assert quote.price_cents == amount


@pytest.mark.parametrize(
    ("row", "path"),
    [({"pcFinal": "1e9"}, "03220.pcFinal"), ({"pcFinal": "1,2,3"}, "03220.pcFinal"),
     ({"prazoEntrega": "logo"}, "03220.prazoEntrega"), ({"dataMaxima": "logo"}, "03220.dataMaxima")],
)  # fmt: skip
def test_a_figure_that_is_none_is_refused_by_its_path(row, path):
    with pytest.raises(Unreadable) as refusal:
        freight.read_quotes([{"coProduto": "03220"} | row], [])
    assert refusal.value.path == path


# ── Postings and labels ────────────────────────────────────────────────────────────────────────────────────

HOME = Address(street="Rua das Flores", number="10", city="Londrina", state="PR", postal_code="86010000")
SHOP = Party(name="Loja", document="11222333000181", phone="+551133334444", address=HOME)
BUYER = Party(name="Ana", phone="+5543999998888", address=HOME.model_copy(update={"number": None}))
BOX = Parcel(
    from_postal_code="01001000",
    to_postal_code="86010000",
    weight_g=300,
    length_cm=20,
    width_cm=15,
    height_cm=5,
)
POSTING = Posting(reference="pedido 1", service="03220", sender=SHOP, recipient=BUYER, parcel=BOX, invoice_key="3" * 44)
GOODS = (DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),)


def test_a_posting_with_an_invoice():
    request = client.buy(POSTING)
    assert (request.method, request.path, request.is_repeatable()) == (
        "POST",
        "/prepostagem/v1/prepostagens",
        False,
    )
    body = request.json
    assert body["chaveNFe"] == "3" * 44
    assert "itensDeclaracaoConteudo" not in body
    assert body["pesoInformado"] == "300"
    assert body["remetente"] | {"endereco": None} == {
        "nome": "Loja",
        "cpfCnpj": "11222333000181",
        "dddTelefone": "11",
        "telefone": "33334444",
        "endereco": None,
    }
    assert body["destinatario"]["dddCelular"] == "43"
    assert body["destinatario"]["celular"] == "999998888"
    assert body["destinatario"]["endereco"] == {
        "cep": "86010000",
        "logradouro": "Rua das Flores",
        "numero": "S/N",
        "cidade": "Londrina",
        "uf": "PR",
    }


def test_a_posting_with_declared_goods():
    body = client.buy(POSTING.model_copy(update={"invoice_key": None, "goods": GOODS})).json
    assert body["itensDeclaracaoConteudo"] == [{"conteudo": "Caneca", "quantidade": "2", "valor": "29.90"}]
    assert "chaveNFe" not in body


@pytest.mark.parametrize("change", [{"invoice_key": None}, {"goods": GOODS}])
def test_exactly_one_document_is_required(change):
    with pytest.raises(Unreadable, match="exactly one"):
        client.buy(POSTING.model_copy(update=change))


def test_a_label_needs_an_address():
    nowhere = BUYER.model_copy(update={"address": Address(postal_code="86010000", street="Rua A", state="PR")})
    with pytest.raises(Unreadable, match=r"^shape unreadable: recipient\.address\.city"):
        client.buy(POSTING.model_copy(update={"recipient": nowhere}))


def test_a_purchase():
    raw = {
        "id": "PRx1",
        "codigoObjeto": "AA100000025BR",
        "codigoServico": "03220",
        "precoPrePostagem": "34,55",
        "prazoPostagem": "2026-06-14T23:59:59",
    }
    told = freight.read_purchase(raw)
    assert (told.ref, told.tracking_code, told.price_cents) == ("PRx1", "AA100000025BR", 3455)
    assert told.expires_at == z("2026-06-15T02:59:59")
    with pytest.raises(Unreadable, match="id: not told"):
        freight.read_purchase(raw | {"id": None})


@pytest.mark.parametrize(("status", "counts"), [("2", True), (3, True), (4, False), (5, False), ("6", False)])
def test_a_purchase_is_found_again_by_its_reference_while_it_counts(status, counts):
    row = {"id": "PRx1", "codigoServico": "3220", "observacao": "pedido 1", "statusAtual": status}
    found = freight.bought_as(row, "pedido 1")
    assert (found is not None) is counts
    assert found is None or (found.ref, found.service) == ("PRx1", "03220")
    assert freight.bought_as(row, "pedido 10") is None


def test_a_page_of_pre_postings():
    assert freight.prepostings({"itens": [1]}) == freight.prepostings([1]) == [1]
    with pytest.raises(Unreadable, match="itens: not a list"):
        freight.prepostings({"msgs": ["x"]})


def test_a_label_ready_not_ready_failed_or_broken():
    assert freight.label_pdf({"nome": "r.pdf", "dados": "JVBERi0="}) == b"%PDF-"
    assert freight.label_pdf({"mensagem": "PPN-291: Rótulo ainda não foi gerado."}) is None
    assert freight.label_pdf({"nome": None, "dados": None}) is None
    with pytest.raises(ChannelError) as failed:
        freight.label_pdf({"mensagem": "PPN-295: Houve uma falha na geração do rótulo. Gere um novo recibo."})
    assert (failed.value.fault, failed.value.code) == (Fault.REJECTED, "PPN-295")
    assert freight.read_receipt({"idRecibo": "r1"}) == "r1"
    with pytest.raises(Unreadable, match="idRecibo: not told"):
        freight.read_receipt({"mensagem": "PPN-291"})
    with pytest.raises(Unreadable, match="not base64"):
        freight.label_pdf({"dados": "é"})


def test_cancelling_by_id_or_by_code():
    assert freight.cancellation("PRx1").path == "/prepostagem/v1/prepostagens/PRx1"
    assert freight.cancellation("AA100000025BR").path.endswith("/prepostagens/objeto/AA100000025BR")


# ── Token ──────────────────────────────────────────────────────────────────────────────────────────────────

CREDENTIALS = client.Credentials(
    user="loja", access_code=SecretStr("segredo"), posting_card="0079", contract="99", regional=72
)


def test_the_token_request():
    request = client.ask_token(CREDENTIALS, None)
    assert request.headers == {"Authorization": "Basic bG9qYTpzZWdyZWRv"}
    assert request.json == {"numero": "0079", "contrato": "99", "dr": 72}
    assert not request.authenticate
    assert request.operation == "token"
    assert dict(CREDENTIALS.headers()) == {}


@pytest.mark.parametrize(
    ("told", "ends"),
    [
        ({"expiraEm": "2026-03-11T10:00:00"}, z("2026-03-11T13:00:00")),
        ({"expiraEm": "2026-03-11T10:00:00", "zoneOffset": "-04:00"}, z("2026-03-11T14:00:00")),
        ({}, None),
    ],
)
def test_a_token_ends_in_local_time(told, ends):
    reply = Reply(status=201, headers={}, body=json.dumps({"token": "t"} | told).encode())
    token = client.read_token(reply, datetime.now(UTC))
    assert token.expires_at == ends
    assert oauth.bearer(token) == {"Authorization": "Bearer t"}
    assert "t'" not in repr(Token(access=token.access, expires_at=None)).replace("SecretStr", "")


def test_a_fixed_key_is_itself_the_bearer():
    fixed = CREDENTIALS.model_copy(update={"access_code": SecretStr("cws-1")})
    assert fixed.headers() == {"Authorization": "Bearer cws-1"}


def test_an_expired_token_is_renewed_on_both_its_statuses():
    assert ADAPTER.token is not None
    assert ADAPTER.token.renew_on == {401, 403}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, '{"msgs":["SRO-018: Permitido apenas"]}', "SRO-018"),
        (200, '{"mensagem":"SRO-020: x"}', None),
        (503, "<html>", None),
        (429, "", None),
    ],
)
def test_the_vendors_code_of_an_error(status, body, code):
    assert ADAPTER.read_error(Reply(status=status, headers={}, body=body.encode())) == code


# ── Nonsense ───────────────────────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
WORDS = st.sampled_from(
    [
        "objetos",
        "codObjeto",
        "eventos",
        "mensagem",
        "msgs",
        "dtHrCriado",
        "date",
        "timezone",
        "tipo",
        "codigo",
        "unidade",
        "endereco",
        "preco",
        "prazo",
        "coProduto",
        "nuRequisicao",
        "pcFinal",
        "prazoEntrega",
        "txErro",
        "dados",
        "id",
        "codigoServico",
        "dataMaxima",
    ]
)
SCALARS = st.none() | st.integers() | st.text(max_size=8) | st.sampled_from(["2026-01-01T10:00:00", "BDE", "9,99"])
SHAPED = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner), max_leaves=20)


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
        lambda: mapping.parse(raw, ["AA100000025BR", "", "x y"]),
        lambda: freight.read_quotes([raw], []),
        lambda: freight.read_quotes(raw, ["03220", "03298"]),
        lambda: freight.read_purchase(raw),
        lambda: freight.label_pdf(raw),
        lambda: freight.read_receipt(raw),
    )
    for reader in readers:
        if refusal := refusal_of(reader):
            assert 0 < len(refusal.detail.strip()) < 400


@given(JSON | SHAPED)
@settings(max_examples=400, deadline=None)
def test_any_json_is_read_or_refused(raw):
    read_everything(raw)


@given(st.text() | st.text(alphabet="<>/!abeostu \"'&;?=[]DOCTYPE\x00\ud800", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(page):
    read_everything(page)
    read_everything(f"<buscaEventosResponse>{page}</buscaEventosResponse>")


def branches(raw: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    keys = list(raw) if isinstance(raw, dict) else list(range(len(raw))) if isinstance(raw, list) else []
    return [(raw, key) for key in keys] + [deeper for key in keys for deeper in branches(raw[key])]


CASES = sorted((path.parent.name, path.stem) for path in PAYLOADS.glob("*/*.json"))


@given(case=st.sampled_from(CASES), where=st.integers(min_value=0), instead=JSON | st.just("gone"))
@settings(max_examples=400, deadline=None)
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


@given(JSON)
@settings(max_examples=150, deadline=None)
def test_any_token_answer_is_read_or_refused(raw):
    for told in (raw, {"token": "t", "expiraEm": raw}, {"token": raw}):
        reply = Reply(status=201, headers={}, body=json.dumps(told).encode())
        if refusal := refusal_of(lambda reply=reply: client.read_token(reply, datetime.now(UTC))):  # type: ignore[misc] # bound now
            assert refusal.fault is Fault.SHAPE

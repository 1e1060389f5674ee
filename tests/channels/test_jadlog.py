"""Jadlog: the few words that are known, every trap of its tracking answers, its errors, and nonsense."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.jadlog import ADAPTER, client, freight, mapping
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Address, DeclaredGoods, Parcel, Party, Posting, Reply, TrackingStatus
from tests.channels.parcels import Cases, z

PAYLOADS = Path(__file__).parent.parent / "adapters" / "jadlog"
FILES = Cases("jadlog", mapping.parse_tracking)
payload, tracked, the_only = FILES.payload, FILES.tracked, FILES.the_only
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "jadlog"
S = TrackingStatus
NOT_FOUND = {"cte": "10000040000015", "erro": {"id": 1, "descricao": "Não localizado"}}


def reply(body: Any, status: int = 200) -> Reply:
    return Reply(status=status, headers={}, body=json.dumps(body).encode())


# ── Words ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_five_words_are_known_and_no_other():
    assert mapping.STATUS == {
        "EMISSAO": S.ACCEPTED,
        "ENTRADA": S.IN_TRANSIT,
        "TRANSFERENCIA": S.IN_TRANSIT,
        "EM ROTA": S.OUT_FOR_DELIVERY,
        "ENTREGUE": S.DELIVERED,
    }


@pytest.mark.parametrize("word", ["ENTREGUE AO REMETENTE", "NAO ENTREGUE", "DEVOLUCAO", "AVARIA", "", None])
def test_a_word_that_resembles_one_does_not_pass_for_it(word):
    row = {"cte": "1", "tracking": {"eventos": [{"data": "2026-03-09 10:00:00", "status": word, "unidade": "X"}]}}
    [event] = mapping.parse_tracking(row, [])[0].events
    assert (event.status, event.raw_code) == (S.UNKNOWN, word or "?")


def test_an_unknown_word_changes_nothing_and_is_kept():
    told = the_only("unknown_word_keeps_previous")
    assert told.status is S.OUT_FOR_DELIVERY
    assert [(event.raw_code, event.status) for event in told.events[-2:]] == [
        ("AVARIA PARCIAL", S.UNKNOWN),
        ("ENTREGUE AO REMETENTE", S.UNKNOWN),
    ]


def test_accents_case_and_spaces_are_no_other_word_and_the_oldest_stands_first():
    told = the_only("accents_spaces_and_newest_first")
    assert [event.raw_code for event in told.events] == ["EMISSAO", "TRANSFERENCIA", "EM ROTA"]
    assert [event.description for event in told.events] == ["Emissão", "Transferência", "Em  Rota"]
    assert (told.status, told.events[0].place) == (S.OUT_FOR_DELIVERY, None)


# ── Traps ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_delivered_with_its_way():
    told = the_only("delivered")
    assert (told.code, told.status, told.delayed) == ("11000040000007", S.DELIVERED, False)
    assert [event.raw_code for event in told.events] == [
        "EMISSAO", "ENTRADA", "TRANSFERENCIA", "ENTRADA", "EM ROTA", "ENTREGUE",
    ]  # fmt: skip
    last = told.events[-1]
    assert (last.at, last.raw_at, last.zone) == (z("2026-03-13T18:12:06"), "2026-03-13 15:12:06", "America/Sao_Paulo")
    assert last.place == "CO RIO DE JANEIRO"
    assert told.deliver_by == z("2026-03-14T02:59:59"), "the promised day ends at midnight in Brasília"


def test_an_older_summer_was_two_hours_from_utc():
    assert the_only("older_summer_time").events[0].at == z("2018-01-15T22:33:39")


def test_two_words_in_one_minute_are_two_scans_and_the_one_further_on_counts():
    told = the_only("two_words_same_minute")
    assert [event.raw_code for event in told.events] == ["TRANSFERENCIA", "EMISSAO"]
    assert told.status is S.IN_TRANSIT


def test_scans_told_newest_first_are_turned_round_also_within_a_minute():
    rows = [
        ("2026-03-11 09:08:00", "TRANSFERENCIA"),
        ("2026-03-11 09:08:00", "ENTRADA"),
        ("2026-03-10 09:00:00", "EMISSAO"),
    ]
    row = {"cte": "1", "tracking": {"eventos": [{"data": at, "status": word} for at, word in rows]}}
    [told] = mapping.parse_tracking(row, [])
    assert [event.raw_code for event in told.events] == ["EMISSAO", "ENTRADA", "TRANSFERENCIA"]


def test_not_found_is_told_under_two_names_and_two_ids():
    one, other = tracked("not_found_erro_and_error")
    assert one.error
    assert (one.error.code, one.error.message) == ("1", "Não localizado")
    assert other.error
    assert (other.error.code, other.error.message) == ("-1", "CTE nao encontrado verifique o numero")
    assert (one.status, one.events, other.status, other.events) == (None, (), None, ())


def test_no_scan_yet_is_no_error():
    told = the_only("no_events_yet")
    assert (told.status, told.error, told.events) == (None, None, ())


def test_a_shipment_of_zeros_is_no_number():
    codes = ["00000000000000", "10000040000036"]
    found = mapping.parse_tracking(payload("shipment_of_zeros_is_no_number"), codes)
    assert [one.error.code if one.error else one.status for one in found] == ["not_told", S.IN_TRANSIT]


def test_a_parcel_is_found_by_any_of_its_numbers():
    raw = payload("delivered")
    for code in ("11000040000007", "10000040000008"):
        [told] = mapping.parse_tracking(raw, [code])
        assert (told.code, told.status) == (code, S.DELIVERED)


def test_of_two_rows_about_one_parcel_the_one_that_tells_counts():
    raw = payload("asked_by_two_numbers")
    assert the_only("asked_by_two_numbers").status is S.DELIVERED
    raw["consulta"].reverse()
    [told] = mapping.parse_tracking(raw, ["11000040000056"])
    assert (told.status, told.error) == (S.DELIVERED, None)


def test_an_error_beside_scans_takes_nothing_from_them():
    told = the_only("tracking_beside_an_error")
    assert (told.status, told.error) == (S.IN_TRANSIT, None)


def test_a_row_without_a_number_loses_no_other():
    raw = {"consulta": [{"erro": {"id": 1, "descricao": "?"}}, *payload("delivered")["consulta"]]}
    assert mapping.parse_tracking(raw, ["11000040000007"])[0].status is S.DELIVERED
    with pytest.raises(Unreadable, match=r"consulta\.0: no number of a parcel"):
        mapping.parse_tracking(raw, [])


def test_a_row_that_tells_nothing_says_so():
    [told] = mapping.parse_tracking({"consulta": [{"cte": "10000040000001"}]}, [])
    assert told.error
    assert told.error.code == "not_told"


@pytest.mark.parametrize(
    ("promise", "deliver_by"),
    [
        ("2026-03-20", z("2026-03-21T02:59:59")),
        ("20/03/2026", z("2026-03-21T02:59:59")),
        ("20/03/2026 18:00", z("2026-03-20T21:00:00")),
        ("", None),
        ("em breve", None),
        (["2026-03-20"], None),
    ],
)
def test_a_promise_is_the_days_end_and_an_odd_one_loses_no_scan(promise, deliver_by):
    row = payload("bare_row") | {"previsaoEntrega": promise}
    [told] = mapping.parse_tracking(row, [])
    assert (told.deliver_by, told.status) == (deliver_by, S.IN_TRANSIT)


def test_times_with_the_day_first():
    assert [event.at for event in the_only("days_first").events] == [z("2026-03-10T11:00"), z("2026-03-11T11:00:30")]


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ({"descricao": "TOKEN INVALIDO", "id": 1}, "an error, not a tracking answer: TOKEN INVALIDO"),
        ({"error": {"id": -1, "descricao": "consulta vazia"}}, "an error, not a tracking answer: consulta vazia"),
        ({"frete": []}, "consulta: not told"),
        ([], "not a tracking answer"),
        ("<xml/>", "not a tracking answer"),
        ({"consulta": None}, "consulta: not told"),
        ({"consulta": {"cte": 1}}, "consulta: not a list"),
        ({"consulta": [{"cte": "1", "tracking": {"eventos": [{"status": "ENTRADA"}]}}]}, "eventos.0.data: no time"),
        ({"consulta": [{"cte": "1", "tracking": {"eventos": [{"data": "ontem"}]}}]}, "eventos.0.data: not a time"),
    ],
)
def test_other_documents_are_refused_with_one_sentence(raw, where):
    with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
        mapping.parse_tracking(raw, [])
    assert where in refusal.value.detail


# ── Errors ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (reply({"descricao": "TOKEN INVALIDO", "id": 1}, 401), "TOKEN INVALIDO"),
        (reply({"descricao": "TOKEN INVALIDO", "id": 1}), "TOKEN INVALIDO"),
        (reply({"erro": {"id": -1, "descricao": "totPeso Nao pode ser vazio"}}), "erro"),
        (reply({"error": {"id": -1, "descricao": "frete Nao pode ser vazio"}}), "erro"),
        (reply({"erro": {"id": -2, "descricao": "Pedido: 9 já foi enviado. Solicitacao de coleta: 40000091."}}), None),
        (reply({"frete": [{"modalidade": 3}], "error": {"id": -1, "descricao": "contrato"}}), None),
        (reply({"consulta": [NOT_FOUND]}), None),
        (reply({"codigo": "1", "shipmentId": "2", "status": "ok"}), None),
        (reply({"erro": None}), None),
        (reply([]), None),
        (Reply(status=502, headers={}, body=b"<html>"), None),
    ],
)
def test_errors_come_inside_a_good_answer(told, code):
    assert ADAPTER.read_error(told) == code


# ── Asking ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("40000042", "codigo"),
        ("11000040000042", "shipmentId"),
        ("10084882066034", "cte"),
        ("1800000000002", "cte"),
        ("11223344", "codigo"),
        ("AA000000005BR", "cte"),
    ],
)
def test_which_number_a_code_is(code, name):
    assert mapping.asked_by(code) == name


@pytest.mark.parametrize("typed", ["segredo", "Bearer segredo", " segredo "])
def test_the_key_is_shown_however_it_was_typed(typed):
    credentials = client.Credentials(token=SecretStr(typed), cnpj="11222333000181")
    assert credentials.headers() == {"Authorization": "Bearer segredo"}


# ── Quotes ─────────────────────────────────────────────────────────────────────────────────────────────────

BOX = Parcel(
    from_postal_code="04002000", to_postal_code="22041001", weight_g=2500, length_cm=30, width_cm=24, height_cm=24,
    value_cents=159_90,
)  # fmt: skip


@pytest.mark.parametrize(("service", "kilograms"), [("3", 5.184), ("40", 2.88), ("0", 2.88), ("5", 5.184)])
def test_the_weight_is_the_greater_of_the_real_and_the_cubed_one(service, kilograms):
    # 30 x 24 x 24 = 17,280 cm3: 5.184 kg by road (/ 3333), 2.880 kg by air (/ 6000), where 2.5 kg are real
    row = freight.quote_row(BOX, service, cnpj="11222333000181", account="001234", contract=None)
    assert row["peso"] == kilograms
    heavy = BOX.model_copy(update={"weight_g": 9000})
    assert freight.quote_row(heavy, service, cnpj="1", account=None, contract=None)["peso"] == 9.0


def test_a_question_about_a_price():
    assert freight.quote_row(BOX, "3", cnpj="11222333000181", account="001234", contract="2233") == {
        "cepori": "04002000", "cepdes": "22041001", "frap": "N", "peso": 5.184, "cnpj": "11222333000181",
        "conta": "001234", "contrato": "2233", "modalidade": 3, "tpentrega": "D", "tpseguro": "N",
        "vldeclarado": 159.9, "vlcoleta": 0,
    }  # fmt: skip
    with pytest.raises(ChannelError, match="a modality is a number"):
        freight.quote_row(BOX, "PACKAGE", cnpj="1", account=None, contract=None)


@pytest.mark.parametrize(
    ("case", "want"),
    [
        ("two_modalities", [("3", 3190, 5, None), ("0", 5845, 2, None)]),
        ("one_out_of_area", [("3", 2715, 5, None), ("9", None, None, "Destino fora da área de cobertura")]),
        ("row_error_in_english", [("5", None, None, "Modalidade nao contratada")]),
        (
            "whole_call_refused",
            [(n, None, None, "frete[0].contrato Numero de contrato invalido") for n in ("3", "5")],
        ),
        ("error_alone", []),
        ("numbers_as_text", [("3", 103190, 5, None)]),
        ("price_of_nothing", [("40", None, 4, "no price is told for this service"), ("3", 1990, None, None)]),
    ],
)
def test_prices_and_why_there_are_none(case, want):
    found = freight.read_quotes([payload(case, "quote")], [])
    assert [(one.service, one.price_cents, one.days, one.error and one.error.message) for one in found] == want


def test_a_refused_call_is_the_reason_of_every_service_asked():
    [quote] = freight.read_quotes([payload("error_alone", "quote")], ["3"])
    assert quote.error
    assert (quote.name, quote.error.code, quote.error.message) == (".PACKAGE", "-1", "frete Nao pode ser vazio")


# ── Orders ─────────────────────────────────────────────────────────────────────────────────────────────────

HOME = Address(street="Rua A", number="9", district="Centro", city="Niterói", state="RJ", postal_code="24020077")
SHOP = Party(name="Loja", document="11222333000181", phone="+551133334444", email="loja@example.com", address=HOME)
GOODS = (DeclaredGoods(description="Caneca", quantity=2, value_cents=29_90),)
POSTING = Posting(reference="V-1", service="3", sender=SHOP, recipient=SHOP, parcel=BOX, goods=GOODS)
KEY = "35260311222333000181550010000012341000012346"
SENT = {"id": -2, "descricao": "Pedido: V-1 já foi enviado. Solicitacao de coleta: 40000091. Data: 10/03/2026"}


def test_an_order_with_a_declaration():
    request = freight.order(POSTING)
    assert (request.method, request.path, request.is_repeatable()) == ("POST", "/pedido/incluir", False)
    body = request.json
    assert (body["pedido"], body["modalidade"], body["totPeso"], body["totValor"]) == (["V-1"], 3, 2.5, 159.9)
    assert body["dfe"] == [{"tpDocumento": 0, "nrDoc": "DECLARACAO", "valor": 159.9}]
    assert body["volume"] == [
        {"altura": 24, "comprimento": 30, "largura": 24, "peso": 2.5, "identificador": "V-1"},
    ]
    assert body["rem"] == {
        "nome": "Loja", "cnpjCpf": "11222333000181", "endereco": "Rua A", "numero": "9", "bairro": "Centro",
        "cidade": "Niterói", "uf": "RJ", "cep": "24020077", "fone": "1133334444", "email": "loja@example.com",
        "contato": "Loja",
    }  # fmt: skip


def test_an_order_with_an_invoice():
    told = POSTING.model_copy(update={"goods": (), "invoice_key": KEY})
    assert freight.order(told).json["dfe"] == [
        {"tpDocumento": 2, "danfeCte": KEY, "serie": "1", "nrDoc": "1234", "valor": 159.9},
    ]
    for wrong in ({"goods": ()}, {"invoice_key": KEY}):
        with pytest.raises(Unreadable, match="exactly one of invoice_key and goods"):
            freight.order(POSTING.model_copy(update=wrong))


def test_what_nothing_declares_is_worth_its_goods():
    unsaid = POSTING.model_copy(update={"parcel": BOX.model_copy(update={"value_cents": 0})})
    assert freight.order(unsaid).json["totValor"] == 59.8


@pytest.mark.parametrize("gone", ["street", "district", "city", "state", "postal_code"])
def test_an_order_needs_a_whole_address(gone):
    place = HOME.model_copy(update={gone: None})
    with pytest.raises(Unreadable, match=r"recipient\.\w+: Jadlog takes no order without it"):
        freight.order(POSTING.model_copy(update={"recipient": SHOP.model_copy(update={"address": place})}))


def test_a_purchase_brings_its_label():
    label = {"arquivo": "JVBERi0xLjQ=", "volume": []}
    told = freight.read_purchase({"codigo": "40000091", "shipmentId": "11000040000091", "etiqueta": label})
    assert (told.ref, told.tracking_code, told.service) == ("11000040000091", "11000040000091", None)
    assert told.label == b"%PDF-1.4"
    assert freight.read_purchase({"codigo": 40000091, "etiqueta": None}).ref == "40000091"
    with pytest.raises(Unreadable, match=r"etiqueta\.arquivo: not base64"):
        freight.read_purchase({"codigo": "1", "etiqueta": {"arquivo": "é"}})
    with pytest.raises(Unreadable, match="codigo: not told"):
        freight.read_purchase({"status": "ok"})


def test_an_order_sent_before_is_that_one_and_no_second():
    told = freight.read_purchase({"status": "Erro ao inserir", "erro": SENT})
    assert (told.ref, told.tracking_code, told.label) == ("40000091", None, None)
    with pytest.raises(ChannelError) as refusal:
        freight.read_purchase({"erro": {"id": -2, "descricao": "Modalidade nao contratada"}})
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "-2")


@pytest.mark.parametrize(
    ("ref", "body"), [("11000040000091", {"shipmentId": "11000040000091"}), ("40000091", {"codigo": "40000091"})]
)
def test_an_order_is_called_off_by_its_number(ref, body):
    request = freight.cancellation(ref)
    assert (request.path, request.json) == ("/pedido/cancelar", body)


def test_what_was_bought_is_found_once_it_is_tracked():
    assert freight.found({"consulta": [{"pedido": "V-1", "erro": {"id": 1, "descricao": "Não localizado"}}]}) is None
    told = freight.found({"consulta": [{"pedido": "V-1", **payload("delivered")["consulta"][0]}]})
    assert told
    assert (told.ref, told.tracking_code) == ("11000040000007", "11000040000007")
    zeros = freight.found(payload("shipment_of_zeros_is_no_number"))
    assert zeros
    assert zeros.ref == "10000040000029"


# ── Real answers, where they are at hand ───────────────────────────────────────────────────────────────────

READ = {"tracking_no_events.json": [None], "tracking_one_event.json": ["accepted"]}
REFUSED = {"auth_error_401.json": "TOKEN INVALIDO", "quote_two_modalities.json": "consulta: not told"}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")
def test_every_sample_is_read_or_refused_with_one_sentence():
    assert {path.name for path in SAMPLES.glob("*.json")} == {*READ, *REFUSED}
    for path in SAMPLES.glob("*.json"):
        raw = json.loads(path.read_text())
        if path.name in READ:
            assert [told.status for told in mapping.parse_tracking(raw, [])] == READ[path.name]
            continue
        with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
            mapping.parse_tracking(raw, [])
        assert REFUSED[path.name] in refusal.value.detail


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")
def test_the_real_prices():
    slow, fast = freight.read_quotes([json.loads((SAMPLES / "quote_two_modalities.json").read_text())], [])
    assert (slow.service, slow.price_cents, slow.days) == ("3", 3190, 5)
    assert (fast.service, fast.price_cents, fast.days) == ("0", 5845, 2)


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
        lambda: mapping.parse_tracking(raw, ["11000040000007", "", "x y"]),
        lambda: mapping.error_code(reply(raw)),
        lambda: freight.read_quotes([raw], []),
        lambda: freight.read_quotes([raw], ["3", "0"]),
        lambda: freight.read_purchase(raw),
        lambda: freight.found(raw),
    ):
        said = refusal_of(reader)
        assert said is None or 0 < len(said.strip()) < 400


def branches(raw: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    keys = list(raw) if isinstance(raw, dict) else list(range(len(raw))) if isinstance(raw, list) else []
    return [(raw, key) for key in keys] + [deeper for key in keys for deeper in branches(raw[key])]


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_any_json_is_read_or_refused(raw):
    read_everything(raw)
    read_everything({"consulta": [raw, {"cte": raw, "tracking": raw}]})


CASES = sorted((path.parent.name, path.stem) for path in PAYLOADS.glob("*/*.json"))


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

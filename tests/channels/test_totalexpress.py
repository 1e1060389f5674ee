"""Total Express: the vocabulary, every trap of its lots and answers, quotes, postings, real answers, and nonsense."""

import csv
import json
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.totalexpress import ADAPTER, client, freight, mapping
from hub.contract import Consignment
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import (
    Address,
    DeclaredGoods,
    NextCode,
    Parcel,
    Party,
    Posting,
    Reply,
    TrackingStatus,
)
from tests.channels.parcels import Cases, z

PAYLOADS = Path(__file__).parent.parent / "adapters" / "totalexpress"
FILES = Cases("totalexpress", mapping.parse)
payload, tracked, the_only = FILES.payload, FILES.tracked, FILES.the_only
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "total_express"
SAMPLED = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")
S = TrackingStatus
PLACE = Address(street="Rua A", number="10", city="São Paulo", state="SP", postal_code="01310200")
WHO = Party(name="Maria", document="529.982.247-25", phone="+5511987654321", address=PLACE)
BOX = Parcel(
    from_postal_code="01310200", to_postal_code="20040002", weight_g=800, length_cm=20, width_cm=15, height_cm=10
)
GOODS = (DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),)
POSTING = Posting(reference="P-77", service="EXP", sender=WHO, recipient=WHO, parcel=BOX, goods=GOODS)
NOWHERE = WHO.model_copy(update={"address": Address(street="A", city="B", state="SP")})
KEY = "35260311222333000181550010000012341000012340"


# ── The vocabulary ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("0", S.LABEL_CREATED), ("57", S.LABEL_CREATED), ("97", S.LABEL_CREATED), ("83", S.ACCEPTED),
        ("84", S.ACCEPTED), ("38", S.IN_TRANSIT), ("68", S.IN_TRANSIT), ("98", S.IN_TRANSIT), ("101", S.IN_TRANSIT),
        ("104", S.OUT_FOR_DELIVERY), ("1", S.DELIVERED), ("21", S.FAILED_ATTEMPT), ("47", S.FAILED_ATTEMPT),
        ("29", S.AWAITING_PICKUP), ("25", S.RETURNING), ("34", S.RETURNING), ("71", S.RETURNING), ("61", S.RETURNED),
        ("10", S.LOST), ("142", S.LOST), ("33", S.LOST), ("14", S.DAMAGED), ("92", S.EXCEPTION), ("58", S.EXCEPTION),
    ],
)  # fmt: skip
def test_a_code_means(code, status):
    assert mapping.STATUS[code] is status


@SAMPLED
def test_every_published_code_means_what_is_proposed():
    with (SAMPLES / "vocab" / "total_express_status.csv").open() as page:
        rows = {
            row["codigo"]: row["canonical_PROPOSED"].replace("pre_transit", "label_created")
            for row in csv.DictReader(page)
        }
    assert len(rows) == 83
    assert {code: status.value for code, status in mapping.STATUS.items()} == rows


# ── Traps ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_parcel_is_told_lot_by_lot():
    parcel, other = tracked("delivered_across_lots")
    assert (parcel.status, len(parcel.events)) == (S.DELIVERED, 7)
    assert [event.raw_code for event in parcel.events] == ["0", "83", "68", "102", "103", "104", "1"]
    assert (other.status, len(other.events)) == (S.LABEL_CREATED, 1)


def test_times_are_those_of_brasilia_also_across_midnight():
    event = tracked("delivered_across_lots")[0].events[3]
    assert (event.at, event.raw_at, event.zone) == (
        z("2026-03-10T02:59:58"), "2026-03-09T23:59:58", "America/Sao_Paulo",
    )  # fmt: skip


def test_two_statuses_of_one_second_both_stand_and_the_further_counts():
    told = the_only("two_statuses_in_one_second")
    assert ([event.raw_code for event in told.events], told.status) == (["97", "83"], S.ACCEPTED)


def test_lost_stays_lost_when_the_insurance_pays_weeks_later():
    told = the_only("lost_then_indemnified_weeks_later")
    assert (told.status, told.events[-1].status) == (S.LOST, S.LOST)


def test_correios_takes_over_by_the_code_in_the_words():
    told = the_only("handed_over_to_correios")
    assert (told.status, told.next_code) == (S.IN_TRANSIT, NextCode(carrier="correios", code="OK900100037BR"))
    assert mapping.parse(payload("delivered_across_lots"), [])[0].next_code is None


def test_a_code_in_other_words_than_those_of_a_hand_over_is_none():
    row = {"CodStatus": "101", "DescStatus": "VOLTOU DE OK900100037BR", "DataStatus": "2026-03-12T10:15:00"}
    [told] = mapping.parse({"Awb": "A1", "ArrayStatusTotal": {"item": [row]}}, [])
    assert told.next_code is None


def test_scans_of_correios_within_a_lot_have_its_pairs():
    told = the_only("correios_scans_within_the_lot")
    assert [event.raw_code for event in told.events] == ["38", "PO/01", "OEC/01", "BDE/01", "XX"]
    assert [event.status for event in told.events[1:]] == [S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERED, S.UNKNOWN]
    assert (told.status, told.events[2].place, told.events[2].state) == (S.DELIVERED, "CDD - PELOTAS", "RS")
    assert told.next_code == NextCode(carrier="correios", code="OK900100045BR")


@pytest.mark.parametrize(
    ("kind", "number", "status"),
    [("BDE", "23", S.RETURNED), ("BDI", "7", S.RETURNING), ("BDR", "20", S.FAILED_ATTEMPT), ("BDE", "51", S.LOST),
     ("OEC", "9", S.RETURNING), ("LDI", "1", S.AWAITING_PICKUP), ("BDE", "3", S.UNKNOWN), ("EST", "1", S.UNKNOWN)],
)  # fmt: skip
def test_a_pair_of_correios_means(kind, number, status):
    row = {"EctTipo": kind, "EctStatus": number, "EctData": "2026-03-12", "EctHora": "10:00:00"}
    [told] = mapping.parse({"Awb": "A1", "ArrayStatusEct": {"item": [row]}}, [])
    assert told.events[0].status is status


def test_returned_is_known_by_its_code_where_accents_are_lost():
    assert the_only("returned_accents_lost").status is S.RETURNED
    assert the_only("returned_by_correios_is_on_its_way_back").status is S.RETURNING


def test_an_unknown_code_is_listed_and_changes_nothing():
    told = the_only("unknown_code_keeps_previous")
    assert (told.status, told.events[-1].status, told.events[-1].raw_code) == (S.OUT_FOR_DELIVERY, S.UNKNOWN, "199")
    assert the_only("transit_scan_after_delivery").status is S.DELIVERED


def test_a_code_with_zeros_before_it_is_the_same_code():
    rows = [{"statusid": code, "data": "2026-03-12T10:15:00"} for code in ("01", 0, "00", None)]
    for row, (status, raw_code) in zip(
        rows, [(S.DELIVERED, "1"), (S.LABEL_CREATED, "0"), (S.LABEL_CREATED, "0"), (S.UNKNOWN, "?")], strict=True
    ):
        [told] = mapping.parse({"awb": "A1", "detalhes": {"statusDeEncomenda": [row]}}, [])
        assert (told.events[0].status, told.events[0].raw_code) == (status, raw_code)


def test_one_order_sent_twice_is_two_parcels_and_answers_by_the_later():
    raw = payload("one_order_sent_twice")
    assert len(mapping.parse(raw, [])) == 3
    [told] = mapping.parse(raw, ["p-1011"])
    assert (told.code, told.carrier_code, told.events[0].at) == ("p-1011", "TXAS900100013tx", z("2026-04-22T19:06:45"))
    [by_awb] = mapping.parse(raw, ["txas900100011TX"])
    assert (by_awb.code, by_awb.carrier_code, by_awb.status) == ("txas900100011TX", None, S.LABEL_CREATED)


def test_numbers_as_codes_and_one_element_that_is_no_list():
    assert the_only("numeric_awb_of_2020").code == "412900001"
    told = the_only("one_element_is_no_list")
    assert (told.code, told.status) == ("412900002", S.LABEL_CREATED)
    assert mapping.parse(payload("one_element_is_no_list"), ["90002"])[0].carrier_code == "412900002"


def test_an_answer_about_codes_tells_the_promise_and_that_it_moved():
    delayed, unheard = tracked("answer_about_codes_one_unheard")
    assert (delayed.status, delayed.delayed, delayed.deliver_by) == (S.FAILED_ATTEMPT, True, z("2026-03-27T02:59:59"))
    assert (unheard.status, unheard.events) == (None, ())
    assert unheard.error
    assert unheard.error.code == "not_found"


def test_an_answer_without_awb_is_known_by_its_order_and_told_oldest_first():
    told = the_only("answer_by_order_newest_first")
    assert (told.code, told.status, told.delayed) == ("P-1017", S.DELIVERED, False)
    assert [event.at for event in told.events] == [z("2026-03-23T11:40:00"), z("2026-03-23T18:00:00")]


def test_two_of_one_second_told_newest_first_are_turned_round():
    at = ("2026-03-12T10:00:00", "2026-03-12T09:00:00", "2026-03-12T09:00:00")
    rows = [{"statusid": code, "data": when} for code, when in zip((68, 83, 97), at, strict=True)]
    [told] = mapping.parse({"awb": "A1", "detalhes": {"statusDeEncomenda": rows}}, [])
    assert [event.raw_code for event in told.events] == ["97", "83", "68"]


def test_no_lots_is_nothing_new():
    empty = envelope('<ns1:ObterTrackingResponse xmlns:ns1="u"><ObterTrackingResponse><CodigoProc>1</CodigoProc>'
                     "<ArrayLoteRetorno/></ObterTrackingResponse></ns1:ObterTrackingResponse>")  # fmt: skip
    assert (mapping.parse(empty, []), mapping.lots(empty)) == ([], [])
    [unheard] = mapping.parse(empty, ["A1"])
    assert unheard.error
    assert unheard.error.code == "not_told"


def test_a_lot_of_the_feed_is_read_by_itself():
    raw = payload("delivered_across_lots")
    found = mapping.lots(raw)
    assert [lot["CodRetorno"] for lot in found] == ["700000001", "700000090", "700000240", "700001200"]
    assert [len(mapping.parse(lot, [])) for lot in found] == [1, 2, 1, 1]


def test_what_a_parcel_is_asked_by():
    assert client.code_of(Consignment(tracking_code="TXAS1tx", ref="P-1")) == "TXAS1tx"
    assert client.code_of(Consignment(tracking_code="txas900100001TX")) == "TXAS900100001tx"
    assert client.code_of(Consignment(tracking_code=None, ref="P-1")) == "P-1"
    assert client.code_of(Consignment(tracking_code=None)) is None


# ── What is refused ────────────────────────────────────────────────────────────────────────────────────────


def envelope(body: str) -> str:
    return f'<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body>{body}</E:Body></E:Envelope>'


def fault(words: str) -> str:
    return envelope(f"<E:Fault><faultstring>{words}</faultstring></E:Fault>")


def processed(operation: str, told: str) -> str:
    return envelope(f"<{operation}Response><{operation}Response>{told}</{operation}Response></{operation}Response>")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("<!DOCTYPE html><html><body>Rastreamento</body></html>", "HTML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "DTD"),
        ("<a><b></a>", "not XML"),
        ("<a/>", "not a SOAP envelope"),
        ("plain words", "not XML"),
        ("<a>" * 3000 + "</a>" * 3000, "document: "),
        (envelope("<a>" * 3000 + "</a>" * 3000), "document: nested too deep"),
        (fault("Acesso Negado! Seu IP foi arquivado"), "Acesso Negado!"),
        (processed("ObterTracking", "<CodigoProc>5</CodigoProc>"), "CodigoProc: 5: asked again in under five minutes"),
        (processed("ObterTracking", "<CodigoProc>77</CodigoProc>"), "77: an error of theirs"),
        (processed("RegistraColeta", "<CodigoProc>1</CodigoProc>"), "RegistraColetaResponse"),
        ({"mensagem": "x"}, "not a tracking answer: mensagem"),
        ({}, "not a tracking answer"),
        (None, "not a tracking answer"),
        (7, "not a tracking answer"),
        ({"data": [{"awb": "", "pedido": None}]}, "data.0.Awb: not told"),
        ({"Awb": "A1", "ArrayStatusTotal": {"item": [{"CodStatus": "1"}]}}, "ArrayStatusTotal.item.0.DataStatus"),
        ({"Awb": "A1", "ArrayStatusTotal": {"item": [{"DataStatus": "ontem"}]}}, "not a time"),
        ({"Awb": {}, "Pedido": "1"}, "Awb: not a plain value"),
        ({"data": {"data": {"data": {"data": {"data": {"data": {"data": {"data": {"data": {"data": {"data": {
            "data": {"data": {"data": {}}}}}}}}}}}}}}}, "nested too deep"),
    ],
)  # fmt: skip
def test_what_is_no_tracking_answer_is_refused_with_one_sentence(document, why):
    with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
        mapping.parse(document, [])
    assert why in refusal.value.detail


# ── Errors inside a 200 ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (processed("ObterTracking", "<CodigoProc>1</CodigoProc><ArrayLoteRetorno/>"), None),
        *((processed("ObterTracking", f"<CodigoProc>{n}</CodigoProc>"), f"ObterTracking/{n}") for n in (0, 2, 3, 4, 5)),
        (processed("RegistraColeta", "<CodigoProc>5</CodigoProc>"), None),  # partly processed: another table
        (processed("RegistraColeta", "<CodigoProc>0</CodigoProc>"), "RegistraColeta/0"),
        (processed("calcularFrete", "<CodigoProc>0</CodigoProc>"), "calcularFrete/0"),
        (processed("calcularFrete", "<CodigoProc>2</CodigoProc><ErroConsultaFrete>CEP</ErroConsultaFrete>"), None),
        (processed("calcularFrete", "<CodigoProc>0</CodigoProc><DadosFrete><Prazo>1</Prazo></DadosFrete>"), None),
        (fault("Acesso Negado! Seu IP foi arquivado para controle: 203.0.113.7"), "ip_blocked"),
        (fault("outra coisa"), "soap_fault"),
        (envelope("<E:Fault/>"), None),
        ("<html>Bad Gateway</html>", None),
        ('{"data": []}', None),
    ],
)  # fmt: skip
def test_an_error_within_a_good_answer(body, code):
    assert mapping.error_code(Reply(status=200, headers={}, body=body.encode())) == code


def test_what_is_done_about_each_error():
    faults = ADAPTER.faults
    assert [faults[f"ObterTracking/{n}"] for n in (0, 2, 3, 4, 5)] == [
        Fault.AUTH, Fault.TRANSIENT, Fault.REJECTED, Fault.TRANSIENT, Fault.THROTTLED,
    ]  # fmt: skip
    assert faults["ip_blocked"] is Fault.AUTH
    now = z("2026-03-12T10:00:00")
    assert ADAPTER.until("ObterTracking/5", now) == z("2026-03-12T10:05:00")
    assert ADAPTER.until("ObterTracking/2", now) is None
    [feed] = [limit for limit in ADAPTER.limits if limit.operation == client.FEED]
    assert (feed.burst, feed.seconds) == (1, 305)


def test_the_text_of_an_answer_is_utf8_or_what_it_declares():
    for encoding in ("utf-8", "iso-8859-1"):
        assert mapping.text_of(Reply(status=200, headers={}, body="DEVOLUÇÃO".encode(encoding))) == "DEVOLUÇÃO"


# ── Quotes and postings ────────────────────────────────────────────────────────────────────────────────────


def test_quotes_in_the_order_asked():
    raws = [payload("standard_above_a_thousand", "quote"), payload("expresso", "quote")]
    quotes = freight.read_quotes(raws, ["EXP", "STD", "PRM"])
    assert [(quote.service, quote.price_cents, quote.days) for quote in quotes] == [
        ("EXP", 21_37, 2), ("STD", 1021_09, 9), ("PRM", None, None),
    ]  # fmt: skip
    assert quotes[2].error


def test_a_posting_in_their_words():
    request = freight.buy(POSTING)
    parcel = request.json["encomendas"][0]
    assert (request.method, request.path) == ("POST", freight.SMART_LABEL)
    assert (parcel["servicoTipo"], parcel["peso"], parcel["pedido"], parcel["natureza"]) == (7, 0.8, "P-77", "Caneca")
    assert parcel["destinatario"]["cpfCnpj"] == "52998224725"
    assert parcel["destinatario"]["telefone1"] == 11987654321
    assert parcel["docFiscal"] == {
        "outros": [{"nfoTipo": "00", "nfoNumero": 77, "nfoValTotal": 59.8, "nfoValProd": 59.8}]
    }
    body = freight.completed(request.json, "40404", "11.222.333/0001-81", "2026-03-12")
    assert (body["remetenteId"], body["cnpj"]) == (40404, "11222333000181")
    assert body["encomendas"][0]["docFiscal"]["outros"][0]["nfoData"] == "2026-03-12"
    assert "nfoData" not in parcel["docFiscal"]["outros"][0], "what was rendered is left as it was"


def test_an_invoice_tells_its_series_and_number_by_its_key():
    posting = POSTING.model_copy(
        update={"goods": (), "invoice_key": KEY, "parcel": BOX.model_copy(update={"value_cents": 59_80})}
    )
    body = freight.completed(freight.buy(posting).json, "R1", None, "2026-03-12")
    [note] = body["encomendas"][0]["docFiscal"]["nfe"]
    worth = {"nfeValTotal": 59.8, "nfeValProd": 59.8}
    assert note == worth | {"nfeNumero": 1234, "nfeSerie": 1, "nfeChave": KEY, "nfeData": "2026-03-12"}
    assert (body["remetenteId"], body["encomendas"][0]["natureza"]) == ("R1", "Mercadoria")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"goods": ()}, "exactly one of invoice_key and goods"),
        ({"invoice_key": KEY}, "exactly one of invoice_key and goods"),
        ({"goods": (), "invoice_key": "12"}, "invoice_key: an NF-e key has 44 positions, this one has 2"),
        ({"service": "PRM"}, "there is no 'PRM' (there are: EXP, STD)"),
        ({"recipient": NOWHERE}, "recipient.address.postal_code"),
    ],
)  # fmt: skip
def test_a_posting_that_cannot_be_told_names_the_field(change, why):
    with pytest.raises(ChannelError) as refusal:
        freight.buy(POSTING.model_copy(update=change))
    assert why in refusal.value.detail


def test_a_purchase_and_a_refusal_within_a_good_answer():
    done = {"retorno": {"encomendas": [{"pedido": "P-77", "volumes": [{"awb": "TXAS1tx", "rota": "X"}]}]}}
    bought = freight.read_purchase(done)
    assert (bought.ref, bought.tracking_code, bought.service) == ("P-77", "TXAS1tx", None)
    refused = {
        "retorno": {"encomendas": [], "erros": [{"pedido": "P-77", "codigoErro": 12, "descricaoErro": "CEP invalido"}]}
    }
    for raw, code, words in ((refused, "12", "CEP invalido"), ({}, "refused", "no Awb")):
        with pytest.raises(ChannelError) as refusal:
            freight.read_purchase(raw)
        assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, code)
        assert words in refusal.value.detail


# ── Real answers ───────────────────────────────────────────────────────────────────────────────────────────

REFUSED = {
    "fault_ip_blocked.xml": "Acesso Negado!",
    "registracoleta_ok.xml": "RegistraColetaResponse",
    "wsdl_webservice24.xml": "not a SOAP envelope",
}


@SAMPLED
def test_every_sample_is_read_or_refused_with_one_sentence():
    files = {path.name: path.read_bytes().decode("iso-8859-1") for path in SAMPLES.iterdir() if path.is_file()}
    for name, why in REFUSED.items():
        with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
            mapping.parse(files.pop(name), [])
        assert why in refusal.value.detail
    assert set(files) == {
        "obtertracking_2020_16_lots_105_orders.xml", "obtertracking_2024_lost_then_indemnified.xml",
    }  # fmt: skip


@SAMPLED
def test_the_real_lots_of_2020():
    page = (SAMPLES / "obtertracking_2020_16_lots_105_orders.xml").read_text()
    told = mapping.parse(page, [])
    assert len(mapping.lots(page)) == 16
    assert sum(len(mapping.parse(lot, [])) for lot in mapping.lots(page)) == 105
    assert len(told) == 78
    assert not [event for one in told for event in one.events if event.status is S.UNKNOWN]
    assert NextCode(carrier="correios", code="OK524037370BR") in [one.next_code for one in told]


@SAMPLED
def test_the_real_lots_of_2024():
    page = (SAMPLES / "obtertracking_2024_lost_then_indemnified.xml").read_text()
    told = {one.code: one.status for one in mapping.parse(page, [])}
    assert told["TXAU646485532tx"] is S.LOST
    assert told["TXAS206534513tx"] is S.IN_TRANSIT
    assert len(told) == 6


# ── Nonsense ───────────────────────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
KEYS = (
    "Awb awb Pedido data encomendas item ArrayStatusTotal ArrayStatusEct CodStatus statusid DataStatus EctTipo "
    "EctStatus EctData CodigoProc Fault detalhes dataPrev PrevEntrega statusDeEncomenda CodigoObjeto servico "
    "resposta retorno volumes pedido erros CodRetorno"
)
WORDS = st.sampled_from(KEYS.split())
SHAPED = st.recursive(
    st.sampled_from([None, "", "0", 0, 1, "38", "TXAS1tx", "2026-03-12", "2026-03-12T10:00:00", -1, 1e300, True]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=20,
)


def read_everything(raw: Any) -> None:
    body = json.dumps(raw).encode() if not isinstance(raw, str) else raw.encode("utf-8", "surrogatepass")
    for read in (
        lambda: mapping.parse(raw, []),
        lambda: mapping.parse(raw, ["A1", ""]),
        lambda: mapping.lots(raw),
        lambda: freight.read_quotes([raw], []),
        lambda: freight.read_quotes([{"servico": "EXP", "resposta": raw}], ["EXP"]),
        lambda: freight.read_purchase(raw),
        lambda: mapping.error_code(Reply(status=HTTPStatus.OK, headers={}, body=body)),
        lambda: mapping.error_code(Reply(status=HTTPStatus.BAD_REQUEST, headers={}, body=body)),
    ):
        with suppress(ChannelError):
            read()


@given(JSON | SHAPED)
@settings(max_examples=300, deadline=None)
def test_any_json_is_read_or_refused(raw):
    read_everything(raw)


@given(st.text() | st.text(alphabet="<>/!abeostu \"'&;?=[]DOCTYPE\x00\ud800", max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused(page):
    read_everything(page)
    read_everything(processed("ObterTracking", page))


def branches(raw: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    keys = list(raw) if isinstance(raw, dict) else list(range(len(raw))) if isinstance(raw, list) else []
    return [(raw, key) for key in keys] + [deeper for key in keys for deeper in branches(raw[key])]


CASES = [(path.parent.name, path.stem) for path in sorted(PAYLOADS.glob("*/*.json"))]


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

"""Real answers of Correios, where they are at hand: each is read or refused with one sentence."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.correios import freight, mapping
from hub import carriers
from hub.faults import Unreadable
from hub.model import TrackingStatus

S = TrackingStatus
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "correios"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")

REVOKES = "revokes the previous event: carries no status of its own"
DIFFERENCES = {("EST", number): REVOKES for number in (1, 2, 3, 4, 5, 6, 9)}
SHARED = "BDE, BDI and BDR share one table: published for one of them only"
ADDITIONS = {
    **{(code, number): SHARED for code in ("BDE", "BDI") for number in (31, 63, 64)},
    ("BDI", 79): SHARED,
    ("BDR", 98): SHARED,
    ("LDE", 0): "Objeto saiu para entrega ao remetente: in the site's table of 2017 only",
    ("FC", 82): "Etiqueta emitida: seen in answers before the first PO scan, in no published table",
}
REFUSED = {
    "calcprazo.xml": "CalcPrazoResponse",
    "calcprecoprazo_error_10_restricted.xml": "CalcPrecoPrazoResponse",
    "calcprecoprazo_error_9_restricted.xml": "CalcPrecoPrazoResponse",
    "calcprecoprazo_quote_two_services.xml": "CalcPrecoPrazoResponse",
    "cws_prazo_post_manual.json": "not a tracking answer",
    "cws_preco_get_manual.json": "objetos",
    "cws_preco_post.json": "not a tracking answer",
    "cws_token.json": "objetos",
    "cws_token_cartaopostagem_manual.json": "objetos",
    "sigep_auth_error.xml": "Fault",
    "sigep_fecha_plp.xml": "fechaPlpVariosServicosResponse",
    "sigep_gera_digito.xml": "geraDigitoVerificadorEtiquetasResponse",
    "sigep_solicita_etiquetas.xml": "solicitaEtiquetasResponse",
    "sigep_status_cartao.xml": "getStatusCartaoPostagemResponse",
    "site_html_with_events_2018.html": "HTML",
}
READ = {
    "cws_rastro_QQ850419295BR_delivered.json": ["delivered"],
    "cws_rastro_returned_plus_not_found.json": ["returned", None],
    "proxyapp_dthrcriado_object_shape.json": ["delivered"],
    "proxyapp_rastro_LB528961554HK_international.json": ["in_transit"],
    "proxyapp_rastro_QH991577104BR_delivered.json": ["delivered"],
    "sro_soap_not_found_prodis.xml": [None],
    "sro_soap_object_without_events.xml": [None],
    "sro_soap_one_event_po01.xml": ["accepted"],
    "sro_soap_one_object_bdi_ldi.xml": ["delivered"],
    "sro_soap_tracking_no_dv.xml": ["returned"],
    "sro_soap_tracking_one_object.xml": ["returned"],
    "sro_soap_tracking_two_objects.xml": ["returned", "accepted"],
}


def sample(name: str) -> Any:
    page = (SAMPLES / name).read_text()
    return json.loads(page) if name.endswith(".json") else page


def test_every_sample_is_listed():
    here = {path.name for path in SAMPLES.iterdir() if path.is_file()}
    assert here == {*READ, *REFUSED}


@pytest.mark.parametrize("name", sorted(READ))
def test_a_tracking_answer_is_read(name):
    assert [told.status for told in mapping.parse(sample(name), [])] == READ[name]


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_other_answers_are_refused_with_one_sentence(name):
    with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
        mapping.parse(sample(name), [])
    assert REFUSED[name] in refusal.value.detail


def test_quotes():
    [sedex] = freight.read_quotes([sample("cws_preco_post.json")], ["03220"])
    assert (sedex.price_cents, sedex.days) == (3455, None)
    fast, slow = freight.read_quotes([sample("cws_prazo_post_manual.json")], [])
    assert (fast.service, fast.days, slow.service, slow.days) == ("04162", 1, "04669", 5)


def test_every_published_pair_means_what_is_proposed_unless_listed_with_a_reason():
    with (SAMPLES / "vocab" / "correios_sro_events_full.csv").open() as page:
        rows = {(row["codigo"], int(row["tipo"])): row["canonical_PROPOSED"] for row in csv.DictReader(page)}
    assert len(rows) == 374
    ours = {pair: mapping.status_of(*pair) for pair in rows}
    differing = {pair for pair, status in ours.items() if status != rows[pair].replace("pre_transit", "label_created")}
    assert differing == set(DIFFERENCES)
    assert set(mapping.STATUS) - set(rows) == set(ADDITIONS)


# What olist's columns of 2017 say of a pair, as we would say it; and where we say otherwise, why.
OF_2017 = {
    "delivered": S.DELIVERED, "delivery_unsuccessful": S.FAILED_ATTEMPT, "delivery_rejected": S.RETURNING,
    "lost": S.LOST, "returned": S.RETURNED, "damaged": S.DAMAGED, "customs_control": S.CUSTOMS,
    "shipped": S.IN_TRANSIT, "shipped_delayed": S.IN_TRANSIT, "shipped_wrong_address": S.IN_TRANSIT,
    "waiting_retrieval": S.AWAITING_PICKUP, "unknown": S.UNKNOWN, "ignore_last_entry": S.UNKNOWN,
}  # fmt: skip
BACK = "its text says that it will be returned, or is on its way to the sender"
PERSON = "it is seized, blocked, unclaimed by its sender or for a liquidator: somebody must act"
SCAN = "their column knows no such step: posted, out for delivery, not met"
UNLIKE_2017 = {
    (S.RETURNING, BACK): "BD5 BD6 BD8 BD10 BD21 BD26 BD36 BD42 BD49 FC1 LDE9",
    (S.EXCEPTION, PERSON): "BD3 BD12 BD22 BD38 BD43 BLQ1 FC5",
    (S.ACCEPTED, SCAN): "CO1 PO0 PO1 PO9",
    (S.OUT_FOR_DELIVERY, SCAN): "OEC0",
    (S.FAILED_ATTEMPT, SCAN): "FC4",
    (S.IN_TRANSIT, "waits for the other volumes of its lot"): "BD41",
    (
        S.IN_TRANSIT,
        "received in a country, released by customs: on its way",
    ): "PAR15 PAR16 PAR17",
}


def test_every_pair_of_2017_means_what_its_column_says_unless_listed_with_a_reason():
    differing = {}
    with (SAMPLES / "vocab" / "status_correios_from_manual.csv").open() as page:
        for code, number, category, words, detail, *_ in list(csv.reader(page))[1:]:
            row = {"codigo": code, "tipo": number, "dtHrCriado": "2017-06-01T12:00:00"}
            told = row | {"descricao": words, "detalhe": detail}
            [event] = mapping.parse({"codObjeto": "A1", "eventos": [told]}, [])[0].events
            if event.status is not OF_2017[category.strip()]:
                differing[f"{'BD' if code in ('BDE', 'BDI', 'BDR') else code}{number}"] = event.status
    assert differing == {pair: status for (status, _why), pairs in UNLIKE_2017.items() for pair in pairs.split()}


def test_every_pair_of_the_site_is_known():
    with (SAMPLES / "vocab" / "status_correios_from_site.csv").open() as page:
        pairs = {(code, int(row[1])) for row in csv.reader(page) for code in row[0].split()}
    assert len(pairs) == 199
    unknown = {pair for pair in pairs if mapping.status_of(*pair) is S.UNKNOWN}
    assert unknown == {pair for pair in pairs if pair[0] == "EST"}


def test_check_digits():
    vectors = json.loads((SAMPLES / "vocab" / "s10_vectors.json").read_text())

    def is_good(code: str) -> bool:
        return carriers.s10_digit(code[2:10]) == int(code[10])

    assert all(map(is_good, vectors["valid_seen_in_real_payloads"] + vectors["valid_computed"]))
    assert not any(map(is_good, vectors["invalid_check_digit"]))

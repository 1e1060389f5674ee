"""Real answers of Correios, where they are at hand: each is read or refused with one sentence."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.correios import freight, mapping
from hub.faults import Unreadable

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "correios"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")

REVOKES = "revokes the previous event: carries no status of its own"
DIFFERENCES = {("EST", number): REVOKES for number in (1, 2, 3, 4, 5, 6, 9)}
SHARED = "BDE, BDI and BDR share one table: published for one of them only"
ADDITIONS = {
    **{(code, number): SHARED for code in ("BDE", "BDI") for number in (31, 63, 64)},
    ("BDI", 79): SHARED,
    ("BDR", 98): SHARED,
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


def test_check_digits():
    vectors = json.loads((SAMPLES / "vocab" / "s10_vectors.json").read_text())

    def is_good(code: str) -> bool:
        return mapping.s10_digit(code[2:10]) == int(code[10])

    assert all(map(is_good, vectors["valid_seen_in_real_payloads"] + vectors["valid_computed"]))
    assert not any(map(is_good, vectors["invalid_check_digit"]))

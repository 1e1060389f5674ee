"""`balcao normalize`: every payload of ours, every sample at hand, and what cannot be read."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adapters
from hub import normalize
from hub.faults import BadSignature, ChannelError
from tests.cli.conftest import Balcao, program

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT.parent / "shared" / "samples"
PAYLOADS = [
    path
    for path in sorted((ROOT / "tests" / "adapters").glob("*/*/*"))
    if path.parent.name in normalize.FACETS and path.parent.parent.name in adapters.names()
]
WOO = ROOT / "tests" / "adapters" / "woocommerce"
ML = ROOT / "tests" / "adapters" / "mercadolivre"


def read(path: Path, facet: str, channel: str) -> dict[str, Any]:
    adapter = adapters.get(channel)
    if facet == "tracking":
        return normalize.tracking(adapter, normalize.text_or_json(path.read_bytes()))
    return normalize.FACETS[facet](adapter, normalize.document(path.read_bytes()))


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: "/".join(path.parts[-3:]))
def test_payloads(path: Path) -> None:
    told = read(path, path.parent.name, path.parent.parent.name)
    keys = {"listing": "listings", "notice": "notices", "tracking": "objects", "stock_response": "outcomes"}
    if key := keys.get(path.parent.name):
        assert list(told) == [key]
        assert isinstance(told[key], list)
    else:
        assert {"ref", "status", "lines", "raw_status"} <= told.keys()
        assert "clocks" not in told
        assert all("unit_price_cents" in line for line in told["lines"])
    json.dumps(told, allow_nan=False)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")
@pytest.mark.parametrize("channel", adapters.names())
def test_every_sample_is_read_or_refused_in_one_sentence(channel: str) -> None:
    for path in sorted((SAMPLES / channel).rglob("*")):
        for facet in normalize.FACETS if path.is_file() else ():
            try:
                read(path, facet, channel)
            except (ChannelError, BadSignature, normalize.NoFacet) as refused:
                assert "\n" not in str(refused), (path, facet)  # noqa: PT017 - either ending is right


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KNOWN = sorted(
    {
        key
        for path in PAYLOADS[::7]
        if path.suffix == ".json" and isinstance(told := json.loads(path.read_bytes()), dict)
        for key in told
    }
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(adapters.names()),
    st.sampled_from(sorted(normalize.FACETS)),
    json_values | st.dictionaries(st.sampled_from(KNOWN), json_values, max_size=6),
)
def test_any_document_is_read_or_refused(channel: str, facet: str, raw: Any) -> None:
    try:
        normalize.FACETS[facet](adapters.get(channel), raw)
    except (ChannelError, BadSignature, normalize.NoFacet) as refused:
        assert str(refused)  # noqa: PT017 - as above


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PAYLOADS), st.data())
def test_a_damaged_payload_is_read_or_refused(path: Path, data: st.DataObject) -> None:
    raw = normalize.text_or_json(path.read_bytes())
    where: Any = raw
    for _depth in range(data.draw(st.integers(0, 5))):
        keys = list(where) if isinstance(where, dict) else range(len(where)) if isinstance(where, list) else []
        if not keys:
            break
        key = data.draw(st.sampled_from(list(keys)))
        if not isinstance(where[key], dict | list) or data.draw(st.booleans()):
            where[key] = data.draw(json_values)
            break
        where = where[key]
    try:
        normalize.FACETS[path.parent.name](adapters.get(path.parent.parent.name), raw)
    except (ChannelError, BadSignature) as refused:
        assert str(refused)  # noqa: PT017 - as above


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def word(tmp_path: Path) -> Any:
    """A file of these bytes."""

    def write(body: Any) -> Path:
        path = tmp_path / "told"
        path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
        return path

    return write


def test_an_order_from_a_file_and_from_stdin() -> None:
    path = WOO / "order" / "processing_paid.json"
    from_file = program("normalize", "woocommerce", "order", path, env={}).good()
    from_stdin = program("normalize", "woocommerce", "order", "-", env={}, stdin=path.read_bytes()).good()
    assert from_file.json == from_stdin.json
    assert from_file.json["status"] == "paid"


def test_a_refused_signature_exits_3(balcao: Balcao, word: Any) -> None:
    told = json.loads((WOO / "notice" / "order_created.json").read_bytes())
    assert balcao("normalize", "woocommerce", "notice", word(told)).good().json["notices"][0]["topic"] == "order"
    upper = {**told, "headers": {name.upper(): value for name, value in told["headers"].items()}}
    balcao("normalize", "woocommerce", "notice", word(upper)).good()
    for wrong in ({**told, "secret": "another"}, {**told, "body": told["body"] + " "}, {**told, "headers": {}}):
        said = balcao("normalize", "woocommerce", "notice", word(wrong))
        assert "signature" in said.sentence(3)
        assert "another" not in said.err
        assert said.out == ""
    del told["secret"]
    balcao("normalize", "woocommerce", "notice", word(told)).sentence(3)


def test_tracking_in_the_order_asked(balcao: Balcao, word: Any) -> None:
    path = ROOT / "tests/adapters/correios/tracking/answer_order_differs_from_asked.json"
    codes = ["AD710021313BR", "AD710021335BR"]
    asked = [part for code in codes for part in ("--code", code)]
    told = balcao("normalize", "correios", "tracking", path, *asked).good().json
    assert [each["code"] for each in told["objects"]] == codes
    xml = json.loads((path.parent / "legacy_soap_json_string.json").read_bytes())
    plain = balcao("normalize", "correios", "tracking", word(xml.encode())).good()
    latin = xml.replace("UTF-8", "ISO-8859-1").encode("iso-8859-1")
    assert balcao("normalize", "correios", "tracking", word(latin)).good().json == plain.json


@pytest.mark.parametrize(
    ("words", "status", "named"),
    [
        (["nowhere", "order", "-"], 2, "there are: amazon, bling, correios"),
        (["woocommerce", "parcel", "-"], 2, "parcel"),
        (["woocommerce", "order", "/no/such/file"], 2, "/no/such/file cannot be read"),
        (["woocommerce", "order", "/"], 2, "cannot be read"),
        (["woocommerce", "tracking", "-"], 2, "WooCommerce has no tracking"),
        (["correios", "order", "-"], 2, "Correios has no orders"),
        (["woocommerce", "order", "-", "--code", "A"], 2, "--code"),
    ],
)
def test_what_is_asked_wrongly(balcao: Balcao, words: list[str], status: int, named: str) -> None:
    assert named in balcao("normalize", *words, stdin=b"{}").sentence(status)


@pytest.mark.parametrize(
    ("facet", "body", "named"),
    [
        ("order", b"", "not JSON (line 1, column 1)"),
        ("order", b"\xff\xfe{", "not JSON"),
        ("order", b"[" * 100_000, "nested too deep"),
        ("order", b'{"id": NaN}', "NaN"),
        ("order", b"1" * 5000, "not JSON"),
        ("order", b"null", "order"),
        ("order", b"[]", "nothing, where one order was expected"),
        ("order", b"[{}, {}]", "a page of 2 documents"),
        ("order", b'{"id": 1}', "order."),
        ("listing", b'{"id": []}', "listing"),
        ("notice", b"[]", "document: not an object"),
        ("notice", b"{}", "body: not told"),
        ("notice", b'{"body": {"id": 1}}', "body: must be the text"),
        ("notice", b'{"body": "", "secret": 5}', "secret: not a string"),
        ("notice", b'{"body": "", "headers": []}', "headers: not an object"),
        ("stock_response", b"{}", "request: not told"),
        ("stock_response", b'{"request": {}}', "request.path"),
        ("stock_response", b'{"request": {"path": "/x", "json": {}}}', "request"),
    ],
)
def test_what_cannot_be_read_names_its_field(balcao: Balcao, word: Any, facet: str, body: bytes, named: str) -> None:
    said = balcao("normalize", "woocommerce", facet, word(body))
    assert named in said.sentence(2)
    assert said.out == ""


def test_an_answer_that_is_no_answer_refuses_every_row(balcao: Balcao, word: Any) -> None:
    told = json.loads((WOO / "stock_response" / "simple_products.json").read_bytes())
    for body in ("<html>bad gateway</html>", None, {"message": "later"}):
        outcomes = balcao(
            "normalize", "woocommerce", "stock_response", word({**told, "status": 502, "body": body})
        ).good().json["outcomes"]  # fmt: skip
        assert [(each["slot_ref"], each["outcome"]) for each in outcomes] == [("71", "fault"), ("72", "fault")]
    said = balcao("normalize", "woocommerce", "stock_response", word({**told, "status": "soon"}))
    assert "status" in said.sentence(2)
    said = balcao("normalize", "woocommerce", "stock_response", word({**told, "body": "<html>"}))
    assert "body" in said.sentence(2)


def test_mercadolivre_compare_and_set(balcao: Balcao) -> None:
    (one,) = balcao("normalize", "mercadolivre", "stock_response", ML / "stock_response/version_mismatch_is_stale.json").good().json["outcomes"]  # fmt: skip # noqa: E501 - one call
    assert one["outcome"] == "stale"

"""Which carrier a channel means, by its words and the shape of a code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adapters
from hub.carriers import AGGREGATORS, NAMES, SHAPES, choose, folded, is_s10, meant, named, s10_digit, shaped

S10, FAILS, LABEL = "QQ123456785BR", "QQ123456784BR", "ME26006ES26BR"


@pytest.mark.parametrize(
    ("words", "want"),
    [
        ("Correios", {"correios"}),
        ("CORREIOS - SEDEX 10", {"correios"}),
        ("PAC", {"correios"}),
        ("Pacote Rápido", set()),  # whole words only
        ("Jadlog .Package", {"jadlog"}),
        ("Loggi Expresso", {"loggi"}),
        ("Total Express", {"totalexpress"}),
        ("Frete total", set()),
        ("Melhor Envio - Jadlog", {"melhorenvio", "jadlog"}),
        ("FedEx®", {"fedex"}),
        ("UPS", {"ups"}),
        ("Grupos", set()),
        ("Azul Cargo", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_words_name_carriers(words, want):
    assert named(words) == want


@pytest.mark.parametrize(
    ("code", "want"),
    [
        (S10, {"correios"}),
        ("qq 123456785 br", {"correios"}),
        ("LB123456785HK", {"correios"}),  # another country's post: Correios tracks it too
        (FAILS, set()),
        ("1Z12345E0205271688", {"ups"}),
        (LABEL, {"melhorenvio", "loggi"}),
        ("TXAT118317577tx", {"totalexpress"}),
        ("10084882066034", set()),
        ("", set()),
    ],
)
def test_codes_have_shapes(code, want):
    assert shaped(code) == want


@given(st.from_regex(r"[0-9]{8}", fullmatch=True), st.integers(0, 9))
def test_an_s10_code_has_one_check_digit(serial, digit):
    assert is_s10(f"AA{serial}{digit}BR") == (digit == s10_digit(serial))


@pytest.mark.parametrize(
    ("carrier", "service", "code", "want"),
    [
        ("Transportadora", None, S10, {"correios"}),  # the shape knows what the words do not
        ("Correios", None, FAILS, {"correios"}),  # codes in use fail their digit
        ("Jadlog", None, S10, {"jadlog", "correios"}),  # they contradict each other
        ("Melhor Envio", "PAC", S10, {"correios"}),
        ("Melhor Envio - Jadlog", None, "10084882066034", {"jadlog"}),
        ("Melhor Envio", None, LABEL, {"loggi"}),
        ("Frenet", None, "123", {"frenet"}),
        (None, "SEDEX", "123", {"correios"}),
        (None, None, "123", set()),
    ],
)
def test_what_a_channel_means(carrier, service, code, want):
    assert meant(carrier, service, code) == want


CORREIOS, JADLOG, OTHER, SOLD = ("correios", 1), ("jadlog", 2), ("correios", 3), ("melhorenvio", 4)


@pytest.mark.parametrize(
    ("carrier", "code", "held", "want"),
    [
        ("Correios", S10, [CORREIOS, JADLOG], (1, None)),
        ("Correios", S10, [CORREIOS, OTHER], (None, "ambiguous")),
        ("Jadlog", S10, [CORREIOS], (None, "ambiguous")),  # the words say another: not ours to guess
        ("Jadlog", "123", [CORREIOS], (None, "no_account")),
        ("Melhor Envio", S10, [CORREIOS, SOLD], (1, None)),  # who carries it tells more than who sold it
        ("Melhor Envio", S10, [SOLD], (4, None)),
        ("Azul", "123", [CORREIOS, JADLOG], (None, "unnamed")),
    ],
)
def test_one_account_follows_or_none(carrier, code, held, want):
    assert choose(carrier, None, code, held) == want


def test_tables_name_carriers_as_the_registry_does():
    carriers = {name for name in adapters.names() if adapters.get(name).tracking}
    assert carriers <= NAMES.keys()
    assert AGGREGATORS | {carrier for carrier, _fits in SHAPES} <= NAMES.keys()
    assert all(name == folded(name) for names in NAMES.values() for name in names)

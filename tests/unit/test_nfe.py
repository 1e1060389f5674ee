"""Access keys of NF-e: 44 positions, a check digit, letters where the issuer's CNPJ has them."""

import contextlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub import nfe

# Worked out by hand: SP, July 2026, CNPJ 11.222.333/0001-81, model 55, series 1, number 1234, code 56789012.
DIGITS = "352607" + "11222333000181" + "55" + "001" + "000001234" + "1" + "56789012"
LETTERS = "352607" + "12ABC34501DE35" + "55" + "001" + "000001234" + "1" + "56789012"


def long_hand(body: str) -> str:
    """The published rule, spelled out: 4 3 2 9 8 7 6 5 4 3 2 ... from the left."""
    weights = ([2, 3, 4, 5, 6, 7, 8, 9] * 6)[:43][::-1]
    rest = sum((ord(char) - ord("0")) * weight for char, weight in zip(body, weights, strict=True)) % 11
    return "0" if rest in (0, 1) else str(11 - rest)


@pytest.mark.parametrize("body", [DIGITS, LETTERS])
def test_a_good_key_is_read(body: str) -> None:
    key = body + long_hand(body)
    told = nfe.key_of(key)
    assert told.key == key
    assert (told.state, told.year, told.month, told.model, told.series, told.number) == ("35", 2026, 7, "55", 1, 1234)
    assert told.issuer == body[6:20]


def test_a_known_key_of_the_manual() -> None:
    # Manual de Orientação do Contribuinte, the example of the check digit: 5206043300991100250655012000000780026730161
    assert nfe.check_digit("5206043300991100250655012000000780026730161") == "5"


def test_spaces_and_dots_and_small_letters_are_forgiven() -> None:
    key = LETTERS + long_hand(LETTERS)
    spaced = " ".join(key[n : n + 4] for n in range(0, 44, 4)).lower()
    assert nfe.key_of(spaced).key == key


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (DIGITS, "44 positions, this one has 43"),
        ("", "44 positions, this one has 0"),
        (DIGITS[:-1] + "X" + "1", "digits everywhere but"),
        ("A" + DIGITS[1:] + "1", "digits everywhere but"),
    ],
)
def test_a_key_of_another_shape_is_refused(told: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        nfe.key_of(told)


@pytest.mark.parametrize(
    ("place", "word", "sentence"),
    [(0, "34", "begins with a state's code"), (4, "13", "month 13"), (6, "11222333000182", "issuer"), (20, "57", "57")],
)
def test_a_part_that_cannot_be_is_named(place: int, word: str, sentence: str) -> None:
    body = DIGITS[:place] + word + DIGITS[place + len(word) :]
    with pytest.raises(ValueError, match=sentence):
        nfe.key_of(body + long_hand(body))


def test_a_rural_producers_cpf_stands_behind_three_zeros() -> None:
    body = DIGITS[:6] + "00052998224725" + DIGITS[20:]
    assert nfe.key_of(body + long_hand(body)).issuer == "52998224725"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the clock of a busy machine
@given(place=st.integers(0, 43), digit=st.sampled_from("0123456789"))
def test_one_mistyped_digit_is_always_seen(place: int, digit: str) -> None:
    key = DIGITS + long_hand(DIGITS)
    wrong = key[:place] + digit + key[place + 1 :]
    if wrong == key:
        return
    with pytest.raises(ValueError, match=r"\S"):
        nfe.key_of(wrong)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the clock of a busy machine
@given(st.text(max_size=60))
def test_any_text_is_a_key_or_a_sentence(told: str) -> None:
    with contextlib.suppress(ValueError):
        assert len(nfe.key_of(told).key) == 44

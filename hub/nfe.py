"""The access key (chave de acesso) of an NF-e: 44 positions, read and checked. Pure."""

import re
from dataclasses import dataclass

from stdnum.br import cnpj, cpf

LENGTH = 44
MODELS = frozenset({"55", "65"})  # NF-e, NFC-e
STATES = frozenset((
    "11", "12", "13", "14", "15", "16", "17", "21", "22", "23", "24", "25", "26", "27", "28", "29", "31", "32", "33",
    "35", "41", "42", "43", "50", "51", "52", "53",
))  # fmt: skip
# State, year, month, issuer (letters since 2026), model, series, number, how it was issued, a code, the check digit.
_KEY = re.compile(r"(\d{2})(\d{2})(\d{2})([0-9A-Z]{12}\d{2})(\d{2})(\d{3})(\d{9})(\d)(\d{8})(\d)")


class BadKey(ValueError):
    """What is no key: the sentence in English, and `pt` in Portuguese."""

    def __init__(self, pt: str, en: str) -> None:
        super().__init__(en)
        self.pt = pt


@dataclass(frozen=True, slots=True)
class Key:
    """What a key tells: `issuer` is a CNPJ of 14 characters, or a CPF of 11 digits (rural producers)."""

    key: str
    state: str
    year: int
    month: int
    issuer: str
    model: str
    series: int
    number: int


def check_digit(body: str) -> str:
    """The last position of a key from the 43 before it: modulo 11, weights 2 to 9 from the right.

    A letter counts as its ASCII code less 48, so that digits stay what they are (NT 2025.001).
    """
    total = sum((ord(char) - 48) * (2 + place % 8) for place, char in enumerate(reversed(body)))
    rest = total % 11
    return str(0 if rest < 2 else 11 - rest)  # noqa: PLR2004 - a rest of 0 or 1 is written 0


def key_of(told: str) -> Key:
    """A key read, whatever its spaces, dots and dashes. BadKey says in one sentence what is wrong with it."""
    bare = re.sub(r"[\s.\-/]", "", told).upper()
    if len(bare) != LENGTH:
        raise BadKey(
            f"uma chave de NF-e tem {LENGTH} posições, esta tem {len(bare)}",
            f"an NF-e key has {LENGTH} positions, this one has {len(bare)}",
        )
    found = _KEY.fullmatch(bare)
    if found is None:
        raise BadKey(
            "uma chave de NF-e só tem letras no CNPJ do emitente (posições 7 a 18)",
            "an NF-e key has digits everywhere but in its issuer's CNPJ (positions 7 to 18)",
        )
    state, year, month, issuer, model, series, number, _how, _code, digit = found.groups()
    if digit != (good := check_digit(bare[:-1])):
        raise BadKey(
            f"o dígito verificador desta chave é {digit}, e {good} serviria: há um erro de digitação",
            f"the check digit of this NF-e key is {digit}, {good} would fit: it is mistyped",
        )
    if state not in STATES:
        raise BadKey(
            f"uma chave de NF-e começa com o código da UF; {state} não é nenhum",
            f"an NF-e key begins with a state's code; {state} is none",
        )
    if not 1 <= int(month) <= 12:  # noqa: PLR2004 - months
        raise BadKey(
            f"o mês {month} desta chave (posições 5 e 6) não existe",
            f"month {month} of this NF-e key (positions 5 and 6) is none",
        )
    if model not in MODELS:
        raise BadKey(
            f"o modelo {model} desta chave não é NF-e (55) nem NFC-e (65)",
            f"model {model} of this key is no NF-e (55) or NFC-e (65)",
        )
    return Key(bare, state, 2000 + int(year), int(month), _issuer(issuer), model, int(series), int(number))


def _issuer(told: str) -> str:
    if cnpj.is_valid(told):
        return told
    if told.startswith("000") and cpf.is_valid(told[3:]):
        return told[3:]
    raise BadKey(
        f"o emitente {told} desta chave não é um CNPJ ou CPF válido",
        f"issuer {told} of this NF-e key is no valid CNPJ or CPF",
    )

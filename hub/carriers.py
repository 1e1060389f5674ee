"""Which carrier a channel means: by the names that channels give it, and by the shape of its codes. Pure."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

Account = TypeVar("Account")

# Words that name a carrier of ours in a channel's carrier or service field, folded: small letters, no accents.
NAMES: Mapping[str, tuple[str, ...]] = {
    "correios": ("correios", "correio", "sedex", "pac", "ect", "impresso normal", "carta registrada", "sedex hoje"),
    "dhl": ("dhl", "dhl express", "dhl ecommerce"),
    "fedex": ("fedex", "federal express"),
    "frenet": ("frenet",),
    "jadlog": ("jadlog", "jad log"),
    "loggi": ("loggi",),
    "melhorenvio": ("melhor envio", "melhorenvio"),
    "totalexpress": ("total express", "totalexpress"),
    "ups": ("ups", "united parcel service"),
}
AGGREGATORS = frozenset({"frenet", "melhorenvio"})  # sell other carriers' services: the carrier itself tells more


def folded(words: str | None) -> str:
    """Small letters without accents, everything else one space."""
    bare = unicodedata.normalize("NFKD", words or "").encode("ascii", "ignore").decode().lower()
    return " ".join(re.findall(r"[a-z0-9]+", bare))


def named(*words: str | None) -> frozenset[str]:
    """The carriers that these words name, by whole words."""
    text = f" {' '.join(folded(each) for each in words)} "
    return frozenset(carrier for carrier, names in NAMES.items() if any(f" {name} " in text for name in names))


_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def s10_digit(serial: str) -> int:
    """The S10 check digit of eight digits. Codes in use fail it (AA123456789BR does): warn, never refuse."""
    rest = sum(int(digit) * weight for digit, weight in zip(serial, _S10_WEIGHTS, strict=True)) % 11
    return {0: 5, 1: 0}.get(rest, 11 - rest)


def is_s10(code: str) -> bool:
    """Whether it is a postal code of UPU S10 with its true check digit, of any country: Correios tracks them all."""
    return bool(re.fullmatch(r"[A-Z]{2}[0-9]{9}[A-Z]{2}", code)) and s10_digit(code[2:10]) == int(code[10])


SHAPES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("correios", is_s10),
    ("ups", lambda code: bool(re.fullmatch(r"1Z[0-9A-Z]{16}", code))),
    ("melhorenvio", lambda code: bool(re.fullmatch(r"ME[0-9]{2}[0-9A-Z]{7}BR", code))),
    ("loggi", lambda code: bool(re.fullmatch(r"ME[0-9]{2}[0-9A-Z]{7}BR", code))),  # takes them over as its own
    ("totalexpress", lambda code: bool(re.fullmatch(r"TXA[A-Z][0-9]{9}TX", code))),
)


def shaped(code: str) -> frozenset[str]:
    """The carriers whose codes look like this one. Bare digits say nothing: half of them number so."""
    bare = re.sub(r"\s", "", code).upper()
    return frozenset(carrier for carrier, fits in SHAPES if fits(bare))


def meant(carrier: str | None, service: str | None, code: str) -> frozenset[str]:
    """The carriers that a channel may mean; more than one where its words and the code's shape disagree."""
    names, shapes = named(carrier) or named(service), shaped(code)
    if direct := names - AGGREGATORS:
        return direct & shapes or direct | shapes
    # An aggregator's name says who sold the label; the shape says who carries the parcel.
    return shapes - AGGREGATORS or names & shapes or names or shapes


def choose(
    carrier: str | None, service: str | None, code: str, accounts: Iterable[tuple[str, Account]]
) -> tuple[Account | None, str | None]:
    """The seller's account that follows a parcel, of (channel, account); else why none does.

    `unnamed`: nothing says which carrier; `no_account`: none of that carrier is connected; `ambiguous`: several fit.
    """
    held, candidates = list(accounts), meant(carrier, service, code)
    if not candidates:
        return None, "unnamed"
    if len(candidates) > 1:
        return None, "ambiguous"
    sellers = named(carrier) & AGGREGATORS  # who sold the label knows where it is, too
    for channels in (candidates, sellers):
        fitting = [account for channel, account in held if channel in channels]
        if fitting:
            return (fitting[0], None) if len(fitting) == 1 else (None, "ambiguous")
    return None, "no_account"

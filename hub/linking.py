"""Which SKU a listing certainly is, and how many units its title says that a pack holds. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

# ── What is certain ─────────────────────────────────────────────────────────────────────────────────────────

GTIN_LENGTHS = (8, 12, 13, 14)


def gtin(told: str | None) -> str | None:
    """A GTIN with a good check digit, in 14 digits (so that UPC, EAN and DUN forms of one number are equal)."""
    digits = re.sub(r"[\s.-]", "", told or "")
    if len(digits) not in GTIN_LENGTHS or not (digits.isascii() and digits.isdigit()) or not digits.strip("0"):
        return None
    full = digits.zfill(14)
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(full[:13]))
    return full if (10 - total % 10) % 10 == int(full[13]) else None


def gtin_forms(told: str | None) -> list[str]:
    """How a valid GTIN may stand in a column: with its leading zeros or without; nothing for one that is not valid."""
    full = gtin(told)
    if full is None:
        return []
    digits = full.lstrip("0")
    return sorted({digits.zfill(length) for length in GTIN_LENGTHS if len(digits) <= length})


def fold(code: str | None) -> str:
    """A seller's code without what people write now one way, now another: case, accents, spaces and punctuation."""
    return "".join(char for char in bare(code or "") if char.isalnum())


def bare(text: str) -> str:
    """Lower case, without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def exact(
    by_code: Mapping[str, UUID], by_gtin: Mapping[str, Sequence[UUID]], code: str | None, told_gtin: str | None
) -> tuple[UUID | None, str]:
    """The one SKU that a listing certainly is, and by what: equal code, else a valid GTIN that only one SKU has.

    `by_gtin` is keyed by the 14-digit form.
    """
    if code is not None and code in by_code:
        return by_code[code], "sku"
    number = gtin(told_gtin)
    same = by_gtin.get(number, ()) if number else ()
    return (same[0], "gtin") if len(same) == 1 else (None, "")


# ── Packs ───────────────────────────────────────────────────────────────────────────────────────────────────

_NUMBERS = {"dois": 2, "duas": 2, "tres": 3, "quatro": 4, "cinco": 5, "seis": 6, "oito": 8, "dez": 10, "doze": 12}
_N = rf"(\d{{1,4}}|{'|'.join(_NUMBERS)})"
_UNIT = r"(?:un(?:d|id|ids|idade|idades)?|unds?|pcs?|pecas?|itens|und)"
_MEASURE = (
    r"(?:ml|l|lt|litros?|g|gr|kg|mg|cm|mm|m|mts?|metros?|v|w|watts?|mah|gb|tb|pol|polegadas?|anos?|meses|dias|x\d)"
)
_NOT_MEASURE = rf"(?!\s*[.,]?\d*\s*{_MEASURE}\b)(?![\d.,])"
# "c/ 6" may hold 6 of anything: only the words that name units or packs are read, the number right behind or before.
_PACKS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:kit|combo|pack|conjunto|jogo)\s*(?:com|c/|de|c)?\s*{_N}\b{_NOT_MEASURE}",
        rf"\b(?:caixa|cx|pacote|pct|fardo|fd|display|leve|embalagem|emb)\.?\s*(?:com|c/|de|c)?\s*{_N}\b{_NOT_MEASURE}",
        rf"\b{_N}\s*{_UNIT}\b",
        rf"(?:\bcom|\bc/)\s*{_N}\b{_NOT_MEASURE}(?=\s*(?:{_UNIT}\b|$|[-,;|)/]))",
        rf"(?:^|\s){_N}\s*x\s(?!\d)",
        rf"\sx\s?{_N}$",
    )
)
_WORDS = {"duzia": 12, "par": 2}
MOST_IN_PACK = 1000


@dataclass(frozen=True, slots=True)
class Pack:
    """So many units in one sale, as the title says in these words."""

    units: int
    words: str


def pack(title: str | None) -> Pack | None:
    """What a title says of the units in a pack: "kit 3", "cx 12 un", "c/ 6"; None where it says nothing.

    A hint for a person: a kit of 3 may be three different things.
    """
    text = bare(title or "")
    for pattern in _PACKS:
        if found := pattern.search(text):
            units = _NUMBERS.get(found[1]) or int(found[1])
            if 1 < units <= MOST_IN_PACK:
                return Pack(units, found[0].strip())
    for word, units in _WORDS.items():
        if found := re.search(rf"\b{word}\b", text):
            return Pack(units, found[0])
    return None


def multiplier(listing: str | None, sku: str | None) -> tuple[int, str | None]:
    """Units of the SKU that one sale of the listing seems to take, and the words that say so; (1, None) for one.

    A SKU whose own title names the same pack is the pack.
    """
    sold, one = pack(listing), pack(sku)
    if sold is None:
        return 1, None
    each = one.units if one else 1
    return (sold.units // each, sold.words) if sold.units > each and sold.units % each == 0 else (1, None)


# ── Doubles ─────────────────────────────────────────────────────────────────────────────────────────────────


def same_but_for_case(codes: Iterable[str]) -> list[tuple[str, ...]]:
    """Codes that differ in nothing but upper and lower case, grouped: two of them are mixed up sooner or later."""
    groups: dict[str, list[str]] = defaultdict(list)
    for code in dict.fromkeys(codes):
        groups[code.casefold()].append(code)
    return [tuple(sorted(group)) for group in groups.values() if len(group) > 1]

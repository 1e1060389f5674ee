"""Street, number, complement and bairro of a Brazilian address that a channel knows as two lines. Pure."""

import re
from collections.abc import Mapping

WORD_JOINER = "\u2060"  # Shopify's checkout joins a street and number, complement and bairro, with this
_NUMBER = r"(?:n[º°o.]*\s*)?(?P<number>\d+(?:\s?[A-Za-z])?|s/?n)"
COMMA = re.compile(rf"^(?P<street>[^,]+?)\s*,\s*{_NUMBER}(?:\s*[-,]\s*(?P<rest>.+))?$", re.IGNORECASE)
SPACE = re.compile(rf"^(?P<street>\S+\s[^,]+?)\s+{_NUMBER}(?P<rest>)$", re.IGNORECASE)  # "Rua 13" is no number 13
COMPLEMENT = re.compile(
    r"\d|^(ap|apto|apt|apartamento|bl|bloco|casa|cs|sala|sl|conj|conjunto|cj|fundos|loja|lj|lote|quadra|andar|torre|"
    r"cobertura|edif[ií]cio|ed|box|galp[aã]o|sobrado|t[eé]rreo|condom[ií]nio|cond)\b",
    re.IGNORECASE,
)


def split(first: str | None, second: str | None, country: str | None = "BR") -> Mapping[str, str | None]:
    """`street`, `number`, `complement` and `district` of two lines; another country's are street and complement."""
    if country not in (None, "BR") or not first:
        return {"street": first, "complement": second}
    street, number, more = _street(first)
    complement, district = _second(second)
    joined = ", ".join(filter(None, (more, complement))) or None
    return {"street": street, "number": number, "complement": joined, "district": district}


def _street(told: str) -> tuple[str, str | None, str | None]:
    """Street, number and what stands behind it."""
    if WORD_JOINER in told:
        street, _, number = told.partition(WORD_JOINER)
        return street.strip(" ,") or told, number.strip() or None, None
    found = COMMA.match(told) or SPACE.match(told)
    return (found["street"], found["number"], found["rest"] or None) if found else (told, None, None)


def _second(told: str | None) -> tuple[str | None, str | None]:
    """Complement and bairro as a checkout joins them, else as people write them."""
    if not told:
        return None, None
    if WORD_JOINER in told:
        complement, _, district = told.partition(WORD_JOINER)
        return complement.strip(" ,") or None, district.strip() or None
    *before, last = [piece.strip() for piece in re.split(r"\s+[-–]\s+|,\s*|/", told) if piece.strip()] or [told]
    if COMPLEMENT.search(last):
        return told, None
    return ", ".join(before) or None, re.sub(r"^bairro\s*:\s*", "", last, flags=re.IGNORECASE)

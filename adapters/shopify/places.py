"""Where an order goes: Shopify knows two lines, a Brazilian address has street, number, complement and bairro. Pure."""

import re

from adapters.shopify.reading import Node
from hub import parse
from hub.model import Address

WORD_JOINER = "\u2060"  # the checkout joins a Brazilian street and number, complement and bairro, with this
_NUMBER = r"(?:n[º°o.]*\s*)?(?P<number>\d+(?:\s?[A-Za-z])?|s/?n)"
COMMA = re.compile(rf"^(?P<street>[^,]+?)\s*,\s*{_NUMBER}(?:\s*[-,]\s*(?P<rest>.+))?$", re.IGNORECASE)
SPACE = re.compile(rf"^(?P<street>\S+\s[^,]+?)\s+{_NUMBER}(?P<rest>)$", re.IGNORECASE)  # "Rua 13" is no number 13
COMPLEMENT = re.compile(
    r"\d|^(ap|apto|apt|apartamento|bl|bloco|casa|cs|sala|sl|conj|conjunto|cj|fundos|loja|lj|lote|quadra|andar|torre|"
    r"cobertura|edif[ií]cio|ed|box|galp[aã]o|sobrado|t[eé]rreo|condom[ií]nio|cond)\b",
    re.IGNORECASE,
)


def address(place: Node) -> Address | None:
    """The address, None unless street, city and postal code are told."""
    street, city, code = place.text("address1"), place.text("city"), parse.bare(place.text("zip"))
    if not (street and city and code):
        return None
    country, second = place.text("country_code_v2", "country_code"), place.text("address2")
    ours = country in (None, "BR")
    street, number, more = _street(street) if ours else (street, None, None)
    complement, district = _second(second) if ours else (second, None)
    return Address(
        recipient=parse.joined(place.text("name") or parse.joined(place.text("first_name"), place.text("last_name"))),
        street=street,
        number=number,
        complement=", ".join(filter(None, (more, complement))) or None,
        district=district,
        city=city,
        state=parse.state(place.text("province_code", "province")),
        postal_code=code,
        country=country,
    )


def _street(told: str) -> tuple[str, str | None, str | None]:
    """Street, number and what stands behind it."""
    if WORD_JOINER in told:
        street, _, number = told.partition(WORD_JOINER)
        return street.strip(" ,") or told, number.strip() or None, None
    found = COMMA.match(told) or SPACE.match(told)
    return (found["street"], found["number"], found["rest"] or None) if found else (told, None, None)


def _second(told: str | None) -> tuple[str | None, str | None]:
    """Complement and bairro of address2, as the checkout joins them, else as people write them."""
    if not told:
        return None, None
    if WORD_JOINER in told:
        complement, _, district = told.partition(WORD_JOINER)
        return complement.strip(" ,") or None, district.strip() or None
    *before, last = [piece.strip() for piece in re.split(r"\s+[-–]\s+|,\s*|/", told) if piece.strip()] or [told]
    if COMPLEMENT.search(last):
        return told, None
    return ", ".join(before) or None, re.sub(r"^bairro\s*:\s*", "", last, flags=re.IGNORECASE)

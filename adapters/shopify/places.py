"""Where an order goes: Shopify knows two lines, a Brazilian address has street, number, complement and bairro. Pure."""

import re

from adapters.shopify.reading import Node
from hub import parse
from hub.model import Address

WORD_JOINER = "\u2060"  # the checkout joins a Brazilian street and number, complement and bairro, with this
NUMBER = re.compile(
    r"^(?P<street>.+?),?\s+(?:n[º°o.]*\s*)?(?P<number>\d+\s?[A-Za-z]?|s/?n)(?:\s*[-,]\s*(?P<rest>.+))?$", re.IGNORECASE
)
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
    street, number, more = _street(street)
    complement, district = _second(place.text("address2"))
    return Address(
        recipient=parse.joined(place.text("name") or parse.joined(place.text("first_name"), place.text("last_name"))),
        street=street,
        number=number,
        complement=", ".join(filter(None, (more, complement))) or None,
        district=district,
        city=city,
        state=parse.state(place.text("province_code", "province")),
        postal_code=code,
        country=place.text("country_code_v2", "country_code"),
    )


def _street(told: str) -> tuple[str, str | None, str | None]:
    """Street, number and what stands behind it."""
    if WORD_JOINER in told:
        street, _, number = told.partition(WORD_JOINER)
        return street.strip(" ,") or told, number.strip() or None, None
    found = NUMBER.match(told) if "," in told or re.search(r"\s(n[º°o.]|\d+\s?[A-Za-z]?$)", told) else None
    return (found["street"], found["number"], found["rest"]) if found else (told, None, None)


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
    return ", ".join(before) or None, re.sub(r"^bairro:?\s+", "", last, flags=re.IGNORECASE)

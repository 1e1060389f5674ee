"""Who labels name as the sender, and what a volume may have: read from forms, checked, and kept. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from hub import founding, parse
from hub.model import Address, Party

PARTY = ("name", "document", "phone")
PLACE = ("street", "number", "complement", "district", "city", "state", "postal_code")
NEEDED = ("name", "document", "postal_code", "street", "city", "state")  # as jobs.freight_buy.sender_of asks for them
CEP_LENGTH = 8


def read(kind: str, word: str) -> str | None:
    """A document, phone or cep as it is kept; None for what is none."""
    if kind == "document":
        told = parse.document(word)
        return told.number if told and told.valid else None
    if kind == "phone":
        return parse.phone(word)
    cep = parse.bare(word) or ""
    good = len(cep) == CEP_LENGTH and cep.isascii() and cep.isdigit() and founding.state_of(cep) is not None
    return cep if good else None


def held(told: Mapping[str, Any] | None) -> dict[str, str]:
    """A sender as forms have it."""
    party = told or {}
    place = party.get("address") or {}
    return {name: party.get(name) or "" for name in PARTY} | {name: place.get(name) or "" for name in PLACE}


def wrong(told: Mapping[str, str]) -> dict[str, str]:
    """What is wrong between a sender's fields: the kind of problem by field. All of them empty is no sender."""
    if not any(told[name] for name in (*PARTY, *PLACE)):
        return {}
    if missing := {name: "sender" for name in NEEDED if not told[name]}:
        return missing
    return {} if founding.state_of(told["postal_code"]) == told["state"] else {"postal_code": "cep_state"}


def narrow(told: Mapping[str, str]) -> dict[str, str]:
    """What is wrong between a volume's limits."""
    if told["side_mm"] and told["sum_mm"] and int(told["sum_mm"]) < int(told["side_mm"]):
        return {"sum_mm": "sides"}
    return {}


def party(told: Mapping[str, str], email: str | None) -> dict[str, Any] | None:
    """A sender as it is kept; `email`: what it had, which no form asks for."""
    if not any(told[name] for name in (*PARTY, *PLACE)):
        return None
    address = Address(**{name: told[name] or None for name in PLACE}, country="BR")
    made = Party(
        name=told["name"], document=told["document"], phone=told["phone"] or None, email=email, address=address
    )
    return made.model_dump()


def limits(told: Mapping[str, str], changed: Collection[str]) -> dict[str, int | None]:
    """The limits that change, in grams and millimetres; None: the wider policy's, at last those of packing.Limits."""
    return {name: int(told[name]) if told[name] else None for name in sorted(changed)}

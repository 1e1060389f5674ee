"""What a person approves of an account, and what a preview says of each slot. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Change(StrEnum):
    """What an approval would do to a slot, the gravest first; that is the order of a preview."""

    ZERO = "zero"  # from something to nothing
    LESS = "less"
    MORE = "more"
    UNOPENED = "unopened"  # linked to a SKU whose stock nobody counted
    UNLINKED = "unlinked"
    MARKETPLACE = "marketplace"  # fulfilled there: not our units
    SAME = "same"


UNTOUCHED: dict[str, dict[Change, str]] = {
    "pt-BR": {
        Change.UNLINKED: "Este anúncio não está ligado a nenhum SKU: nada é enviado.",
        Change.UNOPENED: "Falta a contagem inicial do estoque: nada é enviado ao canal.",
        Change.MARKETPLACE: "O marketplace guarda e envia este estoque: não sai do seu, e nada é enviado.",
    },
    "en": {
        Change.UNLINKED: "This listing is linked to no SKU: nothing is sent.",
        Change.UNOPENED: "The opening count is missing: nothing is sent to the channel.",
        Change.MARKETPLACE: "The marketplace keeps and ships this stock: it is not yours, and nothing is sent.",
    },
}
NO_ROLE: dict[str, str] = {
    "pt-BR": "Esta conta não recebe números do hub (papel no estoque: {role}).",
    "en": "This account gets no numbers from the hub (stock role: {role}).",
}


class Kind(StrEnum):
    """How a scope chooses slots."""

    ALL = "all"
    NO_DECREASE = "no-decrease"
    CATEGORY = "category"
    SKU = "sku"
    LISTING = "listing"


NAMED = (Kind.CATEGORY, Kind.SKU, Kind.LISTING)


@dataclass(frozen=True, slots=True)
class Scope:
    """Slots to approve: all, those that would not fall, or those of categories, SKU codes or listing refs."""

    kind: Kind
    names: tuple[str, ...] = ()


EVERYTHING = Scope(Kind.ALL)


def scope(told: str) -> Scope:
    """A scope as people type it: "all", "no-decrease", "category:Louça", "sku:A,B", "listing:123,456".

    ValueError says what is wrong and what there is.
    """
    word, colon, rest = told.strip().partition(":")
    ways = "all, no-decrease, category:NAME, sku:CODE[,CODE] or listing:REF[,REF]"
    try:
        kind = Kind(word.strip().casefold())
    except ValueError:
        raise ValueError(f"scope: {told!r} is none of {ways}") from None
    names = tuple(dict.fromkeys(name.strip() for name in rest.split(",") if name.strip()))
    if kind in NAMED and not names:
        raise ValueError(f"scope: {kind} names nothing: write {kind}:NAME[,NAME]")
    if kind not in NAMED and colon:
        raise ValueError(f"scope: {kind} takes no names: write {kind} alone")
    return Scope(kind, names)


def is_whole(scopes: Sequence[Scope]) -> bool:
    """Whether everything is meant, also what will be listed later."""
    return any(each.kind is Kind.ALL for each in scopes)

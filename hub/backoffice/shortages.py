"""What to do about a shortage: pure, over what was gathered; each way with its numbers, told in both languages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# ── What cancelling an order costs ──────────────────────────────────────────────────────────────────────────
# Centavos, to compare orders with each other; assumed, as no channel puts a price on a cancellation.

PENALTIES: Mapping[str, int] = {
    "marketplace": 5000,  # counts against the seller's reputation for 60 days or more
    "storefront": 500,  # one's own customer, one's own apology
    "erp": 500,
}
UNKNOWN_PENALTY = 2500
HURRY: tuple[tuple[timedelta, int], ...] = (  # (due within, cost): too near to put right in another way
    (timedelta(hours=24), 2000),
    (timedelta(hours=72), 1000),
)
REPEAT, MOST_REPEATS = 1500, 3  # a buyer who came before, at most so often
MARGIN_PERCENT = 30  # of an order whose goods have no known cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An open order that holds or lacks the SKU. `units`: what cancelling it frees or spares; `goods_cents`: what the
    goods cost, null when that is not known for all of them; `earlier`: orders of the same buyer before it.
    """

    order_id: str
    number: str
    account: str
    kind: str
    units: int
    paid: bool
    total_cents: int | None
    goods_cents: int | None
    ship_by: datetime | None
    earlier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What cancelling one order costs, in centavos, by part."""

    candidate: Candidate
    penalty: int
    margin: int
    hurry: int
    repeat: int
    assumed: bool

    @property
    def total(self) -> int:
        """All parts."""
        return self.penalty + self.margin + self.hurry + self.repeat


def cost_of(candidate: Candidate, now: datetime) -> Cost:
    """An order that nobody paid yet costs neither penalty nor margin: its buyer may still not pay."""
    total = candidate.total_cents or 0
    known = candidate.goods_cents is not None
    margin = (
        max(0, total - candidate.goods_cents) if candidate.goods_cents is not None else total * MARGIN_PERCENT // 100
    )
    left = candidate.ship_by - now if candidate.ship_by else None
    hurry = next((cost for within, cost in HURRY if left is not None and left <= within), 0)
    return Cost(
        candidate=candidate,
        penalty=PENALTIES.get(candidate.kind, UNKNOWN_PENALTY) if candidate.paid else 0,
        margin=margin if candidate.paid else 0,
        hurry=hurry,
        repeat=REPEAT * min(MOST_REPEATS, candidate.earlier),
        assumed=not known,
    )


def cheapest(candidates: Iterable[Candidate], units: int, now: datetime) -> list[Cost]:
    """The orders to cancel, cheapest first: those that free enough by themselves before those that do not."""
    costs = [cost_of(each, now) for each in candidates if each.units > 0]
    return sorted(costs, key=lambda cost: (cost.candidate.units < units, cost.total, cost.candidate.number))


# ── Ways out ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Free units in a warehouse from which this order's channel does not draw."""

    warehouse: str
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Units of a purchase order that are still to come."""

    number: str
    units: int
    expected_at: datetime | None


class Way(StrEnum):
    """A way out of a shortage, in the order in which they are offered."""

    TRANSFER = "transfer"
    INCOMING = "incoming"
    INCOMING_LATE = "incoming_late"
    INCOMING_UNDATED = "incoming_undated"
    CANCEL = "cancel"
    NO_CANCEL = "no_cancel"
    NO_SUBSTITUTE = "no_substitute"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way out with its numbers; money in centavos."""

    way: Way
    params: Mapping[str, object]


def remedies(
    units: int, ship_by: datetime | None, elsewhere: Sequence[Elsewhere], incoming: Sequence[Incoming],
    costs: Sequence[Cost],
) -> list[Remedy]:  # fmt: skip
    """The ways out, best first: what is there already, what is coming in time, what is cheapest to give up."""
    found = [
        Remedy(Way.TRANSFER, {"warehouse": each.warehouse, "units": min(units, each.free), "free": each.free})
        for each in sorted(elsewhere, key=lambda each: (-each.free, each.warehouse))
        if each.free > 0
    ]
    for each in sorted(incoming, key=lambda each: (each.expected_at is None, each.expected_at, each.number)):
        told = {"number": each.number, "units": each.units}
        if each.expected_at is None:
            found.append(Remedy(Way.INCOMING_UNDATED, told))
            continue
        in_time = ship_by is None or each.expected_at <= ship_by
        dated = {**told, "expected_at": each.expected_at}
        found.append(Remedy(Way.INCOMING if in_time else Way.INCOMING_LATE, dated))
    if costs:
        best = costs[0]
        named = {"number": best.candidate.number, "account": best.candidate.account, "units": best.candidate.units}
        parts = {"penalty": best.penalty, "margin": best.margin, "hurry": best.hurry, "repeat": best.repeat}
        found.append(Remedy(Way.CANCEL, {**named, "total": best.total, **parts, "assumed": best.assumed}))
    else:
        found.append(Remedy(Way.NO_CANCEL, {}))
    return [*found, Remedy(Way.NO_SUBSTITUTE, {})]


SENTENCES: Mapping[str, Mapping[Way, str]] = {
    "pt-BR": {
        Way.TRANSFER: "Transfira {units} un. de {warehouse}, que tem {free} livres e não atende este canal.",
        Way.INCOMING: "A compra {number} traz {units} un. em {expected_at}, dentro do prazo de despacho.",
        Way.INCOMING_LATE: "A compra {number} traz {units} un. em {expected_at}, depois do prazo de despacho: "
        "combine com o comprador.",
        Way.INCOMING_UNDATED: "A compra {number} traz {units} un., sem data prevista: peça a data ao fornecedor.",
        Way.CANCEL: "Se for preciso cancelar, o pedido {number} ({account}, libera {units} un.) custa menos, {total}: "
        "reputação {penalty}, margem {margin}{assumed}, prazo {hurry}, cliente que volta {repeat}.",
        Way.NO_CANCEL: "Nenhum pedido em aberto libera esta unidade se for cancelado.",
        Way.NO_SUBSTITUTE: "Não há produto substituto cadastrado.",
    },
    "en": {
        Way.TRANSFER: "Transfer {units} from {warehouse}, which has {free} free and does not serve this channel.",
        Way.INCOMING: "Purchase order {number} brings {units} on {expected_at}, in time to ship.",
        Way.INCOMING_LATE: "Purchase order {number} brings {units} on {expected_at}, after the time to ship: "
        "talk to the buyer.",
        Way.INCOMING_UNDATED: "Purchase order {number} brings {units}, no day given: ask the supplier for one.",
        Way.CANCEL: "If one must be cancelled, order {number} ({account}, frees {units}) costs least, {total}: "
        "reputation {penalty}, margin {margin}{assumed}, deadline {hurry}, returning buyer {repeat}.",
        Way.NO_CANCEL: "No open order frees this unit by being cancelled.",
        Way.NO_SUBSTITUTE: "No substitute product is on record.",
    },
}
_ASSUMED = {"pt-BR": " (estimada)", "en": " (assumed)"}
_MONEY = ("total", "penalty", "margin", "hurry", "repeat")


def explain(remedy: Remedy, locale: str = "pt-BR") -> str:
    """One sentence in "pt-BR" or "en"."""
    told = dict(remedy.params)
    for name in _MONEY:
        if name in told:
            told[name] = _money(int(str(told[name])), locale)
    if "assumed" in told:
        told["assumed"] = _ASSUMED[locale] if told["assumed"] else ""
    if "expected_at" in told:
        told["expected_at"] = _day(told["expected_at"], locale)
    return SENTENCES[locale][remedy.way].format(**told)


def _money(cents: int, locale: str) -> str:
    told = f"{cents / 100:,.2f}"
    return "R$ " + (told.translate(str.maketrans(",.", ".,")) if locale == "pt-BR" else told)


def _day(at: object, locale: str) -> str:
    return format(at, "%d/%m/%Y" if locale == "pt-BR" else "%Y-%m-%d") if isinstance(at, datetime) else "—"

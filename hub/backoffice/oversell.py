"""Why a unit was sold that was not there: pure, over what was gathered; told in words of both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Cause(StrEnum):
    """What let a channel sell a unit that was gone, the first that fits."""

    COUNT_LOWERED = "count_lowered"  # the unit was promised, then a count or correction took it away
    UNLINKED = "unlinked"  # the listing had no SKU: the hub told it nothing
    RETURN_CANCELLED = "return_cancelled"  # units that had come back, or a cancelled order, went out again
    EXTERNAL_EDIT = "external_edit"  # somebody raised the number on the channel itself
    HELD_ACCOUNT = "held_account"  # the hub could not, or was told not to, talk to the channel
    BRAKED = "braked"  # the zero waited for a person
    THROTTLED = "throttled"  # the channel asked to wait
    PUSH_FAILED = "push_failed"  # the write was refused or lost
    RACE = "race"  # sold before the channel could be told
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An order's part in it: units of the SKU, when the buyer bought and when the hub heard."""

    order: str
    account: str
    units: int
    placed_at: datetime | None
    heard_at: datetime

    @property
    def at(self) -> datetime:
        """When it happened, as far as it is told."""
        return self.placed_at or self.heard_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowering:
    """A ledger entry that took units away without an order."""

    at: datetime
    reason: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A write to the selling channel since the unit was gone. `fault`: why it got no answer, one of the six."""

    sent_at: datetime
    answered_at: datetime
    quantity: int
    outcome: str
    code: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was gathered about one shortage.

    `shown`: what the channel showed when it sold, null when that is not known. `taker`: the sale before that took the
    last unit. `pushes`: writes to the selling slot since the unit was gone, oldest first. `held`, `parked`: what kept
    it from being told then. `even`: the channel shows by itself what it should, and needs no write.
    """

    sku: str
    sold: Sale
    opened_at: datetime
    shown: int | None = None
    shown_at: datetime | None = None
    taker: Sale | None = None
    lowered: Lowering | None = None
    pushes: tuple[Push, ...] = ()
    unlinked_at: datetime | None = None
    edited_at: datetime | None = None
    edited_to: int | None = None
    returned_at: datetime | None = None
    held: str | None = None
    braked: bool = False
    parked: str | None = None
    even: bool = False

    @property
    def gone_at(self) -> datetime | None:
        """When the hub knew that the last unit was gone."""
        known = [each for each in (self.taker and self.taker.heard_at, self.lowered and self.lowered.at) if each]
        return max(known, default=None)

    @property
    def told(self) -> Push | None:
        """The first write since then that the channel took."""
        return next((push for push in self.pushes if push.outcome == "accepted"), None)

    @property
    def failed(self) -> Push | None:
        """The first write since then that it did not take, before it was told."""
        until = self.told.sent_at if self.told else None
        bad = (p for p in self.pushes if p.outcome not in ("accepted", "pending") and (not until or p.sent_at < until))
        return next(bad, None)


def cause_of(found: Evidence) -> Cause:
    """The cause; what the hub was kept from doing goes before what it did too late."""
    lowered, failed, told = found.lowered, found.failed, found.told
    if lowered and found.sold.heard_at < lowered.at:
        return Cause.COUNT_LOWERED
    if found.unlinked_at is not None:
        return Cause.UNLINKED
    if found.returned_at is not None:
        return Cause.RETURN_CANCELLED
    if found.edited_at is not None:
        return Cause.EXTERNAL_EDIT
    if found.held is not None:
        return Cause.HELD_ACCOUNT
    if found.braked:
        return Cause.BRAKED
    if failed is not None or (found.parked is not None and told is None):
        return Cause.THROTTLED if failed is not None and failed.fault == "throttled" else Cause.PUSH_FAILED
    if lowered and lowered.at == found.gone_at:
        return Cause.COUNT_LOWERED
    if found.taker is not None and (told is None or found.sold.at <= told.answered_at + WHOLE):
        return Cause.RACE
    return Cause.UNEXPLAINED


WHOLE = timedelta(seconds=1)  # channels tell times in whole seconds
LONGEST = timedelta(hours=1)  # a channel that is not told by then does not change the cause any more
_OF_PEOPLE = (Cause.COUNT_LOWERED, Cause.UNLINKED, Cause.RETURN_CANCELLED, Cause.EXTERNAL_EDIT)


def next_look(found: Evidence, now: datetime) -> datetime | None:
    """When to gather again: until the channel is told, soon at first, then each minute; null when it is settled."""
    age = now - found.opened_at
    if found.told is not None or found.even or cause_of(found) in _OF_PEOPLE or age > LONGEST:
        return None
    return now + (timedelta(seconds=5) if age < timedelta(minutes=1) else timedelta(minutes=1))


# ── In words ────────────────────────────────────────────────────────────────────────────────────────────────

NAMES: Mapping[str, Mapping[Cause, str]] = {
    "pt-BR": {
        Cause.COUNT_LOWERED: "contagem ou ajuste baixou o estoque",
        Cause.UNLINKED: "anúncio sem vínculo",
        Cause.RETURN_CANCELLED: "devolução ou cancelamento desfeito",
        Cause.EXTERNAL_EDIT: "número alterado no canal",
        Cause.HELD_ACCOUNT: "conta parada",
        Cause.BRAKED: "freio de zeros",
        Cause.THROTTLED: "canal pediu para esperar",
        Cause.PUSH_FAILED: "escrita recusada ou perdida",
        Cause.RACE: "vendido antes do aviso",
        Cause.UNEXPLAINED: "sem explicação",
    },
    "en": {
        Cause.COUNT_LOWERED: "a count or correction lowered the stock",
        Cause.UNLINKED: "listing without a link",
        Cause.RETURN_CANCELLED: "return or cancellation undone",
        Cause.EXTERNAL_EDIT: "number changed on the channel",
        Cause.HELD_ACCOUNT: "account on hold",
        Cause.BRAKED: "brake on zeros",
        Cause.THROTTLED: "the channel asked to wait",
        Cause.PUSH_FAILED: "write refused or lost",
        Cause.RACE: "sold before it was told",
        Cause.UNEXPLAINED: "unexplained",
    },
}
SENTENCES: Mapping[str, Mapping[str, str]] = {
    "pt-BR": {
        "sold": "{account} vendeu {units} un. de {sku} no pedido {order} e o hub soube {heard} depois.",
        "shown": "O canal mostrava {shown}, que lhe foi dito {ago} antes da venda.",
        "shown_unknown": "O que o canal mostrava na hora da venda não ficou registrado.",
        "taker": "A última unidade tinha saído no pedido {order} de {account}, {gap} {side} da venda; "
        "o hub soube {heard} depois.",
        "lowered": "O estoque foi baixado em {units} un. ({reason}) {gap} {side} da venda.",
        "told": "O canal foi avisado ({quantity}) {lag} depois: enviado {sent} depois que o hub soube, respondido em "
        "{answered}.",
        "even": "O canal chegou sozinho ao número certo: não foi preciso avisá-lo.",
        "untold": "O canal ainda não foi avisado.",
        "failed": "A escrita de {quantity} falhou: {code}.",
        "count_lowered": "O pedido já era conhecido quando o estoque foi baixado: a unidade contada não existia.",
        "unlinked": "O anúncio não tinha SKU: o hub não lhe dizia nada.",
        "return_cancelled": "Unidades que tinham voltado (devolução ou cancelamento) foram tiradas outra vez.",
        "external_edit": "O número foi alterado no próprio canal para {edited}.",
        "held_account": "A conta não podia ser escrita: {held}.",
        "braked": "O zero esperava que alguém o conferisse (freio de zeros).",
        "throttled": "O canal pediu para esperar e o aviso saiu tarde.",
        "push_failed": "O aviso não chegou ao canal{parked}.",
        "race": "Vendido dentro do tempo de propagação: {race}.",
        "unexplained": "Nada do que foi registrado explica esta venda.",
        "before": "antes",
        "after": "depois",
    },
    "en": {
        "sold": "{account} sold {units} of {sku} in order {order}, and the hub heard {heard} later.",
        "shown": "The channel showed {shown}, told to it {ago} before the sale.",
        "shown_unknown": "What the channel showed at the time of the sale is not on record.",
        "taker": "The last unit had gone in order {order} of {account}, {gap} {side} the sale; the hub heard {heard} "
        "later.",
        "lowered": "The stock was lowered by {units} ({reason}) {gap} {side} the sale.",
        "told": "The channel was told ({quantity}) {lag} later: sent {sent} after the hub knew, answered in "
        "{answered}.",
        "even": "The channel came to the right number by itself: it need not be told.",
        "untold": "The channel has not been told yet.",
        "failed": "The write of {quantity} failed: {code}.",
        "count_lowered": "The order was known when the stock was lowered: the unit that was counted was not there.",
        "unlinked": "The listing had no SKU: the hub told it nothing.",
        "return_cancelled": "Units that had come back (a return or a cancellation) were taken out again.",
        "external_edit": "The number was changed on the channel itself, to {edited}.",
        "held_account": "The account could not be written to: {held}.",
        "braked": "The zero waited for somebody to look at it (brake on zeros).",
        "throttled": "The channel asked to wait, and the word went out late.",
        "push_failed": "The word did not reach the channel{parked}.",
        "race": "Sold within the propagation lag: {race}.",
        "unexplained": "Nothing on record explains this sale.",
        "before": "before",
        "after": "after",
    },
}
REASONS: Mapping[str, Mapping[str, str]] = {
    "pt-BR": {"count": "contagem", "adjustment": "ajuste", "transfer": "transferência", "undo": "estorno"},
    "en": {"count": "count", "adjustment": "adjustment", "transfer": "transfer", "undo": "undo"},
}


def explain(found: Evidence, locale: str = "pt-BR") -> list[str]:
    """What happened, in order, and the verdict last; "pt-BR" or "en"."""
    say, sold, told = SENTENCES[locale], found.sold, found.told
    heard = _span(sold.heard_at - sold.at, locale)
    lines = [
        say["sold"].format(account=sold.account, units=sold.units, sku=found.sku, order=sold.order, heard=heard),
        say["shown_unknown"]
        if found.shown is None or found.shown_at is None
        else say["shown"].format(shown=found.shown, ago=_span(sold.at - found.shown_at, locale)),
    ]
    if found.taker is not None:
        took = found.taker
        lines.append(
            say["taker"].format(
                order=took.order, account=took.account, gap=_span(abs(sold.at - took.at), locale),
                side=say["before" if took.at <= sold.at else "after"], heard=_span(took.heard_at - took.at, locale),
            )
        )  # fmt: skip
    if found.lowered is not None and found.lowered.at == found.gone_at:
        low = found.lowered
        lines.append(
            say["lowered"].format(
                units=low.units, reason=REASONS[locale].get(low.reason, low.reason),
                gap=_span(abs(sold.at - low.at), locale), side=say["before" if low.at <= sold.at else "after"],
            )
        )  # fmt: skip
    if found.failed is not None:
        code = found.failed.code or found.failed.outcome
        lines.append(say["failed"].format(quantity=found.failed.quantity, code=code))
    lines += _telling(found, told, locale)
    lines.append(_verdict(found, locale))
    return lines


def _telling(found: Evidence, told: Push | None, locale: str) -> list[str]:
    say = SENTENCES[locale]
    if told is None or found.gone_at is None:
        return [say["even"]] if found.even else [say["untold"]] if found.gone_at else []
    began = found.taker.at if found.taker and found.gone_at == found.taker.heard_at else found.gone_at
    return [
        say["told"].format(
            quantity=told.quantity, lag=_span(told.answered_at - began, locale),
            sent=_span(told.sent_at - found.gone_at, locale), answered=_span(told.answered_at - told.sent_at, locale),
        )
    ]  # fmt: skip


def _verdict(found: Evidence, locale: str) -> str:
    race = seconds(found)
    return SENTENCES[locale][cause_of(found)].format(
        edited=found.edited_to, held=found.held, parked=f" ({found.parked})" if found.parked else "",
        race="—" if race is None else _span(timedelta(seconds=race), locale),
    )  # fmt: skip


def seconds(found: Evidence) -> float | None:
    """Seconds from the sale that took the last unit to the sale that came too late; null without the former."""
    return None if found.taker is None else abs((found.sold.at - found.taker.at).total_seconds())


def _span(span: timedelta, locale: str) -> str:
    total = max(0.0, span.total_seconds())
    if total < 120:  # noqa: PLR2004 - two minutes
        told = f"{total:.1f} s"
        return told.replace(".", ",") if locale == "pt-BR" else told
    if total < 7200:  # noqa: PLR2004 - two hours
        return f"{total / 60:.0f} min"
    return f"{total / 3600:.0f} h"

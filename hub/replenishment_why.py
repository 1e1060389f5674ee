"""Why this much: each number of a replenishment suggestion as a step with its words, in pt-BR and English. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo

from hub.demand import Doubt, Handling
from hub.replenishment import RANGE, LeadSource, Plan, Position, Verdict

ZONE = ZoneInfo("America/Sao_Paulo")
Param: TypeAlias = int | float | str | datetime


class StepKind(StrEnum):
    """A step on the way to a suggestion."""

    DEMAND = "demand"
    CUT = "cut"
    MARKETPLACE = "marketplace"
    LEAD = "lead"
    SAFETY = "safety"
    SAFETY_GIVEN = "safety_given"
    REORDER = "reorder"
    REORDER_GIVEN = "reorder_given"
    POSITION = "position"
    OVERDUE = "overdue"
    ENOUGH = "enough"
    LOW = "low"
    TARGET = "target"
    TARGET_COVER = "target_cover"
    ROUNDED = "rounded"
    STOCKOUT = "stockout"
    NO_STOCKOUT = "no_stockout"
    URGENT = "urgent"
    DOUBT = "doubt"


SENTENCES: dict[str, dict[StepKind, str]] = {
    "pt-BR": {
        StepKind.DEMAND: "Demanda: {per_day} por dia, com desvio de {deviation} ({handling}): {units} vendidas em "
        "{known} dias, dos quais {days} com estoque.",
        StepKind.CUT: "Dias fora do comum contam no máximo {fence} unidades: {cut} ficaram de fora da conta.",
        StepKind.MARKETPLACE: "Contadas à parte: {units} vendidas e enviadas pelo marketplace do estoque dele.",
        StepKind.LEAD: "Prazo de reposição: {lead} dias, com desvio de {deviation} ({source}).",
        StepKind.SAFETY: "Estoque de segurança: {safety}, para atender {level} dos ciclos sem faltar.",
        StepKind.SAFETY_GIVEN: "Estoque de segurança: {safety}, definido por você.",
        StepKind.REORDER: "Ponto de pedido: {per_day} × {lead} dias + segurança = {reorder}.",
        StepKind.REORDER_GIVEN: "Ponto de pedido: {reorder}, definido por você.",
        StepKind.POSITION: "Posição: em mãos {on_hand} − reservado {reserved} − em falta {short} + a caminho "
        "{coming} = {position}.",
        StepKind.OVERDUE: "A caminho e atrasadas: {units}. Contam na posição, mas não na data prevista.",
        StepKind.ENOUGH: "A posição está acima do ponto de pedido: nada a comprar agora.",
        StepKind.LOW: "A posição chegou ao ponto de pedido ({reorder}): é hora de comprar.",
        StepKind.TARGET: "Nível desejado: ponto de pedido + {review} dias de venda = {target}; faltam {missing}.",
        StepKind.TARGET_COVER: "Nível desejado: {cover} dias de venda = {target}; faltam {missing}.",
        StepKind.ROUNDED: "Sugestão: comprar {quantity} (mínimo {minimum}, em múltiplos de {multiple}).",
        StepKind.STOCKOUT: "O estoque deve acabar em {at}; em {share} dos casos, entre {early} e {late}.",
        StepKind.NO_STOCKOUT: "Não há data prevista para o estoque acabar.",
        StepKind.URGENT: "Urgente: um pedido feito agora só chega em {receipt}.",
        StepKind.DOUBT: "Pouca confiança: {doubt}.",
    },
    "en": {
        StepKind.DEMAND: "Demand: {per_day} a day, deviation {deviation} ({handling}): {units} sold in {known} days, "
        "of which {days} had stock.",
        StepKind.CUT: "Days that stand out count as {fence} units at most: {cut} are left out.",
        StepKind.MARKETPLACE: "Counted apart: {units} sold and shipped by the marketplace from its own stock.",
        StepKind.LEAD: "Lead time: {lead} days, deviation {deviation} ({source}).",
        StepKind.SAFETY: "Safety stock: {safety}, so that {level} of cycles never run out.",
        StepKind.SAFETY_GIVEN: "Safety stock: {safety}, set by you.",
        StepKind.REORDER: "Reorder point: {per_day} × {lead} days + safety = {reorder}.",
        StepKind.REORDER_GIVEN: "Reorder point: {reorder}, set by you.",
        StepKind.POSITION: "Position: on hand {on_hand} − reserved {reserved} − short {short} + incoming {coming} "
        "= {position}.",
        StepKind.OVERDUE: "Incoming and overdue: {units}. They count in the position, not in the predicted date.",
        StepKind.ENOUGH: "The position is above the reorder point: nothing to buy now.",
        StepKind.LOW: "The position has reached the reorder point ({reorder}): it is time to buy.",
        StepKind.TARGET: "Target level: reorder point + {review} days of sales = {target}; {missing} are missing.",
        StepKind.TARGET_COVER: "Target level: {cover} days of sales = {target}; {missing} are missing.",
        StepKind.ROUNDED: "Suggestion: buy {quantity} (minimum {minimum}, in multiples of {multiple}).",
        StepKind.STOCKOUT: "Stock should run out on {at}; in {share} of cases between {early} and {late}.",
        StepKind.NO_STOCKOUT: "There is no date on which stock should run out.",
        StepKind.URGENT: "Urgent: an order placed now arrives on {receipt} at the earliest.",
        StepKind.DOUBT: "Low confidence: {doubt}.",
    },
}
WORDS: dict[str, dict[str, str]] = {
    "pt-BR": {
        Handling.WINSORISED: "média com picos aparados",
        Handling.MEDIAN: "semana mediana",
        Handling.MEAN: "média simples",
        LeadSource.MEASURED_SKU: "medido nos recebimentos deste SKU",
        LeadSource.MEASURED_SUPPLIER: "medido nos recebimentos do fornecedor",
        LeadSource.SKU: "definido no SKU",
        LeadSource.SUPPLIER: "definido no fornecedor",
        LeadSource.DEFAULT: "padrão da loja",
        Doubt.NEW: "o SKU tem poucos dias de história",
        Doubt.MOSTLY_OUT: "houve estoque em poucos dias",
        Doubt.FEW_SALES: "houve venda em poucos dias",
        Doubt.UNSTOCKED: "vendeu quase sempre sem estoque registrado, e por isso todo dia conta",
    },
    "en": {
        Handling.WINSORISED: "mean with peaks trimmed",
        Handling.MEDIAN: "median week",
        Handling.MEAN: "plain mean",
        LeadSource.MEASURED_SKU: "measured on this SKU's receipts",
        LeadSource.MEASURED_SUPPLIER: "measured on the supplier's receipts",
        LeadSource.SKU: "set for the SKU",
        LeadSource.SUPPLIER: "set for the supplier",
        LeadSource.DEFAULT: "the shop's default",
        Doubt.NEW: "the SKU has a history of a few days only",
        Doubt.MOSTLY_OUT: "there was stock on a few days only",
        Doubt.FEW_SALES: "it sold on a few days only",
        Doubt.UNSTOCKED: "it mostly sold with no stock on record, so that every day counts",
    },
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step with its numbers."""

    kind: StepKind
    params: Mapping[str, Param] = field(default_factory=dict)

    def explain(self, locale: str = "pt-BR") -> str:
        """One sentence in "pt-BR" or "en"."""
        return SENTENCES[locale][self.kind].format(**{name: _word(told, locale) for name, told in self.params.items()})


def _word(told: Param, locale: str) -> str:
    if isinstance(told, datetime):
        return told.astimezone(ZONE).strftime("%d/%m/%Y" if locale == "pt-BR" else "%Y-%m-%d")
    if isinstance(told, float):
        text = f"{told:.2f}".rstrip("0").rstrip(".")
        return text.replace(".", ",") if locale == "pt-BR" else text
    return WORDS[locale].get(told, told) if isinstance(told, str) else str(told)


@dataclass(frozen=True, slots=True)
class Answer:
    """How much to buy and the steps that lead there."""

    quantity: int
    steps: tuple[Step, ...]

    def explain(self, locale: str = "pt-BR") -> tuple[str, ...]:
        """One sentence per step."""
        return tuple(step.explain(locale) for step in self.steps)


def suggestion(plan: Plan, position: Position, verdict: Verdict, marketplace_units: int = 0) -> Answer:
    """What to buy and why. `marketplace_units`: sold in the same days out of a marketplace's own stock."""
    steps = [*_demand_steps(plan, marketplace_units), *_level_steps(plan), *_position_steps(position, verdict)]
    steps += _order_steps(plan, verdict) if verdict.needed else [Step(StepKind.ENOUGH)]
    steps += _stockout_steps(verdict)
    return Answer(verdict.quantity, tuple(steps))


def _demand_steps(plan: Plan, marketplace_units: int) -> list[Step]:
    demand = plan.demand
    seen: dict[str, Param] = {"units": demand.units, "known": demand.known_days, "days": round(demand.days, 1)}
    rate: dict[str, Param] = {"per_day": demand.per_day, "deviation": demand.deviation, "handling": demand.handling}
    steps = [Step(StepKind.DEMAND, {**rate, **seen})]
    if demand.doubt:
        steps.append(Step(StepKind.DOUBT, {"doubt": demand.doubt}))
    if demand.fence is not None:
        steps.append(Step(StepKind.CUT, {"fence": float(demand.fence), "cut": float(demand.cut)}))
    if marketplace_units:
        steps.append(Step(StepKind.MARKETPLACE, {"units": marketplace_units}))
    return steps


def _level_steps(plan: Plan) -> list[Step]:
    lead: dict[str, Param] = {"lead": plan.lead.days, "deviation": plan.lead.deviation, "source": plan.lead.source}
    given = plan.rules.safety_stock is not None
    level = f"{plan.rules.service_level * 100:g}%"
    safety = (
        Step(StepKind.SAFETY_GIVEN, {"safety": plan.safety})
        if given
        else Step(StepKind.SAFETY, {"safety": plan.safety, "level": level})
    )
    reorder = (
        Step(StepKind.REORDER, {"per_day": plan.demand.per_day, "lead": plan.lead.days, "reorder": plan.reorder})
        if plan.rules.reorder_point is None
        else Step(StepKind.REORDER_GIVEN, {"reorder": plan.reorder})
    )
    return [Step(StepKind.LEAD, lead), safety, reorder]


def _position_steps(position: Position, verdict: Verdict) -> list[Step]:
    parts: dict[str, Param] = {"on_hand": position.on_hand, "reserved": position.reserved, "short": position.short}
    steps = [Step(StepKind.POSITION, {**parts, "coming": position.coming, "position": verdict.position})]
    if verdict.overdue:
        steps.append(Step(StepKind.OVERDUE, {"units": verdict.overdue}))
    return steps


def _order_steps(plan: Plan, verdict: Verdict) -> list[Step]:
    level: dict[str, Param] = {"target": plan.target, "missing": max(0, plan.target - verdict.position)}
    rules = plan.rules
    target = (
        Step(StepKind.TARGET, {"review": rules.review_days, **level})
        if rules.cover_days is None
        else Step(StepKind.TARGET_COVER, {"cover": rules.cover_days, **level})
    )
    sizes: dict[str, Param] = {"minimum": rules.minimum, "multiple": rules.multiple}
    return [
        Step(StepKind.LOW, {"reorder": plan.reorder}),
        target,
        Step(StepKind.ROUNDED, {"quantity": verdict.quantity, **sizes}),
    ]


def _stockout_steps(verdict: Verdict) -> list[Step]:
    told = verdict.stockout
    steps = [Step(StepKind.NO_STOCKOUT)]
    if told.at is not None:
        dates: dict[str, Param] = {"at": told.at, "early": told.early or told.at, "late": told.late or "…"}
        steps = [Step(StepKind.STOCKOUT, {**dates, "share": f"{RANGE * 100:g}%"})]
    if verdict.urgent:
        steps.append(Step(StepKind.URGENT, {"receipt": verdict.receipt}))
    return steps

"""Why a slot shows its number: the steps that lead there, in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID


class StepKind(StrEnum):
    """A step on the way to a slot's number."""

    UNOPENED = "unopened"
    WAREHOUSE = "warehouse"
    KIT_IN_WAREHOUSE = "kit_in_warehouse"
    COMPONENT = "component"
    TOGETHER = "together"
    ONE_PARCEL = "one_parcel"
    UNITS = "units"
    PERCENT = "percent"
    LEAST = "least"
    MOST = "most"
    AUTO = "auto"
    AUTO_UNMEASURED = "auto_unmeasured"
    BUFFER_OVER = "buffer_over"
    POOL_OWN = "pool_own"
    POOL_OTHER = "pool_other"
    WAREHOUSE_APART = "warehouse_apart"
    OWN_RESERVED = "own_reserved"
    SHOWN = "shown"
    SHOWN_PHYSICAL = "shown_physical"


Param: TypeAlias = int | float | str | UUID

SENTENCES: dict[str, dict[StepKind, str]] = {
    "pt-BR": {
        StepKind.UNOPENED: "Falta a contagem inicial do estoque: nada é enviado ao canal.",
        StepKind.WAREHOUSE: "{warehouse}: estoque {on_hand}, reservado {reserved}, livre {free}.",
        StepKind.KIT_IN_WAREHOUSE: "{warehouse}: limita {sku}, livre {free}, por venda {each}: dá {makes}.",
        StepKind.COMPONENT: "{sku}: livre nos depósitos {free}, por venda {each}: dá {makes}.",
        StepKind.TOGETHER: "Depósitos juntos: {left}.",
        StepKind.ONE_PARCEL: "Uma venda sai de um só depósito: vale o que tem mais, {left}.",
        StepKind.UNITS: "Margem de segurança ({source}) de {value}: resta {left}.",
        StepKind.PERCENT: "Margem de segurança ({source}) de {value}%, ou seja {held}: resta {left}.",
        StepKind.LEAST: "Abaixo de {value} ({source}) mostra-se zero: resta {left}.",
        StepKind.MOST: "No máximo {value} à mostra ({source}): resta {left}.",
        StepKind.AUTO: "Margem automática ({source}) de {value}: outros canais vendem {per_hour} por hora e este leva "
        "{lag} s para ser avisado, vezes {factor}: resta {left}.",
        StepKind.AUTO_UNMEASURED: "Margem automática ({source}): ainda sem medição, nada é retido: resta {left}.",
        StepKind.BUFFER_OVER: "A margem ({source}) de {value} só vale acima de {until} livres, e há {left}: não conta.",
        StepKind.POOL_OWN: "{sku}: cota separada para este canal ({source}) de {value}, já vendidas {sold}: "
        "só ele mostra as {held} que restam.",
        StepKind.POOL_OTHER: "{sku}: {held} separadas para {account} ({source}), cota de {value}, já vendidas {sold}.",
        StepKind.WAREHOUSE_APART: "{warehouse}: estoque {on_hand}, reservado {reserved}, separado {apart}, "
        "livre {free}.",
        StepKind.OWN_RESERVED: "O canal desconta sozinho o que reservou, {value}, que se soma: dá {left}.",
        StepKind.SHOWN: "Disponível neste anúncio: {left}.",
        StepKind.SHOWN_PHYSICAL: "Estoque físico informado ao canal: {left}.",
    },
    "en": {
        StepKind.UNOPENED: "The opening count is missing: nothing is sent to the channel.",
        StepKind.WAREHOUSE: "{warehouse}: on hand {on_hand}, reserved {reserved}, free {free}.",
        StepKind.KIT_IN_WAREHOUSE: "{warehouse}: limited by {sku}, free {free}, per sale {each}: {makes}.",
        StepKind.COMPONENT: "{sku}: free in the warehouses {free}, per sale {each}: makes {makes}.",
        StepKind.TOGETHER: "Warehouses together: {left}.",
        StepKind.ONE_PARCEL: "One sale leaves from one warehouse: the one with most counts, {left}.",
        StepKind.UNITS: "Safety buffer ({source}) of {value}: leaves {left}.",
        StepKind.PERCENT: "Safety buffer ({source}) of {value}%, which is {held}: leaves {left}.",
        StepKind.LEAST: "Below {value} ({source}) zero is shown: leaves {left}.",
        StepKind.MOST: "At most {value} on show ({source}): leaves {left}.",
        StepKind.AUTO: "Automatic buffer ({source}) of {value}: other channels sell {per_hour} an hour and this one is "
        "told after {lag} s, times {factor}: leaves {left}.",
        StepKind.AUTO_UNMEASURED: "Automatic buffer ({source}): not measured yet, nothing is held: leaves {left}.",
        StepKind.BUFFER_OVER: "The buffer ({source}) of {value} holds only above {until} free, and there are {left}: "
        "it does not count.",
        StepKind.POOL_OWN: "{sku}: pool set apart for this channel ({source}) of {value}, {sold} sold: "
        "it alone shows the {held} left.",
        StepKind.POOL_OTHER: "{sku}: {held} set apart for {account} ({source}), a pool of {value}, {sold} sold.",
        StepKind.WAREHOUSE_APART: "{warehouse}: on hand {on_hand}, reserved {reserved}, set apart {apart}, "
        "free {free}.",
        StepKind.OWN_RESERVED: "The channel itself subtracts what it reserved, {value}, so add it: {left}.",
        StepKind.SHOWN: "Available on this listing: {left}.",
        StepKind.SHOWN_PHYSICAL: "Physical stock told to the channel: {left}.",
    },
}
SOURCES: dict[str, dict[str, str]] = {
    "pt-BR": {
        "listing": "anúncio",
        "sku_here": "produto neste canal",
        "sku": "produto",
        "category_here": "categoria neste canal",
        "category": "categoria",
        "channel": "canal",
    },
    "en": {
        "listing": "listing",
        "sku_here": "product in this channel",
        "sku": "product",
        "category_here": "category in this channel",
        "category": "category",
        "channel": "channel",
    },
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step with its numbers; `params["left"]` is what is left after it, where it leaves a number."""

    kind: StepKind
    params: Mapping[str, Param] = field(default_factory=dict)

    def explain(self, locale: str = "pt-BR", names: Mapping[UUID, str] | None = None) -> str:
        """One sentence in "pt-BR" or "en"; `names` are those of SKUs and warehouses by id."""
        words = {name: _word(value, names or {}, locale) for name, value in self.params.items()}
        if "source" in words:
            words["source"] = SOURCES[locale][words["source"]]
        return SENTENCES[locale][self.kind].format(**words)


def _word(value: Param, names: Mapping[UUID, str], locale: str) -> str:
    if isinstance(value, float):
        told = f"{value:.2f}".rstrip("0").rstrip(".")
        return told.replace(".", ",") if locale == "pt-BR" else told
    return names.get(value, str(value)) if isinstance(value, UUID) else str(value)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a slot shows (null: nothing is sent, which is not zero) and the steps that lead there."""

    quantity: int | None
    steps: tuple[Step, ...]

    def explain(self, locale: str = "pt-BR", names: Mapping[UUID, str] | None = None) -> tuple[str, ...]:
        """One sentence per step."""
        return tuple(step.explain(locale, names) for step in self.steps)

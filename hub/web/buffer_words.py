"""What buffers are called and how each kind works: tables, and the sentence of a rule."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.web.i18n import N_, Language
from hub.web.words import Chip

KIND = {
    "units": (N_("Segurar unidades"), N_("O canal mostra tantas a menos. Para o que some da prateleira ou quebra.")),
    "percent": (N_("Segurar uma parte"), N_("O canal mostra tantos por cento a menos, arredondado para cima.")),
    "auto": (
        N_("Segurar conforme a venda"),
        N_("O hub mede quanto os outros canais vendem enquanto este não é avisado, e segura isso: velocidade × atraso "
           "× fator (100 = o que foi medido, 200 = o dobro). Medido de novo a cada 5 minutos."),
    ),
    "least": (N_("Abaixo de tantas, zero"), N_("Com menos do que isso, o canal mostra zero: a última não se vende.")),
    "most": (N_("Mostrar no máximo"), N_("O canal nunca mostra mais do que isso, ainda que haja mais.")),
    "fixed_pool": (
        N_("Cota só deste canal"),
        N_("Tantas unidades ficam separadas: só este canal as mostra, e ele não mostra outras. As vendas dele gastam a "
           "cota."),
    ),
}  # fmt: skip
SCOPE = {
    "channel": N_("Um canal inteiro"),
    "category": N_("Uma categoria"),
    "sku": N_("Um SKU"),
    "listing": N_("Um anúncio"),
}
SOURCE = {  # the most particular first: that one counts
    "listing": N_("Anúncio"),
    "sku_here": N_("SKU neste canal"),
    "sku": N_("SKU em todos os canais"),
    "category_here": N_("Categoria neste canal"),
    "category": N_("Categoria em todos os canais"),
    "channel": N_("Canal inteiro"),
}
STATE: dict[str, Chip] = {
    "on": ("ok", N_("em vigor")),
    "waits": ("wait", N_("ainda não começou")),
    "over": ("mute", N_("já terminou")),
}
FIELD_OF = {  # the kind of a refusal -> the form's field
    "buffer_value": "valor", "buffer_percent": "valor", "buffer_pool": "conta", "buffer_cap_kind": "teto",
    "buffer_cap": "teto", "buffer_until": "acima", "buffer_ended": "termina", "buffer_order": "termina",
    "buffer_sku": "sku", "buffer_kit": "sku", "buffer_category": "categoria", "buffer_listing_kit": "anuncio",
}  # fmt: skip
_DOES = {
    "units": N_("segura %(value)s un."),
    "percent": N_("segura %(value)s%%"),
    "auto": N_("segura conforme a venda, fator %(value)s%%"),
    "least": N_("com menos de %(value)s, zero"),
    "most": N_("mostra no máximo %(value)s"),
    "fixed_pool": N_("separa %(value)s un. só para este canal"),
}


def does(language: Language, row: Mapping[str, Any]) -> str:
    """What a rule does, in a few words."""
    tr, number = language.gettext, language.number
    told = [tr(_DOES[row["kind"]], value=number(row["value"]))]
    if row["cap"] is not None:
        told.append(tr(N_("até %(cap)s un."), cap=number(row["cap"])))
    if row["kind"] == "auto":
        told.append(
            tr(N_("ainda sem medição")) if row["measured"] is None
            else tr(N_("hoje no máximo %(held)s un."), held=number(row["measured"]))
        )  # fmt: skip
    if row["until_stock"] is not None:
        told.append(tr(N_("só com mais de %(until)s livres"), until=number(row["until_stock"])))
    return ", ".join(told)


def state(row: Mapping[str, Any], now: datetime) -> str:
    """The key in STATE."""
    if row["starts_at"] and row["starts_at"] > now:
        return "waits"
    return "over" if row["ends_at"] and row["ends_at"] <= now else "on"

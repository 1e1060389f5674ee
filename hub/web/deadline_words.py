"""What alerts about deadlines say, with their evidence."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub import deadlines
from hub.web.i18n import N_, NOTHING, Language

SHIP: dict[str, str] = {
    "ship_by_4h": N_("Pedido %(order)s (%(account)s): despachar até %(ship_by)s, faltam menos de 4 horas."),
    "ship_by_1h": N_("Pedido %(order)s (%(account)s): despachar até %(ship_by)s, falta menos de 1 hora."),
    "ship_late": N_("Pedido %(order)s (%(account)s): o prazo de despacho passou em %(ship_by)s."),
}
ALERT: dict[str, str] = {
    **SHIP,
    deadlines.LATE: N_("Envio %(code)s (pedido %(order)s) passou da promessa de %(promised)s. %(evidence)s"),
    deadlines.STUCK: N_("Envio %(code)s (pedido %(order)s) está parado há %(days)s dias. %(evidence)s"),
    deadlines.LOST: N_("Envio %(code)s (pedido %(order)s): provável extravio, %(days)s dias sem leitura. %(evidence)s"),
    deadlines.PICKUP: N_("Envio %(code)s (pedido %(order)s) espera retirada até %(until)s%(assumed)s. %(evidence)s"),
    deadlines.LAST_DAYS: N_(
        "Envio %(code)s (pedido %(order)s): últimos dias para retirar, até %(until)s%(assumed)s. %(evidence)s"
    ),
    deadlines.RETURNED: N_("Envio %(code)s (pedido %(order)s) voltou: confira o que veio. %(evidence)s"),
}
EVIDENCE = N_("Última leitura: %(status)s, %(last_at)s%(where)s.")
UNSEEN = N_("Nenhuma leitura até agora.")
ASSUMED = N_(" (estimado)")


def sentence(language: Language, row: Mapping[str, Any], status: str) -> str:
    """An alert about a deadline in a sentence or two; `status`: the parcel's, in the reader's words."""
    told = row["params"]
    until = _at(told.get("until"))
    shown = {
        **{name: told.get(name) or NOTHING for name in ("order", "account", "code")},
        "days": NOTHING if told.get("days") is None else told["days"],
        "ship_by": language.moment(_at(told.get("ship_by"))),
        "promised": language.day(_at(told.get("promised"))),
        "until": language.day(until - deadlines.DAY if until else None),  # it ends with that day
        "assumed": language.gettext(ASSUMED) if told.get("assumed") else "",
        "evidence": _evidence(language, told, status),
    }
    words = ALERT[str(row["kind"])]
    return language.gettext(words) % shown


def _evidence(language: Language, told: Mapping[str, Any], status: str) -> str:
    last_at = _at(told.get("last_at"))
    if last_at is None:
        return language.gettext(UNSEEN)
    where = f", {told['where']}" if told.get("where") else ""
    return language.gettext(EVIDENCE, status=status, last_at=language.moment(last_at), where=where)


def _at(told: object) -> datetime | None:
    return datetime.fromisoformat(str(told)) if told else None

"""What alerts about deadlines say, with their evidence."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub import deadlines
from hub.web.i18n import N_, NN_, NOTHING, Language

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
# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────

STAGE: dict[int, tuple[str, str]] = {
    0: ("mute", N_("no prazo")),
    1: ("wait", N_("menos de 4 horas")),
    2: ("bad", N_("menos de 1 hora")),
    3: ("bad", N_("atrasado")),
}
# what the address says -> (name, kinds of alerts whose subject is a parcel)
VIEWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "atrasados": (N_("Entrega atrasada"), (deadlines.LATE,)),
    "parados": (N_("Parados"), (deadlines.STUCK, deadlines.LOST)),
    "retirada": (N_("Esperam retirada"), (deadlines.PICKUP, deadlines.LAST_DAYS)),
    "problemas": (
        N_("Exceções"),
        (
            "parcel_exception", "parcel_not_found", "parcel_ambiguous", "parcel_unreadable", "shipment_untold",
            deadlines.RETURNED,
        ),
    ),
}  # fmt: skip
KIND: dict[str, str] = {
    deadlines.LATE: N_("passou da promessa"),
    deadlines.STUCK: N_("parado"),
    deadlines.LOST: N_("provável extravio"),
    deadlines.PICKUP: N_("espera retirada"),
    deadlines.LAST_DAYS: N_("últimos dias"),
    deadlines.RETURNED: N_("voltou"),
    "parcel_exception": N_("exceção"),
    "parcel_not_found": N_("não encontrado"),
    "parcel_ambiguous": N_("transportadora a escolher"),
    "parcel_unreadable": N_("resposta ilegível"),
    "shipment_untold": N_("canal não avisado"),
}
PROMISED = NN_("promessa de %(day)s, há %(days)s dia", "promessa de %(day)s, há %(days)s dias")
SILENT = NN_("%(days)s dia sem leitura", "%(days)s dias sem leitura")
UNTIL = N_("retirar até %(day)s%(assumed)s")


def facts(language: Language, row: Mapping[str, Any]) -> str | None:
    """The number that makes an alert's case, of a row of hub.store.deadline_screens."""
    told, until = row["params"], row["due_at"]
    assumed = language.gettext(ASSUMED) if told.get("assumed") else ""
    match row["kind"]:
        case deadlines.LATE:
            days = told.get("days") or 0
            return language.ngettext(*PROMISED, days, day=language.day(row["deliver_by"]), days=days)
        case deadlines.STUCK | deadlines.LOST:
            return language.ngettext(*SILENT, told.get("days") or 0, days=told.get("days") or 0)
        case deadlines.PICKUP | deadlines.LAST_DAYS if until:
            return language.gettext(UNTIL, day=language.day(until - deadlines.DAY), assumed=assumed)
        case _:
            said: str | None = told.get("detail") or told.get("said")
            return said


# ── in a sentence ───────────────────────────────────────────────────────────────────────────────────────────

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

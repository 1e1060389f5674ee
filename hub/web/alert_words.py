"""What the pages of alerts and processes say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub import playbooks
from hub.web.i18n import N_, Language

VIEWS = {
    "now": N_("Agora"),
    "mine": N_("Meus"),
    "untaken": N_("Ninguém assumiu"),
    "late": N_("Fora do prazo"),
    "snoozed": N_("Adiados"),
    "done": N_("Encerrados"),
}
EMPTY = {
    "now": N_("Nada espera por ninguém agora."),
    "mine": N_("Nada espera por você."),
    "untaken": N_("Tudo o que está aberto tem quem cuide."),
    "late": N_("Nada passou do prazo."),
    "snoozed": N_("Nada foi adiado."),
    "done": N_("Nada foi encerrado ainda."),
}
ROLES = {"operator": N_("operadores"), "manager": N_("gerentes"), "owner": N_("donos")}
EVENT = {
    "taken": N_("assumiu"),
    "assigned": N_("passou para %(to)s"),
    "ticked": N_("fez: %(step)s"),
    "unticked": N_("desmarcou: %(step)s"),
    "snoozed": N_("adiou até %(until)s"),
    "woke": N_("voltou à lista"),
    "noted": N_("anotou: %(note)s"),
    "closed": N_("encerrou: %(note)s"),
    "reopened": N_("reabriu"),
    "handed_over": N_("%(from)s está fora: passou para %(to)s"),
    "escalated": N_("passou do prazo: escalado para %(to)s"),
}
EVENT_OTHER = N_("outra mudança")
NOBODY = N_("ninguém")
HUB = N_("O hub")
REFUSAL = {
    "unknown": N_("Isto não existe mais."),
    "closed": N_("Este alerta já foi encerrado: reabra antes."),
    "stands": N_(
        "A causa continua (%(cause)s). Resolva onde é, adie até um dia, ou passe a outra pessoa; quando ela acabar, "
        "o hub encerra sozinho."
    ),
    "taken": N_("%(name)s já assumiu: use “Assumir no lugar”."),
    "role": N_("Escolha um papel que cuide de alertas."),
    "person": N_("Essa pessoa não cuida de alertas desta loja: escolha outra."),
    "snooze": N_("Escolha um dia a partir de amanhã, até 90 dias."),
    "note": N_("Diga em poucas palavras o que foi feito."),
    "long": N_("Texto grande demais: no máximo %(most)s caracteres."),
    "again": N_("A causa voltou e já há um alerta aberto sobre isto: veja aquele."),
    "empty": N_("Falta preencher."),
    "due": N_("Diga um prazo de 1 minuto a 90 dias, ou deixe vazio."),
    "order": N_("O último dia vem antes do primeiro."),
    "days": N_("Os dias já passaram, ou são mais de um ano."),
    "self": N_("Escolha outra pessoa para substituir."),
    "overlap": N_("Estes dias encontram outra ausência da mesma pessoa: encerre aquela antes."),
    "others": N_("Só um gerente mexe na ausência de outra pessoa."),
    "date": N_("Diga um dia válido."),
}
# What still stands, by kind of alert: hub.store.standing tells.
STANDS = {
    "account_held": N_("a conta segue suspensa"),
    "zero_brake": N_("o freio ainda segura anúncios"),
    "shortage": N_("ainda faltam unidades para o pedido"),
    "line_unlinked": N_("o pedido ainda tem item sem SKU"),
    "slot_parked": N_("o anúncio segue parado"),
    "inbox_parked": N_("o que o canal mandou segue parado"),
    "shipment_untold": N_("o canal ainda não aceitou a notícia do envio"),
    "parcel_ambiguous": N_("ninguém segue o envio ainda"),
    "parcel_not_found": N_("a transportadora ainda não conhece o envio"),
    "parcel_late": N_("o envio segue atrasado"),
    "parcel_stuck": N_("o envio segue sem movimento"),
    "parcel_pickup": N_("o envio segue à espera de retirada"),
    "parcel_pickup_last": N_("o envio segue à espera de retirada"),
    "ship_by_4h": N_("o pedido ainda não foi despachado"),
    "ship_by_1h": N_("o pedido ainda não foi despachado"),
    "ship_late": N_("o pedido ainda não foi despachado"),
    "drift_proposed": N_("ainda há diferenças por decidir"),
    "mail_doubt": N_("ainda não se decidiu sobre o e-mail"),
    "notice_down": N_("esses avisos seguem desligados"),
    "endpoint_disabled": N_("esse endereço segue desligado"),
    "label_doubt": N_("ainda não se sabe se a etiqueta foi comprada"),
}
UNITS = {1: N_("minutos"), 60: N_("horas"), 1440: N_("dias")}


def refusal(language: Language, kind: str, **params: object) -> str:
    """Why something was not done."""
    if kind == "stands":
        params = {"cause": language.gettext(STANDS[str(params["alert"])])}
    return language.gettext(REFUSAL[kind], **params)


def role(language: Language, told: object) -> str:
    """A role's people."""
    return language.gettext(ROLES.get(str(told), NOBODY))


def owner(language: Language, row: Mapping[str, Any]) -> str:
    """Whose an alert is, in words."""
    return str(row["owner"]) if row["owner"] else role(language, row["owner_role"])


def state(row: Mapping[str, Any], now: datetime) -> tuple[str, str]:
    """How far an alert is: (tone, words to be translated)."""
    if row["resolved_at"] is not None:
        return ("ok", N_("encerrado")) if row["closed_by"] else ("ok", N_("a causa acabou"))
    if row["snoozed_until"] and row["snoozed_until"] > now:
        return "mute", N_("adiado")
    if row["taken_at"]:
        return "busy", N_("em andamento")
    return "wait", N_("a assumir")


def event(language: Language, row: Mapping[str, Any]) -> str:
    """One line of the history, after the name of who did it."""
    told = row["params"]
    until = datetime.fromisoformat(str(told["until"])) if told.get("until") else None
    to = row["to_name"] or (role(language, told["role"]) if told.get("role") else language.gettext(NOBODY))
    shown = {
        "to": to, "from": row["from_name"] or language.gettext(NOBODY), "step": told.get("step", ""),
        "note": told.get("note", ""), "until": language.moment(until),
    }  # fmt: skip
    return language.gettext(EVENT.get(row["kind"], EVENT_OTHER), **shown)


def playbook(language: Language, kind: str, own: Mapping[str, Any] | None) -> dict[str, Any]:
    """A kind's playbook as it holds now: the seller's own, else the hub's in the reader's language."""
    if own:
        return {**own, "own": True}
    rule, tag = playbooks.rule(kind), language.tag
    return {
        "kind": kind, "title": playbooks.title(kind, tag), "body": playbooks.steps(kind, tag), "owner_id": None,
        "owner_role": rule.owner_role, "due_minutes": rule.due_minutes, "escalate_role": rule.escalate_role,
        "escalate_id": None, "updated_at": None, "updated_by": None, "own": False,
    }  # fmt: skip


def due(minutes: int | None) -> tuple[str, int]:
    """A due time as (number, unit in minutes), in the largest unit that divides it."""
    if minutes is None:
        return "", 60
    unit = next(unit for unit in (1440, 60, 1) if minutes % unit == 0)
    return str(minutes // unit), unit

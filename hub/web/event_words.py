"""What events out are called on their pages: tables, and how an endpoint is doing in words."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hub.web.i18n import N_, Language
from hub.web.words import Chip

KIND = {
    "order.created": N_("pedido recebido"),
    "order.updated": N_("pedido mudou"),
    "order.cancelled": N_("pedido cancelado"),
    "stock.changed": N_("disponível de um SKU mudou"),
    "shipment.created": N_("envio criado"),
    "shipment.updated": N_("envio mudou"),
    "listing.parked": N_("canal recusou o estoque de um anúncio"),
    "shortage.opened": N_("vendido e em falta"),
    "alert.opened": N_("alerta aberto"),
    "alert.closed": N_("alerta encerrado"),
    "account.held": N_("conta suspensa pelo canal"),
    "return.opened": N_("devolução aberta"),
    "test": N_("evento de teste"),
}
STATE: dict[str, Chip] = {
    "due": ("busy", N_("a enviar")),
    "sent": ("ok", N_("entregue")),
    "failed": ("bad", N_("falhou")),
    "superseded": ("mute", N_("substituído por um mais novo")),
}
STATE_FILTERS = {
    "due": N_("A enviar"),
    "failed": N_("Falharam"),
    "sent": N_("Entregues"),
    "superseded": N_("Substituídos"),
}
REASON = {
    "attempts": N_("todas as tentativas se esgotaram"),
    "gone": N_("o endereço respondeu que não existe mais (410)"),
    "disabled": N_("o destino estava desligado"),
}
PROBLEM = {
    "status": N_("resposta que não é 2xx"),
    "redirect": N_("mandou a outro endereço; redirecionamento não é seguido"),
    "timeout": N_("não respondeu em 15 segundos"),
    "connect": N_("sem conexão"),
    "disconnected": N_("a conexão caiu antes do fim da resposta"),
    "private_address": N_("o endereço é de uma rede privada"),
    "bad_address": N_("o endereço não pode ser chamado"),
    "undecodable": N_("a resposta não pôde ser lida"),
}
REFUSAL = {
    "address": N_("Não é um endereço: escreva como https://erp.loja.com.br/eventos."),
    "https": N_("Eventos só vão por https: comece o endereço com https://."),
    "login": N_("Tire usuário e senha do endereço: a assinatura diz quem envia."),
    "private": N_("Este endereço é de uma rede privada: peça a quem cuida do servidor para permiti-lo."),
    "kinds": N_("Não há evento %(event)s."),
    "nothing": N_("Escolha ao menos um evento, ou todos."),
    "many": N_("Já há %(most)s destinos: remova um antes."),
    "gone": N_("Este destino já não existe."),
    "no_delivery": N_("Este envio já não existe, ou está saindo agora mesmo."),
    "disabled": N_("O destino está desligado: ligue-o antes."),
}
FIELD = {"address": "url", "https": "url", "login": "url", "private": "url", "many": "url"}
SINCE = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "all": timedelta(days=3650)}
SINCE_WORDS = {
    "hour": N_("na última hora"), "day": N_("nas últimas 24 horas"), "week": N_("nos últimos 7 dias"),
    "all": N_("desde sempre"),
}  # fmt: skip
DISABLED = {
    "person": N_("desligado por alguém daqui"),
    "gone": N_("desligado: respondeu que não existe mais (410)"),
    "failing": N_("desligado: não aceitou nada por cinco dias"),
}


def health(language: Language, row: Mapping[str, Any]) -> tuple[str, str, str | None]:
    """(tone, words, the last problem in words) of an endpoint."""
    tr = language.gettext
    if row["disabled_at"] is not None:
        return ("mute" if row["disabled_why"] == "person" else "bad"), tr(DISABLED[row["disabled_why"]]), None
    if row["failures"]:
        return (
            "wait",
            tr(N_("falhando %(ago)s"), ago=language.ago(row["failing_since"])),
            said(language, row["problem"]),
        )
    if row["succeeded_at"] is None:
        return "mute", tr(N_("nada enviado ainda")), None
    return "ok", tr(N_("recebendo")), None


def said(language: Language, problem: str | None, status: int | None = None) -> str | None:
    """What was wrong with an attempt: a status, or a word of ours."""
    if problem is None:
        return None
    if problem.isdecimal():
        return language.gettext(N_("respondeu %(status)s"), status=problem)
    told = language.gettext(PROBLEM.get(problem, PROBLEM["status"]))
    return f"{status}: {told}" if status is not None else told

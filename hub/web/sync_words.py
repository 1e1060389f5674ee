"""What flows, limits, failures and dead letters are called on a page, and the way out of each: tables only."""

from collections.abc import Mapping
from typing import Any

from hub.faults import Fault
from hub.web import fault_words, words
from hub.web.i18n import N_, Language
from hub.web.words import Chip

TABS = (
    ("/sincronizacao", N_("Fluxos")),
    ("/sincronizacao/parados", N_("Parados")),
    ("/saude", N_("Promessas do hub")),
)
FLOW = {
    "intake": N_("Avisos do canal"),
    "ingest": N_("Leitura de pedidos e avisos"),
    "stock": N_("Números de estoque"),
    "shipments": N_("Notícias de envio"),
    "tracking": N_("Rastreio"),
    **words.TASK,
    "feed": N_("Novidades da transportadora"),
}
KIND = {
    "inbox": N_("Avisos e pedidos"),
    "slot": N_("Anúncios"),
    "shipment": N_("Notícias de envio"),
    "tracking": N_("Rastreios"),
    "purchase": N_("Compras de etiqueta"),
}
TOPIC = {
    "order": N_("pedido"), "shipment": N_("envio"), "listing": N_("anúncio"), "stock": N_("estoque"),
    "tracking": N_("rastreio"), "account": N_("conta"),
}  # fmt: skip
PER = {
    "account": N_("da conta"),
    "app": N_("da aplicação, somadas as contas"),
    "ip": N_("do hub inteiro neste canal"),
}
SOURCE = {
    "webhook": N_("aviso do canal"),
    "poll": N_("busca"),
    "missed": N_("aviso perdido"),
    "manual": N_("à mão"),
}
INBOX_STATE: dict[str, Chip] = {
    "due": ("busy", N_("na fila")),
    "done": ("ok", N_("tratado")),
    "parked": ("bad", N_("parado")),
    "kept": ("mute", N_("guardado")),
}

HEAD = {
    Fault.AUTH: N_("O canal recusou o acesso."),
    Fault.TRANSIENT: N_("O canal não respondeu direito."),
    Fault.THROTTLED: N_("O limite de chamadas acabou por ora."),
    Fault.REJECTED: N_("O canal recusou."),
    Fault.MISSING: N_("Não existe mais no canal."),
    Fault.SHAPE: N_("O hub não conseguiu ler."),
}
# What will happen, or what a person can do, while a flow fails.
WAY_OUT = {
    Fault.AUTH: N_("Reconecte a conta: o trabalho dela fica guardado até lá."),
    Fault.TRANSIENT: N_("O hub tenta de novo sozinho, cada vez mais espaçado."),
    Fault.THROTTLED: N_("O hub espera o tempo pedido e segue sozinho."),
    Fault.REJECTED: N_("Corrija no canal o que ele aponta; o hub tenta de novo na próxima vez."),
    Fault.MISSING: N_("Confira o endereço da conta no canal."),
    Fault.SHAPE: N_("O canal mudou o formato: atualize o Balcão, ou mande o documento a quem cuida dele."),
}
OPEN = N_("O canal falhou várias vezes seguidas: o hub o deixa descansar um pouco e volta sozinho.")
# What a person can do about something that stands still.
MEND = {
    Fault.AUTH: N_("Reconecte a conta e repita."),
    Fault.TRANSIENT: N_("O canal falhou por muito tempo: quando ele voltar, repita."),
    Fault.THROTTLED: N_("O limite não abriu a tempo: repita mais tarde."),
    Fault.REJECTED: N_("Corrija no canal o que ele aponta e repita."),
    Fault.MISSING: N_("Se foi apagado no canal de propósito, pode ficar aqui; senão, repita."),
    Fault.SHAPE: N_("Veja o documento; depois de atualizar o Balcão, repita."),
}
MEND_KIND = {
    "slot": N_("Corrija o anúncio no canal e repita: o hub confere o número de lá antes de escrever."),
    "ambiguous": N_("Escolha qual segue este envio."),
    "let_go": N_("Sem notícia por muito tempo: repita para perguntar mais uma vez."),
    "purchase": N_("Veja no site da transportadora se a etiqueta existe; o hub nunca compra duas vezes."),
}
REASON = {"ambiguous": N_("Mais de uma conta serve."), "let_go": N_("O hub parou de perguntar.")}
PURCHASE = N_("Não se sabe se foi comprada.")


def plain(language: Language, told: str | None) -> str:
    """An error as flows write it in one line: what failed, and the channel's own words; one of a channel as it is."""
    fault, _code, detail = fault_words.failure(told)
    own = fault_words.said(language, detail)
    return f"{language.gettext(HEAD[fault])} {own}".strip() if fault is not None else own


def problem(language: Language, told: str) -> tuple[str, str, str]:
    """(sentence, the channel's own words, way out) of a flow's last error."""
    fault, code, detail = fault_words.failure(told)
    if fault is None:
        own = fault_words.said(language, told.strip(": "))
        return language.gettext(HEAD[Fault.REJECTED]), own, language.gettext(MEND[Fault.REJECTED])
    if code == "breaker_open":
        return language.gettext(HEAD[fault]), "", language.gettext(OPEN)
    if code == "own_limit":
        return language.gettext(HEAD[fault]), "", language.gettext(WAY_OUT[fault])
    own = fault_words.said(language, detail)
    return (
        language.gettext(HEAD[fault]),
        f"{code}: {detail}" if own == detail else own,
        language.gettext(WAY_OUT[fault]),
    )


def reason(language: Language, kind: str, told: str | None) -> str:
    """A reason that letters are grouped by, in words."""
    if told in REASON:
        return language.gettext(REASON[told])
    if kind == "purchase":
        return language.gettext(PURCHASE)
    name, _, code = (told or "").partition(" ")
    if name not in set(Fault):
        return told or "—"
    return f"{language.gettext(HEAD[Fault(name)])} ({code})" if code else language.gettext(HEAD[Fault(name)])


def mend(language: Language, kind: str, told: str | None) -> str:
    """What a person can do about a letter of that kind and reason."""
    name = (told or "").partition(" ")[0]
    words_ = MEND_KIND.get(kind) or MEND_KIND.get(told or "") or MEND.get(_fault(name), MEND[Fault.TRANSIENT])
    return language.gettext(words_)


def _fault(name: str) -> Fault:
    return Fault(name) if name in set(Fault) else Fault.TRANSIENT


def said(language: Language, row: Mapping[str, Any]) -> str:
    """The channel's own words about a letter, or the hub's."""
    return fault_words.said(language, fault_words.failure(row["said"])[2])

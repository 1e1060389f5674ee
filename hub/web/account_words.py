"""Words of the pages that connect channels."""

from collections.abc import Mapping
from typing import Any

from hub.consent import Declined
from hub.contract import Adapter
from hub.faults import Fault
from hub.web import fault_words
from hub.web.i18n import N_, Language
from jobs.admission import Turned
from jobs.consents import Stale

# kind -> (heading, what it is), in the order of the page
KINDS = {
    "marketplace": (N_("Marketplaces"), N_("vendem e cobram por você; a venda chega ao hub como pedido")),
    "storefront": (N_("Lojas virtuais"), N_("a sua própria loja na internet")),
    "erp": (N_("ERPs"), N_("o sistema que emite as suas notas e guarda o cadastro")),
    "carrier": (N_("Transportadoras"), N_("etiquetas e rastreio")),
}
CAN = {
    "orders": N_("pedidos"),
    "stock": N_("estoque"),
    "tracking": N_("rastreio"),
    "freight": N_("etiquetas"),
    "labels": N_("etiquetas do canal"),
    "webhook": N_("avisos na hora"),
}
TONES = {
    "bad": N_("precisam de você"),
    "wait": N_("em prévia ou com pendências"),
    "mute": N_("pausadas"),
    "ok": N_("em dia"),
}
FAULTS = {
    Fault.AUTH: N_("%(label)s recusou o acesso: %(detail)s"),
    Fault.TRANSIENT: N_("%(label)s não respondeu: %(detail)s"),
    Fault.THROTTLED: N_("%(label)s pede para esperar: %(detail)s"),
    Fault.REJECTED: N_("%(label)s recusou o pedido: %(detail)s"),
    Fault.MISSING: N_("%(label)s não responde neste endereço: %(detail)s"),
    Fault.SHAPE: N_("%(label)s respondeu algo que não conseguimos ler: %(detail)s"),
}
WHY = {
    "twice": N_("%(there)s (%(ref)s) já está ligada aqui, como %(name)s: religue aquela conta em vez de criar outra."),
    "elsewhere": N_("%(there)s (%(ref)s) já está ligada por outro vendedor desta instalação."),
    "other_shop": N_(
        "Esta autorização é de %(there)s (%(ref)s), e a conta %(name)s é %(known)s. Nada mudou: entre no canal como "
        "%(known)s, ou ligue %(there)s como uma conta nova."
    ),
    "name_taken": N_("Já há uma conta chamada %(name)s: escolha outro nome."),
}
WHAT_NOW = {
    Fault.AUTH: N_("Confira se as chaves foram copiadas inteiras e se ainda valem; nada foi guardado."),
    Fault.TRANSIENT: N_("Nada mudou: tente de novo em alguns minutos."),
    Fault.THROTTLED: N_("Nada mudou: tente de novo em alguns minutos."),
    Fault.REJECTED: N_("Confira as permissões da aplicação no canal; nada foi guardado."),
    Fault.MISSING: N_("Confira o endereço; nada foi guardado."),
    Fault.SHAPE: N_("Confira se o endereço é mesmo o da API deste canal; nada foi guardado."),
}
# The way out for an account whose channel was never heard of.
UNANSWERED = {
    Fault.TRANSIENT: N_(
        "Se o canal estiver fora do ar, tente de novo mais tarde; se o endereço estiver errado, mude-o."
    ),
    Fault.THROTTLED: N_("Tente de novo em alguns minutos."),
}
UNANSWERED_OTHER = N_("Tente de novo; se continuar, confira as chaves e o endereço.")
STALE = {
    "unknown": N_("Esta resposta não pertence a nenhuma autorização começada aqui por você nesta loja."),
    "other": N_("Esta autorização foi começada em outra sessão: só quem começou pode terminar, no mesmo navegador."),
    "used": N_("Esta autorização já foi usada: cada uma vale uma vez só."),
    "expired": N_("Passaram mais de 15 minutos desde o começo desta autorização."),
}
DECLINED = {
    "access_denied": N_("A autorização foi recusada na página do canal."),
    "incomplete": N_("A resposta do canal veio sem o que precisamos: %(said)s."),
}
NO_ADDRESS = N_(
    "Este hub não tem um endereço que o canal aceite para voltar: defina BALCAO_PUBLIC_URL (o https dele), ou abra o "
    "hub neste computador em 127.0.0.1. Sem isso, ligue pelas chaves."
)
UNREGISTERED = {
    "no_webhooks": N_("%(label)s não manda avisos: o hub pergunta de tempos em tempos."),
    "no_address": N_(
        "Este hub não tem endereço público (BALCAO_PUBLIC_URL): %(label)s não teria para onde mandar avisos."
    ),
    "by_hand": N_("%(label)s não deixa registrar por aqui: cole o endereço no painel do canal."),
    "not_live": N_("%(name)s ainda não foi aprovada ou está parada: os avisos são registrados quando ela está ligada."),
}
DECLINED_OTHER = N_("O canal respondeu com um erro: %(code)s.")


def capabilities(adapter: Adapter) -> list[str]:
    """What a channel can do, as words of CAN, in its order."""
    has = set(adapter.can())
    return [CAN[facet] for facet in CAN if facet in has]


def turned(language: Language, refusal: Turned) -> str:
    """Why an account is not let in, and what to do."""
    told: Mapping[str, Any] = refusal.told
    if refusal.why in WHY:
        return language.gettext(WHY[refusal.why], **told)
    head = fault(language, str(told["label"]), told["fault"], str(told["detail"] or told["label"]))
    return f"{head}. {language.gettext(WHAT_NOW[told['fault']])}".replace("..", ".")


def fault(language: Language, label: str, kind: Fault, detail: str) -> str:
    """What went wrong with a channel, in a sentence; its own words stay as they are."""
    return language.gettext(FAULTS[kind], label=label, detail=fault_words.said(language, detail))


def declined(language: Language, refusal: Declined) -> str:
    """What the vendor's page answered in place of a code; its own words stay as they are."""
    known = DECLINED.get(refusal.code)
    if known and "%(said)s" in known:
        return language.gettext(known, said=refusal.said)
    head = language.gettext(known) if known else language.gettext(DECLINED_OTHER, code=refusal.code)
    return f"{head} {refusal.said}".strip()


def stale(language: Language, refusal: Stale) -> str:
    """Why what came back is not taken."""
    return language.gettext(STALE[refusal.why])

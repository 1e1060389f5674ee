"""What the hub's own words are called on a page, and in which tone: tables only."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from hub.web import deadline_words, fault_words, label_words, refused_links
from hub.web.i18n import N_, Language

Chip = tuple[str, str]  # (tone, words): ok, busy, wait, bad, mute

ORDER: dict[str, Chip] = {
    "placed": ("wait", N_("aguarda pagamento")),
    "paid": ("busy", N_("pago, a despachar")),
    "dispatched": ("ok", N_("despachado")),
    "delivered": ("ok", N_("entregue")),
    "cancelled": ("mute", N_("cancelado")),
}
HOLD = {
    "fraud": N_("retido: suspeita de fraude"),
    "frozen": N_("retido pelo canal"),
    "cancel_requested": N_("cancelamento pedido"),
    "invoice_pending": N_("aguarda nota fiscal"),
}
PAYMENT = {
    "pending": N_("pendente"),
    "authorized": N_("autorizado"),
    "paid": N_("pago"),
    "partially_refunded": N_("reembolsado em parte"),
    "refunded": N_("reembolsado"),
    "voided": N_("anulado"),
}
FULFILLED_BY = {"marketplace": N_("enviado pelo canal"), "mixed": N_("parte enviada pelo canal")}
PARCEL: dict[str | None, Chip] = {
    None: ("mute", N_("sem notícia")),
    "label_created": ("wait", N_("etiqueta emitida")),
    "accepted": ("busy", N_("postado")),
    "in_transit": ("busy", N_("em trânsito")),
    "out_for_delivery": ("busy", N_("saiu para entrega")),
    "awaiting_pickup": ("wait", N_("aguarda retirada")),
    "delivered": ("ok", N_("entregue")),
    "failed_attempt": ("bad", N_("tentativa sem sucesso")),
    "customs": ("wait", N_("na alfândega")),
    "exception": ("bad", N_("com problema")),
    "returning": ("bad", N_("voltando")),
    "returned": ("mute", N_("devolvido")),
    "lost": ("bad", N_("extraviado")),
    "damaged": ("bad", N_("avariado")),
    "cancelled": ("mute", N_("cancelado")),
    "unknown": ("mute", N_("situação desconhecida")),
}
PARCEL_FILTERS = {
    "moving": N_("A caminho"),
    "trouble": N_("Pedem atenção"),
    "silent": N_("Sem notícia"),
    "delivered": N_("Entregues"),
}
NEWS = {
    "dispatched": N_("despachado"),
    "in_transit": N_("em trânsito"),
    "out_for_delivery": N_("saiu para entrega"),
    "failed_attempt": N_("tentativa sem sucesso"),
    "delivered": N_("entregue"),
    "returned": N_("devolvido"),
}
MAIL = {
    "dispatched": N_("despachado"),
    "out_for_delivery": N_("saiu para entrega"),
    "awaiting_pickup": N_("aguarda retirada"),
    "delivered": N_("entregue"),
}
OUTCOME: dict[str, Chip] = {
    "accepted": ("ok", N_("aceito")),
    "pending": ("wait", N_("em andamento")),
    "stale": ("wait", N_("a reler")),
    "fault": ("bad", N_("recusado")),
}
REASON = {
    "opening": N_("contagem inicial"),
    "count": N_("contagem"),
    "adjustment": N_("ajuste"),
    "dispatch": N_("despacho"),
    "return": N_("devolução"),
    "receipt": N_("recebimento"),
    "transfer": N_("transferência"),
    "undo": N_("estorno"),
}
ROLE = {
    "owner": N_("dono"),
    "manager": N_("gerente"),
    "operator": N_("operador"),
    "warehouse": N_("depósito"),
    "viewer": N_("só leitura"),
}
KIND = {
    "storefront": N_("loja virtual"),
    "marketplace": N_("marketplace"),
    "carrier": N_("transportadora"),
    "erp": N_("ERP"),
}
TASK = {
    "poll": N_("Busca de pedidos"),
    "missed": N_("Avisos perdidos"),
    "listings": N_("Leitura dos anúncios"),
    "reconcile": N_("Conferência de cada anúncio"),
    "recheck": N_("Nova leitura do que diferia"),
    "source": N_("Leitura da fonte do estoque"),
    "subscribe": N_("Registro dos avisos"),
}
PARKED = {"slot": N_("anúncio"), "inbox": N_("aviso"), "shipment": N_("envio")}
CHANGES = {
    "zero": N_("Vão a zero"),
    "less": N_("Diminuem"),
    "more": N_("Aumentam"),
    "unopened": N_("Sem contagem"),
    "unlinked": N_("Sem vínculo"),
    "marketplace": N_("Estoque do marketplace"),
    "same": N_("Ficam como estão"),
    "duplicate": N_("Repetidos"),
}
SCOPES = {
    "all": N_("A conta inteira, e o que for anunciado depois"),
    "no-decrease": N_("Só os que não diminuem"),
    "category": N_("Estas categorias"),
    "sku": N_("Estes SKUs"),
    "listing": N_("Estes anúncios"),
}
SEVERITY: dict[str, Chip] = {
    "urgent": ("bad", N_("urgente")),
    "warning": ("wait", N_("atenção")),
    "info": ("mute", N_("aviso")),
}

# ── listings ────────────────────────────────────────────────────────────────────────────────────────────────

STATE: dict[str, Chip] = {
    "even": ("ok", N_("em dia")),
    "pending": ("busy", N_("pendente")),
    "doubt": ("wait", N_("em dúvida")),
    "different": ("bad", N_("diferente")),
    "braked": ("bad", N_("no freio")),
    "parked": ("bad", N_("estacionado")),
    "unlinked": ("wait", N_("sem vínculo")),
    "uncounted": ("mute", N_("sem contagem")),
    "theirs": ("mute", N_("estoque do canal")),
}
STATE_FILTERS = {
    "unlinked": N_("Sem vínculo"),
    "different": N_("Diferentes"),
    "parked": N_("Estacionados"),
    "braked": N_("No freio"),
    "pending": N_("Pendentes"),
    "doubt": N_("Em dúvida"),
    "uncounted": N_("Sem contagem"),
    "paused": N_("Pausados lá"),
    "theirs": N_("Estoque do canal"),
    "even": N_("Em dia"),
    "linked": N_("Vinculados"),
}
LISTING = {"active": N_("ativo"), "paused": N_("pausado"), "closed": N_("encerrado")}
STATE_WHY = {
    "pending": N_("O número novo está a caminho do canal."),
    "doubt": N_("Uma escrita não teve resposta certa: o hub vai reler o anúncio antes de escrever de novo."),
    "different": N_("O canal mostra outro número: veja a conferência."),
    "unlinked": N_("Nenhum SKU é deste anúncio: o hub não escreve nele."),
    "uncounted": N_("Falta a contagem inicial do SKU: o hub não escreve neste anúncio."),
    "theirs": N_("O canal guarda e envia este estoque: o hub não escreve nele."),
}
WITHHELD = N_("O canal mostra outro número, e o hub não o aumenta até que se decida: veja a conferência.")
BRAKED = N_("O freio de zeros segurou esta mudança: veja a conta e retome se estiver certo.")
AWAITS_APPROVAL = N_("Ainda não foi aprovado: nada é escrito neste anúncio até alguém aprovar.")


def slot_state(row: Mapping[str, Any]) -> str:
    """The key in STATE of a listing's row, as hub.store.listing_list filters by."""
    if row["managed_by"] == "marketplace":
        return "theirs"
    if row["sku"] is None:
        return "unlinked"
    if row["parked_code"] is not None:
        return "parked"
    if row["braked"]:
        return "braked"
    if row["withheld"] or row["differs"]:
        return "different"
    if row["desired"] is None:
        return "uncounted"
    if row["doubt_until"] is not None:
        return "doubt"
    return "even" if row["expected"] == row["desired"] else "pending"


def slot_reason(row: Mapping[str, Any], state: str) -> str | None:
    """Why a listing is in that state, to be translated; a channel's own words stay as they are."""
    if state == "braked":
        return BRAKED
    if state == "different" and row["withheld"]:
        return WITHHELD
    if state == "parked":
        told: str | None = row["parked_reason"]
        return told
    if state == "pending" and row["approved_at"] is None:
        return AWAITS_APPROVAL
    return STATE_WHY.get(state)


# ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────

LATE = timedelta(minutes=10)  # no order poll for so long is worth a word


def account_health(row: Mapping[str, Any], now: datetime) -> Chip:
    """How an account is, in words."""
    if row["status"] == "closed":
        return "mute", N_("desligada")
    if row["status"] == "held":
        return "bad", N_("suspensa: o canal recusou o acesso")
    if row["status"] == "paused":
        return "mute", N_("pausada por você")
    if row["braked_at"]:
        return "bad", N_("freio de zeros acionado")
    if row["status"] == "preview" and row["external_id"] is None:
        return "bad", N_("não ligada: o canal não respondeu")
    if row["status"] == "preview":
        return "wait", N_("em prévia: nada é escrito")
    if row["slots_parked"] or row["inbox_parked"] or row["news_parked"]:
        return "wait", N_("ligada, com itens parados")
    if row["polled_at"] and now - row["polled_at"] > LATE:
        return "wait", N_("ligada, sem resposta há algum tempo")
    return "ok", N_("ligada")


# Fields of connect forms, by the title that the adapter gives them.
FIELDS = {
    "Store address": N_("Endereço da loja"),
    "Consumer key": N_("Chave do consumidor"),
    "Consumer secret": N_("Segredo do consumidor"),
    "Client Id": N_("Id da aplicação"),
    "Client Secret": N_("Segredo da aplicação"),
    "Refresh Token": N_("Token de renovação"),
    "Endpoint": N_("Endereço da API"),
    "Usuário Meu Correios": N_("Usuário Meu Correios"),
    "Código de acesso às APIs": N_("Código de acesso às APIs"),
    "Cartão de postagem": N_("Cartão de postagem"),
    "Contrato": N_("Contrato"),
    "Regional (DR)": N_("Regional (DR)"),
    "Endereço da API": N_("Endereço da API"),
    "ou a chave fixa cws-…": N_("ou a chave fixa cws-…"),
}
FIELD_PROBLEMS = {
    "missing": N_("Falta preencher."),
    "string_pattern_mismatch": N_("Não tem a forma esperada."),
    "int_parsing": N_("Deve ser um número."),
    "value_error": N_("Não pode ser usado."),
}
FIELD_PROBLEM = N_("Não pode ser usado.")

# ── alerts ──────────────────────────────────────────────────────────────────────────────────────────────────

ALERT = {
    "account_held": N_("%(account)s está suspensa: %(detail)s"),
    "zero_brake": N_("%(account)s: %(slots)s anúncios iriam a zero de uma vez; o freio segurou. Confira e retome."),
    "shortage": N_("Pedido %(order)s: unidades vendidas que não existem no estoque: %(units)s."),
    "line_unlinked": N_("Pedido %(order)s vendeu um anúncio sem SKU: vincule para o estoque contar."),
    "fulfiller_unknown": N_("Pedido %(order)s: o canal não disse quem envia; o hub conta como envio seu."),
    "slot_parked": N_("%(account)s recusou o estoque do anúncio %(ref)s: %(detail)s"),
    "inbox_parked": N_("%(account)s mandou algo que não conseguimos tratar (%(ref)s): %(detail)s"),
    "link_refused": N_("Um anúncio não pôde ser vinculado: %(detail)s"),
    "origin_unnamed": N_(
        "%(account)s repassa pedidos de %(origin)s: diga nas credenciais qual canal é, ou a venda conta duas vezes."
    ),
    "parcel_exception": N_("Envio %(code)s precisa de você: %(status)s."),
    "shipment_untold": N_("%(account)s não aceitou a notícia do envio %(code)s: %(detail)s"),
    "parcel_not_found": N_("%(account)s não conhece o envio %(code)s: confira o código. Resposta: %(said)s"),
    "parcel_ambiguous": N_("Envio %(code)s (%(carrier)s): mais de uma conta ou transportadora serve; escolha uma."),
    "parcel_unreadable": N_("%(account)s respondeu sobre o envio %(code)s algo que não sabemos ler: %(detail)s"),
    "tracking_code_unknown": N_("A transportadora usou códigos que ainda não conhecemos: %(codes)s."),
    "drift_many": N_("%(account)s mostra outros números em %(count)s de %(of)s anúncios: algo mais escreve lá?"),
    "drift_gone": N_("%(account)s deixou de mostrar %(listings)s de %(of)s anúncios de uma vez; nenhum foi encerrado."),
    "drift_proposed": N_("%(account)s: diferenças que esperam você decidir: %(count)s."),
    "invariant_broken": N_("O hub encontrou números que não fecham (%(names)s): não apague nada e veja o registro."),
    "low_stock": N_("Comprar %(sku)s: posição %(position)s, ponto de pedido %(reorder)s; sugestão de %(quantity)s un."),
}
ALERT |= {
    "mail_down": N_("Nenhum e-mail sai para compradores: %(detail)s."),
    "endpoint_disabled": N_(
        "Eventos não vão mais para %(host)s: última resposta %(said)s. Veja o registro e ligue de novo."
    ),
    "mail_doubt": N_("Pedido %(order)s: não se sabe se o e-mail ao comprador saiu; ele não é repetido sozinho."),
}
ALERT["notice_down"] = N_("Os avisos a %(person)s por %(name)s não saem e foram desligados (%(detail)s).")
ALERT |= label_words.ALERT
ALERT_OTHER = N_("Algo precisa de você: %(kind)s.")
_PAGE_OF = {
    "shortage": "/pedidos/", "line_unlinked": "/pedidos/", "fulfiller_unknown": "/pedidos/", "account_held": "/contas/",
    "zero_brake": "/contas/", "low_stock": "/reposicao/",
}  # fmt: skip
_LIST_OF = {
    "slot_parked": "/anuncios?estado=parked", "link_refused": "/anuncios?estado=unlinked",
    "notice_down": "/configuracoes/avisos", "label_doubt": "/etiquetas", "label_cancelled_told": "/etiquetas",
    "parcel_exception": "/envios?estado=trouble", "shipment_untold": "/envios?estado=trouble",
    "tracking_code_unknown": "/envios?estado=trouble", "parcel_not_found": "/envios?estado=trouble",
    "parcel_ambiguous": "/envios?estado=trouble", "parcel_unreadable": "/envios?estado=trouble",
    "inbox_parked": "/sincronizacao/parados?tipo=inbox", "endpoint_disabled": "/configuracoes/eventos",
    "drift_many": "/conferencia", "drift_gone": "/conferencia",
    "drift_proposed": "/conferencia?estado=proposed", "invariant_broken": "/saude",
}  # fmt: skip


def alert_sentence(language: Language, row: Mapping[str, Any]) -> str:
    """An alert in one sentence; a number or name that was not told shows as a dash."""
    told: dict[str, object] = defaultdict(lambda: "—", {name: _shown(value) for name, value in row["params"].items()})
    if row["kind"] == "parcel_exception":
        told["status"] = language.gettext(PARCEL.get(row["params"].get("status"), PARCEL["unknown"])[1])
    told |= {
        name: fault_words.said(language, fault_words.failure(str(told[name]))[2])
        for name in ("detail", "said")
        if name in told
    }
    kind = row["kind"]
    if kind == "link_refused":
        told["detail"] = refused_links.of_alert(language, row["params"])
    if kind in deadline_words.ALERT:
        return deadline_words.sentence(language, row, language.gettext(_parcel_word(row["params"].get("status"))))
    if kind not in ALERT:
        return language.gettext(ALERT_OTHER, kind=kind)
    return language.gettext(ALERT[kind]) % told


def _parcel_word(status: object) -> str:
    return PARCEL.get(str(status) if status else None, PARCEL["unknown"])[1]


def _shown(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def alert_page(row: Mapping[str, Any]) -> str | None:
    """Where an alert's subject is."""
    if row["kind"] in deadline_words.SHIP:
        return "/pedidos/" + str(row["subject"])
    if row["kind"] in deadline_words.ALERT:
        return "/envios?" + urlencode({"busca": str(row["params"].get("code") or "")})
    if row["kind"] in _PAGE_OF:
        return _PAGE_OF[row["kind"]] + str(row["subject"])
    return _LIST_OF.get(row["kind"])


# ── the timeline of an order ────────────────────────────────────────────────────────────────────────────────

EVENT = {
    "created": N_("Pedido recebido"),
    "status": N_("Situação mudou"),
    "changed": N_("Dados atualizados pelo canal"),
    "reserved": N_("Estoque reservado"),
    "shortage": N_("Faltou estoque"),
    "shortage_filled": N_("Falta suprida"),
    "told_channel": N_("Canal avisado do envio"),
    "buyer_mailed": N_("E-mail enviado ao comprador"),
    **label_words.EVENT,
}
ORDER_FIELDS = {
    "payment": N_("pagamento"), "fulfilment": N_("andamento do envio"), "hold": N_("retenção"),
    "lines": N_("itens"), "buyer": N_("comprador"), "ship_to": N_("endereço"), "shipments": N_("envios"),
    "invoices": N_("nota fiscal"), "returns": N_("devoluções"), "total_cents": N_("total"),
    "shipping_cents": N_("frete"), "discount_cents": N_("desconto"), "fees_cents": N_("tarifas"),
    "refunded_cents": N_("reembolso"), "ship_by": N_("prazo de despacho"), "deliver_by": N_("prazo de entrega"),
    "paid_at": N_("data do pagamento"), "cancelled_at": N_("data do cancelamento"), "cancelled": N_("cancelamento"),
    "fulfilled_by": N_("quem envia"),
}  # fmt: skip


def event_detail(language: Language, kind: str, params: Mapping[str, Any]) -> str | None:
    """What an event of the timeline says beside its name."""
    tr = language.gettext
    match kind:
        case "created":
            return tr(ORDER.get(str(params.get("status")), ORDER["placed"])[1])
        case "status":
            return f"{_order_word(tr, params.get('before'))} → {_order_word(tr, params.get('after'))}"
        case "changed":
            fields = dict.fromkeys(ORDER_FIELDS[name] for name in params.get("fields", ()) if name in ORDER_FIELDS)
            return ", ".join(map(tr, fields)) or None
        case "reserved" | "shortage":
            return tr(N_("%(units)s un."), units=params.get("units"))
        case "label_bought" | "label_cancelled" | "parcel_left":
            return " · ".join(str(params[name]) for name in ("carrier", "code") if params.get(name)) or None
        case "told_channel":
            news = tr(NEWS[params["news"]]) if params.get("news") in NEWS else ""
            return " · ".join(filter(None, [news, params.get("code")]))
        case "buyer_mailed":
            return tr(MAIL[params["event"]]) if params.get("event") in MAIL else None
        case _:
            return None


def _order_word(tr: Any, status: object) -> str:
    return str(tr(ORDER[str(status)][1])) if str(status) in ORDER else "—"

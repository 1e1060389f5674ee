"""What orders are filtered by, what their sheet is headed with, and what an order's story says: tables only."""

from collections.abc import Mapping
from typing import Any

from hub.web.i18n import N_

Chip = tuple[str, str]

STATUS = {
    "open": N_("Em aberto"),
    "late": N_("Atrasados"),
    "short": N_("Com falta"),
    "placed": N_("Aguardam pagamento"),
    "paid": N_("A despachar"),
    "dispatched": N_("Despachados"),
    "delivered": N_("Entregues"),
    "cancelled": N_("Cancelados"),
}
FULFILMENT = {
    "none": N_("nada enviado"),
    "partial": N_("enviado em parte"),
    "dispatched": N_("enviado"),
    "delivered": N_("entregue"),
    "returned": N_("devolvido"),
}
HOLD = {
    "any": N_("qualquer retenção"),
    "fraud": N_("suspeita de fraude"),
    "frozen": N_("retido pelo canal"),
    "cancel_requested": N_("cancelamento pedido"),
    "invoice_pending": N_("aguarda nota fiscal"),
}
PACKING = {"todo": N_("a embalar"), "done": N_("embalado")}
PROBLEMS = {
    "de": N_("Não é um dia: escreva como 31/12/2026."),
    "ate": N_("Não é um dia: escreva como 31/12/2026."),
    "minimo": N_("Não é um valor em reais: escreva como 1.234,56."),
    "maximo": N_("Não é um valor em reais: escreva como 1.234,56."),
}
NO_CHOICE = N_("“%(told)s” não existe mais aqui: escolha outra opção.")
SHEET = {
    "number": N_("Pedido"),
    "ref": N_("Código no canal"),
    "account": N_("Conta"),
    "channel": N_("Canal"),
    "status": N_("Situação"),
    "payment": N_("Pagamento"),
    "fulfilment": N_("Envio"),
    "hold": N_("Retenção"),
    "placed_at": N_("Feito"),
    "ship_by": N_("Despachar até"),
    "packed_at": N_("Embalado"),
    "buyer_name": N_("Comprador"),
    "document": N_("CPF ou CNPJ"),
    "city": N_("Cidade"),
    "ship_state": N_("UF"),
    "skus": N_("SKUs"),
    "units": N_("Unidades"),
    "short": N_("Em falta"),
    "items_cents": N_("Itens"),
    "discount_cents": N_("Desconto"),
    "shipping_cents": N_("Frete"),
    "other_cents": N_("Outros"),
    "total_cents": N_("Total"),
    "fees_cents": N_("Tarifas do canal"),
    "refunded_cents": N_("Reembolsado"),
    "currency": N_("Moeda"),
    "tracking_codes": N_("Rastreio"),
}
EVENT = {
    "packed": N_("Embalado"),
    "unpacked": N_("Marcado como não embalado"),
    "printed": N_("Impresso"),
    "unprinted": N_("Marcado como não impresso"),
    "reallocated": N_("Reserva refeita"),
    "allocated": N_("Depósito escolhido"),
    "reservation_moved": N_("Reserva mudou de depósito"),
    "hold_expired": N_("Reserva venceu sem pagamento"),
    "settled": N_("Acertado à mão, com a conta desligada"),
}
SETTLED = {  # what a person said became of it
    "cancelled": N_("não vai sair: as unidades voltaram à venda"),
    "sent": N_("já saiu: as unidades deixaram o estoque"),
    "open": N_("aberto de novo, como o canal o contou por último"),
}
NOTICE = {
    "webhook": N_("O canal avisou"),
    "poll": N_("A busca trouxe o pedido"),
    "missed": N_("Aviso perdido, recuperado"),
    "manual": N_("Pedido buscado à mão"),
}
PART = {"order": N_("Pedido"), "shipment": N_("Envio"), "billing": N_("Faturamento")}
STAYS = {
    "gone": N_("Pedido %(number)s não existe mais."),
    "closed": N_("Pedido %(number)s já saiu ou foi cancelado."),
    "sent": N_("Pedido %(number)s já tem envio: a reserva fica."),
    "packed": N_("Pedido %(number)s está embalado: a reserva fica."),
}
TONE = {
    "shortage": "bad", "hold_expired": "bad", "label_cancelled": "bad", "shortage_filled": "ok", "reserved": "ok",
    "packed": "ok", "parcel_left": "ok", "notice": "mute", "changed": "mute",
}  # fmt: skip


def detail(kind: str, params: Mapping[str, Any]) -> str | None:
    """What an event that pages of orders know says beside its name: names and numbers only."""
    match kind:
        case "packed" | "unpacked" | "printed" | "unprinted" | "reallocated":
            return str(params["by"]) if params.get("by") else None
        case "allocated":
            return f"{params.get('warehouse')} · {params.get('units')}"
        case "reservation_moved" | "hold_expired":
            return str(params["units"]) if params.get("units") else None
        case _:
            return None

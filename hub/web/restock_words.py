"""What replenishment's words are called on a page: tables only."""

from hub.web.i18n import N_

Chip = tuple[str, str]

FILTERS = {
    "low": N_("Comprar"),
    "urgent": N_("Urgentes"),
    "incoming": N_("A caminho"),
    "doubtful": N_("Pouca confiança"),
    "all": N_("Todos"),
}
DOUBT = {
    "new": N_("poucos dias de história"),
    "mostly_out": N_("poucos dias com estoque"),
    "few_sales": N_("vendeu em poucos dias"),
    "unstocked": N_("vendeu sem estoque registrado"),
}
PURCHASE: dict[str, Chip] = {
    "draft": ("mute", N_("rascunho")),
    "sent": ("busy", N_("enviado")),
    "partial": ("wait", N_("recebido em parte")),
    "received": ("ok", N_("recebido")),
    "closed": ("mute", N_("encerrado com falta")),
    "cancelled": ("mute", N_("cancelado")),
}
PURCHASE_FILTERS = {
    "open": N_("Em aberto"),
    "draft": N_("Rascunhos"),
    "sent": N_("Enviados"),
    "partial": N_("Recebidos em parte"),
    "received": N_("Recebidos"),
    "closed": N_("Encerrados"),
    "cancelled": N_("Cancelados"),
}
# The form of a SKU, in its order: name, label, hint. Empty is the default, or computed.
FIELDS = (
    ("supplier", N_("Fornecedor"), N_("quem vende para você")),
    ("supplier_code", N_("Código no fornecedor"), N_("como ele chama este produto")),
    ("lead_time_days", N_("Prazo de reposição, em dias"), N_("vale até ser medido nos recebimentos")),
    ("lead_time_deviation", N_("Desvio do prazo, em dias"), N_("quanto o prazo costuma variar")),
    ("service_level", N_("Nível de serviço"), N_("95%: em 95 de 100 ciclos não falta")),
    ("safety_stock", N_("Estoque de segurança"), N_("vazio: calculado; não é margem de canal, segue à venda")),
    ("reorder_point", N_("Ponto de pedido"), N_("vazio: calculado")),
    ("review_days", N_("Dias entre compras"), N_("o nível desejado soma a venda desses dias")),
    ("cover_days", N_("Dias de cobertura"), N_("no lugar dos dias entre compras")),
    ("order_multiple", N_("Múltiplo de compra"), N_("unidades por embalagem")),
    ("order_minimum", N_("Compra mínima"), N_("em unidades")),
)
HANDLING = {
    "": N_("padrão da loja"),
    "winsorised": N_("média com picos aparados"),
    "median": N_("semana mediana"),
    "mean": N_("média simples"),
}
REFUSAL = {
    "unknown": N_("Não há esse pedido de compra."),
    "state": N_("O pedido de compra %(number)s mudou de situação: confira e tente de novo."),
    "unplanned": N_("%(sku)s não é reposto: faça antes a contagem do estoque, ou ligue a reposição dele."),
    "quantity": N_("Quantidade de %(sku)s: não pode ser usada."),
    "cost": N_("Custo de %(sku)s: não pode ser usado."),
    "supplier": N_("Não há fornecedor %(name)s."),
    "empty": N_("O pedido de compra %(number)s não tem itens: inclua um, ou cancele o pedido."),
    "past": N_("A data prevista já passou."),
    "partly_came": N_("Parte do pedido de compra %(number)s já chegou: encerre com falta."),
    "nothing_came": N_("Nada do pedido de compra %(number)s chegou ainda: cancele o pedido."),
    "done": N_("O pedido de compra %(number)s já terminou: confirme que chegou mais."),
    "none_told": N_("Diga quanto chegou de pelo menos um SKU."),
    "not_in": N_("%(sku)s não está no pedido de compra %(number)s."),
    "uncounted": N_("%(sku)s nunca foi contado: conte antes o que havia (0 se nada), e então receba."),
    "over": N_("%(sku)s: chegariam %(total)s de %(ordered)s pedidas. Confirme abaixo que chegou mais."),
}
REFUSAL_OTHER = N_("Não foi feito: %(why)s")

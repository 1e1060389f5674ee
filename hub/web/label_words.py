"""What labels and their queue are called on a page: tables only."""

from hub.web.i18n import N_

Chip = tuple[str, str]

QUEUES = {
    "to_buy": N_("Comprar"),
    "channel": N_("Do canal"),
    "to_print": N_("Imprimir"),
    "to_leave": N_("Entregar à transportadora"),
    "left": N_("Saíram"),
}
EMPTY = {
    "to_buy": N_("Nenhum pedido pago espera por etiqueta comprada. As que o próprio canal emite estão em Do canal."),
    "to_print": N_("Toda etiqueta comprada já foi impressa."),
    "to_leave": N_("Nenhum volume espera por uma transportadora."),
    "left": N_("Nenhum volume saiu em romaneio ainda."),
    "channel": N_("Nenhuma etiqueta do canal espera: o que o canal envia já saiu, ou já foi impresso."),
}
STATUS: dict[str, Chip] = {
    "buying": ("wait", N_("compra em andamento")),
    "doubt": ("bad", N_("compra em dúvida")),
    "paying": ("wait", N_("pagamento em andamento")),
    "bought": ("ok", N_("etiqueta comprada")),
    "refused": ("bad", N_("recusada")),
    "cancelling": ("wait", N_("cancelamento em andamento")),
    "cancelled": ("mute", N_("cancelada")),
}
RULE = {
    "promise": N_("mais barata no prazo"),
    "cheapest": N_("mais barata"),
    "fastest": N_("mais rápida"),
}
ALERT = {
    "label_doubt": N_(
        "Pedido %(order)s: não se sabe se a etiqueta %(reference)s foi comprada em %(account)s. Olhe lá e diga."
    ),
    "label_cancelled_told": N_(
        "Pedido %(order)s: a etiqueta %(code)s foi cancelada, mas o canal já soube do envio (%(told)s). Avise-o."
    ),
}
OFFER_ERROR = {
    "timeout": N_("não respondeu a tempo"),
    "nothing": N_("não tem serviço para este volume"),
    "partial": N_("não tem preço para todos os volumes"),
}
EVENT = {
    "label_bought": N_("Etiqueta comprada"),
    "label_cancelled": N_("Etiqueta cancelada"),
    "parcel_left": N_("Saiu em romaneio"),
}

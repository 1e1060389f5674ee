"""What the packing table is told: queues, why an order is not packed, what a code that was read means."""

from hub.picking import Said
from hub.web.i18n import N_

# what the address says -> (queue of hub.store.picking, name)
QUEUES: dict[str, tuple[str, str]] = {
    "a-separar": ("todo", N_("A separar")),
    "esperam": ("waits", N_("Ainda não")),
    "embalados": ("packed", N_("Embalados")),
}
EMPTY: dict[str, tuple[str, str]] = {
    "todo": (
        N_("Nada a separar"),
        N_("Pedidos pagos, com as unidades reservadas e sem retenção, chegam aqui sozinhos."),
    ),
    "waits": (N_("Nenhum pedido espera"), N_("Aqui ficam os pagos que ainda não se embalam: em falta ou retidos.")),
    "packed": (N_("Nada embalado à espera"), N_("O que foi embalado fica aqui até sair.")),
}
# as a chip
WHY: dict[str, tuple[str, str]] = {
    "cancelled": ("mute", N_("cancelado")),
    "sent": ("mute", N_("já saiu")),
    "unpaid": ("wait", N_("não está pago")),
    "marketplace": ("mute", N_("enviado pelo canal")),
    "closed": ("wait", N_("conta desligada")),
    "relayed": ("mute", N_("cópia de pedido de outra conta")),
    "empty": ("mute", N_("nada a enviar")),
    "fraud": ("bad", N_("retido: suspeita de fraude")),
    "frozen": ("wait", N_("retido pelo canal")),
    "cancel_requested": ("bad", N_("cancelamento pedido")),
    "invoice_pending": ("wait", N_("aguarda nota fiscal")),
    "short": ("bad", N_("em falta")),
}
# as a sentence
REFUSED: dict[str, str] = {
    "cancelled": N_("Pedido %(number)s: não embale, foi cancelado."),
    "sent": N_("Pedido %(number)s: já saiu."),
    "unpaid": N_("Pedido %(number)s: não embale ainda, o pagamento não foi confirmado."),
    "marketplace": N_("Pedido %(number)s: não sai daqui, o canal o envia."),
    "closed": N_("Pedido %(number)s: a conta está desligada; confirme com quem cuida dela."),
    "relayed": N_("Pedido %(number)s: é a cópia de um pedido de outra conta; embale aquele."),
    "empty": N_("Pedido %(number)s: não há mais nada a enviar."),
    "fraud": N_("Pedido %(number)s: não embale, está retido por suspeita de fraude."),
    "frozen": N_("Pedido %(number)s: não embale, o canal o retém."),
    "cancel_requested": N_("Pedido %(number)s: não embale, o comprador pediu o cancelamento."),
    "invoice_pending": N_("Pedido %(number)s: não embale ainda, falta a nota fiscal."),
    "short": N_("Pedido %(number)s: não embale ainda, faltam unidades no estoque."),
}
SAID: dict[Said, str] = {
    Said.COUNTED: N_("%(item)s: lido. Faltam %(left)s."),
    Said.ENOUGH: N_("%(item)s já está completo neste pedido: este volta para a prateleira."),
    Said.UNKNOWN: N_("%(code)s não é deste pedido: ponha de volta e leia outro item."),
}
NOWHERE = N_("Nenhum pedido com o código %(code)s: leia o número do pedido ou o código de rastreio.")

"""What is said of a disconnected account's open orders: tables, and why one of them stays as it is."""

from hub.stranded import Outcome
from hub.web.i18n import N_, Language
from jobs.stranded import Stays

OUTCOME = {
    Outcome.CANCELLED: N_("Não vai sair"),
    Outcome.SENT: N_("Já saiu"),
}
MEANS = {
    Outcome.CANCELLED: N_("as unidades voltam à venda em todos os canais; o pedido fica cancelado aqui"),
    Outcome.SENT: N_("as unidades saem do estoque; o pedido fica despachado, e só uma devolução ou contagem as traz"),
}
DOES = {
    Outcome.CANCELLED: N_("voltam à venda: %(units)s"),
    Outcome.SENT: N_("saem do estoque: %(units)s"),
}
IN_HAND = {
    "packed": ("busy", N_("embalado")),
    "labelled": ("busy", N_("com etiqueta")),
    "moving": ("busy", N_("com a transportadora")),
}
STAYS = {
    "live": N_("A conta está ligada: o canal conta o que acontece com os pedidos dela."),
    "gone": N_("O pedido %(number)s não é desta conta."),
    "nothing": N_("O pedido %(number)s não segura nem espera unidade nenhuma."),
    "again": N_("Pedido %(number)s: o canal ainda não disse quem envia; tente de novo em dois minutos."),
    "packed": N_("O pedido %(number)s está embalado: desfaça isso na página dele, ou diga que já saiu."),
    "labelled": N_("O pedido %(number)s tem etiqueta: cancele-a em Etiquetas, ou diga que já saiu."),
    "moving": N_("O pedido %(number)s está com a transportadora: diga que já saiu."),
    "followed": N_(
        "O pedido %(number)s é a mesma venda do pedido %(other)s de %(account)s: cancele-o lá, ou diga que já saiu."
    ),
    "named": N_("Diga quais pedidos voltam a ficar abertos."),
    "kept": N_("O pedido %(number)s não foi cancelado à mão: não há o que reabrir."),
    "reason": N_("Diga por quê, em até %(most)s letras."),
}


def why(language: Language, refusal: Stays) -> str:
    """Why an order stays as it is."""
    return language.gettext(STAYS[refusal.why], **refusal.told)

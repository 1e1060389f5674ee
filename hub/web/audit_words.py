"""What differences, invariants and lanes are called on a page: tables only."""

from collections.abc import Mapping
from typing import Any

from hub.web.i18n import N_, Language
from hub.web.words import Chip

CLASS: dict[tuple[str, str | None], str] = {
    ("external_edit", "up"): N_("O canal mostra mais do que há: alguém mudou o número lá."),
    ("external_edit", "down"): N_("O canal mostra menos do que há, e nenhum pedido explica: alguém mudou o número lá."),
    ("lost_push", "up"): N_("O canal aceitou o nosso número e continua mostrando o anterior."),
    ("lost_push", "down"): N_("O canal aceitou o nosso número e continua mostrando o anterior."),
    ("unknown_sale", "down"): N_("O canal mostra menos do que há: pode ser uma venda cujo pedido ainda não chegou."),
    ("wrong_link", None): N_("O anúncio agora traz o código de outro SKU."),
    ("fulfilled_by_marketplace", None): N_("O canal passou a guardar e enviar este estoque."),
    ("paused", "up"): N_("O anúncio está pausado, com outro número."),
    ("paused", "down"): N_("O anúncio está pausado, com outro número."),
    ("gone", None): N_("O canal não tem mais este anúncio."),
    ("unmanaged", None): N_("O canal deixou de contar o estoque deste anúncio."),
    ("in_doubt", "up"): N_("A resposta de uma escrita se perdeu, e ela não valeu."),
    ("in_doubt", "down"): N_("A resposta de uma escrita se perdeu, e ela não valeu."),
}
SHORT = {
    "external_edit": N_("mudança de fora"),
    "lost_push": N_("escrita perdida"),
    "unknown_sale": N_("venda desconhecida?"),
    "wrong_link": N_("vínculo errado?"),
    "fulfilled_by_marketplace": N_("estoque do canal"),
    "paused": N_("pausado"),
    "gone": N_("sumiu do canal"),
    "unmanaged": N_("sem controle de estoque"),
    "in_doubt": N_("escrita em dúvida"),
}
WHY = {
    "orders_unread": N_("Há um pedido que ainda não pôde ser lido."),
    "orders_not_asked": N_("Os pedidos do canal ainda não foram consultados depois desta leitura."),
    "fresh": N_("O hub espera o pedido chegar e confere de novo."),
    "orders_moved": N_("Um pedido deste anúncio mudou perto da última escrita."),
    "no_order_came": N_("O pedido não chegou no tempo de espera."),
}
STATE: dict[str, Chip] = {
    "proposed": ("bad", N_("espera você")),
    "waiting": ("wait", N_("conferindo de novo")),
    "repairing": ("busy", N_("sendo corrigida")),
    "dismissed": ("mute", N_("deixada como está")),
    "noted": ("mute", N_("anotada")),
    "closed": ("ok", N_("encerrada")),
}
STATE_FILTERS = {
    "proposed": N_("Esperam você"),
    "waiting": N_("Conferindo"),
    "repairing": N_("Em correção"),
    "dismissed": N_("Deixadas"),
    "noted": N_("Anotadas"),
    "closed": N_("Encerradas"),
}
# What an account does by itself about a class of difference, as hub.drift.POLICIES names them.
POLICY_OF = {
    "lost_push": (N_("Escrita perdida"), N_("O canal aceitou o número e continua mostrando o anterior.")),
    "external_edit_up": (N_("Mostra mais do que há"), N_("Alguém aumentou o número lá: venderia o que não existe.")),
    "external_edit_down": (N_("Mostra menos do que há"), N_("Alguém diminuiu o número lá, e nenhum pedido explica.")),
    "wrong_link": (N_("Traz o código de outro SKU"), N_("Corrigir aqui é trocar o vínculo: sempre com uma pessoa.")),
    "unmanaged": (N_("Deixou de contar estoque"), N_("O canal não controla mais o estoque deste anúncio.")),
    "paused": (N_("Pausado, com outro número"), N_("Não vende enquanto pausado: o número importa quando voltar.")),
    "gone": (N_("Sumiu do canal"), N_("O anúncio não está mais lá.")),
}
POLICY = {
    "repair": N_("corrigir sozinho"),
    "propose": N_("perguntar a alguém"),
    "ignore": N_("deixar e anotar"),
}
ENDED = {
    "repaired": N_("corrigida"),
    "explained": N_("explicada por um pedido"),
    "went_away": N_("deixou de existir"),
    "accepted": N_("aceita por você"),
}
LANE = {
    "intake": N_("Avisos e pedidos a ler"),
    "stock": N_("Números a escrever nos canais"),
    "shipments": N_("Envios a contar aos canais"),
    "tracking": N_("Rastreios a consultar"),
    "catalogue": N_("Tarefas de conta (buscas, conferência)"),
}

# By the beginning of a check's name.
INVARIANT = {
    "I1 ": N_("O físico de um SKU não é a soma dos seus movimentos."),
    "I2 ": N_("O reservado de um SKU não é a soma das reservas abertas."),
    "I3 ": N_("Um anúncio parado não mostra o número calculado."),
    "I4 ": N_("Um mesmo pedido mexeu duas vezes no estoque."),
    "I5 movements": N_("O que um pedido despachou não é o que saiu do estoque."),
    "I5 what": N_("Um pedido pago não tem as unidades reservadas nem a falta anotada."),
    "I6 ": N_("Um aviso recebido passou do tempo sem ser tratado."),
    "I7 ": N_("Um pedido voltou a uma situação anterior sem poder."),
    "I8 ": N_("Um trabalho inacabado não tem próxima tentativa nem motivo à vista."),
    "I9 ": N_("Uma unidade foi prometida duas vezes."),
    "I10 ": N_("O que saiu para outro depósito não chegou, não está a caminho e não consta como perdido."),
    "I11 ": N_("Há unidades reservadas num depósito de onde não se vende."),
}


def sentence(language: Language, row: Mapping[str, Any]) -> str:
    """A difference in one sentence."""
    told = CLASS.get((row["class"], row["direction"])) or SHORT.get(row["class"], "")
    return language.gettext(told) if told else str(row["class"])


def invariant(language: Language, name: str) -> str:
    """A broken invariant in words; one without words shows its own name."""
    told = next((words for start, words in INVARIANT.items() if name.startswith(start)), None)
    return language.gettext(told) if told else name

"""What the steps of a first run are called, why each is there and how long it takes: tables only."""

from dataclasses import dataclass

from hub.first_run import State
from hub.web.i18n import N_


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A step in words."""

    title: str
    why: str
    time: str


STEPS = {
    "user": Words(title=N_("Criar o seu usuário"), why=N_("Feito: você é o dono desta loja."), time=""),
    "channel": Words(
        title=N_("Ligar o primeiro canal"),
        why=N_("Loja virtual, marketplace ou ERP: o hub lê pedidos e anúncios de lá, e nada escreve até você aprovar."),
        time=N_("3 min"),
    ),
    "listings": Words(
        title=N_("Ler os anúncios e vincular cada um a um SKU"),
        why=N_("É pelo SKU que os canais dividem o mesmo estoque: vendeu num, os outros mostram menos."),
        time=N_("1 min a cada mil anúncios"),
    ),
    "stock": Words(
        title=N_("Dizer o estoque inicial"),
        why=N_("Sem uma contagem nenhum número é escrito: vazio não é zero. Pode vir do que um canal mostra."),
        time=N_("1 min, ou o tempo de contar"),
    ),
    "preview": Words(
        title=N_("Conferir a prévia e aprovar"),
        why=N_("Você vê o que cada anúncio passaria a mostrar, e por quê, antes da primeira escrita."),
        time=N_("2 min"),
    ),
    "order": Words(
        title=N_("Receber o primeiro pedido"),
        why=N_("O próximo pedido aparece aqui sozinho, com as unidades já reservadas em todos os canais."),
        time=N_("quando alguém comprar"),
    ),
}
STATE = {
    State.DONE: N_("feito"),
    State.BEGUN: N_("em andamento"),
    State.TODO: N_("a fazer"),
    State.WAITS: N_("depois"),
}
COUNTED = {"listings": N_("%(done)s de %(all)s vinculados"), "stock": N_("%(done)s de %(all)s SKUs com estoque")}

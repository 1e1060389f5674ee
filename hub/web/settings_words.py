"""What settings are called on their pages: tables only."""

from hub.web.i18n import N_

# (address, words, least role)
SECTIONS = (("/configuracoes/pessoas", N_("Pessoas"), "manager"),)
ROLE_DOES = {
    "owner": N_("tudo, também pessoas, chaves e segurança"),
    "manager": N_("contas, preços, compras e pessoas da operação"),
    "operator": N_("pedidos, etiquetas, conferência e pausas"),
    "warehouse": N_("estoque, contagens, transferências, etiquetas e envios; não vê valores nem credenciais"),
    "viewer": N_("vê tudo, menos credenciais, e não muda nada"),
}
REFUSAL = {
    "above": N_("Só um dono muda donos e gerentes."),
    "beyond": N_("Só um dono dá este papel."),
    "last_owner": N_("O último dono não pode sair nem mudar de papel: faça antes de outra pessoa um dono."),
    "member": N_("%(email)s já trabalha nesta loja: mude o papel na lista."),
    "many": N_("Já há %(most)s convites abertos: retire algum antes."),
    "gone": N_("Este convite já foi aceito ou retirado, ou venceu."),
    "nobody": N_("Esta pessoa já não trabalha nesta loja."),
}
SUBJECT = N_("Convite para %(seller)s no Balcão")
LETTER = N_(
    "%(by)s convida você para trabalhar em %(seller)s como %(role)s.\n\n"
    "Para entrar, abra este endereço até %(until)s:\n%(address)s\n\n"
    "Se você não esperava este convite, não faça nada: ele vence sozinho.\n"
)

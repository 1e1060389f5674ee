"""What settings are called on their pages: tables only."""

from hub.web.i18n import N_

# (address, words, least role)
SECTIONS = (
    ("/configuracoes/pessoas", N_("Pessoas"), "manager"),
    ("/configuracoes/seguranca", N_("Segurança"), "member"),
    ("/configuracoes/margens", N_("Margens"), "manager"),
    ("/configuracoes/avisos", N_("Avisos"), "viewer"),
    ("/configuracoes/chaves", N_("Chaves da API"), "manager"),
    ("/configuracoes/registro", N_("Registro"), "manager"),
)
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
ACTOR = {
    "cli": N_("%(name)s, no terminal"),
    "flow": N_("o hub"),
    "api": N_("um programa, pela API"),
}
NOBODY = N_("não anotado")
ACTION = {
    "first_user": N_("primeiro usuário criado"),
    "user_invite": N_("convite enviado"),
    "user_uninvite": N_("convite retirado"),
    "user_join": N_("convite aceito"),
    "user_role": N_("papel mudado"),
    "user_remove": N_("pessoa removida"),
    "user_add": N_("pessoa incluída"),
    "factor_on": N_("dois fatores ligados"),
    "factor_off": N_("dois fatores desligados"),
    "factor_reset": N_("dois fatores zerados pelo terminal"),
    "factor_required": N_("exigência de dois fatores"),
    "notice_way_add": N_("caminho de avisos ligado"),
    "notice_way_set": N_("caminho de avisos mudado"),
    "notice_way_on": N_("caminho de avisos ligado de novo"),
    "notice_way_off": N_("caminho de avisos desligado"),
    "notice_way_drop": N_("caminho de avisos removido"),
    "apikey_add": N_("chave da API feita"),
    "apikey_revoke": N_("chave da API revogada"),
    "account_add": N_("conta ligada"),
    "account_approve": N_("conta aprovada"),
    "account_revoke": N_("aprovação retirada"),
    "account_hold": N_("conta pausada"),
    "account_resume": N_("conta retomada"),
    "account_close": N_("conta encerrada"),
    "account_reseal": N_("credenciais trocadas"),
    "account_rename": N_("conta renomeada"),
    "account_reopen": N_("conta ligada de novo"),
    "account_holds": N_("regra de reserva da conta"),
    "account_role": N_("papel da conta no estoque"),
    "account_mail": N_("e-mail a compradores"),
    "account_ship_by": N_("prazo de despacho da conta"),
    "seller_shipping": N_("prazos da loja"),
    "link": N_("anúncios vinculados"),
    "drift_accept": N_("diferença corrigida"),
    "drift_dismiss": N_("diferença deixada"),
    "drift_policy": N_("regra da conferência"),
    "freight_policy": N_("regra do frete"),
    "buffer_set": N_("margem definida"),
    "buffer_remove": N_("margem removida"),
    "stock_set": N_("estoque contado"),
    "stock_adjust": N_("estoque ajustado"),
    "stock_import": N_("estoque importado"),
    "stock_undo": N_("movimento estornado"),
    "count_open": N_("contagem aberta"),
    "count_post": N_("contagem lançada"),
    "count_cancel": N_("contagem cancelada"),
    "transfer_open": N_("transferência aberta"),
    "transfer_send": N_("transferência enviada"),
    "transfer_receive": N_("transferência recebida"),
    "transfer_cancel": N_("transferência cancelada"),
    "warehouse_add": N_("depósito criado"),
    "warehouse_close": N_("depósito encerrado"),
    "kit_set": N_("kit definido"),
    "kit_unset": N_("kit desfeito"),
    "slots_release": N_("freio solto"),
    "slots_unpark": N_("anúncio reaberto"),
    "inbox_replay": N_("aviso refeito"),
    "label_cancel": N_("etiqueta cancelada"),
    "manifest_sign": N_("romaneio assinado"),
    "replenishment_set": N_("reposição mudada"),
    "replenishment_defaults": N_("reposição: padrões"),
    "purchase_drafted": N_("compra em rascunho"),
    "purchase_sent": N_("compra enviada"),
    "purchase_received": N_("compra recebida"),
    "return_receive": N_("devolução recebida"),
    "supplier_add": N_("fornecedor incluído"),
    "supplier_edit": N_("fornecedor mudado"),
}

"""Refusals of linking, differences, buffers and accounts in the reader's language, by their kind: tables only."""

from hub.web import stock_words
from hub.web.i18n import N_, Language
from hub.web.refused_links import LINK
from hub.web.stock_words import Told

FILE = {
    "links_rows": N_("O arquivo passa de %(most)s linhas: divida-o."),
    "line_not_csv": N_("A linha %(line)s não é CSV: confira as aspas."),
    "listing_twice": N_("Anúncio %(one)s: já está na linha %(line)s."),
    "sheet_shortened": N_("A planilha encurtou o número para %(one)s: formate a coluna como texto."),
    "accept_what": N_("Aceitar: %(one)s não é sim nem não; escreva x ou deixe vazio."),
    "accept_nothing": N_("Aceitar: esta linha não tem SKU sugerido; escreva o SKU."),
    "listing_empty": N_("Anúncio: vazio."),
    "multiplier_hint": N_("Unidades por venda: vazio, e o título fala em %(hint)s; escreva %(hint)s ou 1."),
    "multiplier": N_("Unidades por venda: %(one)s não é um número inteiro de 1 a %(most)s."),
    "listing_unknown_of": N_("Anúncio: não há %(one)s na conta %(account)s."),
    "listing_unknown": N_("Anúncio: não há %(one)s em conta nenhuma."),
    "listing_where": N_("Conta: %(one)s está em mais de uma; diga qual."),
    "variation_unknown": N_("Variação: %(one)s não tem %(two)s; tem %(there)s."),
}
DRIFT = {
    "drift_nothing": N_("%(one)s: não há número que o hub possa escrever; deixe como está."),
    "drift_account": N_("A conta %(account)s não está escrevendo: aprove ou retome, e aceite de novo."),
    "drift_gone": N_("%(one)s: o SKU que o canal diz não existe; deixe como está."),
    "no_drift": N_("Esta diferença não existe mais."),
    "drift_decided": N_("%(one)s: não há mais o que decidir."),
    "no_drift_class": N_("Não há essa classe de diferença."),
    "drift_policy": N_("Escolha o que fazer com cada classe."),
}
BUFFER = {
    "buffer_value": N_("Quanto: %(value)s não está entre 0 e %(most)s."),
    "buffer_percent": N_("Quanto: %(value)s%% passa de 100%%, e nada seria mostrado."),
    "buffer_pool": N_("Conta: a cota é separada para um canal; escolha-o."),
    "buffer_cap_kind": N_("No máximo: só a margem automática tem."),
    "buffer_cap": N_("No máximo: não pode ser menor que zero."),
    "buffer_until": N_("Só acima de: não pode ser menor que zero."),
    "buffer_ended": N_("Termina: esse instante já passou; dê outro, ou remova a margem."),
    "buffer_order": N_("Termina: deve ser depois do começo."),
    "buffer_kit": N_("SKU: %(sku)s é um kit; separe unidades dos componentes dele."),
    "buffer_sku": N_("SKU: não há %(sku)s."),
    "buffer_category": N_("Categoria: nenhum SKU é de %(category)s."),
    "buffer_listing_kit": N_("Anúncio: ele vende um kit; separe unidades dos componentes."),
    "no_buffer": N_("Esta margem não existe mais."),
}
ACCOUNT = {
    "account_stopped": N_("A conta %(account)s está parada: retome-a antes de aprovar."),
    "account_unread": N_("%(account)s ainda não foi lida até o fim: espere o hub terminar."),
    "approve_nothing": N_("%(account)s: não há mais o que aprovar aí."),
    "approve_none": N_("%(account)s não anuncia nada de %(names)s."),
    "revoke_scope": N_(
        "Sem diminuir só diz o que se aprova: para retirar, diga tudo, uma categoria, SKUs ou anúncios."
    ),
    "no_consent_page": N_("%(label)s não tem página de autorização: ligue pelas chaves."),
    "no_address": N_("%(label)s: isto não é um endereço http ou https."),
    "demo_real": N_("Uma demonstração não liga canais de verdade: ligue na sua própria loja."),
}
OWN = LINK | FILE | DRIFT | BUFFER | ACCOUNT


def told(language: Language, refusal: Told) -> str:
    """A refusal, or what is wrong with a line, in the reader's language; one that has no words stays as it is."""
    if refusal.kind in OWN:
        return language.gettext(OWN[refusal.kind], **refusal.params)
    if refusal.kind in stock_words.REFUSAL:
        return stock_words.sentence(language, refusal.kind, **refusal.params)
    return str(getattr(refusal, "message", refusal))

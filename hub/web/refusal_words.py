"""Refusals of linking, differences and buffers in the reader's language: the flows' own sentences, by their shape."""

import re

from hub.web.i18n import N_, Language

_SHAPES: tuple[tuple[str, str], ...] = (
    # links
    (r"listing (?P<one>.+) shares its stock with listing (?P<two>.+), which .* (?P<units>\d+) x (?P<sku>.*): link.*",
     N_("O anúncio %(one)s divide o estoque com o anúncio %(two)s, que vende %(units)s × %(sku)s: vincule os dois ao "
        "mesmo SKU, com o mesmo multiplicador.")),
    (r"(?P<account>.+) is the source of stock and tells (?P<sku>.+) by listing (?P<two>.+) already: .*",
     N_("%(account)s é a fonte do estoque e já conta %(sku)s pelo anúncio %(two)s: a fonte conta cada SKU num só "
        "lugar.")),
    (r"(?P<account>.+) is the source of stock and tells (?P<sku>.+) by another listing of this file already: .*",
     N_("%(account)s é a fonte do estoque, e dois anúncios daqui seriam %(sku)s: a fonte conta cada SKU num só "
        "lugar.")),
    (r"there is no listing (?P<one>.+)", N_("O anúncio %(one)s não existe mais.")),
    (r"there is no SKU '(?P<sku>.*)', but one '(?P<two>.*)': write it as it is",
     N_("Já há um SKU %(two)s, que só difere de %(sku)s em maiúsculas: use-o como ele é.")),
    (r"there is a SKU '(?P<sku>.*)' already: link the listing to it",
     N_("O SKU %(sku)s já existe: vincule o anúncio a ele.")),
    (r"there is no SKU '(?P<sku>.*)'", N_("Não há SKU %(sku)s.")),
    # files of links
    (r"the file is damaged: .*", N_("O arquivo está danificado: salve-o de novo como CSV.")),
    (r"the file is not a CSV: .*",
     N_("Não é um CSV: salve a planilha como CSV (UTF-8), separado por ponto e vírgula.")),
    (r"the file is empty: .*", N_("O arquivo está vazio: a primeira linha traz as colunas anúncio e SKU.")),
    (r"the file has more than (?P<most>\d+) rows: split it\.", N_("O arquivo passa de %(most)s linhas: divida-o.")),
    (r"line (?P<line>\d+): not CSV: .*", N_("A linha %(line)s não é CSV: confira as aspas.")),
    (r"two columns of the file are the (?P<name>\w+): '(?P<one>.*)' and '(?P<two>.*)'\.",
     N_("Duas colunas dizem o mesmo: %(one)s e %(two)s; deixe uma.")),
    (r"the file has no column (?P<name>\w+): its first line is (?P<seen>.*)\.",
     N_("Falta a coluna %(name)s (anúncio é listing); a primeira linha é %(seen)s.")),
    (r"listing: '(?P<one>.*)' stands in line (?P<line>\d+) already", N_("Anúncio %(one)s: já está na linha %(line)s.")),
    (r"(?P<name>listing|variation): the sheet shortened the number to '(?P<one>.*)': format the column as text",
     N_("A planilha encurtou o número para %(one)s: formate a coluna como texto.")),
    (r"accept: '(?P<one>.*)' is neither yes nor no: .*", N_("Aceitar: %(one)s não é sim nem não; escreva x ou deixe "
                                                            "vazio.")),
    (r"accept: there is no suggested_sku in this line: write the sku",
     N_("Aceitar: esta linha não tem SKU sugerido; escreva o SKU.")),
    (r"listing: empty", N_("Anúncio: vazio.")),
    (r"sku: holds a character that cannot be printed", N_("SKU: tem um caractere invisível; digite-o de novo.")),
    (r"multiplier: empty, and the title speaks of (?P<hint>\d+) units: .*",
     N_("Unidades por venda: vazio, e o título fala em %(hint)s; escreva %(hint)s ou 1.")),
    (r"multiplier: '(?P<one>.*)' is not a whole number from 1 to (?P<most>\d+)",
     N_("Unidades por venda: %(one)s não é um número inteiro de 1 a %(most)s.")),
    (r"listing: there is no '(?P<one>.*)' of account '(?P<account>.*)'",
     N_("Anúncio: não há %(one)s na conta %(account)s.")),
    (r"listing: there is no '(?P<one>.*)'", N_("Anúncio: não há %(one)s em conta nenhuma.")),
    (r"account: '(?P<one>.*)' is on (?P<where>.*): name one", N_("Conta: %(one)s está em mais de uma; diga qual.")),
    (r"variation: '(?P<one>.*)' has no (?P<two>.*); it has (?P<there>.*)",
     N_("Variação: %(one)s não tem %(two)s; tem %(there)s.")),
    (r"sku: there is no '(?P<sku>.*)', but one '(?P<two>.*)': write it as it is",
     N_("Já há um SKU %(two)s, que só difere de %(sku)s em maiúsculas: use-o como ele é.")),
    (r"sku: there is no '(?P<sku>.*)'; --create makes it",
     N_("Não há SKU %(sku)s: marque “criar os SKUs que faltam”, ou corrija.")),
    # differences
    (r"(?P<class>\w+) of (?P<one>.+): there is nothing that the hub could write; dismiss it",
     N_("%(one)s: não há número que o hub possa escrever; deixe como está.")),
    (r"(?P<account>.+) is (?P<status>\w+): approve or resume it, then accept",
     N_("A conta %(account)s não está escrevendo: aprove ou retome, e aceite de novo.")),
    (r"(?P<one>.+): the SKU that it names is gone; dismiss it",
     N_("%(one)s: o SKU que o canal diz não existe; deixe como está.")),
    (r"there is no difference .*", N_("Esta diferença não existe mais.")),
    (r"(?P<class>\w+) of (?P<one>.+) is (?P<state>\w+): there is nothing to decide",
     N_("%(one)s: não há mais o que decidir.")),
    # buffers
    (r"value: (?P<value>-?\d+) is not between 0 and (?P<most>\d+)",
     N_("Quanto: %(value)s não está entre 0 e %(most)s.")),
    (r"value: (?P<value>\d+) is more than 100 %.*", N_("Quanto: %(value)s%% passa de 100%%, e nada seria mostrado.")),
    (r"account: a pool is set apart for one channel: name it",
     N_("Conta: a cota é separada para um canal; escolha-o.")),
    (r"cap: only an automatic buffer has one", N_("No máximo: só a margem automática tem.")),
    (r"cap: (?P<value>-?\d+) is below zero", N_("No máximo: não pode ser menor que zero.")),
    (r"until-stock: (?P<value>-?\d+) is below zero", N_("Só acima de: não pode ser menor que zero.")),
    (r"ends: that time has passed: .*", N_("Termina: esse instante já passou; dê outro, ou remova a margem.")),
    (r"ends: it must be later than starts", N_("Termina: deve ser depois do começo.")),
    (r"sku: (?P<sku>.+) is a kit: set apart units of its components",
     N_("SKU: %(sku)s é um kit; separe unidades dos componentes dele.")),
    (r"sku: there is no SKU '(?P<sku>.*)'", N_("SKU: não há %(sku)s.")),
    (r"category: no SKU has the category '(?P<category>.*)'", N_("Categoria: nenhum SKU é de %(category)s.")),
    (r"listing: it sells a kit: set apart units of its components",
     N_("Anúncio: ele vende um kit; separe unidades dos componentes.")),
    (r"there is no buffer .*", N_("Esta margem não existe mais.")),
    # accounts
    (r"(?P<account>.+) is (?P<status>\w+): resume it first\.",
     N_("A conta %(account)s está parada: retome-a antes de aprovar.")),
    (r"(?P<account>.+): its .+ are not read yet: .*",
     N_("%(account)s ainda não foi lida até o fim: espere o hub terminar.")),
    (r"(?P<account>.+): no slot is left to approve in this scope",
     N_("%(account)s: não há mais o que aprovar aí.")),
    (r"scope: (?P<account>.+) lists nothing of (?:category|sku|listing) (?P<names>.+)",
     N_("%(account)s não anuncia nada de %(names)s.")),
    (r"(?P<label>.+) has no authorization page: connect it by its keys",
     N_("%(label)s não tem página de autorização: ligue pelas chaves.")),
    (r"(?P<label>.+): that is no http or https address",
     N_("%(label)s: isto não é um endereço http ou https.")),
    (r"a demonstration connects no real channel: .*",
     N_("Uma demonstração não liga canais de verdade: ligue na sua própria loja.")),
    # policies
    (r"there is no class .*", N_("Não há essa classe de diferença.")),
    (r"(?P<name>\w+): '(?P<policy>.*)' is not one of .*", N_("Escolha o que fazer com cada classe.")),
)  # fmt: skip
SHAPES = tuple((re.compile(shape, re.DOTALL), words) for shape, words in _SHAPES)


def told(language: Language, sentence: str) -> str:
    """A refusal in words of this language; one whose shape is not known stays as it is."""
    if language.locale == "en":
        return sentence
    bare = sentence.removeprefix("sku: ") if sentence.startswith("sku: listing ") else sentence
    for shape, words in SHAPES:
        if found := shape.fullmatch(bare):
            return language.gettext(words, **found.groupdict())
    return sentence

"""What the stock pages call things: tables, and refusals in the reader's language."""

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote
from uuid import UUID

from hub.web import words
from hub.web.i18n import N_, Language

FILTERS = {
    "low": N_("No ponto de pedido"),
    "out": N_("Sem estoque"),
    "uncounted": N_("Sem contagem"),
    "kit": N_("Kits"),
    "unlinked": N_("Sem anúncio"),
}
SORTS = {"code": N_("Código"), "free": N_("Menos livre primeiro"), "days": N_("Acaba primeiro")}
FACTS = {  # name -> (label, hint, kind of keyboard)
    "title": (N_("Nome"), "", "text"),
    "gtin": (N_("GTIN (código de barras)"), N_("8, 12, 13 ou 14 dígitos"), "numeric"),
    "category": (N_("Categoria"), "", "text"),
    "cost_cents": (N_("Custo unitário (R$)"), "", "decimal"),
    "weight_g": (N_("Peso (g)"), N_("em gramas"), "numeric"),
    "length_mm": (N_("Comprimento (mm)"), N_("em milímetros"), "numeric"),
    "width_mm": (N_("Largura (mm)"), N_("em milímetros"), "numeric"),
    "height_mm": (N_("Altura (mm)"), N_("em milímetros"), "numeric"),
}
MONEY_FACTS = ("cost_cents",)  # not for those who see no money
ADJUST = {  # how a form moves stock -> what it says; the sentence of its ledger entry
    "contar": (N_("Contei: há exatamente"), N_("contagem avulsa")),
    "achar": (N_("Achei: há a mais"), N_("unidades encontradas")),
    "perder": (N_("Perdi: há a menos"), N_("unidades perdidas")),
    "avariar": (N_("Avariou: separar"), N_("unidades avariadas")),
}
HOUSE = {
    "own": ("ok", N_("próprio")),
    "marketplace": ("mute", N_("do marketplace")),
    "transit": ("busy", N_("em trânsito")),
    "damaged": ("bad", N_("avariados")),
}
TRANSFER = {
    "open": ("wait", N_("a enviar")),
    "sent": ("busy", N_("a caminho")),
    "received": ("ok", N_("recebida")),
    "cancelled": ("mute", N_("cancelada")),
}
COUNT = {"open": ("busy", N_("em contagem")), "posted": ("ok", N_("lançado")), "cancelled": ("mute", N_("cancelado"))}
COLUMNS = {
    "sku": "SKU", "quantity": N_("quantidade"), "title": N_("nome, ou outro dado"), "listing": N_("anúncio"),
}  # fmt: skip

SHEET = {
    "code": "sku", "title": N_("nome"), "category": N_("categoria"), "gtin": "gtin", "on_hand": N_("em mãos"),
    "reserved": N_("reservado"), "free": N_("livre"), "incoming": N_("a chegar"), "short": N_("em falta"),
    "days": N_("dias de estoque"), "listings": N_("anúncios"),
}  # fmt: skip
LEDGER_SHEET = {
    "at": N_("quando"), "sku": "sku", "title": N_("nome"), "warehouse": N_("depósito"), "reason": N_("motivo"),
    "delta": N_("unidades"), "who": N_("quem"), "order_number": N_("pedido"), "reference": N_("referência"),
    "note": N_("observação"),
}  # fmt: skip

# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────

REFUSAL = {
    "nothing": N_("Diga quantas unidades e por quê."),
    "not_open": N_("O estoque de %(sku)s ainda não foi aberto: conte-o primeiro."),
    "below_zero": N_("%(sku)s: há %(there)s ali, não dá para tirar %(units)s."),
    "no_sku": N_("Não há o SKU %(sku)s."),
    "no_sku_create": N_("Não há o SKU %(sku)s: marque “criar os que faltam”, ou corrija o código."),
    "sku_there": N_("Já há um SKU %(sku)s."),
    "kit": N_("%(sku)s é um kit: conte os componentes, o kit segue deles."),
    "warehouse": N_("Não há depósito aberto com o código %(code)s."),
    "quantity": N_("Quantidade de %(sku)s: diga um número inteiro, de 0 para cima."),
    "aside_kind": N_("Avarias saem de um depósito próprio."),
    "kit_self": N_("%(kit)s não pode conter a si mesmo."),
    "kit_loop": N_("%(kit)s conteria a si mesmo, através de %(through)s."),
    "kit_deep": N_("%(kit)s: kits dentro de kits demais."),
    "kit_counted": N_("Há unidades de %(kit)s contadas ou reservadas: leve-as a 0 antes de torná-lo kit."),
    "no_kit": N_("%(kit)s não é um kit."),
    "file_damaged": N_("O arquivo está danificado: começa em Unicode e não continua assim."),
    "file_not_csv": N_("O arquivo não é um CSV: salve a planilha como CSV (UTF-8), separada por ; ou vírgula."),
    "file_empty": N_("O arquivo está vazio: a primeira linha deve ter os nomes das colunas."),
    "file_rows": N_("O arquivo tem %(rows)s linhas, mais que %(most)s: divida-o."),
    "file_two_columns": N_("Duas colunas dizem a mesma coisa: %(one)s e %(other)s. Renomeie uma delas."),
    "file_no_column": N_("Falta a coluna %(column)s. A primeira linha é: %(seen)s."),
    "file_same": N_("O arquivo não muda nada."),
    "sku_empty": N_("O código do SKU está vazio."),
    "sku_unprintable": N_("O código do SKU é longo demais, ou tem um caractere invisível."),
    "sku_twice": N_("%(sku)s já está na linha %(line)s."),
    "quantity_empty": N_("A quantidade está vazia."),
    "quantity_number": N_("Quantidade %(told)s: não é um número; escreva 1234 ou 1.234."),
    "quantity_negative": N_("Quantidade %(told)s: abaixo de zero."),
    "quantity_ambiguous": N_("Quantidade %(told)s: pode ser milhar ou decimal; tire o ponto."),
    "quantity_fraction": N_("Quantidade %(told)s: unidades são inteiras."),
    "quantity_most": N_("Quantidade %(told)s: grande demais."),
    "words": N_("Longo demais (no máximo %(most)s letras), ou com um caractere invisível."),
    "gtin": N_("%(told)s não é um GTIN: 8, 12, 13 ou 14 dígitos, e o último confere os outros."),
    "cost": N_("%(told)s não é um valor: escreva 1234,50."),
    "measure": N_("%(told)s: diga %(unit)s inteiros, de 1 a %(most)s."),
    "house_among": N_("Não há o depósito %(code)s (há: %(codes)s)."),
    "import_zeros": N_(
        "%(emptied)s de %(filled)s contagens iriam a zero: marque que é isso mesmo, ou confira a coluna."
    ),
    "import_stuck": N_("Linhas que não podem ser desfeitas: %(count)s (%(skus)s). As outras podem: marque isso."),
    "upload_wrong": N_("Há linhas erradas: corrija a planilha, ou marque que só as certas entrem."),
    "upload_nothing": N_("Nenhuma linha pode ser escrita."),
    "import_undone": N_("A importação %(number)s já foi desfeita, ou nada dela foi escrito."),
    "no_import": N_("Não há a importação %(number)s."),
}
REFUSAL |= {
    "transfer_empty": N_("Diga quais SKUs e quantas unidades vão."),
    "transfer_same": N_("Escolha outro destino: %(code)s é a origem."),
    "transfer_kind": N_("%(code)s não entra em transferências: elas vão entre depósitos próprios e de avariados."),
    "transfer_lacking": N_(
        "%(sku)s: iriam %(wanted)s; há %(there)s ali, das quais %(reserved)s reservadas para pedidos."
    ),
    "transfer_nothing": N_("Diga quantas unidades chegaram."),
    "transfer_stranger": N_("%(sku)s não está nesta transferência."),
    "transfer_over": N_("%(sku)s: chegariam %(units)s, e só %(under_way)s estão a caminho. O que sobrou é um ajuste."),
    "no_transfer": N_("Não há a transferência %(number)s."),
    "transfer_state": N_("A transferência %(number)s já não está nesta situação: recarregue a página."),
    "house_held": N_(
        "Pedidos reservam unidades em %(code)s: %(skus)s. Mova-as antes, por uma transferência com as reservas."
    ),
    "house_full": N_("%(code)s não está vazio: %(skus)s. Transfira o que há ali, ou conte em 0."),
    "house_alone": N_("%(accounts)s vende só de %(code)s: diga antes de onde mais."),
    "house_transfers": N_(
        "%(code)s está em transferências por terminar (%(numbers)s): termine-as ou cancele-as antes."
    ),
    "house_not_drawn": N_("Vendas não saem de %(code)s: só de depósitos próprios, ou do trânsito."),
    "house_lacking": N_("%(code)s não tem bastante livre: %(skus)s. Uma transferência leva até lá."),
    "transfer_again": N_("Algo desta transferência chegou enquanto isso: confira antes de registrar de novo."),
    "house_there": N_("Já há um depósito com o código %(code)s; talvez fechado."),
    "count_empty": N_("Não há o que contar: nenhum SKU é desta categoria."),
    "count_ahead": N_("A hora da contagem ainda não chegou."),
    "count_nothing": N_("Nada foi contado ainda no inventário %(number)s."),
    "count_hard": N_("Conte de novo: %(skus)s. O número é mais velho do que o que se sabe agora."),
    "count_soft": N_("Convém contar de novo: %(skus)s. Houve movimento perto da hora da contagem."),
    "count_big": N_("Diferenças grandes: %(skus)s. Olhe-as e confirme."),
    "count_state": N_("O inventário %(number)s já foi encerrado: abra outro."),
    "no_count": N_("Não há o inventário %(number)s."),
    "count_stranger": N_("%(sku)s não está neste inventário."),
    "count_elsewhere": N_("Este inventário é do depósito %(code)s."),
}
HOUSE_PROBLEM = {
    "code": N_("Diga um código de até 40 letras, sem espaços, como loja."),
    "name": N_("Diga um nome de até 120 letras."),
    "rank": N_("Diga um número de 0 a 1.000.000: vendas saem do menor primeiro."),
    "postal_code": N_("Um CEP tem oito números, como 01310-100."),
    "state": N_("Diga a UF, como SP."),
    "kind": N_("Escolha o que fica ali."),
}
FLAG = {
    "moved": N_("houve movimento perto da hora da contagem"),
    "leaving": N_("havia unidades de saída na hora da contagem"),
    "told_late": N_("uma saída anterior só foi registrada depois"),
    "opening": N_("estoque não aberto, e pedidos mudaram depois"),
    "counted_since": N_("foi contado outra vez depois disso"),
}
COUNT_SHEET = {
    "sku": "sku", "title": N_("nome"), "category": N_("categoria"), "units": N_("quantidade"),
    "book": N_("saldo do sistema"), "variance": N_("diferença"), "value": N_("diferença em custo"),
    "flags": N_("recontar"),
}  # fmt: skip
REFUSAL_OTHER = N_("Não foi feito: %(why)s")


class Told(Protocol):
    """A refusal that says what kind it is."""

    @property
    def kind(self) -> str:
        """A key of REFUSAL; "" for none."""
        ...

    @property
    def params(self) -> Mapping[str, object]:
        """What its sentence names."""
        ...


def sentence(language: Language, kind: str, **told: object) -> str:
    """The sentence of a kind of refusal."""
    words_ = REFUSAL[kind]
    if "column" in told:
        column = COLUMNS.get(str(told["column"]), str(told["column"]))
        told["column"] = language.gettext(column)
    return language.gettext(words_, **told)


def refused(language: Language, refusal: Told) -> str:
    """A refusal, or what is wrong with a line, in the reader's language."""
    if refusal.kind in REFUSAL:
        return sentence(language, refusal.kind, **refusal.params)
    return language.gettext(REFUSAL_OTHER, why=getattr(refusal, "message", None) or str(refusal))


# ── addresses ───────────────────────────────────────────────────────────────────────────────────────────────

TAKEN = {"novo", "movimentos", "importar", "planilha.csv", "movimentos.csv"}  # addresses under /estoque of our own


def page_of(code: str, sku_id: UUID | str) -> str:
    """A SKU's page. By its code, which people read, unless a browser or our own addresses would take it otherwise."""
    parts = code.split("/")
    if parts[0] in TAKEN or any(part in ("", ".", "..") for part in parts) or "\\" in code:
        return f"/skus/{sku_id}"
    return f"/estoque/{quote(code)}"


def who(language: Language, row: Mapping[str, Any]) -> str:
    """Who moved it: a person's name, a terminal's user, or the hub."""
    if row.get("person"):
        return str(row["person"])
    kind, _, name = str(row["made_by"]).partition(":")
    return name if kind == "cli" else language.gettext(N_("hub")) if kind == "flow" else kind


def reference(row: Mapping[str, Any]) -> tuple[str, str | None]:
    """What an entry of the ledger follows from: (words to be translated with its number, where that is)."""
    if row["order_id"]:
        return N_("pedido %(number)s"), f"/pedidos/{row['order_id']}"
    if row["transfer"]:
        return N_("transferência %(number)s"), f"/transferencias/{row['transfer']}"
    if row["import"]:
        return N_("importação %(number)s"), f"/estoque/importar/{row['import']}"
    kind, _, number = str(row["source_ref"]).partition(":")
    if kind == "count" and number.isdigit():
        return N_("inventário %(number)s"), f"/inventario/{number}"
    return "", None


def number_of(row: Mapping[str, Any]) -> str:
    """The number that its reference is known by."""
    told = row["order_number"] or row["transfer"] or row["import"]
    return str(told or str(row["source_ref"]).partition(":")[2])


REASON = words.REASON

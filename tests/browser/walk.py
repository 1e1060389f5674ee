"""Every page that is looked at: by the tests, by axe-core, and for the pictures of docs/screens. One line each.

A new page is a line of PAGES; what its address needs from the filled shop is a line of ROWS.
"""

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from hub import invite_link, parcel_link
from tests.web.site import Site

# what stands in braces in an address -> where tests.browser.shop left it; the first column of the first row
ROWS = {
    "order": "SELECT order_id FROM shortage ORDER BY created_at, order_id",
    "box": "SELECT o.id FROM orders o JOIN reservation r ON r.order_id = o.id WHERE o.status = 'paid' AND NOT EXISTS "
    "(SELECT FROM shortage s WHERE s.order_id = o.id) ORDER BY o.id",
    "store": "SELECT id FROM account WHERE status = 'live' AND channel = 'woocommerce' ORDER BY id",
    "market": "SELECT id FROM account WHERE channel = 'mercadolivre' ORDER BY id",
    "carrier": "SELECT id FROM account WHERE channel = 'correios' ORDER BY id",
    "gone": "SELECT id FROM account WHERE status = 'closed' ORDER BY id",
    "new": "SELECT id FROM account WHERE status = 'preview' AND channel = 'woocommerce' ORDER BY id",
    "letter": "SELECT id FROM inbox WHERE state = 'parked' AND raw IS NOT NULL ORDER BY ref",
    "alert": "SELECT id FROM alert WHERE kind = 'shortage' ORDER BY id",
    "warning": "SELECT id FROM alert WHERE kind = 'slot_parked' ORDER BY id",
    "listing": "SELECT listing_id FROM listing_link ORDER BY id",
    "unlinked": "SELECT id FROM listing WHERE sku_id IS NULL ORDER BY id",
    "way": "SELECT id FROM notice_way",
    "house": "SELECT id FROM warehouse WHERE kind = 'own' ORDER BY rank, code",
    "sku": "SELECT id FROM sku WHERE code = 'CAN-01'",
    "endpoint": "SELECT endpoint_id FROM event_delivery",
    "delivery": "SELECT id FROM event_delivery",
    "count": "SELECT number FROM stock_count ORDER BY number",
    "case": "SELECT id FROM shortage_case ORDER BY id",
    "purchase": "SELECT id FROM purchase_order ORDER BY id",
    "shipment": "SELECT id FROM shipment WHERE tracking_code = 'AA123456785BR'",
    "transfer": "SELECT number FROM transfer ORDER BY number",
    "import": "SELECT number FROM stock_import ORDER BY number",
    "upload": "SELECT id FROM sheet_upload ORDER BY id",
    "print": "SELECT id FROM freight_print ORDER BY id",
    "invitation": "SELECT id FROM invitation ORDER BY id",
}
LINKS = """conta;anúncio;SKU;unidades por venda;aceitar
Loja da Ana;7001;CAN-01;6;
Loja da Ana;14;-;;
Loja da Ana;9999;CAN-01;1;
Mercado Livre Ana;7001;PRATO-NOVO;1;talvez
"""
Who = Literal["owner", "stranger", "half in", "first"]  # half in: the code is still asked for; first: nobody is there


@dataclass(frozen=True, slots=True)
class Spot:
    """One page: its picture's name, its address, whether docs/screens has it, who looks, and what it answers with.

    `sends`: (a form's address, a sheet) where the page is what comes of sending that sheet by that form; `ticks`:
    (boxes, a button) where it is what comes of ticking those and pressing that.
    """

    name: str
    path: str
    pictured: bool = True
    who: Who = "owner"
    status: int = 200
    sends: tuple[str, str] | None = None
    ticks: tuple[str, str] | None = None

    @property
    def outside(self) -> bool:
        """Whether nobody is signed in there."""
        return self.who != "owner"


PAGES = (
    Spot("painel", "/"),
    Spot("primeiros-passos", "/primeiros-passos"),
    Spot("primeiros-passos-estoque", "/primeiros-passos/estoque"),
    Spot("contas", "/contas"),
    Spot("conta-nova", "/contas/nova"),
    Spot("conta-nova-woocommerce", "/contas/nova?canal=woocommerce"),
    Spot("conta-nova-correios", "/contas/nova?canal=correios", pictured=False),
    Spot("conta-nova-autorizacao", "/contas/nova?canal=shopify", pictured=False),
    Spot("conta-retorno", "/contas/retorno/shopify?state=de-outra-pessoa", status=409),
    Spot("conta-religar", "/contas/{market}/religar"),
    Spot("conta-desligar", "/contas/{store}/desligar"),
    Spot("conta", "/contas/{store}"),
    Spot("conta-desligada", "/contas/{gone}"),
    Spot("conta-abertos", "/contas/{gone}/abertos"),
    Spot("conta-mercado-livre", "/contas/{market}", pictured=False),
    Spot("conta-transportadora", "/contas/{carrier}", pictured=False),
    Spot("conta-em-previa", "/contas/{new}", pictured=False),
    Spot("conta-previa", "/contas/{new}/previa"),
    Spot("pedidos", "/pedidos"),
    Spot("pedidos-em-falta", "/pedidos?situacao=short", pictured=False),
    Spot("pedidos-busca", "/pedidos?uf=SP&busca=ana", pictured=False),
    Spot("pedido", "/pedidos/{order}"),
    Spot("pedido-alocacao", "/pedidos/{order}/alocacao"),
    Spot("pedido-documento", "/pedidos/{order}/documentos/order"),
    Spot("prazos", "/prazos"),
    Spot("prazos-sem-prazo", "/prazos?ver=sem-prazo", pictured=False),
    Spot("prazos-parados", "/prazos?ver=parados"),
    Spot("separacao", "/separacao"),
    Spot("separacao-por-sku", "/separacao?ver=sku", pictured=False),
    Spot("separacao-lista", "/separacao/lista"),
    Spot("separacao-codigo", "/separacao/conferir"),
    Spot("separacao-conferir", "/separacao/conferir/{box}"),
    Spot("anuncios", "/anuncios"),
    Spot("anuncios-parados", "/anuncios?estado=parked", pictured=False),
    Spot("anuncio", "/anuncios/{listing}"),
    Spot("anuncios-vincular", "/anuncios/ligar"),
    Spot("anuncios-planilha", "/anuncios/ligar", sends=("/anuncios/ligar/arquivo", LINKS)),
    Spot("anuncios-repetidos", "/anuncios/repetidos"),
    Spot("anuncio-vincular", "/anuncios/{unlinked}/ligar?sku=CAN-01&vende=6"),
    Spot("skus", "/estoque"),
    Spot("estoque", "/estoque/CAN-01"),
    Spot("sku-novo", "/estoque/novo"),
    Spot("movimentos", "/estoque/movimentos"),
    Spot("importar", "/estoque/importar"),
    Spot("importar-previa", "/estoque/importar/previa/{upload}"),
    Spot("importacao", "/estoque/importar/{import}"),
    Spot("depositos", "/depositos"),
    Spot("deposito", "/depositos/{house}"),
    Spot("deposito-previa", "/depositos/previa?sku-0=CAN-01&units-0=2&state=SP"),
    Spot("transferencias", "/transferencias"),
    Spot("transferencia-nova", "/transferencias/nova?sku=CAN-01"),
    Spot("transferencia", "/transferencias/{transfer}"),
    Spot("inventario", "/inventario"),
    Spot("inventario-aberto", "/inventario/{count}"),
    Spot("inventario-diferencas", "/inventario/{count}/diferencas"),
    Spot("envios", "/envios"),
    Spot("etiquetas", "/etiquetas"),
    Spot("etiquetas-comprar", "/etiquetas", ticks=("td.pick input", 'button[formaction="/etiquetas/comprar"]')),
    Spot(
        "etiquetas-comprar-em-falta",
        "/etiquetas",
        pictured=False,
        ticks=("[data-apart]", 'button[formaction="/etiquetas/comprar"]'),
    ),
    Spot("etiquetas-a-despachar", "/etiquetas?fila=to_leave", pictured=False),
    Spot("etiquetas-do-canal", "/etiquetas?fila=channel"),
    Spot("etiquetas-impressao", "/etiquetas/impressao/{print}"),
    Spot("conferencia", "/conferencia"),
    Spot("conferencia-encerradas", "/conferencia?estado=closed", pictured=False),
    Spot("conferencia-regras", "/conferencia/regras"),
    Spot("saude", "/saude"),
    Spot("reposicao", "/reposicao?filtro=all"),
    Spot("reposicao-sku", "/reposicao/{sku}"),
    Spot("compras", "/compras"),
    Spot("compra", "/compras/{purchase}"),
    Spot("compra-impressa", "/compras/{purchase}/imprimir"),
    Spot("faltas", "/faltas"),
    Spot("falta", "/faltas/{case}"),
    Spot("alertas", "/alertas"),
    Spot("alertas-encerrados", "/alertas?ver=done", pictured=False),
    Spot("alerta", "/alertas/{alert}"),
    Spot("alerta-parado", "/alertas/{warning}", pictured=False),
    Spot("processos", "/processos"),
    Spot("processo", "/processos/shortage"),
    Spot("sincronizacao", "/sincronizacao"),
    Spot("parados", "/sincronizacao/parados"),
    Spot("parados-anuncios", "/sincronizacao/parados?tipo=slot", pictured=False),
    Spot("parados-previa", "/sincronizacao/parados/previa?tipo=inbox&escopo=todos"),
    Spot("parados-documento", "/sincronizacao/documentos/{letter}"),
    Spot("pessoas", "/configuracoes/pessoas"),
    Spot("seguranca", "/configuracoes/seguranca"),
    Spot("margens", "/configuracoes/margens?anuncio={listing}"),
    Spot("politicas", "/configuracoes/politicas"),
    Spot("politicas-mensagens", "/configuracoes/politicas/mensagens"),
    Spot("conta-regras", "/contas/{store}/regras"),
    Spot("avisos", "/configuracoes/avisos"),
    Spot("aviso-novo", "/configuracoes/avisos/novo/telegram"),
    Spot("aviso", "/configuracoes/avisos/{way}"),
    Spot("chaves", "/configuracoes/chaves"),
    Spot("registro", "/configuracoes/registro"),
    Spot("eventos", "/configuracoes/eventos"),
    Spot("eventos-destino", "/configuracoes/eventos/{endpoint}"),
    Spot("eventos-envio", "/configuracoes/eventos/{endpoint}/entregas/{delivery}"),
    Spot("api", "/api/docs"),
    Spot("comecar", "/comecar", who="first"),
    Spot("entrar", "/entrar", who="stranger"),
    Spot("entrar-codigo", "/entrar/codigo", who="half in"),
    Spot("convite", "/convite/{joining}", who="stranger"),
    Spot("rastreio", "/r/{parcel}", who="stranger"),
)
LEFT_OUT = {  # what the pages answer with something else, and what that is
    "/ao-vivo": "a stream",
    "/configuracoes": "leads on to the first section",
    "/skus/{id}": "leads on to a SKU's page",
    "/contas/{id}/previa.csv": "a file",
    "/pedidos/planilha.csv": "a file",
    "/anuncios/planilha.csv": "a file",
    "/anuncios/ligar/planilha.csv": "a file",
    "/estoque/planilha.csv": "a file",
    "/estoque/movimentos.csv": "a file",
    "/inventario/{number}/planilha.csv": "a file",
    "/etiquetas/impressao/{id}/etiquetas.pdf": "a file",
    "/etiquetas/romaneio/{id}/{kind}": "a file",
    "/compras/{id}/planilha.csv": "a file",
    "/configuracoes/registro.csv": "a file",
}


async def spots(s: Site) -> list[Spot]:
    """The pages of a filled shop (tests.browser.shop and rarer), their addresses whole."""
    found = {}
    for name, sql in ROWS.items():
        rows = await s.w.rows(f"{sql} LIMIT 1")
        assert rows, f"the shop has nothing for {{{name}}}"
        found[name] = str(next(iter(rows[0].values())))
    found["parcel"] = parcel_link.token_of(s.w.rt.vault, s.w.seller_id, UUID(found["shipment"]))
    found["joining"] = invite_link.token_of(s.w.rt.vault, s.w.seller_id, UUID(found["invitation"]))
    return [replace(each, path=each.path.format(**found)) for each in PAGES if each.who != "first"]

"""Every page that is looked at: by the tests, by axe-core, and for the pictures of docs/screens. One line each.

A new page is a line of PAGES; what its address needs from the filled shop is a line of ROWS.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from hub import parcel_link
from tests.web.site import Site

# what stands in braces in an address -> where tests.browser.shop left it; the first column of the first row
ROWS = {
    "order": "SELECT order_id FROM shortage ORDER BY created_at, order_id",
    "store": "SELECT id FROM account WHERE status = 'live' AND channel = 'woocommerce' ORDER BY id",
    "market": "SELECT id FROM account WHERE channel = 'mercadolivre' ORDER BY id",
    "carrier": "SELECT id FROM account WHERE channel = 'correios' ORDER BY id",
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
}


@dataclass(frozen=True, slots=True)
class Spot:
    """One page: its picture's name, its address, whether docs/screens has it, and whether nobody is signed in there."""

    name: str
    path: str
    pictured: bool = True
    outside: bool = False


PAGES = (
    Spot("painel", "/"),
    Spot("primeiros-passos", "/primeiros-passos"),
    Spot("primeiros-passos-estoque", "/primeiros-passos/estoque"),
    Spot("contas", "/contas"),
    Spot("conta-nova", "/contas/nova"),
    Spot("conta-nova-woocommerce", "/contas/nova?canal=woocommerce"),
    Spot("conta-nova-correios", "/contas/nova?canal=correios", pictured=False),
    Spot("conta-nova-autorizacao", "/contas/nova?canal=shopify", pictured=False),
    Spot("conta-religar", "/contas/{market}/religar", pictured=False),
    Spot("conta-desligar", "/contas/{store}/desligar", pictured=False),
    Spot("conta", "/contas/{store}"),
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
    Spot("prazos-parados", "/prazos?ver=parados"),
    Spot("anuncios", "/anuncios"),
    Spot("anuncios-parados", "/anuncios?estado=parked", pictured=False),
    Spot("anuncio", "/anuncios/{listing}"),
    Spot("anuncios-vincular", "/anuncios/ligar"),
    Spot("anuncio-vincular", "/anuncios/{unlinked}/ligar?sku=CAN-01&vende=6", pictured=False),
    Spot("skus", "/estoque", pictured=False),
    Spot("estoque", "/estoque/CAN-01"),
    Spot("sku-novo", "/estoque/novo", pictured=False),
    Spot("movimentos", "/estoque/movimentos", pictured=False),
    Spot("importar", "/estoque/importar", pictured=False),
    Spot("depositos", "/depositos", pictured=False),
    Spot("deposito", "/depositos/{house}", pictured=False),
    Spot("deposito-previa", "/depositos/previa?sku-0=CAN-01&units-0=2&state=SP", pictured=False),
    Spot("transferencias", "/transferencias", pictured=False),
    Spot("transferencia-nova", "/transferencias/nova?sku=CAN-01", pictured=False),
    Spot("inventario", "/inventario", pictured=False),
    Spot("inventario-aberto", "/inventario/{count}"),
    Spot("inventario-diferencas", "/inventario/{count}/diferencas", pictured=False),
    Spot("envios", "/envios"),
    Spot("etiquetas", "/etiquetas"),
    Spot("etiquetas-a-despachar", "/etiquetas?fila=to_leave", pictured=False),
    Spot("conferencia", "/conferencia"),
    Spot("conferencia-encerradas", "/conferencia?estado=closed", pictured=False),
    Spot("conferencia-regras", "/conferencia/regras", pictured=False),
    Spot("saude", "/saude"),
    Spot("reposicao", "/reposicao?filtro=all"),
    Spot("reposicao-sku", "/reposicao/{sku}"),
    Spot("compras", "/compras"),
    Spot("compra", "/compras/{purchase}"),
    Spot("compra-impressa", "/compras/{purchase}/imprimir", pictured=False),
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
    Spot("politicas-mensagens", "/configuracoes/politicas/mensagens", pictured=False),
    Spot("conta-regras", "/contas/{store}/regras"),
    Spot("avisos", "/configuracoes/avisos"),
    Spot("aviso-novo", "/configuracoes/avisos/novo/telegram", pictured=False),
    Spot("aviso", "/configuracoes/avisos/{way}", pictured=False),
    Spot("chaves", "/configuracoes/chaves"),
    Spot("registro", "/configuracoes/registro"),
    Spot("eventos", "/configuracoes/eventos", pictured=False),
    Spot("eventos-destino", "/configuracoes/eventos/{endpoint}", pictured=False),
    Spot("eventos-envio", "/configuracoes/eventos/{endpoint}/entregas/{delivery}", pictured=False),
    Spot("entrar", "/entrar", outside=True),
    Spot("rastreio", "/r/{parcel}", outside=True),
)
# Pages of hub.web.pages.ROUTES that are not walked, and why.
LEFT_OUT = {
    "/ao-vivo": "a stream",
    "/comecar": "there until somebody has signed up",
    "/configuracoes": "leads on to the first section",
    "/entrar/codigo": "between the password and the code only",
    "/convite/{token}": "its token is told once, by mail",
    "/contas/retorno/{channel}": "where a channel leads back to with a code",
    "/skus/{id}": "leads on to a SKU's page",
    "/transferencias/{number:[0-9]{1,9}}": "the shop of the walk has one warehouse",
    "/estoque/importar/previa/{id}": "there between a file and its import",
    "/estoque/importar/{number:[0-9]{1,9}}": "the shop of the walk imports no file",
    "/etiquetas/impressao/{id}": "there while a print goes on",
}


async def spots(s: Site) -> list[Spot]:
    """The pages of a filled shop, their addresses whole."""
    found = {}
    for name, sql in ROWS.items():
        rows = await s.w.rows(f"{sql} LIMIT 1")
        assert rows, f"the shop has nothing for {{{name}}}"
        found[name] = str(next(iter(rows[0].values())))
    found["parcel"] = parcel_link.token_of(s.w.rt.vault, s.w.seller_id, UUID(found["shipment"]))
    return [replace(each, path=each.path.format(**found)) for each in PAGES]

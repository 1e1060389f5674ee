"""Margens on their page: what a rule would change before it is kept, and the number explained after."""

import re

from hub.sandbox import Product
from tests.web.site import site

CANECA = Product(sku="CANECA", title="Caneca", quantity=10, price_cents=3990)


async def test_a_margin_is_seen_before_it_is_kept_and_explained_after() -> None:
    async with site() as s:
        one = await s.connect("woocommerce", [CANECA], name="Uma", seed=1)
        await s.w.open_stock(CANECA=10)
        reader = await s.signed_in("ger@loja.example", role="manager")
        listing = await s.w.row("SELECT id, ref FROM listing")
        page = (await reader.get(f"/configuracoes/margens?anuncio={listing['id']}")).text
        assert "Nenhuma margem" in page
        assert f'name="anuncio" value="{listing["ref"]}"' in page
        assert f'value="{one.account.id}" selected' in page
        for fields, said in (
            ({"escopo": "channel", "tipo": "units", "valor": "2"}, "Escolha o canal."),
            ({"escopo": "sku", "sku": "NADA", "tipo": "units", "valor": "2"}, "SKU: não há NADA."),
            ({"escopo": "sku", "sku": "CANECA", "tipo": "percent", "valor": "101"}, "Quanto: 101% passa de 100%"),
            ({"escopo": "sku", "sku": "CANECA", "tipo": "fixed_pool", "valor": "3"}, "Conta: a cota é separada"),
            ({"escopo": "sku", "sku": "CANECA", "tipo": "units", "valor": "dois"}, "Escreva um número inteiro."),
            ({"escopo": "listing", "anuncio": "99", "tipo": "most", "valor": "1"}, "Não há anúncio 99 aí."),
            ({"escopo": "category", "tipo": "least", "valor": "1", "termina": "já"}, "Não é um instante"),
        ):
            refused = await reader.post("/configuracoes/margens/previa", **fields)
            assert (refused.status, said in refused.text) == (400, True), fields
            assert f'value="{fields.get("sku", "")}"' in refused.text  # what was typed stays
        rule = {"escopo": "listing", "anuncio": listing["ref"], "conta": str(one.account.id), "tipo": "units",
                "valor": "3", "acima": "2"}  # fmt: skip
        seen = (await reader.post("/configuracoes/margens/previa", **rule)).text
        assert re.search(r'data-label="Antes" class="num">10</td>.*data-label="Depois" class="num"><b>7</b>', seen)
        assert await s.w.rows("SELECT FROM buffer") == []
        operator = await s.signed_in("op@loja.example", role="operator")
        assert (await operator.get("/configuracoes/margens")).status == 403
        assert (await operator.post("/configuracoes/margens", **rule)).status == 403
        kept = await reader.post("/configuracoes/margens", **rule)
        page = (await reader.get(kept.headers["Location"])).text
        assert "Números que mudaram: 1." in page
        assert "Margem de segurança (anúncio) de 3: resta 7." in page
        assert "segura 3 un., só com mais de 2 livres" in page
        await s.w.settle()
        assert one.shelf() == {"CANECA": 7}
        buffer = await s.w.row("SELECT id FROM buffer")
        await reader.post(f"/configuracoes/margens/{buffer['id']}/remover")
        assert "Margem removida. Números que mudaram: 1." in (await reader.get("/configuracoes/margens")).text
        await reader.post(f"/configuracoes/margens/{buffer['id']}/remover")
        assert "Esta margem não existe mais." in (await reader.get("/configuracoes/margens")).text

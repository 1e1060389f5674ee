"""Warehouses, transfers, stock counts and sheets on their pages: what they do, refuse, and to whom they answer."""

import re
from typing import Any

import aiohttp

from hub.sandbox import Product
from hub.store import warehouses
from jobs import counts, kits
from tests.web.site import Answer, Reader, Site, site
from tests.web.test_stock import flash, refusals

SHELF = [Product(sku="CANECA", title="Caneca", quantity=10, price_cents=3990)]
GTIN = "7891000315507"


async def shop(s: Site) -> dict[str, str]:
    """Two warehouses, three counted SKUs (one with a GTIN), a kit. Answers warehouses' ids by code."""
    await s.w.open_stock(CANECA=10, PRATO=4, COPO=30)
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await warehouses.warehouse_add(tx, "galpao", "Galpão <b>2</b>", rank=50)
        await tx.run("UPDATE sku SET gtin = %s, cost_cents = 1000, category = 'Louça' WHERE code = 'PRATO'", [GTIN])
    await kits.set_kit(s.w.rt, s.w.seller_id, "JOGO", {"CANECA": 2})
    return {row["code"]: str(row["id"]) for row in await s.w.rows("SELECT code, id FROM warehouse")}


async def send(reader: Reader, path: str, body: bytes, name: str = "estoque.csv", **fields: str) -> Answer:
    """A form with a file."""
    form = aiohttp.FormData()
    for key, value in {"csrf": reader.csrf, **fields}.items():
        form.add_field(key, value)
    form.add_field("file", body, filename=name, content_type="text/csv")
    async with reader.session.post(reader.base + path, data=form, allow_redirects=False) as answer:
        return Answer(answer.status, await answer.text(), answer.headers, str(answer.url))


def alerts(answer: Answer) -> str:
    assert answer.status == 400, answer.status
    return " ".join(re.findall(r'role="alert"[^>]*>(?:<p>)?([^<]+)', answer.text) + refusals(answer))


async def level(s: Site, sku: str, house: str) -> int:
    rows = await s.w.rows(
        "SELECT l.on_hand FROM stock_level l JOIN sku k ON k.id = l.sku_id JOIN warehouse w ON w.id = l.warehouse_id "
        "WHERE k.code = %s AND w.code = %s", sku, house,
    )  # fmt: skip
    return rows[0]["on_hand"] if rows else 0


async def test_warehouses_are_arranged_and_stock_goes_between_them() -> None:
    async with site() as s:
        one = await s.connect("woocommerce", SHELF, name="Um", seed=1)
        ids = await shop(s)
        reader = await s.signed_in()
        page = (await reader.get("/depositos")).text
        assert "Galpão &lt;b&gt;2" in page
        answer = await reader.post("/depositos", code="a b", name="", rank="x", postal_code="1", state="ZZ", kind="lua")
        assert len(refusals(answer)) == 6
        assert 'value="a b"' in answer.text
        answer = await reader.post("/depositos", code="galpao", name="Outro", rank="1", kind="own")
        assert "Já há um depósito com o código galpao" in alerts(answer)
        told = {"code": "loja", "name": "Loja", "rank": "5", "kind": "own", "postal_code": "01310-100", "state": "sp"}
        assert await flash(reader, await reader.post("/depositos", **told)) == "Depósito criado."
        row = await s.w.row("SELECT * FROM warehouse WHERE code = 'loja'")
        assert (row["postal_code"], row["state"], row["rank"]) == ("01310100", "SP", 5)
        loja = f"/depositos/{row['id']}"
        answer = await reader.post(loja, name="Loja da rua", rank="6", kind="damaged")
        assert "mudança guardada" in await flash(reader, answer)
        await flash(reader, await reader.post(loja, name="Loja da rua", rank="6", kind="own"))
        for told, why in (
            ({"first-0": "01000-000"}, "um CEP inicial e um final"),
            ({"first-0": "20000000", "last-0": "10000000"}, "um CEP inicial e um final"),
            ({"state-0": "SP", "rank-0": "-1"}, "um CEP inicial e um final"),
        ):
            assert why in alerts(await reader.post(f"{loja}/areas", **told)), told
        areas = {"state-0": "RS", "rank-0": "1", "first-1": "01000-000", "last-1": "19999-999"}
        await flash(reader, await reader.post(f"{loja}/areas", **areas))
        assert "RS = 1" in (await reader.get("/depositos")).text

        # An account draws from the one ticked alone, and then that one neither closes nor stops being an own one.
        await flash(reader, await reader.post(f"/depositos/contas/{one.account.id}", **{f"w:{ids['galpao']}": "yes"}))
        await s.w.settle()
        assert one.sandbox.shelf() == {"CANECA": 0}
        galpao = f"/depositos/{ids['galpao']}"
        assert "Um vende só de galpao" in await flash(reader, await reader.post(f"{galpao}/fechar", sure="yes"))
        answer = await reader.post(galpao, name="G", rank="1", kind="damaged")
        assert "Um vende só de galpao" in alerts(answer)
        await flash(reader, await reader.post(f"/depositos/contas/{one.account.id}"))
        assert "Confirme" in await flash(reader, await reader.post(f"{galpao}/fechar"))
        said = await flash(reader, await reader.post(f"/depositos/{ids['principal']}/fechar", sure="yes"))
        assert "principal não está vazio: CANECA (10), COPO (30), PRATO (4)" in said
        assert "Loja da rua fechado" in await flash(reader, await reader.post(f"{loja}/fechar", sure="yes"))

        # Where an order would come from.
        path = "/depositos/previa?postal_code=01310-100&state=SP"
        shown = await reader.get(f"{path}&sku-0=JOGO&units-0=2&sku-1={GTIN}&units-1=9&conta={one.account.id}")
        assert shown.status == 200
        text = re.sub(r"<[^>]+>", " ", shown.text)
        assert re.search(r"CANECA\s+para JOGO\s+4 · Principal", text)
        assert "em falta: 5" in text
        for query in ("sku-0=NADA", "sku-0=COPO&units-0=x", "postal_code=1&sku-0=COPO", "state=ZZ"):
            assert (await reader.get(f"/depositos/previa?{query}")).status == 400, query

        # A transfer in parts; what is lost is named; a form sent twice counts once.
        for told, why in (
            ({"from": "principal", "to": "galpao"}, "Diga quais SKUs"),
            ({"from": "principal", "to": "principal", "sku-0": "COPO"}, "Escolha outro destino"),
            ({"from": "principal", "to": "galpao", "sku-0": "NADA"}, "Não há o SKU NADA"),
            ({"from": "principal", "to": "galpao", "sku-0": "JOGO"}, "é um kit"),
            ({"from": "principal", "to": "galpao", "sku-0": "COPO", "units-0": "1,5"}, "unidades são inteiras"),
            ({"from": "lua", "to": "galpao", "sku-0": "COPO"}, "Não há depósito aberto com o código lua"),
        ):
            answer = await reader.post("/transferencias", **told)
            assert why in alerts(answer), told
        answer = await reader.post("/transferencias", **{"from": "principal", "to": "galpao", "sku-0": GTIN,
                                                         "units-0": "5", "sku-1": "COPO", "units-1": "10"})  # fmt: skip
        path = answer.headers["Location"]
        assert "nada se move até ser enviada" in await flash(reader, answer)
        assert "PRATO: iriam 5; há 4 ali" in alerts(await reader.post(f"{path}/enviar"))
        await flash(reader, await reader.post(f"{path}/cancelar"))
        answer = await reader.post("/transferencias", **{"from": "principal", "to": "galpao", "sku-0": "COPO",
                                                         "units-0": "10"})  # fmt: skip
        path = answer.headers["Location"]
        await flash(reader, await reader.post(f"{path}/enviar"))
        assert "já não está nesta situação" in alerts(await reader.post(f"{path}/enviar"))
        assert "só 10 estão a caminho" in alerts(await reader.post(f"{path}/receber", **{"q:COPO": "11"}))
        assert "não é um número" in alerts(await reader.post(f"{path}/receber", **{"q:COPO": "x"}))
        assert "quantas unidades chegaram" in alerts(await reader.post(f"{path}/receber", **{"q:COPO": ""}))
        part: dict[str, str] = {"q:COPO": "4", "receipts": "0"}
        assert await flash(reader, await reader.post(f"{path}/receber", **part)) == "Unidades recebidas: 4."
        assert "chegou enquanto isso" in alerts(await reader.post(f"{path}/receber", **part))
        assert await level(s, "COPO", "galpao") == 4
        await flash(reader, await reader.post(f"{path}/receber", receipts="1", finish="yes", **{"q:COPO": "5"}))
        assert (await level(s, "COPO", "principal"), await level(s, "COPO", "galpao")) == (20, 9)
        assert "Nada a caminho" in (await reader.get("/transferencias")).text
        assert path in (await reader.get("/transferencias?situacao=todas")).text
        assert re.search(rf'href="{path}">transferência', (await reader.get("/estoque/COPO")).text)


async def test_a_count_by_scanner_by_sheet_and_its_differences() -> None:
    async with site() as s:
        await shop(s)
        keeper = await s.signed_in("davi@loja.example", "warehouse", name="Davi")
        await keeper.get("/inventario")
        assert "nenhum SKU é desta categoria" in alerts(await keeper.post("/inventario", category="Cama"))
        path = (await keeper.post("/inventario", warehouse="principal")).headers["Location"]
        assert "0 de 3 SKUs contados" in (await keeper.get(path)).text

        async def note(**told: str) -> Answer:
            return await keeper.post(f"{path}/anotar", **told)

        asked = await note(code=GTIN)
        assert asked.headers["Location"] == f"{path}?codigo=PRATO"
        page = (await keeper.get(asked.headers["Location"])).text
        assert re.search(r'id="units"[^>]* autofocus', page), "the scanner's next keys are the quantity"
        assert await flash(keeper, await note(code=GTIN, units="3")) == "PRATO: 3 (o sistema diz 4)"
        for _ in range(2):
            answer = await note(code="caneca", mode="somar")
            assert answer.headers["Location"] == f"{path}?modo=somar"
        assert await flash(keeper, await note(code="CANECA", units="7", mode="somar")) == "CANECA: 9 (o sistema diz 10)"
        for told, why in (
            ({"code": "NADA"}, "Não há o SKU NADA"), ({"code": ""}, "vazio"),
            ({"code": "JOGO", "units": "1"}, "é um kit"),
            ({"code": "COPO", "units": "-1"}, "abaixo de zero"), ({"code": "COPO", "units": "dez"}, "não é um número"),
        ):  # fmt: skip
            answer = await note(**told)
            assert why in alerts(answer), told
            assert f'value="{told["code"]}"' in answer.text
        page = (await keeper.get(f"{path}?ver=faltam")).text
        assert f'href="{path}?codigo=COPO"' in page
        assert "codigo=PRATO" not in page

        wrong = await send(keeper, f"{path}/arquivo", "Código;Contagem\nCOPO;1.000\nNADA;2\nCOPO;x\n".encode("cp1252"))
        assert wrong.status == 400
        assert "linha 4" in wrong.text
        assert "x: não é um número" in wrong.text
        assert "vazio" in alerts(await send(keeper, f"{path}/arquivo", b""))
        said = await flash(keeper, await send(keeper, f"{path}/arquivo", b"sku;quantidade\nCOPO;1.000\n"))
        assert said == "SKUs anotados da planilha: 1."

        report = (await keeper.get(f"{path}/diferencas")).text
        assert "R$" not in report, "who counts sees no money"
        assert "diferença em custo" not in (await keeper.get(f"{path}/planilha.csv")).text
        reader = await s.signed_in()
        assert "-R$\xa010,00" in (await reader.get(f"{path}/diferencas")).text
        sheet = (await reader.get(f"{path}/planilha.csv")).text
        assert ";3;4;-1;-10,00;" in sheet
        assert "Convém contar de novo: CANECA, COPO, PRATO" in alerts(await keeper.post(f"{path}/lancar"))
        assert "Diferenças grandes: COPO" in alerts(await keeper.post(f"{path}/lancar", flagged="yes"))
        answer = await keeper.post(f"{path}/lancar", big="yes", flagged="yes")
        assert "corrigidos 3 de 3 (+970 −2)" in await flash(keeper, answer)
        assert [await level(s, sku, "principal") for sku in ("CANECA", "PRATO", "COPO")] == [9, 3, 1000]
        assert "já foi encerrado" in alerts(await note(code="COPO", units="1"))
        assert "já foi encerrado" in alerts(await keeper.post(f"{path}/lancar"))
        assert re.search(rf'href="{path}">inventário', (await reader.get("/estoque/COPO")).text)

        # Blind: who counts is told nothing of the book, and does not post.
        path = (await keeper.post("/inventario", category="Louça", blind="yes")).headers["Location"]
        await keeper.get(path)
        assert await flash(keeper, await note(code="PRATO", units="8")) == "PRATO: 8"
        assert "não está neste inventário" in alerts(await note(code="COPO", units="1"))
        assert (await keeper.get(f"{path}/diferencas")).status == 403
        assert (await keeper.post(f"{path}/lancar", big="yes")).status == 403
        assert "saldo" not in (await keeper.get(f"{path}/planilha.csv")).text
        await reader.get(path)
        assert "+5" in (await reader.get(f"{path}/diferencas")).text
        assert "cancelado" in await flash(keeper, await keeper.post(f"{path}/cancelar"))
        assert await level(s, "PRATO", "principal") == 3


async def previewed(reader: Reader, kind: str, body: bytes, **fields: str) -> tuple[str, str]:
    """The preview's address and text, of a file that was sent."""
    answer = await send(reader, "/estoque/importar", body, kind=kind, **fields)
    assert answer.status == 303, alerts(answer)
    page = await reader.get(answer.headers["Location"])
    assert page.status == 200, page.text[-500:]
    return answer.headers["Location"], re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


async def test_sheets_are_looked_at_confirmed_once_and_taken_back() -> None:
    async with site() as s:
        await shop(s)
        reader = await s.signed_in()
        await reader.get("/estoque/importar")
        for body, why in (
            (b"", "vazio"), (b"a;b\n1;2\n", "Falta a coluna SKU"), (b"sku\nX\n", "Falta a coluna quantidade"),
            (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00", "não é um CSV"),
            (b"sku;qtd;estoque\nA;1;2\n", "Duas colunas"),
        ):  # fmt: skip
            assert why in alerts(await send(reader, "/estoque/importar", body, kind="stock")), body
        assert (await send(reader, "/estoque/importar", b"", kind="lua")).status == 400
        assert (await send(reader, "/estoque/importar", b"x" * 2**20, kind="stock")).status == 413

        body = "Código;Saldo;Depósito\nCANECA;1.234,00;\nBULE;7;galpao\nPRATO;x;\nCOPO;30;\nJOGO;1;\n".encode("cp1252")
        path, text = await previewed(reader, "stock", body)
        assert "linha 3 Não há o SKU BULE" in text
        assert "linha 4 Quantidade x: não é um número" in text
        assert "linha 6 JOGO é um kit" in text
        assert "CANECA linha 2 Principal 10 1.234" in text
        assert "COPO linha" not in text, "what stays is not listed"
        await reader.get(path)
        said = await flash(reader, await reader.post(f"{path}/confirmar"))
        assert "Há linhas erradas" in said
        assert (await reader.get(path)).status == 200, "the file waits as it did"
        path, text = await previewed(reader, "stock", body, create="yes")
        assert "BULE novo" in text
        answer = await reader.post(f"{path}/confirmar", skip_bad="yes")
        assert await flash(reader, answer) == "Importação 1: escritas 3, mudaram 2, abertas 1."
        assert (await reader.post(f"{path}/confirmar", skip_bad="yes")).status == 404
        assert (await level(s, "CANECA", "principal"), await level(s, "BULE", "galpao")) == (1234, 7)
        assert "CANECA" in (await reader.get("/estoque/importar/1")).text
        await counts.set_stock(s.w.rt, s.w.seller_id, [("CANECA", 50)])
        assert "Linhas que não podem ser desfeitas: 1 (CANECA)" in alerts(
            await reader.post("/estoque/importar/1/desfazer")
        )
        answer = await reader.post("/estoque/importar/1/desfazer", rest="yes")
        assert "linhas desfeitas 2, ficaram 1" in await flash(reader, answer)
        assert (await level(s, "CANECA", "principal"), await level(s, "BULE", "galpao")) == (50, 0)

        path, text = await previewed(reader, "stock", b"sku,quantity\nCANECA,-3\nCOPO,-31\n", mode="add")
        assert "COPO: há 30 ali, não dá para tirar 31" in text
        await flash(reader, await reader.post(f"{path}/descartar"))
        assert (await reader.get(path)).status == 404
        many = b"sku;quantidade\n" + b"".join(b"Z%d;1\n" % n for n in range(8))
        path, _text = await previewed(reader, "stock", many, create="yes")
        await flash(reader, await reader.post(f"{path}/confirmar"))
        path, text = await previewed(reader, "stock", many.replace(b";1", b";0"))
        assert "8 contagens vão a zero" in text
        answer = await reader.post(f"{path}/confirmar")
        assert "contagens iriam a zero" in await flash(reader, answer)
        await flash(reader, await reader.post(f"{answer.headers['Location']}/confirmar", zeros="yes"))
        assert await level(s, "Z0", "principal") == 0

        # An import that stopped goes on where it was.
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE stock_import SET applied_at = NULL WHERE number = 2")
            await tx.run("UPDATE stock_import_row SET applied_at = NULL, before = NULL, delta = NULL WHERE line = 2 "
                         "AND import_id = (SELECT id FROM stock_import WHERE number = 2)")  # fmt: skip
        assert "falta 1 linha<" in (await reader.get("/estoque/importar")).text
        assert "escritas 8" in await flash(reader, await reader.post("/estoque/importar/2/continuar"))
        assert (await reader.post("/estoque/importar/99/continuar")).status == 404
        assert (await reader.post("/estoque/importar/99/desfazer")).status == 404

        # Facts.
        assert "Falta a coluna nome" in alerts(await send(reader, "/estoque/importar", b"sku\nX\n", kind="skus"))
        body = (
            "SKU;Nome;EAN;Custo;Peso g;Altura mm\nCANECA;Caneca azul;;12,5;1.100;\nPRATO;;-;;;\nTAÇA;Taça;;;;90\n"
            "COPO;=1+1;123;;;\nGARFO;;;1,2,3;;\nFACA;;;;0;\n"
        ).encode("utf-8-sig")
        path, text = await previewed(reader, "skus", body)
        assert "linha 5 123 não é um GTIN" in text
        assert "linha 6 1,2,3 não é um valor" in text
        assert "linha 7 0: diga g inteiros" in text
        assert f"GTIN (código de barras) {GTIN} → —" in text
        answer = await reader.post(f"{path}/confirmar", skip_bad="yes")
        assert await flash(reader, answer) == "Planilha 1: SKUs criados 1, mudados 2."
        row = await s.w.row("SELECT title, cost_cents, weight_g FROM sku WHERE code = 'CANECA'")
        assert (row["title"], row["cost_cents"], row["weight_g"]) == ("Caneca azul", 1250, 1100)
        path, text = await previewed(reader, "skus", b"sku;nome\nCANECA;Caneca azul\n")
        assert "A planilha não muda nada" in text
        assert "não muda nada" in await flash(reader, await reader.post(f"{path}/confirmar"))
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE sku SET title = 'Outra' WHERE code = 'CANECA'")
        said = await flash(reader, await reader.post("/estoque/importar/skus/1/desfazer"))
        assert said.endswith("SKUs como antes: 2. Mudaram ou têm uso desde então, e ficam: CANECA.")
        assert (await s.w.row("SELECT gtin FROM sku WHERE code = 'PRATO'"))["gtin"] == GTIN
        assert await s.w.rows("SELECT FROM sku WHERE code = 'TAÇA'") == []
        assert "já foi desfeita" in await flash(reader, await reader.post("/estoque/importar/skus/1/desfazer"))


DEEDS: dict[str, tuple[str, ...]] = {
    "manager": ("/depositos", "/depositos/{house}", "/depositos/{house}/areas", "/depositos/{house}/fechar",
                "/depositos/contas/{house}"),
    "warehouse": ("/transferencias", "/transferencias/1/enviar", "/transferencias/1/receber",
                  "/transferencias/1/cancelar", "/inventario", "/inventario/1/anotar", "/inventario/1/arquivo",
                  "/inventario/1/lancar", "/inventario/1/cancelar"),
    "operator": ("/estoque/importar", "/estoque/importar/previa/{upload}/confirmar", "/estoque/importar/1/desfazer",
                 "/estoque/importar/previa/{upload}/descartar", "/estoque/importar/1/continuar",
                 "/estoque/importar/skus/1/desfazer"),
}  # fmt: skip
SEEN = (
    "/depositos", "/depositos/{house}", "/depositos/previa", "/transferencias", "/transferencias/1", "/inventario",
    "/inventario/1", "/inventario/1/diferencas", "/inventario/1/planilha.csv",
)  # fmt: skip
REACHES = {"viewer": set[str](), "warehouse": {"warehouse"}, "operator": {"warehouse", "operator"}}


async def test_a_role_reaches_as_far_as_it_says_and_another_seller_nothing() -> None:
    async with site() as s:
        ids = await shop(s)
        owner = await s.signed_in()
        await owner.get("/inventario")
        await owner.post("/inventario", warehouse="principal")
        await owner.post("/transferencias", **{"from": "principal", "to": "galpao", "sku-0": "COPO"})
        upload = (await send(owner, "/estoque/importar", b"sku;qtd\nCOPO;1\n", kind="stock")).headers["Location"]
        names: dict[str, Any] = {"house": ids["galpao"], "upload": upload.rsplit("/", 1)[1]}
        before = await s.w.rows("SELECT code, kind, closed_at FROM warehouse ORDER BY code")
        for role, reached in REACHES.items():
            reader = await s.signed_in(f"{role}@loja.example", role)
            for path in SEEN:
                assert (await reader.get(path.format(**names))).status == 200, (role, path)
            for path in ("/estoque/importar", upload):
                assert (await reader.get(path)).status == (200 if "operator" in reached else 403), (role, path)
            assert (await reader.get("/transferencias/nova")).status == (200 if "warehouse" in reached else 403)
            await reader.get("/estoque")
            for least, paths in DEEDS.items():
                for path in paths if least not in reached else ():
                    assert (await reader.post(path.format(**names), sure="yes")).status == 403, (role, path)
        assert await s.w.rows("SELECT code, kind, closed_at FROM warehouse ORDER BY code") == before

        other = await s.other_seller()
        stranger = await s.signed_in("bia@outra.example", seller_id=other)
        for path in (upload, "/depositos/{house}", "/transferencias/1", "/inventario/1", "/inventario/1/diferencas",
                     "/inventario/1/planilha.csv", "/estoque/importar/1"):  # fmt: skip
            assert (await stranger.get(path.format(**names))).status == 404, path
        for path in ("/depositos", "/transferencias?situacao=todas", "/inventario", "/estoque/importar",
                     "/depositos/previa"):  # fmt: skip
            text = (await stranger.get(path)).text
            assert "Galpão" not in text, path
            assert "COPO" not in text, path
        for paths in DEEDS.values():
            for path in paths:
                status = (await stranger.post(path.format(**names), sure="yes", skip_bad="yes", rank="1")).status
                assert status in (303, 400, 404), path
        assert (await stranger.get("/depositos/previa?sku-0=COPO")).status == 400
        assert await s.w.rows("SELECT code, kind, closed_at FROM warehouse WHERE seller_id = %s ORDER BY code",
                              s.w.seller_id) == before  # fmt: skip
        assert (await owner.get(upload)).status == 200
        assert (await s.w.row("SELECT status FROM transfer"))["status"] == "open"
        assert (await s.w.row("SELECT state FROM stock_count"))["state"] == "open"

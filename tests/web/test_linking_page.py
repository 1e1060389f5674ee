"""Linking on its pages: what is suggested and why, what a link will do before it is made, sheets, and refusals."""

import ast
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.refusal import Refusal
from hub.sandbox import Product
from hub.store import stock
from hub.web import i18n, refusal_words, stock_words
from hub.web.pages import doubles
from jobs.connect import Refused
from tests.web.site import Reader, Site, site
from tests.web.test_api import key
from tests.web.test_api_settings import ask
from tests.world import Channel

CANECA = Product(sku="X-1", title="Caneca azul 300 ml", quantity=10, price_cents=3990, gtin="7891000315507")
KIT = Product(sku="X-12", title="Kit 12 canecas azul 300 ml", quantity=10, price_cents=29990)
PRATO = Product(sku="X-2", title="Prato raso", quantity=4, price_cents=2590)


RAISING = (
    "hub/store/links.py", "hub/link_sheet.py", "jobs/linking.py", "jobs/link_desk.py", "jobs/linking_file.py",
    "jobs/proposals.py", "jobs/buffers.py", "jobs/approval.py", "jobs/connect.py", "jobs/consents.py",
    "jobs/opening.py",
)  # fmt: skip
ROOT = Path(__file__).parents[2]
CALLED = {"Refusal", "Refused", "Amiss", "Unusable", "Trouble"}
# Refusals that no page makes, or that are in an adapter's or a vendor's own words: told as they are.
WITHOUT = {"connect.py": 2, "consents.py": 1, "opening.py": 1}


async def shop(s: Site) -> Channel:
    """A store whose listings the hub could not link: its SKUs came later."""
    one = await s.connect("mercadolivre", [CANECA, KIT, PRATO], name="Uma", seed=1)
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await stock.sku_put(tx, "CANECA", "Caneca azul 300 ml", gtin="7891000315507")
        await stock.sku_put(tx, "CANECA-V", "Caneca verde 300 ml")
    await s.w.open_stock(CANECA=30)
    async with s.w.rt.db.seller(s.w.seller_id) as tx:  # counting links by GTIN at once
        await tx.run("UPDATE listing SET sku_id = NULL, linked_by = NULL")
        await tx.run("UPDATE stock_slot SET sku_id = NULL, desired = NULL")
    return one


async def of(s: Site, sku: str) -> dict[str, Any]:
    return await s.w.row(
        "SELECT l.id, l.slot_id, k.code, l.multiplier FROM listing l LEFT JOIN sku k ON k.id = l.sku_id "
        "WHERE l.channel_sku = %s",
        sku,
    )


async def upload(reader: Reader, body: str, **fields: str) -> str:
    form = aiohttp.FormData({"csrf": reader.csrf, **fields})
    form.add_field("file", body.encode("utf-8"), filename="v.csv", content_type="text/csv")
    async with reader.session.post(reader.base + "/anuncios/ligar/arquivo", data=form) as answer:
        return await answer.text()


async def test_what_is_certain_comes_ticked_and_is_looked_at_before_it_is_linked() -> None:
    async with site() as s:
        market = await shop(s)
        await market.buy("X-12", 1)
        await s.until("SELECT FROM order_line WHERE sku_id IS NULL")
        mug, kit, plate = await of(s, "X-1"), await of(s, "X-12"), await of(s, "X-2")
        sku = str((await s.w.row("SELECT id FROM sku WHERE code = 'CANECA'"))["id"])
        reader = await s.signed_in("op@loja.example", role="operator")
        text = (await reader.get("/anuncios/ligar")).text
        assert "o GTIN é deste SKU, e só dele" in text
        assert re.findall(r'name="l:([^"]+)"[^>]* checked', text) == [str(mug["id"])]
        assert "o título diz &#34;kit 12&#34;: seriam 12 unidades por venda" in text
        for likely, title in (("exact", CANECA.title), ("one", KIT.title), ("none", PRATO.title)):
            listed = re.findall(r"<b>([^<]+)</b></a></p>", (await reader.get(f"/anuncios/ligar?ver={likely}")).text)
            assert listed == [title], likely
        assert "Nenhum anúncio aqui" in (await reader.get("/anuncios/ligar?ver=several")).text

        chosen = {f"l:{mug['id']}": sku, f"m:{mug['id']}": "1", f"l:{kit['id']}": sku, f"m:{kit['id']}": "x"}
        looked = await reader.post("/anuncios/ligar/previa", **chosen)
        assert looked.status == 400
        assert "Corrija as unidades por venda" in looked.text
        chosen[f"m:{kit['id']}"] = "12"
        looked = await reader.post("/anuncios/ligar/previa", **chosen)
        assert "Pedidos a despachar que passam a mexer no estoque: 1 (1 un.)" in looked.text
        assert "O canal passa de 9 a 1." in looked.text  # 30 less the dozen sold
        assert (await of(s, "X-12"))["code"] is None
        assert (await s.w.row("SELECT count(*) AS n FROM listing_link WHERE actor LIKE 'web:%%'"))["n"] == 0
        viewer = await s.signed_in("olha@loja.example", role="viewer")
        assert 'formaction="/anuncios/ligar/um"' not in (await viewer.get("/anuncios/ligar")).text
        assert (await viewer.post("/anuncios/ligar/gravar", **chosen)).status == 403
        await reader.post("/anuncios/ligar/gravar", **chosen)
        assert "Vinculados: 2." in (await reader.get("/anuncios/ligar")).text
        await s.w.settle()
        assert market.shelf() == {"X-1": 18, "X-12": 1, "X-2": 4}
        assert (await of(s, "X-12"))["multiplier"] == 12
        assert "por uma pessoa" in (await reader.get(f"/anuncios/{kit['id']}")).text

        await reader.post(f"/anuncios/{kit['id']}/desligar")
        assert (await of(s, "X-12"))["code"] is None
        done = await reader.post("/anuncios/ligar/um", um=f"{kit['id']}~{sku}~12", next="https://longe.example/")
        assert done.headers["Location"] == "/anuncios/ligar"
        page = (await reader.get("/anuncios/ligar")).text
        assert "vende 12 × CANECA. O canal passa a mostrar 1." in page
        history = (await reader.get(f"/anuncios/{kit['id']}")).text
        assert history.count("12 × CANECA") >= 2
        assert "desvinculado" in history
        assert "Ana Lima" in history
        assert (await reader.post("/anuncios/ligar/um", um="x")).status == 400

        page = (await reader.get(f"/anuncios/{plate['id']}/ligar?busca=caneca+verde")).text
        assert "CANECA-V" in page
        page = (await reader.get(f"/anuncios/{plate['id']}/ligar?sku=CANECA-V&vende=2")).text
        assert "O SKU não tem contagem" in page
        assert (await reader.get(f"/anuncios/{plate['id']}/ligar?sku=CANECA&vende=0")).status == 400
        refused = await reader.post(f"/anuncios/{plate['id']}/sku", code="caneca", title="Prato", vende="0")
        assert refused.status == 400
        assert 'value="caneca"' in refused.text
        refused = await reader.post(f"/anuncios/{plate['id']}/sku", code="caneca", title="Prato", vende="1")
        assert "Já há um SKU CANECA, que só difere de caneca em maiúsculas" in refused.text
        await reader.post(f"/anuncios/{plate['id']}/sku", code="PRATO", title="Prato raso branco", vende="1")
        assert (await of(s, "X-2"))["code"] == "PRATO"

        async with s.w.rt.db.seller(s.w.seller_id) as tx:  # a sibling that sells from the mug's own stock
            await tx.run(
                """INSERT INTO listing (seller_id, id, account_id, ref, slot_id, channel_sku, status, managed_by,
                       seen_at) SELECT seller_id, gen_random_uuid(), account_id, 'MLB-IRMAO', slot_id, 'IRMAO', status,
                       managed_by, seen_at FROM listing WHERE id = %s""",
                [mug["id"]],
            )
        await reader.post("/anuncios/ligar/um", um=f"{(await of(s, 'IRMAO'))['id']}~{sku}~3")
        page = (await reader.get("/anuncios/ligar")).text
        assert re.search(r"O anúncio MLB-IRMAO divide o estoque com o anúncio MLB\w+, que vende 1 × CANECA", page)
        assert (await of(s, "IRMAO"))["code"] is None


async def test_a_sheet_is_filled_looked_at_and_written() -> None:
    async with site() as s:
        await shop(s)
        reader = await s.signed_in("op@loja.example", role="operator")
        sheet = (await reader.get("/anuncios/ligar/planilha.csv")).text
        head, *lines = sheet.removeprefix("\ufeff").split("\r\n")
        assert head.startswith("conta;anúncio;variação;título;SKU no canal (não editar);GTIN;SKU;unidades por venda;")
        filled = "\r\n".join([head, *(line + "x" if "X-12" not in line else line + "talvez" for line in lines if line)])
        filled = filled.replace(";Prato raso;X-2;;;1;", ";Prato raso;X-2;;NOVO;1;")
        await reader.get("/anuncios/ligar")
        page = await upload(reader, filled)
        assert "Vinculam: 1" in page
        assert "Aceitar: talvez não é sim nem não" in page
        assert "Não há o SKU NOVO: marque" in page
        page = await upload(reader, filled, create="yes")
        assert "Vinculam: 2" in page
        assert "SKUs novos: 1" in page
        assert (await of(s, "X-1"))["code"] is None
        rows = re.search(r'<textarea name="rows" hidden>([^<]*)</textarea>', page)
        assert rows
        await reader.post("/anuncios/ligar/arquivo/gravar", rows=rows[1].replace("&#39;", "'"), create="yes")
        assert "Vínculos gravados: 2." in (await reader.get("/anuncios/ligar")).text
        assert [(await of(s, sku))["code"] for sku in ("X-1", "X-2", "X-12")] == ["CANECA", "NOVO", None]
        assert "Falta a coluna" in await upload(reader, "a;b\r\n1;2")
        viewer = await s.signed_in("olha@loja.example", role="viewer")
        await viewer.get("/anuncios/ligar")
        assert "Sem permissão" in await upload(viewer, filled)


def test_every_kind_of_a_refusal_has_words_in_both_languages() -> None:
    """Each refusal of linking, files, differences and buffers names a kind that the tables know, with its params."""
    raised = [one for name in RAISING for one in refusals_in(ROOT / name)]
    assert len(raised) > 45, "refusals are not found any more"
    for where, kind, params in raised:
        words = refusal_words.OWN.get(kind) or stock_words.REFUSAL.get(kind)
        assert words, f"{where}: no words for {kind!r}"
        assert set(re.findall(r"%\((\w+)\)s", words)) <= params, (
            f"{where}: {kind} does not tell all that its words name"
        )
    assert refusal_words.OWN.keys() <= {kind for _where, kind, _params in raised}, "words of what nobody refuses"
    assert not refusal_words.OWN.keys() & stock_words.REFUSAL.keys()
    one = Refusal("listing MLB1 shares its stock", "slot_shared", one="MLB1", two="MLB2:7", units=3, sku="A")
    portuguese, english = i18n.Language("pt_BR"), i18n.Language("en")
    assert refusal_words.told(portuguese, one.about("sku")).startswith("O anúncio MLB1 divide o estoque com o anúncio")
    assert refusal_words.told(english, Refused.of(one)).startswith("Listing MLB1 shares its stock with listing MLB2:7")
    assert refusal_words.told(portuguese, Refused("as it is")) == "as it is"


def refusals_in(path: Path) -> Iterator[tuple[str, str, set[str]]]:
    """(where, kind, names of its params) of every refusal that a module makes with its own words."""
    without = 0
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) not in CALLED or not node.args:
            continue
        place = 2 if ast.unparse(node.func) == "Trouble" else 1
        names = {str(each.arg) for each in node.keywords}
        match node.args[place : place + 2]:
            case [ast.Constant(value=str() as kind), ast.Dict() as params]:
                yield f"{path.name}:{node.lineno}", kind, {str(ast.literal_eval(key)) for key in params.keys if key}
            case [ast.Constant(value=str() as kind)]:
                yield f"{path.name}:{node.lineno}", kind, names
            case [ast.IfExp(body=ast.Constant(value=str() as kind), orelse=ast.Constant(value=str() as other))]:
                yield f"{path.name}:{node.lineno}", kind, names
                yield f"{path.name}:{node.lineno}", other, names
            case [ast.Attribute(), *_]:
                pass  # another refusal's own kind
            case _:
                without += 1
    assert without == WITHOUT.get(path.name, 0), f"{path.name}: a refusal names no kind"


async def test_what_is_there_twice_is_told_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    async with site() as s:
        await shop(s)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            for code in ("VASO", "vaso", "POTE", "pote"):
                await stock.sku_put(tx, code, gtin="7891000315507" if code == "VASO" else None)
            await tx.run(
                """INSERT INTO listing (seller_id, id, account_id, ref, slot_id, channel_sku, status, managed_by,
                       seen_at) SELECT seller_id, gen_random_uuid(), account_id, 'MLB-IRMAO', slot_id, 'X-2', status,
                       managed_by, seen_at FROM listing WHERE channel_sku = 'X-1'"""
            )
        reader = await s.signed_in()
        assert "/anuncios/repetidos" in (await reader.get("/anuncios/ligar")).text
        page = (await reader.get("/anuncios/repetidos")).text
        for said in ("07891000315507", "GTIN em dois SKUs", "SKU CANECA<", "Código em dois anúncios",
                     "Um estoque, dois códigos", "MLB-IRMAO (X-2)", "Fique com um dos SKUs"):  # fmt: skip
            assert said in page, said
        rows = {row["code"]: row["id"] for row in await s.w.rows("SELECT code, id FROM sku")}
        assert f'href="/skus/{rows["VASO"]}"' in page
        only = (await reader.get("/anuncios/repetidos?tipo=code_case")).text
        assert ("SKU pote" in only, "07891000315507" in only) == (True, False)
        monkeypatch.setattr(doubles, "SIZE", 1)
        seen: list[str] = []
        path = "/anuncios/repetidos"
        while path and len(seen) < 9:
            page = (await reader.get(path)).text
            seen += re.findall(r'<th scope="row">([^<]+)<', page)
            found = re.search(r'href="([^"]+)" rel="next"', page)
            path = html.unescape(found[1]) if found else ""
        assert (seen[:4], len(seen)) == (["pote", "vaso", "07891000315507", "X-2"], 5)
        assert (await reader.get("/anuncios/repetidos?apos=x&tipo=y")).status == 200
        told = await key(s, "listings:read")
        _status, one = await ask(s, told, "GET", "/link-duplicates?limit=3")
        _status, rest = await ask(s, told, "GET", f"/link-duplicates?limit=3&cursor={one['next']}")
        assert [each["kind"] for each in one["data"] + rest["data"]] == ["code_case"] * 2 + ["gtin", "listing", "slot"]
        assert {each["name"] for each in one["data"][2]["places"]} == {"SKU CANECA", "SKU VASO"}

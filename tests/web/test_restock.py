"""Buying from the pages: the list, a SKU's reasons and settings, purchase orders, and who may do what."""

import re
from typing import Any

import pytest

from hub.store import suppliers
from jobs import replenish
from tests.web.site import Site, site


async def shop(s: Site) -> dict[str, Any]:
    """Two SKUs: one at its reorder point with a supplier, one with plenty."""
    await s.w.open_stock(CANECA=8, PRATO=400)
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await suppliers.add(tx, "Forja & Filhos", lead_time_days=12)
        await tx.run("UPDATE sku SET title = 'Caneca <b>azul</b>', cost_cents = 990 WHERE code = 'CANECA'")
    await replenish.set_settings(
        s.w.rt, s.w.seller_id, {"CANECA": {"supplier": "Forja & Filhos", "reorder_point": 10, "order_multiple": 6}}
    )
    await replenish.refresh(s.w.rt, s.w.seller_id)
    return {row["code"]: row["id"] for row in await s.w.rows("SELECT code, id FROM sku")}


async def flash(reader: Any, path: str) -> str:
    """What the next page says."""
    text = (await reader.get(path)).text
    found = re.search(r'class="flash[^"]*" role="status"><p>([^<]*)', text)
    assert found, text[:2000]
    return found[1]


async def only_order(s: Site) -> str:
    (row,) = await s.w.rows("SELECT id FROM purchase_order")
    return f"/compras/{row['id']}"


async def test_every_page_shows_in_both_languages_and_no_title_becomes_markup() -> None:
    async with site() as s:
        ids = await shop(s)
        reader = await s.signed_in()
        await reader.get("/reposicao")
        await reader.post("/reposicao/pedir", **{"sku:CANECA": "yes", "q:CANECA": "12"})
        order = await only_order(s)
        for locale, word in (("pt_BR", "Reposição"), ("en", "Restock")):
            reader = await s.signed_in(f"{locale.lower()}@loja.example", locale=locale)
            for path in (
                "/reposicao", "/reposicao?filtro=all&classe=A&busca=can", "/reposicao?filtro=doubtful&apos=x~y",
                f"/reposicao/{ids['CANECA']}", f"/reposicao/{ids['PRATO']}", "/compras", "/compras?situacao=open",
                order, f"{order}/imprimir",
            ):  # fmt: skip
                answer = await reader.get(path)
                assert answer.status == 200, (path, answer.text[-600:])
                assert word in answer.text, path
                assert "<b>azul" not in answer.text, path
                assert " style=" not in answer.text, path
            assert "Caneca &lt;b&gt;azul" in (await reader.get("/reposicao")).text
            assert "Caneca &lt;b&gt;azul" in (await reader.get("/")).text or "CANECA" in (await reader.get("/")).text
        steps = (await reader.get(f"/reposicao/{ids['CANECA']}")).text
        assert "Reorder point: 10, set by you." in steps
        assert "Suggestion: buy 6 (minimum 1, in multiples of 6)." in steps


async def test_from_the_list_to_the_shelf() -> None:
    async with site() as s:
        await shop(s)
        reader = await s.signed_in()
        assert "Comprar CANECA: posição 8, ponto de pedido 10" in (await reader.get("/")).text
        page = (await reader.get("/reposicao")).text
        assert "PRATO" not in page
        answer = await reader.post("/reposicao/pedir", **{"sku:CANECA": "yes", "q:CANECA": "12"})
        assert answer.headers["Location"] == "/compras"
        assert await flash(reader, "/compras") == "Rascunho 1 para Forja &amp; Filhos: itens 1."
        order = await only_order(s)

        await reader.post(f"{order}/itens", **{"q:CANECA": "10", "c:CANECA": "9,50", "new": "PRATO", "q:new": "3"})
        assert await flash(reader, order) == "Pedido de compra 1: itens guardados."
        sheet = await reader.get(f"{order}/planilha.csv")
        assert sheet.headers["Content-Disposition"] == 'attachment; filename="pedido-de-compra-1.csv"'
        assert "1;Forja & Filhos;CANECA;;Caneca <b>azul</b>;10;9,50;95,00" in sheet.text
        await reader.post(f"{order}/enviar", expected="")
        page = (await reader.get(order)).text
        assert "as unidades contam como a caminho" in page
        assert "Nada espera por você agora" in (await reader.get("/")).text

        (ref,) = re.findall(r'name="ref" value="([^"]+)"', page)
        part = {"ref": ref, "q:CANECA": "4", "q:PRATO": "0"}
        for _ in range(2):
            await reader.post(f"{order}/receber", **part)
        assert "nada foi somado de novo" in await flash(reader, order)
        assert await s.w.level("CANECA") == (12, 0)

        page = (await reader.get(order)).text
        (ref,) = re.findall(r'name="ref" value="([^"]+)"', page)
        asked = await reader.post(f"{order}/receber", ref=ref, **{"q:CANECA": "9", "c:CANECA": "10"})
        assert asked.status == 200
        assert "chegariam 13 de 10 pedidas" in asked.text
        assert f'name="ref" value="{ref}"' in asked.text
        assert re.search(r'name="q:CANECA"[^>]* value="9"', asked.text), "what was typed is not lost"
        assert await s.w.level("CANECA") == (12, 0)
        await reader.post(f"{order}/receber", ref=ref, over="yes", **{"q:CANECA": "9", "c:CANECA": "10"})
        assert await s.w.level("CANECA") == (21, 0)
        await reader.post(f"{order}/encerrar")
        assert "encerrado" in await flash(reader, order)
        (row,) = await s.w.rows("SELECT cost_cents FROM sku WHERE code = 'CANECA'")
        assert row["cost_cents"] == 987  # 8 at 9.90 and 4 at 9.50 are 9.77 each; 9 more at 10.00


ACTIONS = ("itens", "enviar", "receber", "encerrar", "cancelar")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("viewer", set[str]()), ("operator", {"receber"}), ("manager", {*ACTIONS, "pedir", "sku", "fornecedor"})],
)
async def test_a_role_reaches_as_far_as_it_says(role: str, allowed: set[str]) -> None:
    async with site() as s:
        ids = await shop(s)
        owner = await s.signed_in()
        await owner.post("/reposicao/pedir", **{"sku:CANECA": "yes", "q:CANECA": "12"})
        order = await only_order(s)
        reader = await s.signed_in(f"{role}@loja.example", role)
        for path, name in (
            ("/reposicao/pedir", "pedir"), (f"/reposicao/{ids['PRATO']}", "sku"), ("/fornecedores", "fornecedor"),
            *((f"{order}/{verb}", verb) for verb in ACTIONS),
        ):  # fmt: skip
            told = (await reader.post(path)).status
            assert (told == 403) == (name not in allowed), (path, told)
        for path in ("/reposicao", f"/reposicao/{ids['PRATO']}", "/compras"):
            assert ('method="post" action="/' + path.split("/")[1] in (await reader.get(path)).text) == (
                role == "manager" and path != "/compras"
            ), path


async def test_another_sellers_things_are_not_there() -> None:
    async with site() as s:
        ids = await shop(s)
        owner = await s.signed_in()
        await owner.post("/reposicao/pedir", **{"sku:CANECA": "yes", "q:CANECA": "12"})
        order = await only_order(s)
        reader = await s.signed_in("bia@outra.example", seller_id=await s.other_seller())
        for path in (order, f"{order}/planilha.csv", f"{order}/imprimir", f"/reposicao/{ids['CANECA']}"):
            assert (await reader.get(path)).status == 404, path
        for verb in ACTIONS:
            assert (await reader.post(f"{order}/{verb}")).status == 404, verb
        assert (await reader.post(f"/reposicao/{ids['CANECA']}", reorder_point="1")).status == 404
        assert "CANECA" not in (await reader.get("/reposicao?filtro=all")).text
        (row,) = await s.w.rows("SELECT status FROM purchase_order")
        assert row["status"] == "draft"


async def test_settings_are_kept_or_told_what_is_wrong() -> None:
    async with site() as s:
        ids = await shop(s)
        reader = await s.signed_in()
        path = f"/reposicao/{ids['CANECA']}"
        good = {"active": "yes", "supplier": "forja & filhos", "service_level": "97,5%", "lead_time_days": "4,5",
                "order_multiple": "6", "order_minimum": "", "handling": "median"}  # fmt: skip
        assert (await reader.post(path, **good)).status == 303
        (row,) = await s.w.rows("SELECT service_level, lead_time_days, reorder_point, handling FROM sku_replenishment")
        assert row == {"service_level": 0.975, "lead_time_days": 4.5, "reorder_point": None, "handling": "median"}
        assert 'value="97,5%"' in (await reader.get(path)).text
        bad = await reader.post(path, **{**good, "lead_time_days": "logo", "safety_stock": "-1"})
        assert bad.status == 400
        assert bad.text.count("Não pode ser usado.") == 2
        assert 'value="logo"' in bad.text
        unknown = await reader.post(path, **{**good, "supplier": "Ninguém"})
        assert unknown.status == 400
        assert "Ninguém" in unknown.text
        assert (await reader.post(path, **{**good, "active": ""})).status == 303
        assert "Reposição desligada" in (await reader.get(path)).text
        assert (await reader.get("/reposicao/nada")).status == 404


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Escolha pelo menos um SKU"),
        ({"sku:CANECA": "yes", "q:CANECA": "-3"}, "Quantidade de CANECA"),
        ({"sku:PRATO": "yes", "q:PRATO": "3"}, "PRATO não tem fornecedor"),
        ({"sku:NADA": "yes", "q:NADA": "3"}, "NADA"),
    ],
)
async def test_what_cannot_be_ordered_is_said(fields: dict[str, str], sentence: str) -> None:
    async with site() as s:
        await shop(s)
        reader = await s.signed_in()
        answer = await reader.post("/reposicao/pedir", next="https://elsewhere.example/", **fields)
        assert answer.headers["Location"] == "/reposicao"
        assert sentence in await flash(reader, "/reposicao")
        assert await s.w.rows("SELECT FROM purchase_order") == []


async def test_a_supplier_is_added_once() -> None:
    async with site() as s:
        await shop(s)
        reader = await s.signed_in()
        for fields, sentence in (
            ({"name": "Olaria", "lead_time_days": "7,5"}, "Fornecedor Olaria incluído."),
            ({"name": "Olaria"}, "Já há um fornecedor Olaria."),
            ({"name": " "}, "Diga o nome"),
            ({"name": "Outra", "lead_time_days": "logo"}, "de 0 a 730"),
        ):
            await reader.post("/fornecedores", **fields)
            assert sentence in await flash(reader, "/compras")
        rows = await s.w.rows("SELECT name, lead_time_days FROM supplier ORDER BY name")
        assert [row["name"] for row in rows] == ["Forja & Filhos", "Olaria"]
        assert rows[1]["lead_time_days"] == 7.5


async def test_sending_refuses_what_it_cannot_read_and_what_has_passed() -> None:
    async with site() as s:
        await shop(s)
        reader = await s.signed_in()
        await reader.post("/reposicao/pedir", **{"sku:CANECA": "yes", "q:CANECA": "12"})
        order = await only_order(s)
        for told, sentence in (("ontem", "não pode ser lida"), ("2020-01-01", "já passou")):
            await reader.post(f"{order}/enviar", expected=told)
            assert sentence in await flash(reader, order)
        await reader.post(f"{order}/cancelar")
        await reader.post(f"{order}/enviar", expected="")
        assert "mudou de situação" in await flash(reader, order)

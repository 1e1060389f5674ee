"""The stock pages: the list, a SKU's page and what moves it, kits, and the ledger."""

import re
from typing import Any

from hub.sandbox import Product
from jobs import kits
from tests.web.site import Answer, Reader, Site, site

SHELF = [
    Product(sku="CANECA", title="Caneca azul <b>300 ml</b>", quantity=10, price_cents=3990),
    Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590),
]
GTIN = "7891000315507"


async def shop(s: Site) -> dict[str, str]:
    """Two counted SKUs on a store, a kit of both, one uncounted; CANECA has a sale of two. Answers ids by code."""
    one = await s.connect("woocommerce", SHELF, name="Um", seed=1)
    await s.w.open_stock(CANECA=10, PRATO=4)
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await tx.run("UPDATE sku SET title = %s WHERE code = 'CANECA'", [SHELF[0].title])
    await kits.set_kit(s.w.rt, s.w.seller_id, "JOGO", {"CANECA": 2, "PRATO": 1})
    await kits.set_kit(s.w.rt, s.w.seller_id, "A/B", {"NOVO-1": 1}, create=True)
    await one.buy("CANECA", 2)
    await s.until("SELECT FROM reservation")
    return {row["code"]: str(row["id"]) for row in await s.w.rows("SELECT code, id FROM sku")}


def row_of(answer: Answer, code: str) -> str:
    """The text of a row of the list."""
    found = [row for row in re.findall(r"<tr>(.*?)</tr>", answer.text, re.DOTALL) if f">{code}</a>" in row]
    assert len(found) == 1, (code, answer.text[:3000])
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


async def codes(reader: Reader, query: str) -> list[str]:
    answer = await reader.get(f"/estoque?{query}")
    assert answer.status == 200, answer.text[-800:]
    return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', answer.text)


async def flash(reader: Reader, answer: Answer) -> str:
    assert answer.status == 303, re.findall(r'bad-text"[^>]*>([^<]+)', answer.text) or answer.text[:2000]
    text = (await reader.get(answer.headers["Location"])).text
    found = re.search(r'class="flash[^"]*" role="status"><p>([^<]*)', text)
    assert found, text[:2000]
    return found[1]


def refusals(answer: Answer) -> list[str]:
    assert answer.status == 400, answer.status
    return [each.strip() for each in re.findall(r'class="hint bad-text"[^>]*>([^<]+)', answer.text)]


async def test_the_list_and_the_ledger() -> None:
    async with site() as s:
        ids = await shop(s)
        reader = await s.signed_in()
        page = await reader.get("/estoque")
        assert row_of(page, "CANECA").split()[-8:] == ["—", "10", "2", "8", "—", "—", "—", "1"]
        assert row_of(page, "JOGO").split()[-8:] == ["—", "—", "—", "4", "—", "—", "—", "nenhum"]
        assert "sem contagem" in row_of(page, "NOVO-1")
        assert "<b>300" not in page.text
        for query, wanted in (
            ("", ["A/B", "CANECA", "JOGO", "NOVO-1", "PRATO"]),
            ("ordem=free", ["PRATO", "CANECA"]),
            ("ordem=days", []),
            ("filtro=kit", ["A/B", "JOGO"]),
            ("filtro=uncounted", ["NOVO-1"]),
            ("filtro=unlinked", ["A/B", "JOGO", "NOVO-1"]),
            ("filtro=out", []),
            ("filtro=low", []),
            ("filtro=nada&ordem=nada&deposito=x&apos=x", ["A/B", "CANECA", "JOGO", "NOVO-1", "PRATO"]),
            ("busca=azu+can", ["CANECA"]),
            ("busca=caneca", ["CANECA"]),
            ("busca=300%25", ["CANECA"]),
            ("busca=novo", ["NOVO-1"]),
            ("categoria=Cozinha", []),
            ("ordem=free&apos=x~y", ["PRATO", "CANECA"]),
        ):
            assert await codes(reader, query) == wanted, query
        sheet = await reader.get("/estoque/planilha.csv")
        assert "CANECA;Caneca azul <b>300 ml</b>;;;10;2;8;0;0;;1" in sheet.text
        assert "JOGO;;;;;;4;0;0;;0" in sheet.text
        english = await s.signed_in("bob@loja.example", locale="en")
        assert "On hand" in (await english.get("/estoque")).text

        await reader.get("/estoque/CANECA")
        await reader.post(f"/skus/{ids['CANECA']}/ajustar", way="achar", units="1", ref="a", note="=1+1")
        ana = (await s.w.row("SELECT id FROM app_user WHERE email = 'ana@loja.example'"))["id"]
        house = (await s.w.row("SELECT id FROM warehouse WHERE code = 'principal'"))["id"]
        for query, count in (
            ("", 3), ("sku=caneca", 2), ("sku=PRATO", 1), (f"quem={ana}", 1), ("quem=hub", 2), ("motivo=adjustment", 1),
            ("motivo=opening", 2), ("motivo=dispatch", 0), (f"deposito={house}", 3),
            ("de=2020-01-01&ate=31/12/2020", 0), ("motivo=x&quem=x&deposito=x&apos=x", 3),
        ):  # fmt: skip
            page = await reader.get(f"/estoque/movimentos?{query}")
            assert page.status == 200, page.text[-500:]
            assert page.text.count('<th scope="row">') == count, query
        for query in ("de=ontem", "ate=9999-12-31", "sku=NADA"):
            assert (await reader.get(f"/estoque/movimentos?{query}")).status == 400, query
            assert (await reader.get(f"/estoque/movimentos.csv?{query}")).status == 400, query
        written = (await reader.get("/estoque/movimentos.csv?motivo=adjustment")).text
        assert ";Principal;" not in written
        assert ";CANECA;Caneca azul <b>300 ml</b>;principal;ajuste;1;Ana Lima;;;unidades encontradas: =1+1" in written


# The list's sums are kept by triggers: whatever moves stock, they say what the shelves say.
ASTRAY = """SELECT k.code FROM sku k LEFT JOIN sku_standing s ON s.seller_id = k.seller_id AND s.sku_id = k.id
        LEFT JOIN LATERAL (SELECT sum(l.on_hand) AS o, sum(l.reserved) AS r,
                sum(greatest(0, l.on_hand - l.reserved)) AS f
            FROM stock_level l JOIN warehouse w ON w.seller_id = l.seller_id AND w.id = l.warehouse_id
            WHERE l.seller_id = k.seller_id AND l.sku_id = k.id AND w.kind = 'own') t ON true
        WHERE (coalesce(s.on_hand, 0), coalesce(s.reserved, 0), coalesce(s.free, 0))
            <> (coalesce(t.o, 0), coalesce(t.r, 0), coalesce(t.f, 0))"""


async def test_a_sku_is_made_counted_found_lost_and_set_aside_and_the_sums_follow() -> None:
    async with site() as s:
        ids = await shop(s)
        reader = await s.signed_in()
        await reader.get("/estoque/CANECA")
        path = f"/skus/{ids['CANECA']}/ajustar"
        for way, units in (("contar", "1"), ("achar", "5"), ("avariar", "2"), ("perder", "1")):
            await flash(reader, await reader.post(path, way=way, units=units, ref=way))
            assert await s.w.rows(ASTRAY) == [], way
        (row,) = await s.w.rows("SELECT on_hand, reserved, free FROM sku_standing s JOIN sku k ON k.id = s.sku_id "
                                "WHERE code = 'CANECA'")  # fmt: skip
        assert (row["on_hand"], row["reserved"], row["free"]) == (3, 2, 1)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE warehouse SET kind = 'damaged' WHERE code = 'principal'")
        assert await s.w.rows(ASTRAY) == []
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE warehouse SET kind = 'own' WHERE code = 'principal'")
        assert await s.w.rows(ASTRAY) == []

        await reader.get("/estoque/novo")
        bad = {"code": "", "gtin": "7891000315508", "cost_cents": "1,2,3", "weight_g": "0,5", "units": "-1",
               "title": "Bule que foi digitado"}  # fmt: skip
        answer = await reader.post("/estoque/novo", **bad)
        assert len(refusals(answer)) == 5
        assert "7891000315508 não é um GTIN" in answer.text
        assert 'value="Bule que foi digitado"' in answer.text
        for told, why in (
            ({"code": "CANECA"}, "Já há um SKU CANECA."),
            ({"code": "movimentos"}, "Já há um SKU movimentos."),
            ({"code": "X" * 121}, "longo demais"),
            ({"code": "BULE", "units": "3", "warehouse": "lua"}, "Não há depósito aberto com o código lua."),
        ):
            assert why in " ".join(refusals(await reader.post("/estoque/novo", **told)))
        assert await s.w.rows("SELECT FROM sku WHERE code = 'BULE'") == []
        good = {"code": "BULE/1", "title": "Bule", "gtin": GTIN, "category": "Cozinha", "cost_cents": "1.234,50",
                "weight_g": "1.200 g", "length_mm": "210", "units": "1.000"}  # fmt: skip
        assert await flash(reader, await reader.post("/estoque/novo", **good)) == "SKU BULE/1 criado."
        (row,) = await s.w.rows("SELECT * FROM sku WHERE code = 'BULE/1'")
        assert (row["gtin"], row["cost_cents"], row["weight_g"], row["length_mm"]) == (GTIN, 123450, 1200, 210)
        assert await s.w.level("BULE/1") == (1000, 0)
        assert (await reader.get("/estoque/BULE/1")).status == 200
        assert await codes(reader, f"busca={GTIN}") == ["BULE/1"]
        assert await codes(reader, "categoria=Cozinha") == ["BULE/1"]

        path = f"/skus/{row['id']}/ajustar"
        assert "de 1000 para 998" in await flash(reader, await reader.post(path, way="perder", units="2", ref="a"))
        assert "já estava registrado" in await flash(reader, await reader.post(path, way="perder", units="2", ref="a"))
        assert "de 998 para 995" in await flash(reader, await reader.post(path, way="avariar", units="3", ref="b"))
        assert "de 995 para 12" in await flash(reader, await reader.post(path, way="contar", units="12", note="ronda"))
        for told, why in (
            ({"way": "perder", "units": "13"}, "há 12 ali, não dá para tirar 13"),
            ({"way": "avariar", "units": "13"}, "há 12 ali, não dá para tirar 13"),
            ({"way": "avariar", "units": "1", "warehouse": "avariados"}, "Avarias saem de um depósito próprio"),
            ({"way": "achar", "units": "0"}, "Diga quantas unidades"),
            ({"way": "achar", "units": "1,5"}, "unidades são inteiras"),
            ({"way": "achar", "units": ""}, "está vazia"),
            ({"way": "achar", "units": "1", "warehouse": "lua"}, "Não há depósito aberto"),
        ):
            answer = await reader.post(path, **told)
            assert answer.status == 400, told
            assert why in " ".join(refusals(answer)), told
        assert (await reader.post(path, way="roubar", units="1")).status == 400
        moves = await s.w.rows("SELECT delta, note FROM stock_movement WHERE sku_id = %s ORDER BY at, delta", row["id"])
        assert [(m["delta"], m["note"]) for m in moves] == [
            (1000, None), (-2, "unidades perdidas"), (-3, "unidades avariadas"), (3, "unidades avariadas"),
            (-983, "contagem avulsa: ronda"),
        ]  # fmt: skip
        uncounted = (await s.w.row("SELECT id FROM sku WHERE code = 'NOVO-1'"))["id"]
        answer = await reader.post(f"/skus/{uncounted}/ajustar", way="achar", units="1")
        assert "ainda não foi aberto" in " ".join(refusals(answer))


async def test_facts_are_edited_and_kits_made_and_unmade() -> None:
    async with site() as s:
        ids = await shop(s)
        reader = await s.signed_in()
        path = f"/skus/{ids['PRATO']}/dados"
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("INSERT INTO buffer (seller_id, id, scope, scope_ref, kind, value) VALUES "
                         "(%s, gen_random_uuid(), 'category', 'Louça', 'units', 1)", [tx.seller])  # fmt: skip
        await reader.get("/estoque/PRATO")
        answer = await reader.post(
            path, title="Prato fundo", gtin="123", category="Louça", cost_cents="9,9", width_mm="x"
        )
        assert len(refusals(answer)) == 2
        assert 'value="Prato fundo"' in answer.text
        assert (await s.w.row("SELECT title FROM sku WHERE code = 'PRATO'"))["title"] != "Prato fundo"
        said = await flash(reader, await reader.post(path, title="Prato fundo", category="Louça", cost_cents="9,9"))
        assert said == "PRATO: dados guardados."
        assert await flash(reader, await reader.post(path, title="Prato fundo")) == "PRATO: nada mudou."
        row = await s.w.row("SELECT title, category, cost_cents FROM sku WHERE code = 'PRATO'")
        assert (row["title"], row["category"], row["cost_cents"]) == ("Prato fundo", "Louça", 990)
        slot = await s.w.row("SELECT desired FROM stock_slot s JOIN sku k ON k.id = s.sku_id WHERE code = 'PRATO'")
        assert slot["desired"] == 3, "the category's buffer holds one back"
        await flash(reader, await reader.post(path, category=""))
        assert (await s.w.row("SELECT category FROM sku WHERE code = 'PRATO'"))["category"] is None

        page = (await reader.get("/estoque/JOGO")).text
        assert re.search(r'why-number"><b>4</b>', page)
        assert 'href="/estoque/CANECA"' in page
        assert 'href="/estoque/JOGO"' in (await reader.get("/estoque/CANECA")).text
        path = f"/skus/{ids['JOGO']}/kit"
        for told, why in (
            ({"part-0": "JOGO"}, "JOGO não pode conter a si mesmo."),
            ({"part-0": "NADA"}, "Não há o SKU NADA."),
            ({"part-0": "CANECA", "units-0": "0"}, "De 1 a 100.000"),
            ({"part-0": "CANECA", "units-0": "dois"}, "não é um número"),
            ({}, "pelo menos um componente"),
        ):
            assert why in " ".join(refusals(await reader.post(path, **told))), told
        answer = await reader.post(f"/skus/{ids['CANECA']}/kit", **{"part-0": "PRATO"})
        assert "Há unidades de CANECA contadas" in " ".join(refusals(answer))
        await flash(reader, await reader.post(f"/skus/{ids['A/B']}/kit", **{"part-0": "JOGO", "units-0": "2"}))
        assert row_of(await reader.get("/estoque"), "A/B").split()[-5] == "2", "kits of kits are counted"
        answer = await reader.post(path, **{"part-0": "A/B", "part-1": "PRATO"})
        assert refusals(answer)[0] == "JOGO conteria a si mesmo, através de A/B."
        assert 'value="A/B"' in answer.text
        await flash(reader, await reader.post(path, **{"part-0": "PRATO", "units-0": "3", "loose": "yes"}))
        assert re.search(r'why-number"><b>1</b>', (await reader.get("/estoque/JOGO")).text)
        assert "Confirme" in await flash(reader, await reader.post(f"{path}/desfazer"))
        assert "não é mais kit" in await flash(reader, await reader.post(f"{path}/desfazer", sure="yes"))
        assert "não é um kit" in await flash(reader, await reader.post(f"{path}/desfazer", sure="yes"))


ROLES: dict[str, set[str]] = {
    "viewer": set(),
    "warehouse": {"ajustar"},
    "operator": {"ajustar", "dados", "kit", "kit/desfazer", "novo"},
}


async def test_a_role_reaches_as_far_as_it_says_and_another_seller_nothing() -> None:
    async with site() as s:
        ids = await shop(s)
        for role, allowed in ROLES.items():
            await reaches(s, ids, role, allowed)
        other = await s.other_seller()
        reader = await s.signed_in("bia@outra.example", seller_id=other)
        house = (await s.w.row("SELECT id FROM warehouse WHERE code = 'principal'"))["id"]
        for path in ("/estoque/CANECA", f"/skus/{ids['CANECA']}", "/skus/nada"):
            assert (await reader.get(path)).status == 404, path
        for deed in ("ajustar", "dados", "kit", "kit/desfazer"):
            answer = await reader.post(f"/skus/{ids['CANECA']}/{deed}", way="achar", units="1", sure="yes")
            assert answer.status == 404, deed
        for path in ("/estoque", "/estoque?ordem=free", f"/estoque?deposito={house}", "/estoque/planilha.csv",
                     "/estoque/movimentos", "/estoque/movimentos.csv",
                     f"/estoque/movimentos?deposito={house}"):  # fmt: skip
            text = (await reader.get(path)).text
            assert "CANECA" not in text, path
        assert (await reader.get("/estoque/movimentos?sku=CANECA")).status == 400
        assert (await s.reader().get("/estoque")).status == 303


async def reaches(s: Site, ids: dict[str, str], role: str, allowed: set[str]) -> None:
    reader = await s.signed_in(f"{role}@loja.example", role=role)
    page = await reader.get("/estoque/CANECA")
    assert page.status == 200
    assert ('name="cost_cents"' in page.text) == (role == "operator")
    assert ("Custo" in page.text) == (role != "warehouse")
    assert ('href="/pedidos/' in page.text) == (role != "warehouse")
    told: dict[str, Any] = {"way": "achar", "units": "1", "title": "Outra", "part-0": "PRATO", "sure": "yes"}
    for deed in ("ajustar", "dados", "kit", "kit/desfazer"):
        status = (await reader.post(f"/skus/{ids['CANECA']}/{deed}", **told)).status
        assert (status != 403) == (deed in allowed), (deed, status)
    assert ((await reader.post("/estoque/novo", code="")).status != 403) == ("novo" in allowed)
    assert ((await reader.get("/estoque/novo")).status != 403) == ("novo" in allowed)
    assert (await reader.get("/estoque/movimentos")).status == 200

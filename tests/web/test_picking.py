"""Separação: what goes into which box and why another stays out; packing by list and by code; what a role is shown."""

import re
from datetime import timedelta
from functools import partial
from unittest.mock import patch

from hub.picking import Said, bare, is_whole, read, to_check, to_fetch
from hub.sandbox import Product
from hub.store import new_id
from hub.web.pages.keyset import part
from jobs import deadlines, kits
from tests.web.site import Answer, Site, site

PRODUCTS = [
    Product(sku="CANECA", title="Caneca de porcelana", quantity=20, price_cents=3990, gtin="7891000315507"),
    Product(sku="PRATO", title="Prato raso", quantity=20, price_cents=2990),
    Product(sku="PAR", title="Par de pratos", quantity=5, price_cents=4990),
]


async def shop(s: Site) -> tuple[list[str], list[str]]:
    """Four paid orders (refs, ids): mugs, a pair (a kit), both, and one that is held for fraud."""
    store = await s.connect("woocommerce", PRODUCTS, seed=1)
    await kits.set_kit(s.w.rt, s.w.seller_id, "PAR", {"PRATO": 2}, create=True)
    await s.w.open_stock(CANECA=20, PRATO=20)
    refs = [await store.buy("CANECA", 2), await store.buy("PAR"), await store.buy("PRATO"), await store.buy("CANECA")]
    await s.w.settle()
    ids = {row["ref"]: str(row["id"]) for row in await s.w.rows("SELECT id, ref FROM orders")}
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await tx.run("UPDATE sku SET gtin = '7891000315507' WHERE code = 'CANECA'")
        await tx.run("UPDATE orders SET hold = 'fraud' WHERE ref = %s", [refs[3]])
        for hours, ref in enumerate(reversed(refs)):  # its clock counts seconds: all of one
            await tx.run("UPDATE orders SET placed_at = placed_at - %s WHERE ref = %s", [timedelta(hours=hours), ref])
    return refs, [ids[ref] for ref in refs]


def boxes(shown: Answer) -> list[str]:
    """The ids of the orders with a box to tick, in their order."""
    assert shown.status == 200, shown.text[-500:]
    return re.findall(r'form="chosen" name="o:([^"]+)"', shown.text)


async def dated(s: Site, ref: str, hours: int) -> None:
    at = s.w.rt.now() + timedelta(hours=hours)
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await tx.run(
            "UPDATE orders SET told = jsonb_set(told, '{ship_by}', to_jsonb(%s::text)), deadline_at = now() "
            "WHERE ref = %s", [at.isoformat(), ref],
        )  # fmt: skip
    while await deadlines.turn(s.w.rt):
        pass


async def test_what_is_to_be_packed_stands_by_when_it_must_leave_and_the_rest_says_why_not() -> None:
    async with site() as s:
        refs, ids = await shop(s)
        bia = await s.signed_in("bia@loja.example", "warehouse", name="Bia")
        assert (await bia.get("/")).headers["Location"] == "/separacao"
        assert boxes(await bia.get("/separacao")) == ids[:3]
        # A shop that is told no ship-by: the queue has them all the same, and says where it is set.
        ana = await s.signed_in()
        assert boxes(await ana.get("/prazos?ver=sem-prazo")) == ids
        assert "A despachar sem prazo: 4" in (await ana.get("/prazos")).text
        assert re.search(r'/contas/[^"]+/regras#despacho', (await ana.get("/prazos?ver=sem-prazo")).text)
        panel = (await ana.get("/")).text
        assert '<a href="/prazos?ver=sem-prazo">sem prazo: 4</a>' in panel
        assert "Diga em quantos dias úteis eles saem" in panel
        await dated(s, refs[2], 3)
        await dated(s, refs[1], -2)
        shown = await bia.get("/separacao")
        assert boxes(shown) == [ids[1], ids[2], ids[0]]
        for told in ("atrasado", "sem prazo", "do kit PAR", "Prato raso", "2×"):
            assert told in shown.text, told
        seen, path = [], "/separacao"
        with patch("hub.web.pages.picking.SIZE", 1), patch("hub.web.pages.picking.part", partial(part, size=1)):
            while path:
                shown = await bia.get(path)
                seen += boxes(shown)
                onward = re.search(r'href="([^"]+)" rel="next"', shown.text)
                path = onward[1].replace("&amp;", "&") if onward else ""
        assert seen == [ids[1], ids[2], ids[0]]
        with patch("hub.web.pages.deadlines.SIZE", 1), patch("hub.web.pages.deadlines.part", partial(part, size=1)):
            shown = await ana.get("/prazos?ver=sem-prazo")
            onward = re.search(r'href="([^"]+)" rel="next"', shown.text)
            assert onward
            more = await ana.get(onward[1].replace("&amp;", "&"))
            assert boxes(shown) + boxes(more) == [ids[0], ids[3]]
        held = (await bia.get("/separacao?fila=esperam")).text
        assert refs[3] in held
        assert "retido: suspeita de fraude" in held
        # By SKU, over all of them and over the first one's warehouse; an unknown warehouse is none.
        sku = (await bia.get("/separacao?ver=sku")).text
        assert re.findall(r'scope="row">([A-Z]+)<small>.*?class="num"><b>(\d+)</b>', sku, re.DOTALL) == [
            ("CANECA", "2"), ("PRATO", "3"),
        ]  # fmt: skip
        house = (await s.w.row("SELECT warehouse_id AS id FROM reservation LIMIT 1"))["id"]
        assert boxes(await bia.get(f"/separacao?deposito={house}")) == [ids[1], ids[2], ids[0]]
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run(
                "INSERT INTO warehouse (seller_id, id, code, name) VALUES (%s, %s, 'galpao', 'Galpão')",
                [tx.seller, new_id()],
            )
            other = await tx.value("SELECT id FROM warehouse WHERE code = 'galpao'")
        assert boxes(await bia.get(f"/separacao?deposito={other}")) == []
        for strange in ("?apos=x", "?apos=p~2026~1", "?deposito=x", "?n=7&ver=sku", "?fila=x", "?desfazer=x"):
            assert (await bia.get(f"/separacao{strange}")).status == 200, strange


async def test_packed_by_list_and_by_code_and_taken_back() -> None:
    async with site() as s:
        refs, ids = await shop(s)
        bia = await s.signed_in("bia@loja.example", "warehouse", name="Bia")

        async def packed() -> set[str]:
            rows = await s.w.rows("SELECT order_id, packed_by FROM order_handling WHERE packed_at IS NOT NULL")
            assert {row["packed_by"] for row in rows} <= {"Bia"}
            return {str(row["order_id"]) for row in rows}

        await bia.get("/separacao")
        chosen = {f"o:{id_}": "yes" for id_ in (ids[0], ids[1], ids[3])}
        paper = await bia.post("/separacao/lista", **chosen)
        assert "retido por suspeita de fraude" in paper.text
        assert re.findall(r'<th scope="row">(\w+)', paper.text) == ["CANECA", "PRATO", refs[0], refs[1]]
        answer = await bia.post("/separacao/embalar", next="/separacao", **chosen)
        assert await packed() == {ids[0], ids[1]}, "what is held is not packed"
        shown = await bia.get(answer.headers["Location"])
        assert f"Pedido {refs[3]}: não embale, está retido por suspeita de fraude." in shown.text
        assert "Desfazer: não está embalado" in shown.text
        assert boxes(shown) == [ids[2]]
        undo = dict.fromkeys(re.findall(r'type="hidden" name="(o:[^"]+)"', shown.text), "yes")
        assert (await bia.post("/separacao/desfazer", **undo)).headers["Location"] == "/separacao"
        assert await packed() == set()
        # Code by code: what is not its own is refused and nothing is counted; the last one packs it.
        assert (await bia.get("/separacao/conferir?codigo=nada")).status == 400
        held = await bia.get(f"/separacao/conferir?codigo={refs[3]}")
        assert "está retido por suspeita de fraude" in held.text
        assert "autofocus" in held.text
        path = (await bia.get(f"/separacao/conferir?codigo={refs[0]}")).headers["Location"]
        assert path == f"/separacao/conferir/{ids[0]}"
        wrong = await bia.post(path, lido="PRATO", **{"d:CANECA": "0"})
        assert wrong.status == 400
        assert "PRATO não é deste pedido" in wrong.text
        assert "autofocus" in wrong.text
        right = await bia.post(path, lido="07891000315507", **{"d:CANECA": "0"})
        assert "CANECA: lido. Faltam 1." in right.text
        assert 'name="d:CANECA" value="1"' in right.text
        whole = await bia.post(path, lido="caneca", **{"d:CANECA": "1"})
        assert whole.headers["Location"] == f"/separacao/conferir?desfazer={ids[0]}"
        assert await packed() == {ids[0]}
        assert (await bia.post(f"/separacao/conferir/{ids[3]}", lido="CANECA")).status == 200
        assert await packed() == {ids[0]}, "what is held is packed by no code"
        assert refs[0] in (await bia.get("/separacao?fila=embalados")).text
        # The buyer is a name and a city to a packing table, and a stranger sees no order.
        for page in ("/separacao", "/separacao/lista", f"/separacao/conferir/{ids[1]}", "/prazos?ver=sem-prazo"):
            text = (await bia.get(page)).text
            buyer = await s.w.row("SELECT told FROM orders WHERE ref = %s", refs[1])
            told = buyer["told"]
            for secret in (told["buyer"]["document"]["number"], told["buyer"].get("phone"), told["buyer"]["email"],
                           told["ship_to"]["street"]):  # fmt: skip
                assert secret, "the sandbox tells it"
                assert secret not in text, page
            assert "/pedidos/" not in text, "a link that answers 403"
        carl = await s.signed_in("carl@loja.example", "viewer")
        assert boxes(await carl.get("/separacao")) == []
        for deed in ("embalar", "desfazer", "lista"):
            assert (await carl.post(f"/separacao/{deed}", **chosen)).status == 403, deed
        assert (await carl.get(path)).status == 403
        stranger = await s.signed_in("outra@loja.example", seller_id=await s.other_seller())
        assert (await stranger.get(path)).status == 404
        await stranger.post("/separacao/embalar", **{f"o:{ids[1]}": "yes"})
        assert await packed() == {ids[0]}


def test_codes_count_down_and_a_box_is_whole_when_all_are_read() -> None:
    row = {"order_id": new_id(), "line_ref": "1", "channel_sku": None, "gtin": "07891000315507", "kit": None,
           "house": "Loja", "rank": 1, "title": "Caneca"}  # fmt: skip
    rows = [{**row, "sku": "A", "units": 1}, {**row, "sku": "B", "units": 1}, {**row, "sku": "A", "units": 1}]
    items = to_check(rows)
    assert [(item.name, item.units) for item in items] == [("A", 2), ("B", 1)]
    assert bare(" 007891000315507 ") == "7891000315507"
    assert read(items, {}, "b") == (Said.COUNTED, items[1])
    assert read(items, {"A": 2}, "7891000315507") == (Said.COUNTED, items[1]), "one code of two things"
    assert read(items, {"A": 2, "B": 1}, "7891000315507") == (Said.ENOUGH, items[0])
    assert read(items, {}, "C") == (Said.UNKNOWN, None)
    assert [is_whole(items, done) for done in ({"A": 2}, {"A": 2, "B": 1})] == [False, True]
    assert not is_whole([], {}), "an order without items is packed by no code"
    far = {**row, "sku": "A", "units": 5, "house": "Galpão", "rank": 0}
    assert [(item.house, item.name, item.units) for item in to_fetch([*rows, far])] == [
        ("Galpão", "A", 5), ("Loja", "A", 2), ("Loja", "B", 1),
    ]  # fmt: skip

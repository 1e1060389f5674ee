"""Etiquetas: orders chosen, quoted, bought, printed and handed over from the pages, and who may."""

import io
import re
from typing import Any

from pypdf import PdfReader

from jobs import freight as quotes
from jobs import freight_labels
from tests.flows.freighting import SENDER, policy, seller, sold
from tests.flows.test_freight_buying import preposts
from tests.web.site import Answer, Reader, Site, site
from tests.web.test_api_connecting import refused
from tests.web.test_api_resources import program


async def shop(s: Site, orders: int = 2) -> tuple[Any, list[str]]:
    """A carrier, and ids of paid orders."""
    store, carrier = await seller(s.w)
    await s.w.intake._read_routes()
    return carrier, [str(await sold(s.w, store, "CANECA", 1)) for _ in range(orders)]


async def whole(reader: Reader, where: str) -> Answer:
    """A print's page once nothing of it is still to come."""
    for _ in range(10):
        answer = await reader.get(where)
        if "Refresh" not in answer.headers:
            return answer
    raise AssertionError("the print has no end")


async def flash(reader: Reader, path: str = "/etiquetas") -> str:
    text = (await reader.get(path)).text
    found = re.search(r'class="flash[^"]*" role="status"><p>([^<]*)', text)
    assert found, text[:2000]
    return found[1]


async def bought(reader: Reader, *ids: str, **more: str) -> str:
    """What a person reads and says yes to; answers the sentence that follows."""
    shown = (await reader.post("/etiquetas/comprar", **dict.fromkeys((f"o:{id_}" for id_ in ids), "yes"), **more)).text
    await reader.post("/etiquetas/comprar/confirmar", **sure(shown))
    return await flash(reader)


def sure(text: str) -> dict[str, str]:
    """What the form of a look at a purchase sends."""
    return dict(re.findall(r'type="hidden" name="([ofc]:[^"]+)" value="([^"]+)"', text))


async def test_orders_go_from_the_queue_to_the_carriers_hands() -> None:
    async with site() as s:
        carrier, (one, two) = await shop(s)
        reader = await s.signed_in(role="operator")
        text = (await reader.get("/etiquetas")).text
        assert text.count('name="o:') == 2
        assert "sem cotação" in text

        await reader.post("/etiquetas/cotar", **{f"o:{one}": "yes", f"o:{two}": "yes"})
        assert await flash(reader) == "Pedidos cotados: 2."
        text = (await reader.get("/etiquetas")).text
        assert len(re.findall(r'type="radio"', text)) == 4
        assert re.search(r'value="[^"]+~03298" checked', text)
        assert "A mais barata entre 2." in text or "Nenhum prazo foi prometido" in text

        chosen = re.search(rf'name="f:{one}" value="([^"]+~03220)"', text)
        assert chosen
        assert '<b>1 x</b> <span class="code">CANECA</span>' in text
        asked = {f"o:{one}": "yes", f"o:{two}": "yes", f"f:{one}": chosen[1]}
        looked = (await reader.post("/etiquetas/comprar", **asked)).text
        cents = [row["price_cents"] for row in await s.w.rows(
            "SELECT price_cents FROM freight_offer f JOIN freight_quote q ON q.id = f.quote_id "
            "WHERE (q.order_id, f.service) IN ((%s, '03220'), (%s, '03298'))", one, two
        )]  # fmt: skip
        total = f"2 etiquetas: R$\xa0{sum(cents) // 100},{sum(cents) % 100:02d}"
        assert total in looked
        assert "<b>Correios</b>: 2 etiquetas" in looked
        assert preposts(carrier) == []
        dearer = {name: "1" if name == f"c:{two}" else value for name, value in sure(looked).items()}
        await reader.post("/etiquetas/comprar/confirmar", **dearer)
        assert re.match(r"Etiquetas compradas: 1\. pedido \S+: o preço não é mais R\$ 0,01, e sim", await flash(reader))
        await reader.post("/etiquetas/comprar/confirmar", **sure(looked))
        assert await flash(reader) == "Etiquetas compradas: 1. Já estavam compradas, e não foram de novo: 1."
        assert sorted(each.told["codigoServico"] for each in preposts(carrier)) == ["03220", "03298"]
        await reader.post("/etiquetas/comprar/confirmar", **sure(looked))
        assert len(preposts(carrier)) == 2
        assert "já tem etiqueta" in (await reader.post("/etiquetas/comprar", **asked)).text

        answer = await reader.post("/etiquetas/imprimir", **{f"o:{two}": "yes", f"o:{one}": "yes", "layout": "a4"})
        where = answer.headers["Location"]
        answer = await whole(reader, where)
        assert "2 de 2 etiquetas prontas" in answer.text
        async with reader.session.get(f"{s.base}{where}/etiquetas.pdf") as got:
            assert got.content_type == "application/pdf"
            (sheet,) = PdfReader(io.BytesIO(await got.read())).pages
        codes = {str(row["order_id"]): row["tracking_code"] for row in await s.w.rows("SELECT * FROM freight_label")}
        printed = sheet.extract_text()
        assert printed.index(codes[two]) < printed.index(codes[one])

        text = (await reader.get("/etiquetas?fila=to_leave")).text
        assert codes[one] in text
        account = str(carrier.account.id)
        await reader.post("/etiquetas/romaneio", **{f"o:{one}": "yes", "carrier": account, "name": ""})
        assert await flash(reader) == "romaneio: diga o nome de quem retirou."
        await reader.post("/etiquetas/romaneio", **{f"o:{one}": "yes", "carrier": account, "name": "João"})
        assert (await flash(reader, "/etiquetas?fila=left")).startswith("Romaneio 1 assinado: volumes que saíram: 1.")
        assert (await s.w.row("SELECT signed_by FROM freight_manifest"))["signed_by"].startswith("web:")
        sheet_text = (await reader.get(f"/etiquetas/romaneio/{account}/csv?numero=1")).text
        assert codes[one] in sheet_text
        assert codes[two] not in sheet_text
        async with reader.session.get(f"{s.base}/etiquetas/romaneio/{account}/pdf") as got:
            assert codes[two] in PdfReader(io.BytesIO(await got.read())).pages[0].extract_text()

        text = (await reader.get("/etiquetas?fila=to_leave")).text
        cancel = re.search(r'action="(/etiquetas/[^"]+/cancelar)"', text)
        assert cancel
        await reader.post(cancel[1], next="/etiquetas?fila=to_leave")
        assert "o canal não soube dela" in await flash(reader)
        assert sorted(each.status for each in preposts(carrier)) == [2, 5]


async def test_what_cannot_be_bought_is_said_in_the_readers_language() -> None:
    async with site() as s:
        _carrier, (one, two) = await shop(s)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE sku SET weight_g = NULL")
        reader = await s.signed_in()
        await reader.get("/etiquetas")
        text = (await reader.post("/etiquetas/comprar", **{f"o:{one}": "yes"})).text
        assert "faltam peso ou medidas de CANECA" in text
        assert "/etiquetas/comprar/confirmar" in text
        assert "Comprar por" not in text
        english = await s.signed_in("bob@loja.example", locale="en")
        await english.get("/etiquetas")
        await english.post("/etiquetas/cotar", **{f"o:{two}": "yes"})
        assert "weight or measures missing for CANECA" in await flash(english)
        await english.post("/etiquetas/comprar")
        assert await flash(english) == "Choose at least one order."
        assert (await english.post("/etiquetas/comprar", **{"o:x": "yes"})).status == 400
        assert (await english.post("/etiquetas/comprar/confirmar", **{f"o:{two}": "yes"})).status == 400
        assert await s.w.rows("SELECT 1 FROM freight_label") == []


async def test_a_second_label_and_one_for_what_is_short_are_for_one_order_and_who_insists() -> None:
    async with site() as s:
        carrier, (one, two, three) = await shop(s, 3)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE orders SET origin_channel = 'mercadolivre' WHERE id = %s", [one])
            await tx.run(
                """INSERT INTO shortage (seller_id, order_id, line_ref, sku_id, quantity)
                   SELECT seller_id, order_id, ref, sku_id, 1 FROM order_line WHERE order_id = %s""", [two]
            )  # fmt: skip
        reader = await s.signed_in()
        text = (await reader.get("/etiquetas")).text
        assert f'name="o:{one}"' not in text
        assert f'name="o:{two}" value="yes" data-apart' in text
        assert f'name="o:{three}" value="yes" aria' in text
        assert "em falta" in text
        asked = {f"o:{id_}": "yes" for id_ in (one, two, three)}
        looked = (await reader.post("/etiquetas/comprar", **asked)).text
        assert "Ficam de fora 2 pedidos" in looked
        assert "Mercado Livre cuida do envio e dá a etiqueta; outra seria uma segunda" in looked
        assert "em falta (1 x CANECA)" in looked
        assert set(sure(looked)) == {f"{key}:{three}" for key in "ofc"}
        await reader.post("/etiquetas/cotar", **{f"o:{one}": "yes"})
        assert "dá a etiqueta" in await flash(reader)

        p = await program(s, "shipments:read", "shipments:write")
        for id_, more, why in (
            (one, {"despite_shortage": True}, "dá a etiqueta"), (two, {"second_label": True}, "em falta (1 x CANECA)"),
            (three, {"price_cents": 1}, "o preço não é mais R$ 0,01"),
        ):  # fmt: skip
            status, told = await refused(p, "POST", f"/orders/{id_}/labels", more)
            assert (status, why in told) == (409, True)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE freight_quote SET at = at - interval '31 minutes'")
        assert "sem cotação dos últimos 30 minutos" in (await refused(p, "POST", f"/orders/{three}/labels", {}))[1]

        for id_, word, why in ((one, "second_label", "segunda"), (two, "despite_shortage", "em falta")):
            looked = (await reader.post("/etiquetas/comprar", **{f"o:{id_}": "yes"})).text
            assert f'name="{word}" value="yes" required' in looked
            await reader.post("/etiquetas/comprar/confirmar", **sure(looked))
            assert why in await flash(reader)
            both = {**sure(looked), **sure((await reader.post("/etiquetas/comprar", **{f"o:{three}": "yes"})).text)}
            held = {**both, f"c:{three}": "1"}
            await reader.post("/etiquetas/comprar/confirmar", **held, **{word: "yes"})
            assert why in await flash(reader)
            assert len(preposts(carrier)) == (id_ == two)
            await reader.post("/etiquetas/comprar/confirmar", **sure(looked), **{word: "yes"})
            assert await flash(reader) == "Etiquetas compradas: 1."


async def test_a_carrier_that_is_slow_stands_there_with_its_reason(monkeypatch: Any) -> None:
    async with site() as s:
        carrier, (one, _two) = await shop(s)
        await s.w.connect("jadlog", seed=3)
        monkeypatch.setattr(quotes.quote, "__kwdefaults__", {"seconds": 1.5})
        carrier.turn(latency=3.0)
        reader = await s.signed_in()
        await reader.get("/etiquetas")
        await reader.post("/etiquetas/cotar", **{f"o:{one}": "yes"})
        text = (await reader.get("/etiquetas")).text
        assert "não respondeu a tempo" in text
        assert "Jadlog" in text


async def test_a_print_names_what_did_not_come_and_gives_the_rest() -> None:
    async with site() as s:
        carrier, ids = await shop(s, 3)
        reader = await s.signed_in()
        await reader.get("/etiquetas")
        chosen = {f"o:{id_}": "yes" for id_ in ids}
        await bought(reader, *ids)
        broken = await s.w.row("SELECT tracking_code, order_id FROM freight_label ORDER BY id LIMIT 1")
        vars(carrier.sandbox)["preposts"][broken["tracking_code"]].status = 5
        where = (await reader.post("/etiquetas/imprimir", **chosen)).headers["Location"]
        answer = await whole(reader, where)
        assert "2 de 3 etiquetas prontas" in answer.text
        assert f'<a href="/pedidos/{broken["order_id"]}">' in answer.text
        assert "não está pré-postada" in answer.text
        async with reader.session.get(f"{s.base}{where}/etiquetas.pdf") as got:
            assert len(PdfReader(io.BytesIO(await got.read())).pages) == 2


async def test_a_viewer_looks_and_does_nothing_and_another_seller_sees_nothing() -> None:
    async with site() as s:
        carrier, (one, _two) = await shop(s)
        owner = await s.signed_in()
        await owner.get("/etiquetas")
        await bought(owner, one)
        where = (await owner.post("/etiquetas/imprimir", **{f"o:{one}": "yes"})).headers["Location"]
        label = (await s.w.row("SELECT id FROM freight_label"))["id"]
        viewer = await s.signed_in("eva@loja.example", "viewer")
        text = (await viewer.get("/etiquetas?fila=to_print")).text
        assert 'name="o:' not in text
        for path in ("cotar", "comprar", "comprar/confirmar", "imprimir", "romaneio", f"{label}/cancelar"):
            assert (await viewer.post(f"/etiquetas/{path}", **{f"o:{one}": "yes"})).status == 403
        other = await s.other_seller()
        stranger = await s.signed_in("zoe@outra.example", seller_id=other)
        await stranger.get("/etiquetas")
        assert (await stranger.get(where)).status == 404
        assert (await stranger.get(f"/etiquetas/romaneio/{carrier.account.id}/pdf")).status == 404
        asked = {f"o:{one}": "yes", f"f:{one}": f"{carrier.account.id}~03298", f"c:{one}": "1"}
        assert "Não há este pedido." in (await stranger.post("/etiquetas/comprar", **asked)).text
        await stranger.post("/etiquetas/comprar/confirmar", **asked)
        assert await flash(stranger) == "não há este pedido."
        await stranger.post(f"/etiquetas/{label}/cancelar")
        assert await flash(stranger) == "não há esta etiqueta."
        assert [each.status for each in preposts(carrier)] == [2]


async def test_a_print_goes_on_where_it_was() -> None:
    """Each look fetches for a moment; what came stays, and the page looks again by itself until all is there."""
    async with site() as s:
        carrier, ids = await shop(s, 4)
        reader = await s.signed_in()
        await reader.get("/etiquetas")
        chosen = {f"o:{id_}": "yes" for id_ in ids}
        await bought(reader, *ids)
        carrier.turn(latency=1.0)
        where = (await reader.post("/etiquetas/imprimir", **chosen)).headers["Location"]
        answer = await reader.get(where)
        assert answer.headers["Refresh"] == "1"
        assert "0 de 4 etiquetas prontas" in answer.text
        carrier.turn(latency=0.0)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            first = (await tx.all("SELECT id FROM freight_label ORDER BY id LIMIT 1"))[0]["id"]
        await freight_labels.fetched(s.w.rt, s.w.seller_id, [first])
        answer = await whole(reader, where)
        assert "4 de 4 etiquetas prontas" in answer.text


async def test_a_sender_that_is_not_told_is_asked_for() -> None:
    async with site() as s:
        await shop(s, 1)
        reader = await s.signed_in()
        assert "Nenhuma etiqueta sai sem o remetente" not in (await reader.get("/etiquetas")).text
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("DELETE FROM freight_policy")
        empty = (await reader.get("/etiquetas")).text
        assert "falta nome, CPF ou CNPJ, rua, cidade, UF, CEP" in empty
        assert "/configuracoes/politicas#remetente" in empty
        await policy(s.w, sender=SENDER, rule="fastest")
        assert "mais rápida" in (await reader.get("/etiquetas")).text

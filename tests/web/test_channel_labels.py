"""Etiquetas that channels issue: chosen over accounts, printed together, refused in words, kept and let go of."""

import base64
import io
import re
from datetime import timedelta

import pytest
from pypdf import PdfReader

from hub.sandbox import Product
from jobs import freight_labels
from tests.web.site import Answer, Reader, Site, site
from tests.web.test_api_resources import got, program
from tests.world import Channel

CUP = Product(sku="CANECA", title="Caneca", quantity=40, price_cents=3990)
HAT = Product(sku="BONE", title="Boné", quantity=40, price_cents=4990)
QUEUE = "/etiquetas?fila=channel"
LOOK, FETCH = "GET /shipments/{id}", "GET /shipment_labels"


async def shop(s: Site, name: str, user_id: int) -> Channel:
    return await s.connect("mercadolivre", [CUP, HAT], seed=user_id, user_id=user_id, name=name)


async def order_id(s: Site, ref: str) -> str:
    return str((await s.w.order(ref))["id"])


async def printed(reader: Reader, *orders: str) -> Answer:
    """A print's page once nothing of it is still to come."""
    await reader.get(QUEUE)
    answer = await reader.post("/etiquetas/canal/imprimir", layout="a4", **{f"o:{order}": "yes" for order in orders})
    for _ in range(10):
        page = await reader.get(answer.headers["Location"])
        if "Refresh" not in page.headers:
            return page
    raise AssertionError("the print has no end")


async def text_of(reader: Reader, page: Answer) -> str:
    found = re.search(r'href="(/etiquetas/impressao/[^"]+/etiquetas.pdf)"', page.text)
    assert found, page.text
    async with reader.session.get(reader.base + found[1]) as got:
        assert got.content_type == "application/pdf"
        return "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(await got.read())).pages)


async def test_labels_of_two_accounts_are_printed_together_and_what_cannot_be_is_said() -> None:
    async with site() as s:
        north, south = await shop(s, "Norte", 111), await shop(s, "Sul", 222)
        await s.w.open_stock(CANECA=40, BONE=40)
        good, pack = await north.buy("CANECA"), await north.act("buy", lines=[{"sku": "CANECA"}, {"sku": "BONE"}])
        other, unpaid = await south.buy("CANECA"), await south.buy("CANECA", pay=False)
        invoice, regretted, posted = [await south.buy("BONE") for _ in range(3)]
        own = await south.buy("BONE", me1=True)
        await s.w.settle()
        refs = [good, pack["order_ref"], other, invoice, regretted, posted]
        ids = [await order_id(s, ref) for ref in refs]
        twin = await order_id(s, pack["order_refs"][1])
        await south.act("ship", order_ref=invoice, status="ready_to_ship", substatus="invoice_pending")
        await south.act("cancel", order_ref=regretted)  # the hub is not told yet
        await south.act("dispatch", order_ref=posted)

        reader = await s.signed_in(role="warehouse")
        text = (await reader.get(QUEUE)).text
        shown = re.findall(r'name="o:([^"]+)"', text)
        assert len(shown) == 6  # a pack once
        assert {await order_id(s, own), await order_id(s, unpaid)}.isdisjoint(shown)
        assert set(ids) - {ids[1]} <= set(shown)
        assert len({ids[1], twin} & set(shown)) == 1
        assert text.count("por imprimir") == 6

        page = await printed(reader, *ids, twin)
        assert "3 de 6 etiquetas prontas" in page.text
        assert "Sul espera a NF-e para fazer a etiqueta" in page.text
        assert "Sul cancelou este envio: não mande o volume" in page.text
        assert "o volume já foi postado" in page.text
        sheet = await text_of(reader, page)
        codes = re.findall(r"MEL\d+LMXDO01", sheet)
        rows = await s.w.rows(
            "SELECT s.tracking_code, l.* FROM channel_label l JOIN shipment s ON s.id = l.shipment_id"
        )
        assert sorted(codes) == sorted(row["tracking_code"] for row in rows)
        assert len(set(codes)) == 3
        assert all(row["printed_at"] for row in rows)
        assert not any(b"%PDF" in bytes(row["pdf_sealed"]) for row in rows)  # it names a person and where they live
        assert south.calls()[FETCH] == 1  # nothing is asked for that the channel said cannot be had

        before = north.calls()
        assert "1 de 1" in (await printed(reader, ids[0])).text
        assert north.calls() - before == {}  # within the hour
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE channel_label SET pdf_at = pdf_at - interval '2 hours'")
        await text_of(reader, await printed(reader, ids[0]))
        assert (north.calls() - before)[LOOK] == 1  # cancelled meanwhile?
        assert (north.calls() - before)[FETCH] == 0  # the kept one is good
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE channel_label SET pdf_at = pdf_at - interval '2 hours'")
        await north.act("cancel", order_ref=good)
        assert "Norte cancelou este envio" in (await printed(reader, ids[0])).text

        await s.w.settle()
        text = (await reader.get(QUEUE)).text
        assert sorted(re.findall(r'name="o:([^"]+)"', text)) == sorted({*shown} - {ids[0], ids[4], ids[5]})
        assert text.count(">impressa<") == 2
        left = re.findall(r'name="o:([^"]+)"', (await reader.get(f"{QUEUE}&impressas=nao")).text)
        assert left == [ids[3]]

        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE channel_label SET pdf_at = %s", [s.w.rt.now() - freight_labels.KEPT - timedelta(1)])
        await freight_labels.prune(s.w.rt)
        rows = await s.w.rows("SELECT * FROM channel_label")
        assert not any(row["pdf_sealed"] for row in rows)
        assert all(row["printed_at"] for row in rows)


async def test_who_may_print_them_and_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with site() as s:
        north = await shop(s, "Norte", 111)
        await s.w.open_stock(CANECA=40, BONE=40)
        ref, fraud, bad = [await north.buy("CANECA") for _ in range(3)]
        await s.w.settle()
        id_, held, unread = [await order_id(s, each) for each in (ref, fraud, bad)]
        ask = {f"o:{id_}": "yes"}

        viewer = await s.signed_in("bia@loja.example", role="viewer")
        text = (await viewer.get(QUEUE)).text
        assert "Imprimir etiquetas" not in text
        assert id_ in text
        assert "Imprimir a etiqueta do canal" not in (await viewer.get(f"/pedidos/{id_}")).text
        assert (await viewer.post("/etiquetas/canal/imprimir", **ask)).status == 403

        stranger = await s.signed_in("eva@outra.example", seller_id=await s.other_seller())
        await stranger.get(QUEUE)
        answer = await stranger.post("/etiquetas/canal/imprimir", next=QUEUE, **ask)
        assert answer.headers["Location"] == QUEUE
        assert "Nenhum dos pedidos escolhidos espera por etiqueta do canal." in (await stranger.get(QUEUE)).text

        reader = await s.signed_in(role="operator", locale="en")
        text = (await reader.get(f"/pedidos/{id_}")).text
        assert f'name="o:{id_}"' in text
        assert 'formaction="/etiquetas/canal/imprimir"' in text
        await reader.post("/etiquetas/canal/imprimir", next=QUEUE)
        assert "Choose at least one order." in (await reader.get(QUEUE)).text

        await north.act("fraud", order_ref=fraud)
        await s.w.settle()
        page = await printed(reader, held)
        assert "its channel says that it must not be sent" in page.text
        monkeypatch.setattr("adapters.mercadolivre.sandbox.pdf", lambda _pages: b"<html>Bad Gateway</html>")
        assert "what Norte answered is no PDF that can be printed" in (await printed(reader, unread)).text
        monkeypatch.undo()

        p = await program(s, "shipments:read", "shipments:write", "customers:read")
        listed = await got(p, "/channel-labels?limit=1")
        onward = await got(p, f"/channel-labels?limit=2&cursor={listed['next']}")
        told = [*listed["data"], *onward["data"]]
        assert {row["order_id"] for row in told} == {id_, held, unread}
        first, second = (row["labels"][0]["shipment_id"] for row in told if row["order_id"] in (id_, held))
        status, sheets, _ = await p.ask("POST", "/channel-labels/print", {"shipments": [first, second]})
        assert status == 200
        assert sheets["printed"] == [row["labels"][0]["shipment_id"] for row in told if row["order_id"] == id_]
        assert base64.b64decode(sheets["pdf"]).startswith(b"%PDF")
        (failure,) = sheets["failures"]
        assert "não seja enviado" in failure["why"]
        assert (await p.ask("POST", "/channel-labels/print", {"shipments": [id_]}))[0] == 422
        q = await program(s, "shipments:write")
        assert (await q.ask("POST", "/channel-labels/print", {"shipments": [first]}))[0] == 403
        await north.act("cancel", order_ref=ref)
        await s.w.settle()
        one = sheets["printed"]
        _, sheets, _ = await p.ask("POST", "/channel-labels/print", {"shipments": one})
        assert sheets["pdf"] is None
        assert "está cancelado; só um pedido pago é enviado" in sheets["failures"][0]["why"]
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE account SET status = 'closed'")
        _, sheets, _ = await p.ask("POST", "/channel-labels/print", {"shipments": one})
        assert "a conta Norte está desligada" in sheets["failures"][0]["why"]
        assert (await got(p, "/channel-labels"))["data"] == []

"""Warehouses, orders on the packing table, listings that stand still, and what carriers take: over the API."""

import base64
import io
from typing import Any

from pypdf import PdfReader
from reportlab.pdfgen.canvas import Canvas

from hub.store import labels, new_id
from jobs import freight_labels
from tests.web.site import Site, site
from tests.web.test_api_connecting import refused
from tests.web.test_api_resources import got, program, sold


async def test_a_warehouse_is_added_covered_drawn_from_and_closed() -> None:
    async with site() as s:
        store = await sold(s)
        p = await program(s, "stock:read", "warehouses:write", "orders:read", "orders:write", "stock:write")
        asked = {"code": "loja", "name": "Loja do centro", "rank": 500, "postal_code": "01310100"}
        for more, field in (
            ({"code": "lo ja"}, "code"), ({"state": "XX"}, "state"), ({"postal_code": "013"}, "postal_code"),
            ({"rank": -1}, "rank"), ({"kind": "outro"}, "kind"), ({"name": " "}, "name"),
        ):  # fmt: skip
            status, found = await refused(p, "POST", "/warehouses", {**asked, **more})
            assert (status, list(found)) == (422, [field])
        status, house, _ = await p.ask("POST", "/warehouses", asked, Idempotency_Key="w1")
        assert (status, house["code"], house["rank"], house["areas"]) == (201, "loja", 500, [])
        assert (await p.ask("POST", "/warehouses", asked, Idempotency_Key="w1"))[1] == house
        assert await refused(p, "POST", "/warehouses", asked) == (
            409, "Já há um depósito com o código loja; talvez fechado.",
        )  # fmt: skip
        path = f"/warehouses/{house['id']}"
        for area in ({"first": "01000000"}, {"first": "02000000", "last": "01000000"}, {"rank": 3}):
            assert await refused(p, "PUT", f"{path}/areas", {"areas": [area]}) == (
                422, {"areas.0": "Diga uma UF, ou um CEP inicial e um final, com o menor antes."},
            )  # fmt: skip
        areas = [{"rank": 1, "state": "SP", "first": None, "last": None},
                 {"rank": 2, "state": None, "first": "20000000", "last": "28999999"}]  # fmt: skip
        assert (await p.ask("PUT", f"{path}/areas", {"areas": areas}))[1]["areas"] == areas
        assert (await p.ask("PATCH", path, {"rank": 5}))[1]["rank"] == 5
        assert (await got(p, path))["areas"] == areas
        # Who draws from it alone shows what stands there.
        drawn = f"/accounts/{store.account.id}/warehouses"
        assert (await got(p, drawn)) == {"warehouses": []}
        assert await refused(p, "PUT", drawn, {"warehouses": ["nenhum"]}) == (
            409, "Não há depósito aberto com o código nenhum.",
        )  # fmt: skip
        assert (await p.ask("PUT", drawn, {"warehouses": ["loja"]}))[1] == {"warehouses": ["loja"]}
        await s.w.settle()
        assert store.shelf()["CANECA/AZUL"] == 0
        assert (await refused(p, "PATCH", path, {"kind": "damaged"}))[0] == 409
        assert await refused(p, "DELETE", path, None) == (409, "Loja da Ana vende só de loja: diga antes de onde mais.")
        await p.ask("PUT", drawn, {"warehouses": []})
        await s.w.settle()
        assert store.shelf()["CANECA/AZUL"] == 7

        # Where an order leaves from: told, refused, moved, and left alone once it is packed.
        (order,) = await s.w.rows(
            "SELECT DISTINCT r.order_id AS id FROM reservation r JOIN sku k ON k.id = r.sku_id "
            "WHERE k.code = 'CANECA/AZUL'"
        )
        mine = f"/orders/{order['id']}"
        plan = await got(p, f"{mine}/allocation")
        assert [(take["warehouse"], take["units"]) for take in plan["takes"]] == [("principal", 2)]
        assert plan["why"]
        assert await refused(p, "POST", f"{mine}/allocation", {"warehouse": "loja"}) == (
            409, "loja não tem bastante livre: CANECA/AZUL (0 < 2). Uma transferência leva até lá.",
        )  # fmt: skip
        await p.ask("POST", "/skus/CANECA%2FAZUL/count", {"units": 4, "warehouse": "loja"})
        status, told, _ = await p.ask("POST", f"{mine}/allocation", {"warehouse": "loja"})
        assert (status, told["units"], [each["warehouse"] for each in told["reservations"]]) == (200, 2, ["loja"])
        assert (await refused(p, "DELETE", path, None))[0] == 409  # it is not empty
        assert (await p.ask("PATCH", path, {"rank": 900}))[0] == 200
        assert (await p.ask("PATCH", f"{mine}/handling", {"packed": True}))[1]["packed_by"] == "planilha"
        status, said = await refused(p, "POST", f"{mine}/reallocate", None)
        assert (status, "está embalado: a reserva fica" in said) == (409, True)
        assert (await p.ask("PATCH", f"{mine}/handling", {"packed": False}))[1]["packed_at"] is None
        await p.ask("PUT", f"{path}/areas", {"areas": []})
        status, told, _ = await p.ask("POST", f"{mine}/reallocate")
        assert (status, told["changed"], [each["warehouse"] for each in told["reservations"]]) == (
            200, True, ["principal"],
        )  # fmt: skip
        assert (await p.ask("POST", f"{mine}/reallocate"))[1]["changed"] is False
        await p.ask("POST", "/skus/CANECA%2FAZUL/count", {"units": 0, "warehouse": "loja"})
        assert (await p.ask("DELETE", path))[0] == 204
        assert (await p.ask("GET", path))[0] == 404
        await s.w.kept()


async def test_orders_are_noted_read_as_told_and_listings_are_set_going_again() -> None:
    async with site() as s:
        store = await sold(s)
        p = await program(s, "orders:read", "orders:write", "documents:read", "customers:read", "listings:read",
                          "listings:write", "accounts:approve")  # fmt: skip
        q = await program(s, "orders:write", "documents:read", "listings:write", "accounts:read")
        (order,) = await s.w.rows("SELECT id FROM orders ORDER BY placed_at LIMIT 1")
        mine = f"/orders/{order['id']}"
        assert await refused(p, "POST", f"{mine}/notes", {"body": " \n"}) == (422, {"body": "Escreva a nota."})
        status, note, _ = await p.ask("POST", f"{mine}/notes", {"body": " Presente. "}, Idempotency_Key="n1")
        assert (status, note["body"], note["author"]) == (201, "Presente.", "planilha")
        await p.ask("POST", f"{mine}/notes", {"body": " Presente. "}, Idempotency_Key="n1")
        assert (await got(p, f"{mine}/notes"))["data"] == [note]
        assert (await refused(q, "DELETE", f"/order-notes/{note['id']}", None))[0] == 409  # another key's
        assert (await p.ask("DELETE", f"/order-notes/{note['id']}"))[0] == 204
        assert (await got(p, f"{mine}/notes"))["data"] == []
        # What the channel told, to who may see the buyer; it is noted who read it.
        papers = (await got(p, f"{mine}/documents"))["data"]
        assert "order" in [each["name"] for each in papers]
        assert (await q.ask("GET", f"{mine}/document"))[0] == 403
        told = await got(p, f"{mine}/document?document=order")
        assert ("line_items" in told["text"], told["cut"]) == (True, False)
        assert (await p.ask("GET", f"{mine}/document?document=outro"))[0] == 404
        read = await s.w.rows("SELECT actor FROM audit_log WHERE action = 'order_document_read'")
        assert [row["actor"].split(":")[0] for row in read] == ["api"]

        # Refused and braked listings go on; a listing becomes a SKU.
        slot = """UPDATE stock_slot s SET {} FROM listing l WHERE l.slot_id = s.id AND l.channel_sku = 'PRATO'
                  RETURNING l.id"""
        (listing,) = await s.w.rows(slot.format("parked_code = 'x', parked_reason = 'em revisão', due_at = NULL"))
        path = f"/listings/{listing['id']}"
        assert (await got(p, path))["parked_code"] == "x"
        assert (await p.ask("POST", f"{path}/retry"))[1]["parked_code"] is None
        assert await refused(p, "POST", f"{path}/retry", None) == (409, "Este anúncio não está mais estacionado.")
        await s.w.rows(slot.format("braked = true, due_at = NULL"))
        assert (await q.ask("POST", f"{path}/release"))[0] == 403
        assert (await p.ask("POST", f"{path}/release"))[1]["braked"] is False
        assert await refused(p, "POST", f"{path}/release", None) == (409, "O freio não segura mais este anúncio.")
        await p.ask("DELETE", f"{path}/link")
        assert (await refused(p, "POST", f"{path}/sku", {"code": "PRATO-2"}))[0] == 403  # it lacks stock:write
        r = await program(s, "listings:write", "stock:write")
        assert (await refused(r, "POST", f"{path}/sku", {"code": "PRATO-2 "})) == (
            422, {"code": "Dê um código de até 100 caracteres, sem espaços nas pontas."},
        )  # fmt: skip
        assert await refused(r, "POST", f"{path}/sku", {"code": "PRATO"}) == (
            409, "O SKU PRATO já existe: vincule o anúncio a ele.",
        )  # fmt: skip
        status, told, _ = await r.ask("POST", f"{path}/sku", {"code": "PRATO-2", "multiplier": 2})
        assert (status, told["sku"], told["multiplier"]) == (201, "PRATO-2", 2)
        assert await s.w.rows("SELECT FROM sku WHERE code = 'PRATO-2' AND title = 'Prato raso'")
        rules = f"/accounts/{store.account.id}/difference-rules"
        assert (await got(p, rules))["rules"]["external_edit_up"]["policy"] == "repair"
        assert await refused(p, "PATCH", rules, {"gone": "repair", "paused": "repair"}) == (
            422, {"gone": "Dê um destes: 'ignore', 'propose'."},
        )  # fmt: skip
        assert (await got(p, rules))["rules"]["paused"]["policy"] == "ignore"
        told = (await p.ask("PATCH", rules, {"external_edit_up": "propose"}))[1]["rules"]
        assert (told["external_edit_up"]["policy"], told["paused"]["policy"]) == ("propose", "ignore")


async def _label(s: Site, volume: int, reference: str, pdf: bytes | None) -> Any:
    id_ = new_id()
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await tx.run(
            """INSERT INTO freight_label (seller_id, id, order_id, account_id, volume, volumes, reference, service,
                   posting, status, ref, tracking_code, bought_at)
               SELECT o.seller_id, %s, o.id, o.account_id, %s, 2, %s, 'PAC', '{"parcel": {"weight_g": 300}}', 'bought',
                   %s, %s, now() FROM orders o ORDER BY o.placed_at LIMIT 1""",
            [id_, volume, reference, reference, f"AA12345678{volume}BR"],
        )
        if pdf is not None:
            await labels.keep_pdf(tx, id_, freight_labels.sealed(s.w.rt, pdf), s.w.rt.now())
    return str(id_)


def _page(word: str) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(283, 425))
    canvas.drawString(20, 200, word)
    canvas.save()
    return out.getvalue()


async def test_labels_are_printed_together_and_a_manifest_is_signed_once() -> None:
    async with site() as s:
        store = await sold(s)
        p = await program(s, "shipments:read", "shipments:write", "customers:read")
        q = await program(s, "shipments:write")
        first, second = await _label(s, 1, "R1", _page("um")), await _label(s, 2, "R2", _page("dois"))
        account = str(store.account.id)
        asked = {"labels": [second, first], "layout": "10x15"}
        assert (await q.ask("POST", "/labels/print", asked))[0] == 403
        status, told, _ = await p.ask("POST", "/labels/print", asked)
        assert (status, told["printed"], told["failures"]) == (200, [second, first], [])
        pages = PdfReader(io.BytesIO(base64.b64decode(told["pdf"]))).pages
        assert [page.extract_text().strip() for page in pages] == ["dois", "um"]
        assert await refused(p, "POST", "/labels/print", {"labels": [first, first]}) == (
            422, {"labels": "Uma etiqueta vem mais de uma vez."},
        )  # fmt: skip
        assert await refused(p, "POST", "/labels/print", {"labels": [first, account]}) == (
            422, {"labels.1": "Não há esta etiqueta."},
        )  # fmt: skip
        told = await got(p, f"/accounts/{account}/manifest?format=csv")
        assert base64.b64decode(told["file"]).decode().count("AA12345678") == 2
        for scope in ("shipments:read", "customers:read"):  # neither alone
            alone = await program(s, scope)
            assert (await alone.ask("GET", f"/accounts/{account}/manifest"))[0] == 403
            assert (await alone.ask("GET", f"/manifests/{account}/file"))[0] == 403
            assert (await alone.ask("GET", f"/labels/{first}/file"))[0] == 403
        assert (await p.ask("GET", f"/labels/{first}/file"))[0] == 200
        wanted = {"account_id": account, "signed_name": "João", "labels": [first]}
        assert await refused(p, "POST", "/manifests", {**wanted, "account_id": first}) == (
            422, {"account_id": "Não há esta conta."},
        )  # fmt: skip
        status, signed, _ = await p.ask("POST", "/manifests", wanted, Idempotency_Key="m1")
        assert (status, signed["number"], signed["parcels"], signed["signed_name"]) == (201, 1, 1, "João")
        assert (await p.ask("POST", "/manifests", wanted, Idempotency_Key="m1"))[1] == signed
        assert await refused(p, "POST", "/manifests", wanted) == (
            422, {"labels.0": "Esta etiqueta não espera por esta transportadora."},
        )  # fmt: skip
        status, signed, _ = await p.ask("POST", "/manifests", {"account_id": account, "signed_name": "Rui"})
        assert (status, signed["number"]) == (201, 2)
        assert (await p.ask("GET", f"/accounts/{account}/manifest"))[0] == 409
        page = await got(p, "/manifests?limit=1")
        assert [each["number"] for each in page["data"]] == [2]
        assert [each["number"] for each in (await got(p, f"/manifests?cursor={page['next']}"))["data"]] == [1]
        told = await got(p, f"/manifests/{signed['id']}/file")
        assert told["name"] == "romaneio-2.pdf"
        assert "Rui" in PdfReader(io.BytesIO(base64.b64decode(told["file"]))).pages[0].extract_text()

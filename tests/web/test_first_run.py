"""The first steps of a seller, from nothing to the first order; each is told by what is there."""

import asyncio
import re
from datetime import timedelta

from hub.sandbox import Product
from tests.web.site import Reader, site

SHELF = [
    Product(sku="CAN-01", title="Caneca de porcelana azul 300 ml", quantity=12, price_cents=3990),
    Product(sku="PRA-02", title="Prato raso branco 26 cm", quantity=8, price_cents=2590),
]


async def states(reader: Reader, path: str = "/") -> list[str]:
    """Each step's state, and `now` beside the one to do."""
    return re.findall(r'<li class="way-step ([a-z ]+)"', (await reader.get(path)).text)


async def test_from_nothing_to_the_first_order() -> None:
    async with site() as s:
        reader = await s.signed_in()
        assert await states(reader) == ["done", "todo now", *["waits"] * 4]
        channel = await s.connect("woocommerce", SHELF, approve=False)
        assert await states(reader) == ["done", "done", "begun now", "waits", "waits", "todo"]
        assert "0 de 2 vinculados" in (await reader.get("/")).text
        sent = await reader.post("/primeiros-passos/ligar")
        assert sent.headers["Location"] == "/primeiros-passos"
        page = await reader.get("/primeiros-passos")
        assert "Anúncios vinculados: 2." in page.text
        assert await states(reader, "/primeiros-passos") == ["done", "done", "done", "begun now", "waits", "todo"]
        await channel.buy("CAN-01", 2)
        await s.w.hurry("poll")
        await s.w.settle()
        assert (await states(reader))[5] == "done", "an order is an order, also before the approval"
        page = await reader.get("/primeiros-passos/estoque")
        assert "SKUs: 2 · unidades: 20" in page.text, "what it shows, and what its open orders hold"
        account = channel.account.id
        unseen = await reader.post("/primeiros-passos/estoque", account=account)
        assert unseen.headers["Location"] == f"/primeiros-passos/estoque?conta={account}"
        assert await s.w.level("CAN-01") == (0, 0)
        await reader.post("/primeiros-passos/estoque", account=account, seen="yes")
        assert await s.w.level("CAN-01") == (12, 2)
        assert await states(reader) == ["done", "done", "done", "done", "todo now", "done"]
        assert f"/contas/{account}/previa" in (await reader.get("/")).text
        await reader.get(f"/contas/{account}/previa")
        await reader.post(f"/contas/{account}/aprovar", seen="yes", scope="all")
        page = await reader.get("/")
        assert "Tudo pronto" in page.text
        # a day later it has gone by itself, and can be looked at still
        now = s.w.rt.now
        s.w.rt.now = lambda: now() + timedelta(hours=25)
        again = reader  # whose cookie is older than a session lasts
        assert (await again.sign_in("ana@loja.example")).status == 303
        assert "Primeiros passos</h2>" not in (await again.get("/")).text
        assert await states(again) == []
        page = await again.get("/primeiros-passos")
        assert page.status == 200, page.headers
        assert await states(again, "/primeiros-passos") == ["done"] * 6


async def test_it_is_put_away_for_the_seller_and_brought_back() -> None:
    async with site() as s:
        reader, seer = await s.signed_in(), await s.signed_in("leo@loja.example", "viewer")
        await reader.post("/primeiros-passos/guardar")
        assert await states(reader) == await states(seer) == []
        assert "Mostrar de novo no Painel" in (await reader.get("/primeiros-passos")).text
        await reader.post("/primeiros-passos/mostrar")
        assert len(await states(seer)) == 6
        other = await s.signed_in("eva@outra.example", seller_id=await s.other_seller())
        await reader.post("/primeiros-passos/guardar")
        assert len(await states(other)) == 6, "one seller's steps are not another's"


async def test_who_may_not_is_refused() -> None:
    async with site() as s:
        channel = await s.connect("woocommerce", SHELF, approve=False)
        neighbours = await s.signed_in("eva@outra.example", seller_id=await s.other_seller())
        answer = await neighbours.post("/primeiros-passos/estoque", account=channel.account.id, seen="yes")
        assert answer.status == 400, "another seller's account"
        assert (await neighbours.post("/primeiros-passos/estoque", account="x", seen="yes")).status == 400
        for role, refused in (
            ("operator", ("ligar", "estoque")), ("viewer", ("ligar", "estoque", "guardar", "mostrar")),
            ("warehouse", ("ligar", "estoque", "guardar", "mostrar")),
        ):  # fmt: skip
            reader = await s.signed_in(f"{role}@loja.example", role)
            for action in refused:
                assert (await reader.post(f"/primeiros-passos/{action}")).status == 403, (role, action)
        await (await s.signed_in()).post("/primeiros-passos/ligar")
        assert await s.w.rows("SELECT FROM sku WHERE opened_at IS NOT NULL") == []


async def test_a_step_that_is_made_is_told_on_the_live_feed() -> None:
    async with site() as s:
        reader = await s.signed_in()
        headers = {"Accept": "text/event-stream"}
        async with reader.session.get(s.base + "/ao-vivo", headers=headers) as stream:
            await stream.content.readuntil(b"\n\n")
            await s.connect("woocommerce", SHELF, approve=False)
            told = await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 10)
        assert told == b"event: steps\ndata: -\n\n"


async def test_how_far_a_first_reading_is_comes_on_the_live_feed_also_without_the_first_run() -> None:
    async with site() as s:
        reader = await s.signed_in()
        await reader.post("/primeiros-passos/guardar")
        made = await s.connect("woocommerce", SHELF, approve=False)
        await s.w.rows("UPDATE task SET succeeded_at = NULL WHERE kind IN ('poll', 'listings') RETURNING kind")
        page = (await reader.get(f"/contas/{made.account.id}")).text
        assert 'id="reading" aria-labelledby="h-leitura" data-fresh data-steps="/ao-vivo"' in page
        headers = {"Accept": "text/event-stream"}
        async with reader.session.get(s.base + "/ao-vivo", headers=headers) as stream:
            await stream.content.readuntil(b"\n\n")
            for moved in (
                "UPDATE listing SET gone_at = now() WHERE ref = (SELECT min(ref) FROM listing) RETURNING id",
                "UPDATE task SET succeeded_at = now() RETURNING kind",
            ):
                await s.w.rows(moved)
                told = await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 10)
                assert told == b"event: steps\ndata: -\n\n", moved
        assert "data-steps" not in (await reader.get(f"/contas/{made.account.id}")).text

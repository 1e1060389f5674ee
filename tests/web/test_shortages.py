"""Shortages on the pages: on the live feed within a second of the notice, listed, and explained in both languages."""

import asyncio
import time

import aiohttp

from hub.sandbox import Product
from jobs import shortages
from tests.web.site import Site, site
from tests.world import Channel

JARRA = Product(sku="JARRA", title="Jarra <b>de vidro</b>", quantity=3, price_cents=7990)


async def shops(s: Site) -> tuple[Channel, Channel]:
    one = await s.connect("woocommerce", [JARRA], name="Loja da Ana", seed=1)
    two = await s.connect("mercadolivre", [JARRA], name="Mercado", seed=2)
    await s.w.open_stock(JARRA=3)
    await s.w.pass_time()
    return one, two


async def oversold(s: Site) -> None:
    one, two = await shops(s)
    await asyncio.gather(one.buy("JARRA", 3), two.buy("JARRA", 3))


async def test_a_shortage_reaches_the_live_feed_within_a_second_of_its_notice() -> None:
    async with site() as s:
        reader = await s.signed_in()
        heard, came = "", 0.0
        started = asyncio.Event()

        async def listen() -> None:
            nonlocal heard, came
            async with reader.session.get(s.base + "/ao-vivo", timeout=aiohttp.ClientTimeout(total=30)) as answer:
                started.set()
                async for chunk in answer.content.iter_any():
                    heard += chunk.decode()
                    if "push-alert" in heard:
                        came = time.time()
                        return

        async def work() -> None:
            while True:
                await s.w.drain()
                await asyncio.sleep(0.02)

        one, two = await shops(s)
        listening = asyncio.create_task(listen())
        await started.wait()
        working = asyncio.create_task(work())
        try:
            await asyncio.gather(one.buy("JARRA", 3), two.buy("JARRA", 3))
            await asyncio.wait_for(listening, 10)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        (notice,) = await s.w.rows(
            "SELECT min(received_at) AS at FROM inbox WHERE source = 'webhook' AND topic = 'order'"
        )
        assert "unidades vendidas que não existem no estoque: 3" in heard
        waited = came - notice["at"].timestamp()
        assert waited < 1.0, waited


async def test_the_list_and_one_case_in_both_languages() -> None:
    async with site() as s:
        reader = await s.signed_in()
        assert "Nenhuma falta aqui" in (await reader.get("/faltas")).text
        await oversold(s)
        await s.w.settle()
        await shortages.look_into(s.w.rt)
        (case,) = await s.w.rows("SELECT id, order_id FROM shortage_case")
        listed = await reader.get("/faltas?estado=abertas")
        assert "vendido antes do aviso" in listed.text
        assert f"/faltas/{case['id']}" in listed.text
        assert "Nenhuma falta aqui" in (await reader.get("/faltas?estado=encerradas")).text
        assert f"/faltas/{case['id']}" in (await reader.get(f"/faltas?pedido={case['order_id']}")).text
        shown = await reader.get(f"/faltas/{case['id']}")
        assert "Vendido dentro do tempo de propagação" in shown.text
        assert "Não há produto substituto cadastrado." in shown.text
        assert "<b>de vidro</b>" not in shown.text
        assert f"/faltas?pedido={case['order_id']}" in (await reader.get(f"/pedidos/{case['order_id']}")).text
        english = await s.signed_in("bob@loja.example", locale="en")
        told = (await english.get(f"/faltas/{case['id']}")).text
        assert "Sold within the propagation lag" in told
        assert "No substitute product is on record." in told


async def test_another_sellers_case_is_not_there() -> None:
    async with site() as s:
        await oversold(s)
        await s.w.settle()
        (case,) = await s.w.rows("SELECT id FROM shortage_case")
        other = await s.other_seller()
        stranger = await s.signed_in("bia@outra.example", seller_id=other)
        assert (await stranger.get(f"/faltas/{case['id']}")).status == 404
        assert "Nenhuma falta aqui" in (await stranger.get("/faltas")).text
        assert (await s.reader().get("/faltas")).status == 303

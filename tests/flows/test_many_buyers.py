"""Everybody wants the last ten."""

import asyncio

from hub.sandbox import Product
from jobs import sweep
from tests.world import Channel, world

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990)


async def test_sixty_four_buyers_at_once_get_ten_units_and_every_other_sale_is_named_short() -> None:
    async with world() as w:
        for n in range(2):
            await w.connect("woocommerce", [CANECA], name=f"Loja {n}", seed=n)
            await w.connect("mercadolivre", [CANECA], name=f"Mercado {n}", seed=10 + n, user_id=1000 + n)
        await w.open_stock(CANECA=10)
        stop, other = asyncio.Event(), (await w.process())[0]

        async def work(lane: str) -> None:
            while not stop.is_set():
                await asyncio.gather(*(sweep.drain(rt, lane) for rt in (w.rt, other)))
                await asyncio.sleep(0.01)

        async def buyer(n: int, channel: Channel) -> str | None:
            await asyncio.sleep(n * 0.004)
            try:
                return await channel.buy("CANECA")
            except LookupError:
                return None

        workers = [asyncio.create_task(work(lane)) for lane in ("intake", "stock")]
        sold = [ref for ref in await asyncio.gather(*(buyer(n, w.channels[n % 4]) for n in range(64))) if ref]
        await asyncio.sleep(0.3)
        stop.set()
        await asyncio.gather(*workers)
        await w.at_rest(CANECA=0)

        assert len(sold) >= 10
        short = await w.short()
        assert await w.level("CANECA") == (10, 10)
        assert sum(short.values()) == len(sold) - 10
        held = await w.rows("SELECT o.ref FROM reservation r JOIN orders o ON o.id = r.order_id")
        assert sorted([row["ref"] for row in held] + list(short)) == sorted(sold)
        assert await w.alerts() == ["shortage"] * len(short)

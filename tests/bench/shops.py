"""The sandboxes of the ingest part as a process of their own: a store and a marketplace account, with one shelf.

`python -m tests.bench.shops STORE_PORT MARKET_PORT SKUS`.
"""

import asyncio
import signal
import sys

from aiohttp import web

import adapters.mercadolivre.sandbox
import adapters.woocommerce.sandbox
from hub.sandbox import Product


def products(count: int) -> list[Product]:
    """So many things to sell, with plenty of each."""
    return [Product(sku=f"SKU-{n:04d}", title=f"Produto {n}", quantity=500, price_cents=1990) for n in range(count)]


async def _serve(store: int, market: int, skus: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    runners = []
    for port, sandbox in (
        (store, adapters.woocommerce.sandbox.create(products(skus))),
        (market, adapters.mercadolivre.sandbox.create(products(skus))),
    ):
        sandbox.courier.knobs.webhook_drop = 1.0  # the bench fills the inbox itself
        runner = web.AppRunner(sandbox.app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        runners.append(runner)
    await stop.wait()
    for runner in runners:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(*map(int, sys.argv[1:4])))

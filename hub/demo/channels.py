"""The demo's channels as one process: sandboxes of two marketplace accounts, a storefront and a carrier.

Run as `python -m hub.demo.channels PORT SKUS SEED`; prints nothing, serves until SIGTERM.
"""

import asyncio
import signal
import sys

from aiohttp import web

import adapters.correios.sandbox
import adapters.mercadolivre.sandbox
import adapters.woocommerce.sandbox
from hub.demo import shop
from hub.sandbox import Sandbox


def sandboxes(skus: int, seed: int) -> list[tuple[str, str, Sandbox]]:
    """(channel, account name, sandbox) in the order of their ports."""
    products = shop.make(skus, seed).products()
    market = adapters.mercadolivre.sandbox.create
    return [
        ("woocommerce", "Loja própria", adapters.woocommerce.sandbox.create(products, seed=seed)),
        ("mercadolivre", "Mercado Livre A", market(products, seed=seed + 1, user_id=111_000_111)),
        ("mercadolivre", "Mercado Livre B", market(products, seed=seed + 2, user_id=222_000_222)),
        ("correios", "Correios", adapters.correios.sandbox.create([], seed=seed + 3)),
    ]


async def _serve(port: int, skus: int, seed: int) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    runners = []
    for offset, (_channel, _name, sandbox) in enumerate(sandboxes(skus, seed)):
        runner = web.AppRunner(sandbox.app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port + offset).start()
        runners.append(runner)
    await stop.wait()
    for runner in runners:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))

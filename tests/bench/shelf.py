"""A store with a long shelf, as a process of its own. `python -m tests.bench.shelf PORT LISTINGS`."""

import asyncio
import signal
import sys

from aiohttp import web

import adapters.woocommerce.sandbox
from tests.bench.shops import products


async def _serve(port: int, listings: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    sandbox = adapters.woocommerce.sandbox.create(products(listings), variation_share=0.0)
    sandbox.courier.knobs.webhook_drop = 1.0
    runner = web.AppRunner(sandbox.app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(*map(int, sys.argv[1:3])))

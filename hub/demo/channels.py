"""The demo's channels as one process: a sandbox each.

Run as `python -m hub.demo.channels PORT SKUS SEED WHICH`; prints nothing, serves until SIGTERM.
"""

import asyncio
import signal
import sys

from aiohttp import web

from hub.demo.places import places, sandboxes


async def _serve(port: int, skus: int, seed: int, which: str) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    runners = []
    for offset, sandbox in enumerate(sandboxes(places(which), skus, seed)):
        runner = web.AppRunner(sandbox.app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port + offset).start()
        runners.append(runner)
    await stop.wait()
    for runner in runners:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))

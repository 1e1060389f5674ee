"""The demo's channels as one process: a sandbox each.

Run as `python -m hub.demo.channels PORT SKUS SEED WHICH`; prints nothing, serves until SIGTERM.
"""

import asyncio
import importlib
import importlib.util
import signal
import sys
from collections.abc import Sequence
from typing import Any

from aiohttp import web

import adapters
from hub.contract import Kind
from hub.demo import shop
from hub.sandbox import Sandbox

Place = tuple[str, str, dict[str, Any]]  # channel, account name, options of its sandbox
FEW: tuple[Place, ...] = (
    ("woocommerce", "Loja própria", {}),
    ("mercadolivre", "Mercado Livre A", {"user_id": 111_000_111}),
    ("mercadolivre", "Mercado Livre B", {"user_id": 222_000_222}),
    ("correios", "Correios", {}),
)
RATES = {
    "bling": {"rate": 3},
    "lojaintegrada": {"rate": 100},
}  # limits that these sandboxes keep where they are asked to


def places(which: str) -> tuple[Place, ...]:
    """What "some" or "all" stands for: stores and marketplaces first, the carrier that posts for the seller last."""
    if which != "all":
        return FEW
    known = {name for name, *_rest in FEW}
    sold = [name for name in adapters.names() if adapters.get(name).kind is not Kind.CARRIER and name not in known]
    more = [(name, adapters.get(name).label, RATES.get(name, {})) for name in sold if _has_sandbox(name)]
    return (*FEW[:-1], *more, FEW[-1])


def _has_sandbox(name: str) -> bool:
    return importlib.util.find_spec(f"adapters.{name}.sandbox") is not None


def sandboxes(wanted: Sequence[Place], skus: int, seed: int) -> list[Sandbox]:
    """One for each place, in the order of their ports."""
    products = shop.make(skus, seed).products()
    made: list[Sandbox] = []
    for number, (name, _label, options) in enumerate(wanted):
        create = importlib.import_module(f"adapters.{name}.sandbox").create
        goods = [] if adapters.get(name).kind is Kind.CARRIER else products
        made.append(create(goods, seed=seed + number, **options))
    return made


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

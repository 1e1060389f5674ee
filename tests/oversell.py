"""`python -m tests.oversell`: the same buyers at this hub, at one without its guards, and at one that polls.

The engine is the real one over a real PostgreSQL, on the simulator's clock, with its fake shops. What a mode leaves out
is taken out here, by injection; the hub has no switches for it.
"""

import argparse
import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from hub.contract import Kind
from hub.model import Notice
from hub.store import ROLES, stock
from jobs import approval, connect, ingest, poll
from jobs.runtime import Policy
from tests.services import database
from tests.sim import acts, checks
from tests.sim import world as sim
from tests.sim.clock import virtual
from tests.sim.play import logged, prepare
from tests.sim.shops import TRAITS, Item, Shop, Traits, Weather, adapter
from tests.sim.story import SKUS, WORKERS
from tests.sim.wire import Wire

UNITS = 10  # of each SKU, in one warehouse
BUYERS = 2.0  # for each unit there is
WEATHER = Weather(slow=1.0, lose=0.1)  # a webhook takes a second on average, and one in ten is lost; else no faults
SETTLES = 60.0  # seconds after the last buyer, and two polls
SHOPS = (*TRAITS, Traits(name="delta", kind=Kind.STOREFRONT, fat=True))  # delta cannot tell its newest orders alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A hub: its name, how often it polls, whether it hears webhooks, and whether it looks before it writes."""

    name: str
    label: str
    guards: bool = True
    hears: bool = True
    poll_seconds: float = 15.0


MODES = (
    Mode(name="hub", label="this hub"),
    Mode(name="unguarded", label="no drain before push, no compare-and-set", guards=False),
    Mode(name="polling", label="polls every 5 minutes, hears no webhook", guards=False, hears=False, poll_seconds=300),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Somebody who wants one unit, `at` seconds after the doors opened."""

    at: float
    shop: str
    sku: str


def buyers(seed: int, seconds: float) -> list[Buyer]:
    """The seed's buyers, spread over so many seconds; some SKUs are wanted more than others."""
    chance = random.Random(f"buyers {seed}")
    weights = [1 + 3 * (n % 3 == 0) for n in range(len(SKUS))]
    count = round(UNITS * len(SKUS) * BUYERS)
    return sorted(
        (
            Buyer(
                at=chance.uniform(0, seconds),
                shop=chance.choice(SHOPS).name,
                sku=chance.choices(SKUS, weights=weights)[0],
            )
            for _ in range(count)
        ),
        key=lambda each: each.at,
    )


@dataclass(slots=True, kw_only=True)
class Count:
    """What came of one run."""

    wanted: int
    sold: int
    oversold: int
    short: int  # units that the hub names as missing, at the end
    held: int  # units that it holds for orders
    writes: int
    shown: int  # units still for sale anywhere, of SKUs that are sold out


@dataclass
class Rush(sim.World):
    """The simulator's world with four shops and ten units of each SKU."""

    mode: Mode = MODES[0]
    bought_of: Counter[str] = field(default_factory=Counter)

    async def open(self) -> None:
        """A seller whose four shops all show what lies in one warehouse."""
        self.thawed.set()
        self.hand = self.runtime()
        self.seller_id = await connect.seller_add(self.hand, "Loja")
        async with self.hand.db.seller(self.seller_id) as tx:
            for code in SKUS:
                self.skus[code] = await stock.sku_put(tx, code)
        for traits in SHOPS:
            await self._connect(traits)
        for number in range(WORKERS):
            self.tasks.add(asyncio.ensure_future(self.work(number)))
        for lane in sim.LANES:
            self.ring(lane)
        await asyncio.sleep(5)
        for account in self.accounts.values():
            await approval.approve(self.hand, await self.hand.account(self.seller_id, account.id))
        await acts.count(self, [(code, UNITS) for code in SKUS], "principal")
        await asyncio.sleep(30)
        self.complain()
        for shop in self.shops.values():
            shop.weather = WEATHER
            assert all(item.shelf == UNITS for item in _own(shop)), "it does not open"

    def tell(self, shop: Shop, notice: Notice) -> None:
        if self.mode.hears:
            super().tell(shop, notice)

    async def sell(self, every: Sequence[Buyer]) -> Count:
        """Let them buy where they are let, and wait until everybody knows."""
        began = self.loop.time()
        writes = self._writes()
        for buyer in every:
            await asyncio.sleep(max(0.0, began + buyer.at - self.loop.time()))
            shop = self.shops[buyer.shop]
            if sale := shop.buy([(f"{buyer.shop[0]}{buyer.sku}", 1)]):
                self.bought_of[buyer.sku] += 1
                shop.pay(sale)
        for shop in self.shops.values():
            shop.weather = Weather()
        await asyncio.sleep(SETTLES + 2 * self.mode.poll_seconds)
        self.complain()
        await checks.everything(self, at_rest=True)
        row = (
            await self.rows(
                """SELECT (SELECT coalesce(sum(quantity), 0)::int FROM shortage) AS short,
                          (SELECT coalesce(sum(reserved), 0)::int FROM stock_level) AS held"""
            )
        )[0]
        gone = {sku for sku, units in self.bought_of.items() if units >= UNITS}
        return Count(
            wanted=len(every),
            sold=self.bought_of.total(),
            oversold=sum(max(0, units - UNITS) for units in self.bought_of.values()),
            writes=self._writes() - writes,
            shown=sum(item.shelf for shop in self.shops.values() for item in _own(shop) if item.sku in gone),
            **row,
        )

    def _writes(self) -> int:
        return sum(shop.counted["writes"] for shop in self.shops.values())


def _own(shop: Shop) -> list[Item]:
    """What a shop sells of the seller's plain SKUs."""
    return [item for item in shop.items.values() if item.sku in SKUS and not item.theirs]


@contextmanager
def injected(mode: Mode) -> Iterator[None]:
    """The shops of this comparison; where `mode` has no guards, without them."""
    shops = SHOPS if mode.guards else tuple(replace(traits, compare_and_set=False) for traits in SHOPS)
    with ExitStack() as exits:
        exits.enter_context(patch.object(sim, "ADAPTERS", {traits.name: adapter(traits) for traits in shops}))
        if not mode.guards:  # the intake lane keeps its own way to `drain`
            exits.enter_context(patch.object(poll, "newest", _nothing))
            exits.enter_context(patch.object(ingest, "drain", _nothing))
        yield


async def _nothing(*_given: object, **_more: object) -> int:
    return 0


def run(mode: Mode, seed: int, seconds: float) -> Count:
    """One mode on a fresh database."""
    with database() as url, injected(mode), virtual(seed) as loop:
        prepare(url)
        wires = {role: Wire(url, role) for role in ROLES}
        policy = Policy(reconcile_seconds=1e7, poll_seconds=mode.poll_seconds)
        rush = Rush(
            loop, seed, wires, random.Random(f"world {seed}"), storms=False, policy=policy, mode=mode
        )  # fmt: skip
        try:
            return loop.run_until_complete(_open_and_sell(rush, buyers(seed, seconds)))
        finally:
            for wire in wires.values():
                wire.close()


async def _open_and_sell(rush: Rush, every: Sequence[Buyer]) -> Count:
    with logged(rush.problems):
        try:
            await rush.open()
            return await rush.sell(every)
        finally:
            for rt in rush.workers.values():
                rt.db.dead = True  # type: ignore[attr-defined] # of the simulator
            for task in rush.tasks:
                task.cancel()
            await asyncio.sleep(100)


def measure(seeds: Sequence[int], seconds: float, say: Callable[[str], None]) -> Mapping[str, Count]:
    """Every mode with the same buyers; sums over the seeds."""
    found = {}
    for mode in MODES:
        runs = [run(mode, seed, seconds) for seed in seeds]
        found[mode.name] = Count(**{name: sum(getattr(one, name) for one in runs) for name in Count.__slots__})
        say(f"{mode.label}, {seconds:g} s: oversold {', '.join(str(one.oversold) for one in runs)}")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 1 where this hub did not name every unit that was sold too often."""
    asked = argparse.ArgumentParser(prog="python -m tests.oversell", description=__doc__)
    asked.add_argument("--seeds", type=int, default=5)
    asked.add_argument("--seconds", type=float, nargs="+", default=[20.0, 1200.0], help="the buyers come within")
    told = asked.parse_args(argv)
    out, hub_is_right = Console(width=None if sys.stdout.isatty() else 120), True
    for seconds in told.seconds:
        seeds = range(1, told.seeds + 1)
        found = measure(seeds, seconds, lambda line: out.print(line, style="dim", highlight=False))
        out.print(_table(found, seconds, told.seeds))
        hub = found["hub"]
        hub_is_right &= hub.short == hub.oversold and not hub.shown
    return 0 if hub_is_right else 1


def _table(found: Mapping[str, Count], seconds: float, seeds: int) -> Table:
    title = f"{len(SHOPS)} shops, {len(SKUS)} SKUs of {UNITS} units, buyers within {seconds:g} s, {seeds} seeds"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for head in ("", "wanted", "sold", "oversold", "named short", "still shown", "writes"):
        table.add_column(head, justify="left" if not head else "right")
    for mode in MODES:
        one: Any = found[mode.name]
        table.add_row(
            mode.label, *(str(getattr(one, n)) for n in ("wanted", "sold", "oversold", "short", "shown", "writes"))
        )
    return table


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets of text is part of a run
        os.execve(  # noqa: S606 - the same program again
            sys.executable,
            [sys.executable, "-m", "tests.oversell", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    raise SystemExit(main())

"""Time that costs nothing: an event loop whose clock moves only when everybody waits, and the clock of the flows."""

import asyncio
import importlib
import pkgutil
import random
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from uuid import UUID

import jobs

EPOCH = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_TIMED = (*(f"jobs.{told.name}" for told in pkgutil.iter_modules(jobs.__path__)), "tenacity")


class _Selector(selectors.DefaultSelector):
    """Never waits: where nobody can go on, the clock moves to when somebody can."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nobody can go on, and nobody waits for a time")
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own; nothing in it waits for the outer world, and so it is deterministic."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Seconds on the fake clock."""
        return self._virtual.now

    def utc(self) -> datetime:
        """The fake clock as an instant."""
        return EPOCH + timedelta(seconds=self._virtual.now)


class _Time:
    """Stands for the module `time` in the flows."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        return self._loop.time()


class _Ids:
    """Stands for the module `uuid6` in the store: version 7, of the fake clock and seeded chance."""

    def __init__(self, loop: VirtualLoop, seed: int) -> None:
        self._loop, self._random = loop, random.Random(f"ids {seed}")

    def uuid7(self) -> UUID:
        milliseconds = int(self._loop.utc().timestamp() * 1000)
        low = self._random.getrandbits(62)
        high = milliseconds << 80 | 7 << 76 | self._random.getrandbits(12) << 64
        return UUID(int=high | 2 << 62 | low)


@contextmanager
def virtual(seed: int) -> Iterator[VirtualLoop]:
    """A loop to run on; while it is open, the flows read its clock and ids come from the seed."""
    loop = VirtualLoop()
    shim: Any = _Time(loop)
    random.seed(seed)
    with mock.patch("hub.store.uuid6", _Ids(loop, seed)):
        modules = [importlib.import_module(name) for name in _TIMED]
        patches = [mock.patch.object(module, "time", shim) for module in modules if hasattr(module, "time")]
        for patch in patches:
            patch.start()
        try:
            asyncio.set_event_loop(loop)
            yield loop
        finally:
            for patch in patches:
                patch.stop()
            _drain(loop)
            loop.close()
            asyncio.set_event_loop(None)


def _drain(loop: VirtualLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

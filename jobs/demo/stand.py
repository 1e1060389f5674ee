"""Which web process plays the demonstration, and when: one at a time, while one is open."""

import asyncio
import contextlib
from uuid import UUID

from hub.store.pulse import Pulse
from jobs.demo import flow
from jobs.demo.booth import Booth
from jobs.runtime import Runtime, log

DUTY = 20  # of the pulse's; sweeping is 1, draining 100 and up
LOOK_SECONDS, TRY_AGAIN_SECONDS = 3.0, 30.0


class Stand:
    """Looks whether a demonstration is open, and plays it for as long as it is; ends with the process."""

    def __init__(self, rt: Runtime, pulse: Pulse, here: str) -> None:
        self._rt, self._pulse, self._here = rt, pulse, here
        self._look = asyncio.Event()
        self._ready = asyncio.Event()
        self._booth: Booth | None = None
        self._playing: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._not_before = 0.0

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def look(self) -> None:
        """Look now: one was opened or thrown away."""
        self._not_before = 0.0
        self._look.set()

    async def until_ready(self, seconds: float = 60.0) -> UUID:
        """The demonstration that is played here, once it is set up. TimeoutError when that takes longer."""
        await asyncio.wait_for(self._ready.wait(), seconds)
        if self._booth is None:
            raise TimeoutError
        return self._booth.seller_id

    async def leave(self) -> None:
        """Stop playing, whatever is open; it is not begun again before somebody says `look`, or half a minute later."""
        self._not_before = asyncio.get_running_loop().time() + TRY_AGAIN_SECONDS
        task, self._playing, self._booth = self._playing, None, None
        self._ready.clear()
        if task:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def close(self) -> None:
        """Stop looking and playing."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.leave()

    async def _run(self) -> None:
        while True:
            try:
                await self._once()
            except Exception as problem:  # noqa: BLE001 - the web process goes on whatever becomes of a demonstration
                log.warning("demonstration not looked at", reason=f"{type(problem).__name__}: {problem}"[:200])
            self._look.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), LOOK_SECONDS)

    async def _once(self) -> None:
        seller_id = await flow.the_one(self._rt)
        if self._booth and (self._booth.seller_id != seller_id or not await self._pulse.on_duty(DUTY)):
            await self.leave()
        loop = asyncio.get_running_loop()
        if seller_id is None or self._booth or loop.time() < self._not_before or not await self._pulse.on_duty(DUTY):
            return
        self._booth = Booth(self._rt, seller_id, self._here, self._ready)
        self._playing = loop.create_task(self._play(self._booth))

    async def _play(self, booth: Booth) -> None:
        try:
            await booth.run()
        except Exception as problem:  # noqa: BLE001 - it is tried again, and said
            log.warning("demonstration stopped", reason=f"{type(problem).__name__}: {problem}"[:300])
        self._booth, self._playing = None, None
        self._ready.clear()
        self._not_before = asyncio.get_running_loop().time() + TRY_AGAIN_SECONDS

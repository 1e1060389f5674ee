"""Everything of an installation in one go: web, workers and scheduler as processes, started again when they die."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from config.logging import setup
from hub.redaction import redact_event
from jobs.install import prepare
from jobs.runtime import log

RESTART_SECONDS = 0.5
LONGEST_RESTART_SECONDS = 15.0
PATIENCE = 20.0


@dataclass(slots=True)
class Supervisor:
    """Child processes by name. One that ends by itself is started again, later and later while it keeps failing."""

    environment: Mapping[str, str]
    quiet: bool = False
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    restarts: int = 0
    _watchers: list[asyncio.Task[None]] = field(default_factory=list)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self, name: str, argv: Sequence[str]) -> None:
        """Keep this command running."""
        self._watchers.append(asyncio.create_task(self._watch(name, argv)))

    async def _watch(self, name: str, argv: Sequence[str]) -> None:
        pause = RESTART_SECONDS
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            out = asyncio.subprocess.DEVNULL if self.quiet else None
            process = await asyncio.create_subprocess_exec(
                *argv,
                env=dict(self.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                start_new_session=True,
            )
            self.running[name] = process
            code = await process.wait()
            if self._stopping.is_set():
                return
            lived = asyncio.get_running_loop().time() - began
            pause = RESTART_SECONDS if lived > LONGEST_RESTART_SECONDS else min(pause * 2, LONGEST_RESTART_SECONDS)
            log.warning("process ended; starting it again", name=name, code=code, pause=round(pause, 1))
            self.restarts += 1
            await asyncio.sleep(pause)

    def kill(self, name: str) -> None:
        """Kill -9, for those who want to see what happens."""
        process = self.running.get(name)
        if process and process.returncode is None:
            process.kill()

    async def stop(self) -> None:
        """Ask every process to end, then make it."""
        self._stopping.set()
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        alive = [process.wait() for process in self.running.values() if process.returncode is None]
        if alive:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*alive), PATIENCE)
        for process in self.running.values():
            if process.returncode is None:
                process.kill()
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)


def _python(statement: str) -> list[str]:
    return [sys.executable, "-c", statement]


def start_all(supervisor: Supervisor, workers: int) -> None:
    """Web, workers and scheduler."""
    supervisor.start("web", _python("from hub.web.app import main; main()"))
    for number in range(workers):
        supervisor.start(f"worker-{number}", _python(f"from jobs.worker import main; main({number})"))
    supervisor.start("cron", _python("from jobs.scheduler import main; main()"))


async def _up(environment: Mapping[str, str], workers: int) -> None:
    supervisor = Supervisor(environment)
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    start_all(supervisor, workers)
    await stop.wait()
    await supervisor.stop()


def up() -> None:
    """Prepare the installation (embedded services, schema), then run all its processes until SIGTERM or SIGINT.

    Embedded servers go on running for the next start; `balcao down` ends them.
    """
    installation = prepare(migrate=True)
    settings = installation.settings
    setup(settings.log_format, settings.log_level, redaction=redact_event)
    log.info("balcão is up", url=f"http://{settings.host}:{settings.port}", workers=settings.workers)
    environment = {
        **os.environ,
        "DATABASE_URL": installation.database_url,
        "REDIS_URL": installation.redis_url,
    }
    asyncio.run(_up(environment, settings.workers))

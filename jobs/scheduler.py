"""The scheduler process: a sweep that only rings. Workers sweep too; this one keeps time when they are busy."""

import asyncio
import signal

from config.logging import setup
from hub.redaction import redact_event
from jobs import sweep
from jobs.install import Installation, prepare, runtime
from jobs.runtime import log


async def _run(installation: Installation) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    async with runtime(installation, pool=3) as (rt, pulse):
        log.info("scheduler started")
        await sweep.run(rt, pulse, stop, drains=False)


def main() -> None:
    """Ring what is due until SIGTERM or SIGINT."""
    installation = prepare(migrate=False)
    setup(installation.settings.log_format, installation.settings.log_level, redaction=redact_event)
    asyncio.run(_run(installation))

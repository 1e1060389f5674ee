"""The web process: webhooks, pages and health on one port."""

import asyncio
import signal
from collections.abc import AsyncIterator

from aiohttp import web

from config.logging import setup
from config.settings import Settings
from hub.redaction import redact_event
from hub.web import api, metrics, pages, webhooks
from hub.web.beginning import HOME
from hub.web.keys import INSTALLATION, RUNTIME, STAND
from hub.web.pages.founding import CODE
from jobs import founding
from jobs.demo.stand import Stand
from jobs.install import Installation, prepare, runtime
from jobs.intake import Intake
from jobs.runtime import log

EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - what is compared, not what is listened on


async def health(request: web.Request) -> web.Response:
    """200 when the database answers; says since when nothing could be swept otherwise."""
    try:
        async with asyncio.timeout(3), request.app[RUNTIME].db.dispatch() as tx:
            await tx.value("SELECT 1")
    except Exception as problem:  # noqa: BLE001 - a health check answers, whatever is wrong
        return web.json_response({"database": type(problem).__name__}, status=503)
    redis = await asyncio.get_running_loop().run_in_executor(None, request.app[RUNTIME].bell.answers)
    return web.json_response({"database": "ok", "redis": "ok" if redis else "away"})


async def _lifetime(app: web.Application) -> AsyncIterator[None]:
    settings = app[INSTALLATION].settings
    async with runtime(app[INSTALLATION]) as (rt, pulse):
        app[RUNTIME] = rt
        app[STAND] = stand = Stand(rt, pulse, _local(settings))
        app[webhooks.INTAKE] = intake = Intake(rt)
        await intake.start()
        stand.start()
        yield
        await stand.close()
        await intake.close()


def create(installation: Installation) -> web.Application:
    """The application of an installation."""
    app = web.Application(client_max_size=installation.settings.body_limit)
    app[INSTALLATION] = installation
    app.cleanup_ctx.append(_lifetime)
    app.add_routes(webhooks.routes)
    app.router.add_get("/health", health)
    metrics.setup(app, installation.settings.metrics_token)
    api.setup(app)
    pages.setup(app)
    return app


async def _serve(installation: Installation) -> None:
    settings = installation.settings
    runner = web.AppRunner(create(installation), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        log.info("web started", url=f"http://{settings.host}:{settings.port}")
        await _tell_how_to_begin(runner.app, settings)
        stop = asyncio.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, stop.set)
        await stop.wait()
    finally:
        await runner.cleanup()


def _local(settings: Settings) -> str:
    """Where this machine itself reaches the web process."""
    host = "127.0.0.1" if settings.host in EVERYWHERE else settings.host
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


async def _tell_how_to_begin(app: web.Application, settings: Settings) -> None:
    """While nobody may sign in: the address at which the first user is made, good from anywhere. Told here alone."""
    if code := await founding.new_code(app[RUNTIME]):
        base = settings.public_url or _local(settings)
        log.warning("nobody may sign in yet: open this address", url=f"{base}{HOME}?{CODE}={code}")


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    installation = prepare(migrate=False)
    settings = installation.settings
    setup(settings.log_format, settings.log_level, redaction=redact_event)
    asyncio.run(_serve(installation))

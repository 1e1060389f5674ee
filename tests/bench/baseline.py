"""The baselines: hub.web.app itself, but for webhooks it stores nothing and answers 200.

`python -m tests.bench.baseline bare` only reads the body; `... reads` also verifies the signature and reads the
notices, so that the difference to the hub is what durability costs. With the environment of the hub's own web process.
"""

import sys
from collections.abc import Sequence

from aiohttp import web

from hub.model import Notice
from hub.store.accounts import Route
from hub.web import app, webhooks
from jobs.intake import OK, Answer, Intake


async def _bare(request: web.Request, *, app: bool) -> web.Response:
    await request.read()
    return web.Response(status=200, text="")


async def _keep_nothing(_intake: Intake, _told: Sequence[tuple[Route, Notice]]) -> Answer:
    return OK


if __name__ == "__main__":
    if sys.argv[1:] == ["reads"]:
        Intake._keep = _keep_nothing  # type: ignore[method-assign, assignment] # the one step that the baseline leaves out
    else:
        webhooks._knock = _bare
    app.main()

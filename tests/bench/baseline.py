"""The baseline: hub.web.app itself, but for webhooks it reads the body, keeps nothing and answers 200.

`python -m tests.bench.baseline`, with the environment of the hub's own web process.
"""

from aiohttp import web

from hub.web import app, webhooks


async def _answer(request: web.Request, *, app: bool) -> web.Response:
    await request.read()
    return web.Response(status=200, text="")


if __name__ == "__main__":
    webhooks._knock = _answer
    app.main()

"""Channels knock here: read the body within its limit, hand it to intake, answer what intake says."""

from aiohttp import web
from prometheus_client import Counter

from hub.model import Knock
from jobs.intake import Intake

INTAKE: web.AppKey[Intake] = web.AppKey("intake", Intake)
routes = web.RouteTableDef()
ANSWERED = Counter("balcao_webhooks", "Webhooks by the status that they were answered with.", ["status"])


@routes.post("/in/{token}")
async def account(request: web.Request) -> web.Response:
    """A webhook of one account."""
    return await _knock(request, app=False)


@routes.post("/in/app/{token}")
async def application(request: web.Request) -> web.Response:
    """A webhook of an OAuth application, which serves many accounts."""
    return await _knock(request, app=True)


async def _knock(request: web.Request, *, app: bool) -> web.Response:
    body = await request.read()  # longer than client_max_size: 413, before it is all in memory
    # Any case finds a header there; and put together like this an address costs a tenth of `request.url`.
    url = f"{request.scheme}://{request.host}{request.raw_path}"
    knock = Knock(headers=request.headers, body=body, url=url)
    answer = await request.app[INTAKE].accept(request.match_info["token"], knock, app=app)
    ANSWERED.labels(answer.status).inc()
    return web.Response(status=answer.status, text=answer.sentence)

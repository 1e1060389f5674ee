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


@routes.get("/in/{token}")
@routes.get("/in/app/{token}")
async def looked_at(_request: web.Request) -> web.Response:
    """Somebody who looks before an address is registered (Melhor Envio takes no 405): nothing is told, nothing kept."""
    return web.Response()


async def _knock(request: web.Request, *, app: bool) -> web.Response:
    body = await request.read()  # longer than client_max_size: 413, before it is all in memory
    intake = request.app[INTAKE]
    # The registered address is what some channels sign: behind a proxy the request itself knows another one.
    base = (intake.rt.policy.public_url or f"{request.scheme}://{request.host}").rstrip("/")
    # Any case finds a header there; and put together like this an address costs a tenth of `request.url`.
    knock = Knock(headers=request.headers, body=body, url=base + request.raw_path)
    answer = await intake.accept(request.match_info["token"], knock, app=app)
    ANSWERED.labels(answer.status).inc()
    return web.Response(status=answer.status, text=answer.sentence)

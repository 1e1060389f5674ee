"""The Loggi client against the sandbox, over real HTTP."""

import asyncio
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pypdf import PdfReader

from adapters.loggi import ADAPTER, client, freight, mapping, sandbox, webhook
from hub.contract import json_of
from hub.faults import ChannelError, Fault
from hub.model import Knock, Notice, TrackedObject, TrackingStatus
from tests.channels.conftest import Connect, PlainApi
from tests.channels.test_loggi import BOX, ECONOMIC, EXPRESS, POSTING

S = TrackingStatus


async def track(api: PlainApi, *codes: str) -> list[TrackedObject]:
    return mapping.parse(await client.fetch(api, codes), codes)


# ── Who we are ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_check_proves_the_company(connect: Connect):
    told = await client.check(await connect(ADAPTER, sandbox.create([])))
    assert told.external_id == sandbox.COMPANY
    for wrong in ({"client_secret": "x"}, {"client_id": "x"}, {"company_id": "1"}):
        with pytest.raises(ChannelError) as refusal:
            await client.check(await connect(ADAPTER, sandbox.create([]), **wrong))
        assert refusal.value.fault is Fault.AUTH


async def test_a_token_is_used_until_it_ends_and_renewed_once(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    code = (await carrier.act("post", {}))["code"]
    await track(api, code)
    await track(api, code)
    assert len(carrier.tokens) == 1
    await carrier.act("expire_token", {})
    assert (await track(api, code))[0].events
    assert len(carrier.tokens) == 1


# ── Tracking ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_one_call_a_code_and_what_is_not_there_has_the_error_told(connect: Connect):
    carrier = sandbox.create([], parcels=2)
    api = await connect(ADAPTER, carrier)
    asked = [*carrier.packages, "LGG 1/2"]
    told = await track(api, *asked)
    assert [one.code for one in told] == asked
    assert [one.error and one.error.code for one in told] == [None, None, "not_found"]
    assert [call.path for call in api.calls if "/packages/" in call.path] == [
        *(f"/packages/{code}/tracking" for code in carrier.packages), "/packages/LGG%201%2F2/tracking",
    ]  # fmt: skip
    assert all(one.deliver_by for one in told[:2])


async def test_what_is_forbidden_is_no_missing_package(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]), company_id="1")
    with pytest.raises(ChannelError) as refusal:
        await track(api, "LGG1BR")
    assert (refusal.value.fault, refusal.value.code) == (Fault.AUTH, "permission_denied")


@pytest.mark.parametrize(
    ("journey", "statuses"),
    [
        ("delivered", [S.LABEL_CREATED, S.ACCEPTED, S.ACCEPTED, S.ACCEPTED, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("second_try", [S.LABEL_CREATED, S.ACCEPTED, S.ACCEPTED, S.ACCEPTED, S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT,
                        S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("waits_for_the_sender", [S.LABEL_CREATED, S.ACCEPTED, S.ACCEPTED, S.EXCEPTION, S.EXCEPTION,
                                  S.OUT_FOR_DELIVERY, S.DELIVERED]),
    ],
)  # fmt: skip
async def test_a_journey_scan_by_scan(connect: Connect, journey, statuses):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    code = (await carrier.act("post", {"journey": journey}))["code"]
    seen = [(await track(api, code))[0].status]
    while (await carrier.act("advance", {"code": code}))["scans"]:
        seen.append((await track(api, code))[0].status)
    assert seen == statuses
    [last] = await track(api, code)
    assert {event.raw_code for event in last.events if event.status is S.UNKNOWN} == {"3", "15"}
    assert carrier.orders() == {code: "5"}


# ── Webhook ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_each_scan_knocks_with_our_user_and_tells_all_of_them(connect: Connect):
    heard: list[Knock] = []

    async def hear(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        heard.append(Knock(headers=headers, body=await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/in", hear)
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    async with TestServer(app) as server:
        await carrier.act("callback", {"url": str(server.make_url("/in"))})
        code = (await carrier.act("post", {"journey": "delivered"}))["code"]
        while (await carrier.act("advance", {"code": code}))["scans"]:
            pass
        while carrier.courier.under_way:
            await asyncio.wait(carrier.courier.under_way)
    assert len(heard) == 6
    notices: list[Notice] = []
    for knock in heard:
        webhook.verify(webhook.secret(api.credentials) or "", knock)
        notices += webhook.read(knock)
    assert {notice.ref for notice in notices} == {code}
    assert len({notice.dedupe_key for notice in notices}) == 6
    fullest = max(notices, key=lambda notice: len(notice.raw["trackingHistory"]))
    assert mapping.parse(fullest.raw, [code]) == await track(api, code)


# ── Freight ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_quotes(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    quotes = freight.read_quotes(await client.quote(api, BOX, []), [EXPRESS, ECONOMIC])
    assert [(quote.price_cents, quote.days) for quote in quotes] == [(17_40 + 2_90, 2), (11_90 + 1_80, 5)]
    for change in ({"to_postal_code": "00000000"}, {"weight_g": 30_001}):
        [refused] = freight.read_quotes(await client.quote(api, BOX.model_copy(update=change), []), [EXPRESS])
        assert refused.error
        assert refused.error.code == "invalid_argument"
    contracted = await connect(ADAPTER, sandbox.create([]), external_service_id="SISU-1")
    assert freight.read_quotes(await client.quote(contracted, BOX, []), [EXPRESS])[0].price_cents
    assert contracted.calls[-1].json["externalServiceIds"] == ["SISU-1"]


async def bought(api: PlainApi) -> Any:
    assert ADAPTER.freight
    reply = await api.call(ADAPTER.freight.order(api, POSTING))
    assert reply.status == 202
    return freight.read_purchase(json_of(reply))


async def test_buy_label_follow_and_cancel(connect: Connect):
    carrier = sandbox.create([], label_asks=2)
    api = await connect(ADAPTER, carrier)
    purchase = await bought(api)
    assert api.calls[-1].json["pickupType"] == "PICKUP_TYPE_SPOT"
    receipt = await client.ask_label(api, [purchase.ref])
    labels = [await client.label(api, receipt) for _ in range(3)]
    assert labels[:2] == [None, None]
    assert labels[2]
    assert labels[2].startswith(b"%PDF")
    assert (await track(api, purchase.tracking_code))[0].status is S.LABEL_CREATED
    await api.call(freight.cancellation(purchase.ref))
    assert (await track(api, purchase.tracking_code))[0].status is S.CANCELLED
    with pytest.raises(ChannelError) as refusal:
        await client.label(api, receipt)
    assert refusal.value.fault is Fault.REJECTED


async def test_the_contracts_service_is_named_in_a_posting(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]), external_service_id="SISU-1")
    await bought(api)
    assert api.calls[-1].json["externalServiceId"] == "SISU-1"


async def test_several_labels_are_one_file(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([], label_asks=0))
    keys = [(await bought(api)).ref for _ in range(2)]
    label = await client.label(api, await client.ask_label(api, keys))
    assert label
    assert len(PdfReader(BytesIO(label)).pages) == 2
    with pytest.raises(ChannelError):
        await client.ask_label(api, [])


async def test_a_cancellation_that_may_come_too_late_is_no_success(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    purchase = await bought(api)
    carrier.packages[purchase.tracking_code].ahead = ["11"]
    await carrier.act("advance", {"code": purchase.tracking_code})
    with pytest.raises(ChannelError) as refusal:
        await api.call(freight.cancellation(purchase.ref))
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "cancel_warning")
    with pytest.raises(ChannelError) as refusal:
        await api.call(freight.cancellation("KEY0"))
    assert refusal.value.fault is Fault.MISSING


async def test_an_incomplete_posting_is_refused_there_too(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    request = freight.buy(POSTING.model_copy(update={"service": "FREIGHT_TYPE_OTHER"}))
    with pytest.raises(ChannelError) as refusal:
        await api.call(client.complete(api, request))
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "invalid_argument")


async def test_the_knobs_and_controls(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    base = api.credentials.endpoint
    async with aiohttp.ClientSession() as session:
        posted = await (await session.post(f"{base}/_sandbox/act/post", json={})).json()
        assert await (await session.get(f"{base}/_sandbox/orders")).json() == {posted["code"]: "1"}
        for wrong in ("sell", "advance", "post"):
            answer = await session.post(f"{base}/_sandbox/act/{wrong}", json={"code": "none", "journey": "none"})
            assert answer.status == 409
        await session.post(f"{base}/_sandbox/knobs", json={"down": True})
        with pytest.raises(ChannelError) as refusal:
            await client.check(api)
        assert refusal.value.fault is Fault.TRANSIENT

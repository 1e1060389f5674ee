"""The Frenet client against the sandbox, over real HTTP."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.frenet import ADAPTER, client, freight, mapping, sandbox, webhook
from hub.contract import json_of
from hub.faults import ChannelError, Fault
from hub.model import Knock, Purchase, Topic, TrackedObject, TrackingStatus
from tests.channels.conftest import Connect, PlainApi
from tests.channels.test_frenet import BOX, POSTING

S = TrackingStatus


async def track(api: PlainApi, *codes: str) -> list[TrackedObject]:
    return mapping.parse_tracking(await client.fetch(api, codes), codes)


async def known(connect: Connect, carrier: sandbox.FrenetSandbox, **typed: object) -> PlainApi:
    """An account that was checked."""
    api = await connect(ADAPTER, carrier, **typed)
    api.facts = (await client.check(api)).facts
    api.calls.clear()
    return api


async def made(api: PlainApi) -> Purchase:
    return freight.read_purchase(json_of(await api.call(client.complete(api, freight.shipment(POSTING)))))


async def test_check_learns_the_services_and_proves_both_tokens(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    told = await client.check(api)
    assert (told.external_id, told.name) == (sandbox.CNPJ, f"Frenet, CNPJ {sandbox.CNPJ}")
    assert told.facts["services"]["03298"] == {
        "ShippingServiceName": "PAC", "Carrier": "Correios", "CarrierCode": "COR",
    }  # fmt: skip
    assert [call.path.rpartition("/")[2] for call in api.calls] == ["info", "wallet"]


@pytest.mark.parametrize("typed", [{"token": "errado"}, {"partner_token": "errado"}])
async def test_a_wrong_token(connect: Connect, typed):
    with pytest.raises(ChannelError) as refusal:
        await client.check(await connect(ADAPTER, sandbox.create([]), **typed))
    assert (refusal.value.fault, refusal.value.code) == (Fault.AUTH, "acesso_negado")


async def test_without_a_partners_token_there_are_prices_and_tracking_but_no_labels(connect: Connect):
    carrier = sandbox.create([], parcels=1)
    api = await known(connect, carrier, partner_token=None)
    [code] = carrier.parcels
    assert (await track(api, f"03298:{code}"))[0].events
    assert freight.read_quotes(await client.quote(api, BOX, []), [])[0].price_cents
    with pytest.raises(ChannelError) as refusal:
        client.complete(api, freight.shipment(POSTING))
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "no_partner_token")


@pytest.mark.parametrize(
    ("journey", "statuses"),
    [
        ("delivered", [S.ACCEPTED, S.IN_TRANSIT, S.IN_TRANSIT, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("picked_up", [S.ACCEPTED, S.IN_TRANSIT, S.FAILED_ATTEMPT, S.AWAITING_PICKUP, S.DELIVERED]),
        ("late", [S.ACCEPTED, S.IN_TRANSIT, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        (
            "returned",
            [S.ACCEPTED, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT, S.RETURNING, S.RETURNED],
        ),
        ("lost", [S.ACCEPTED, S.IN_TRANSIT, S.LOST]),
    ],
)
async def test_a_journey(connect: Connect, journey, statuses):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    code = (await carrier.act("post", {"journey": journey}))["code"]
    seen = [(await track(api, code))[0].status]
    while (await carrier.act("advance", {"code": code}))["events"]:
        seen.append((await track(api, code))[0].status)
    assert seen == statuses


async def test_each_code_is_one_call_with_its_service(connect: Connect):
    carrier = sandbox.create([], parcels=1)
    api = await connect(ADAPTER, carrier)
    [code] = carrier.parcels
    asked = [f"03220:{code}", code, f"NADA:{code}", f"JAD3:{code}", "QS000000005BR"]
    told = await track(api, *asked)
    assert [one.code for one in told] == asked
    assert [one.error and one.error.code for one in told] == [None, None, "no_service", "not_found", "not_found"]
    assert [call.json["ShippingServiceCode"] for call in api.calls] == ["03220", "03298", "NADA", "JAD3", "03298"]


async def test_a_fault_of_their_server_inside_a_good_answer_is_tried_again(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    with pytest.raises(ChannelError) as refusal:
        await client.fetch(api, ["03298:"])
    assert (refusal.value.fault, refusal.value.code, refusal.value.status) == (Fault.TRANSIENT, "server_fault", 200)


async def test_prices_of_many_carriers_side_by_side(connect: Connect):
    api = await known(connect, sandbox.create([]))
    told = freight.read_quotes(await client.quote(api, BOX, []), [])
    # 1.25 kg: 18.50 + 4.25; 26.90 + 7.62 (half to even); 21.90 + 3.88
    assert [(one.name, one.price_cents, one.days) for one in told] == [
        ("Correios PAC", 2275, 7), ("Correios SEDEX", 3452, 2), ("Jadlog .PACKAGE", 2578, 5),
    ]  # fmt: skip
    heavy = BOX.model_copy(update={"weight_g": 40_000})
    assert [one.error and one.error.message for one in freight.read_quotes(await client.quote(api, heavy, []), [])] == [
        "Peso excedido", "Peso excedido", None,
    ]  # fmt: skip
    [one] = freight.read_quotes(await client.quote(api, BOX, ["JAD3"]), ["JAD3"])
    assert one.price_cents == 2578


async def test_made_unpaid_paid_once_labelled_and_called_off(connect: Connect):
    carrier = sandbox.create([], balance=100_00)
    api = await known(connect, carrier)
    bought = await made(api)
    assert (bought.tracking_code, carrier.balance) == (None, 100_00), "made, and nothing is paid yet"
    with pytest.raises(ChannelError, match="Apenas etiquetas pagas"):
        await client.label(api, await client.ask_label(api, [bought.ref]))
    settled = await client.settle(api, bought)
    paid = carrier.balance
    assert settled.tracking_code
    assert paid < 100_00
    api.calls.clear()
    assert await client.settle(api, bought) == settled
    assert carrier.balance == paid
    assert {call.method for call in api.calls} == {"GET"}, "settling again only looks"
    label = await client.label(api, await client.ask_label(api, [bought.ref]))
    assert label
    assert label.startswith(b"%PDF")
    await api.call(freight.cancellation(bought.ref))
    assert carrier.balance == 100_00
    with pytest.raises(ChannelError) as refusal:
        await client.settle(api, bought)
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "cancelled")


async def test_a_payment_without_an_answer_is_not_paid_twice(connect: Connect):
    carrier = sandbox.create([])
    api = await known(connect, carrier)
    bought = await made(api)
    await carrier.pay(_Asked([int(bought.ref)]))  # type: ignore[arg-type] # all that it reads of a request
    paid = carrier.balance
    assert (await client.settle(api, bought)).tracking_code
    assert carrier.balance == paid


class _Asked:
    def __init__(self, body: object) -> None:
        self.body = body

    async def json(self) -> object:
        return self.body


async def test_a_refusal_to_call_off_is_not_believed(connect: Connect):
    api = await known(connect, sandbox.create([], sulks=1.0))
    bought = await client.settle(api, await made(api))
    assert not await client.withdrawn(api, bought.ref)
    with pytest.raises(ChannelError) as refusal:
        await api.call(freight.cancellation(bought.ref))
    assert refusal.value.fault is Fault.REJECTED
    assert await client.withdrawn(api, bought.ref)


@pytest.mark.parametrize(("typed", "query"), [("um segredo", "?token=um+segredo"), (None, None)])
async def test_the_token_goes_along_in_our_address_and_without_one_no_address(connect: Connect, typed, query):
    api = await known(connect, sandbox.create([]), webhook_token=typed)
    posting = POSTING.model_copy(update={"notify": "https://balcao.example/in/t0ken"})
    [body] = client.complete(api, freight.shipment(posting)).json
    url = query and f"https://balcao.example/in/t0ken{query}"
    assert [body[name] for name in freight.NOTIFIED] == [url, url]
    if url:
        webhook.verify("um segredo", Knock(headers={}, body=b"", url=url))


async def test_an_empty_wallet_says_so(connect: Connect):
    api = await known(connect, sandbox.create([], balance=1_00))
    with pytest.raises(ChannelError) as refusal:
        await client.settle(api, await made(api))
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "3000")
    assert refusal.value.detail == "Saldo insuficiente."


async def test_a_service_that_the_store_lacks_is_not_asked_for(connect: Connect):
    api = await known(connect, sandbox.create([]))
    with pytest.raises(ChannelError, match="the store has no '99999' at Frenet") as refusal:
        client.complete(api, freight.shipment(POSTING.model_copy(update={"service": "99999"})))
    assert refusal.value.fault is Fault.REJECTED


async def test_what_was_never_answered_costs_nothing(connect: Connect):
    carrier = sandbox.create([])
    api = await known(connect, carrier)
    await made(api)
    assert ADAPTER.freight
    assert ADAPTER.freight.find
    assert await ADAPTER.freight.find(api, POSTING, api.now()) is None
    await client.settle(api, await made(api))
    assert sorted(one.status for one in carrier.shipments.values()) == [2, 4], "the first stands unpaid"


async def test_no_label_address_and_no_token_leaves_their_answer(connect: Connect):
    api = await known(connect, sandbox.create([]))
    settled = await client.settle(api, await made(api))
    assert "frenet.com.br" not in settled.model_dump_json()


async def test_notices_come_with_our_token_for_what_was_bought_here_only(connect: Connect):
    carrier = sandbox.create([])
    api = await known(connect, carrier)
    heard: list[Knock] = []

    async def hear(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        heard.append(Knock(headers=headers, body=await request.read(), url=str(request.url)))
        return web.Response()

    listening = web.Application()
    listening.router.add_post("/in/t0ken", hear)
    async with TestServer(listening) as server:
        await carrier.act("callback", {"url": str(server.make_url("/in/t0ken"))})
        await carrier.act("advance", {"code": (await carrier.act("post", {}))["code"]})  # bought in their panel
        bought = await client.settle(api, await made(api))
        await carrier.act("post", {"code": bought.tracking_code, "journey": "lost"})
        await carrier.act("advance", {"code": bought.tracking_code, "steps": 2})
        while carrier.courier.under_way:
            await asyncio.wait(carrier.courier.under_way)
    for knock in heard:
        webhook.verify(sandbox.HOOK, knock)
    told = [notice for knock in heard for notice in webhook.read(knock)]
    assert {(one.topic, one.ref) for one in told} == {(Topic.TRACKING, bought.tracking_code)}
    statuses = [mapping.parse_tracking(one.raw, [one.ref or ""])[0].status for one in told]
    assert {*statuses} == {S.ACCEPTED, S.IN_TRANSIT, S.LOST}

"""The Correios client against the sandbox, over real HTTP."""

import asyncio
import time
from datetime import timedelta

import aiohttp
import pytest

from adapters.correios import ADAPTER, client, freight, mapping, sandbox
from hub import carriers
from hub.contract import json_of
from hub.faults import ChannelError, Fault
from hub.model import Address, DeclaredGoods, Parcel, Party, Posting, Request, TrackedObject, TrackingStatus
from tests.channels.conftest import Connect, PlainApi

S = TrackingStatus
HOME = Address(street="Rua das Flores", number="10", city="Londrina", state="PR", postal_code="86010000")
SHOP = Party(name="Loja (matriz)", document="11222333000181", phone="+551133334444", address=HOME)
BOX = Parcel(
    from_postal_code="01001000",
    to_postal_code="86010000",
    weight_g=300,
    length_cm=20,
    width_cm=15,
    height_cm=5,
)
GOODS = (DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),)
POSTING = Posting(reference="1", service="03298", sender=SHOP, recipient=SHOP, parcel=BOX, goods=GOODS)


async def track(api: PlainApi, *codes: str) -> list[TrackedObject]:
    return mapping.parse(await client.fetch(api, codes), codes)


async def test_check_learns_the_contract(connect: Connect):
    told = await client.check(await connect(ADAPTER, sandbox.create([])))
    assert told.external_id == sandbox.CARD
    assert told.facts["contract"] == sandbox.CONTRACT
    assert told.facts["regional"] == sandbox.REGIONAL
    assert told.facts["apis"] == [27, 34, 35, 36, 41, 76, 87]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [({"access_code": "errado"}, Fault.AUTH), ({"posting_card": "0000000000"}, Fault.REJECTED)],
)
async def test_wrong_credentials_get_the_vendors_error(connect: Connect, wrong, fault):
    api = await connect(ADAPTER, sandbox.create([]), **wrong)
    with pytest.raises(ChannelError) as refusal:
        await client.check(api)
    assert refusal.value.fault is fault


async def test_a_fixed_key_needs_no_token(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]), access_code=sandbox.STATIC_KEY)
    told = await client.check(api)
    assert told.external_id == sandbox.CARD
    assert [call.path for call in api.calls] == ["/srorastro/v1/objetos"]
    bad = await connect(ADAPTER, sandbox.create([]), access_code="cws-errada")
    with pytest.raises(ChannelError) as refusal:
        await client.check(bad)
    assert refusal.value.fault is Fault.AUTH


async def test_the_same_token_until_it_is_near_its_end_and_one_renewal_of_an_expired_one(connect: Connect):
    carrier = sandbox.create([], parcels=1)
    api = await connect(ADAPTER, carrier)
    [code] = carrier.parcels
    await track(api, code)
    first = api.token
    assert first is not None
    assert first.expires_at is not None
    assert timedelta(hours=23) < first.expires_at - api.now() < timedelta(hours=24, minutes=1)
    await api.renew()
    assert api.token == first
    await carrier.act("expire_token", {})
    assert (await track(api, code))[0].events
    assert api.token != first
    assert carrier.tokens_made == 2


async def test_the_token_route_takes_three_a_second(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    for _ in range(3):
        await api.renew()
    with pytest.raises(ChannelError) as refusal:
        await api.renew()
    assert (refusal.value.fault, refusal.value.detail) == (Fault.THROTTLED, "")


async def test_fifty_codes_in_the_order_asked(connect: Connect):
    carrier = sandbox.create([], parcels=48)
    api = await connect(ADAPTER, carrier)
    asked = [*list(carrier.parcels)[::-1], "AA123456789BR", "AAAA"]
    told = await track(api, *asked)
    assert [one.code for one in told] == asked
    assert [one.error.code for one in told if one.error] == ["SRO-020", "SRO-019"]
    assert all(one.events and one.status and one.deliver_by for one in told[:48])
    with pytest.raises(ChannelError) as refusal:
        await track(api, *asked, "AA100000025BR")
    assert (refusal.value.fault, refusal.value.code) == (Fault.REJECTED, "SRO-001")


async def test_no_codes_no_call(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    assert await track(api) == []
    assert api.calls == []


async def test_the_language_must_be_named(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    with pytest.raises(ChannelError) as refusal:
        await api.call(Request(method="GET", path="/srorastro/v1/objetos/AA100000025BR"))
    assert (refusal.value.status, refusal.value.code) == (400, "SRO-018")


@pytest.mark.parametrize(
    ("journey", "statuses"),
    [
        ("delivered", [S.ACCEPTED, *[S.IN_TRANSIT] * 4, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("second_try", [S.ACCEPTED, *[S.IN_TRANSIT] * 4, S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT,
                        S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("picked_up", [S.ACCEPTED, *[S.IN_TRANSIT] * 4, S.OUT_FOR_DELIVERY, S.FAILED_ATTEMPT,
                       S.AWAITING_PICKUP, S.DELIVERED]),
        ("late", [S.ACCEPTED, *[S.IN_TRANSIT] * 5, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("corrected", [S.ACCEPTED, *[S.IN_TRANSIT] * 4, S.OUT_FOR_DELIVERY, S.DELIVERED, S.OUT_FOR_DELIVERY,
                       S.FAILED_ATTEMPT, S.OUT_FOR_DELIVERY, S.DELIVERED]),
        ("returned", [S.ACCEPTED, *[S.IN_TRANSIT] * 4, S.OUT_FOR_DELIVERY, S.RETURNING, S.IN_TRANSIT,
                      S.IN_TRANSIT, S.RETURNING, S.RETURNED]),
        ("lost", [S.ACCEPTED, *[S.IN_TRANSIT] * 4, S.LOST]),
    ],
)  # fmt: skip
async def test_a_journey_scan_by_scan(connect: Connect, journey, statuses):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    code = (await carrier.act("post", {"journey": journey}))["code"]
    assert carriers.s10_digit(code[2:10]) == int(code[10])
    seen = [(await track(api, code))[0].status]
    while (await carrier.act("advance", {"code": code}))["scans"]:
        seen.append((await track(api, code))[0].status)
    assert seen == statuses
    last = (await track(api, code))[0]
    assert [event.at for event in last.events] == sorted({event.at for event in last.events})
    assert carrier.orders() == {code: last.events[-1].raw_code}


async def test_quotes_of_six_services(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    services = ["03220", "03298", "04227", "99999", "00001", "03298"]
    raws = await client.quote(api, BOX, services)
    assert len(raws) == 2
    quotes = freight.read_quotes(raws, services)
    assert [quote.service for quote in quotes] == services
    sedex, pac, *others, again = quotes
    assert sedex.price_cents == 24_50 + 8 * 8_70 + 3_40
    assert pac.price_cents == again.price_cents == 18_50 + 8 * 4_30 + 3_40
    assert (sedex.days, pac.days) == (9, 12)
    assert sedex.home_delivery is True
    assert all(quote.error and quote.price_cents is None for quote in others)


async def test_a_value_is_declared_above_what_is_insured_anyway(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    for value, paid in ((24_50, 0), (500_00, 5_00)):
        raws = await client.quote(api, BOX.model_copy(update={"value_cents": value}), ["03220"])
        [quote] = freight.read_quotes(raws, ["03220"])
        assert quote.price_cents == 24_50 + 8 * 8_70 + 3_40 + paid
    rows = [call.json["parametrosProduto"][0] for call in api.calls if call.path == "/preco/v1/nacional"]
    assert "vlDeclarado" not in rows[0]
    assert rows[1]["vlDeclarado"] == "500.00"
    assert rows[1]["servicosAdicionais"] == [{"coServAdicional": "019"}]
    assert (rows[1]["nuContrato"], rows[1]["nuDR"]) == (sandbox.CONTRACT, sandbox.REGIONAL)


async def test_a_refused_quote_is_told_not_raised(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    nowhere = BOX.model_copy(update={"to_postal_code": "00000000"})
    [quote] = freight.read_quotes(await client.quote(api, nowhere, ["03220"]), ["03220"])
    assert quote.error is not None
    assert quote.error.code == "ERP-005"
    large = BOX.model_copy(update={"length_cm": 101})
    [quote] = freight.read_quotes(await client.quote(api, large, ["03220"]), ["03220"])
    assert (quote.price_cents, quote.days) == (None, 9)
    assert quote.error is not None


async def test_a_refused_batch_is_told_not_raised(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]), access_code=sandbox.STATIC_KEY, contract="0")
    [quote] = freight.read_quotes(await client.quote(api, BOX, ["03220"]), ["03220"])
    assert (quote.price_cents, quote.days) == (None, 9)
    assert quote.error is not None
    assert quote.error.message == "O contrato informado não pertence à credencial."


async def test_the_single_routes_answer_as_the_batch_does(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    places = (("cepOrigem", "01001000"), ("cepDestino", "86010000"))
    size = (("psObjeto", "300"), ("tpObjeto", "2"), ("comprimento", "20"), ("largura", "15"), ("altura", "5"))
    asks = [("preco", (*places, *size)), ("prazo", places), ("preco", places)]
    raws = []
    for name, params in asks:
        path = f"/{name}/v1/nacional/03220"
        request = Request(method="GET", path=path, params=params, accept=frozenset({400}))
        raws.append(json_of(await api.call(request)))
    [quote] = freight.read_quotes(raws[:2], ["03220"])
    assert (quote.price_cents, quote.days, quote.error) == (24_50 + 8 * 8_70 + 3_40, 9, None)
    [refused] = freight.read_quotes(raws[2:], ["03220"])
    assert refused.error is not None
    assert refused.error.message == "Informe peso e dimensões."


@pytest.mark.parametrize("label_status", [200, 400])
async def test_buy_label_post_and_track(connect: Connect, label_status):
    carrier = sandbox.create([], label_status=label_status)
    api = await connect(ADAPTER, carrier)
    bought = freight.read_purchase(json_of(await api.call(client.buy(POSTING))))
    assert bought.ref.startswith("PR")
    assert bought.tracking_code is not None
    assert bought.expires_at is not None
    assert timedelta(days=6) < bought.expires_at - api.now() < timedelta(days=8)
    [waiting] = await track(api, bought.tracking_code)
    assert waiting.error is not None
    assert waiting.error.code == "SRO-020"

    receipt = await client.ask_label(api, [bought.ref])
    assert await client.label(api, receipt) is None
    label = await client.label(api, receipt)
    assert label is not None
    assert label.startswith(b"%PDF-1")
    assert bought.tracking_code.encode() in label

    await carrier.act("post", {"code": bought.tracking_code})
    [posted] = await track(api, bought.tracking_code)
    assert posted.status is S.ACCEPTED
    with pytest.raises(ChannelError) as refusal:
        await api.call(freight.cancellation(bought.ref))
    assert refusal.value.fault is Fault.REJECTED
    with pytest.raises(LookupError):
        await carrier.act("post", {"code": bought.tracking_code})


async def test_cancelling(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    for by in ("ref", "tracking_code"):
        bought = freight.read_purchase(json_of(await api.call(client.buy(POSTING))))
        await api.call(freight.cancellation(getattr(bought, by)))
        assert bought.tracking_code is not None
        assert carrier.orders()[bought.tracking_code] == "CANCELADO"
    with pytest.raises(ChannelError) as refusal:
        await api.call(freight.cancellation("PRnone"))
    assert refusal.value.fault is Fault.MISSING
    with pytest.raises(ChannelError) as refusal:
        await client.label(api, "none")
    assert refusal.value.fault is Fault.MISSING


async def test_a_posting_without_documents_is_refused_there_too(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    body = {name: told for name, told in client.buy(POSTING).json.items() if name != "itensDeclaracaoConteudo"}
    with pytest.raises(ChannelError) as refusal:
        await api.call(Request(method="POST", path="/prepostagem/v1/prepostagens", json=body))
    assert refusal.value.fault is Fault.REJECTED
    assert "nota fiscal" in refusal.value.detail


async def test_the_gateways_burst_is_answered_without_a_body(connect: Connect):
    api = await connect(ADAPTER, sandbox.create([]))
    await api.renew()
    told = await asyncio.gather(*(client.fetch(api, ["AA100000025BR"]) for _ in range(80)), return_exceptions=True)
    refused = [problem for problem in told if isinstance(problem, ChannelError)]
    assert refused
    assert {(problem.fault, problem.detail) for problem in refused} == {(Fault.THROTTLED, "")}
    assert len(told) - len(refused) >= 50


async def test_ten_thousand_parcels(connect: Connect):
    began = time.perf_counter()
    carrier = sandbox.create([], seed=7, parcels=10_000)
    api = await connect(ADAPTER, carrier)
    assert (await carrier.act("advance", {}))["scans"] > 5_000
    codes = list(carrier.parcels)
    assert len(codes) == 10_000
    for first in range(0, 1_000, 50):
        told = await track(api, *codes[first : first + 50])
        assert all(one.events for one in told)
    assert time.perf_counter() - began < 30


async def test_the_knobs_and_controls(connect: Connect):
    carrier = sandbox.create([])
    api = await connect(ADAPTER, carrier)
    base = api.credentials.base_url()
    async with aiohttp.ClientSession() as session:
        posted = await (await session.post(f"{base}/_sandbox/act/post", json={})).json()
        assert await (await session.get(f"{base}/_sandbox/orders")).json() == {posted["code"]: "PO/01"}
        assert await (await session.get(f"{base}/_sandbox/shelf")).json() == {}
        for wrong in ("sell", "advance"):
            answer = await session.post(f"{base}/_sandbox/act/{wrong}", json={"code": "none"})
            assert answer.status == 409
        await session.post(f"{base}/_sandbox/knobs", json={"down": True})
        with pytest.raises(ChannelError) as refusal:
            await client.check(api)
        assert refusal.value.fault is Fault.TRANSIENT

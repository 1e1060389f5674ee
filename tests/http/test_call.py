"""One call, against a real server: what is sent, what is sent again, what comes of each answer."""

import asyncio
import gzip
import json
from datetime import timedelta
from email.utils import format_datetime
from uuid import uuid4

import pytest
from aiohttp import web

from hub.context import InTransaction, inside_transaction
from hub.contract import Api
from hub.faults import ChannelError, Fault
from hub.http import AccountApi, CallError, Client
from hub.model import Limit, Reply, Request
from hub.throttle import Throttle
from tests.http.conftest import Clock, Shop, Valkey, answer, hang, hang_up

GET = Request(method="GET", path="/orders/1")
PUT = Request(method="PUT", path="/stock/1", json={"quantity": 3})
POST = Request(method="POST", path="/orders", json={})
ASK = Request(method="POST", path="/graphql", json={"query": "{ shop { id } }"}, asks=True)


async def failure(told) -> CallError:
    with pytest.raises(ChannelError) as refusal:
        await told
    assert isinstance(refusal.value, CallError)
    return refusal.value


# ── what is sent ────────────────────────────────────────────────────────────────────────────────


def as_adapters_know_it(made: AccountApi) -> Api:
    return made  # mypy checks the shape


async def test_it_is_what_adapters_know_as_api(api):
    made = as_adapters_know_it(api(external_id="77", facts={"zone": "BR"}))
    assert (made.external_id, made.facts) == ("77", {"zone": "BR"})


async def test_a_request_arrives_as_it_was_rendered(api, shop: Shop):
    params = (("filter[a][0]", "x+y &=é/%2F"), ("t", "2026-11-22T12:00:00-03:00"), ("t", "2"))
    wanted = Request(method="PATCH", path="/v1/skus/A%2FB?fixed=1", params=params, json={"ç": [1, None]})
    reply = await api(headers={"X-Key": "k1"}).call(wanted)
    assert reply.status == 200
    (seen,) = shop.seen
    assert seen.raw_path.startswith("/v1/skus/A%2FB?fixed=1&")
    assert list(seen.query.items()) == [("fixed", "1"), *params]
    assert (seen.headers["X-Key"], seen.headers["Content-Type"]) == ("k1", "application/json")
    assert json.loads(shop.bodies[0]) == {"ç": [1, None]}


async def test_a_form_is_a_form_and_no_body_has_no_type(api, shop: Shop):
    await api().call(Request(method="POST", path="/token", form=(("grant_type", "x y"),), authenticate=False))
    await api().call(Request(method="POST", path="/nothing"))
    assert shop.bodies == [b"grant_type=x+y", b""]
    assert shop.seen[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Content-Type" not in shop.seen[1].headers


async def test_an_xml_document_goes_out_as_it_stands(api, shop: Shop):
    await api().call(Request(method="POST", path="/soap", xml="<a>ç & cia</a>", headers={"SOAPAction": "urn:a#b"}))
    assert shop.bodies == ["<a>ç & cia</a>".encode()]
    assert shop.seen[0].headers["Content-Type"] == "text/xml; charset=utf-8"


async def test_a_request_that_authenticates_itself_shows_no_keys(api, shop: Shop):
    await api(headers={"X-Key": "k1"}).call(Request(method="GET", path="/", authenticate=False))
    assert "X-Key" not in shop.seen[0].headers


async def test_cookies_of_one_account_do_not_reach_another(api, shop: Shop):
    shop.answers = [answer(Set_Cookie="session=abc; Path=/")]
    for account in ("a1", "a2"):
        await api(account_id=account).call(GET)
    assert "Cookie" not in shop.seen[1].headers


async def test_nothing_is_called_inside_a_transaction(api, shop: Shop):
    with inside_transaction(), pytest.raises(InTransaction):
        await api().call(GET)
    assert shop.calls == 0
    await api().call(GET)


# ── what an answer means ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (401, Fault.AUTH),
        (403, Fault.AUTH),
        (404, Fault.MISSING),
        (410, Fault.MISSING),
        (408, Fault.TRANSIENT),
        (425, Fault.TRANSIENT),
        (429, Fault.THROTTLED),
        (400, Fault.REJECTED),
        (422, Fault.REJECTED),
        (500, Fault.TRANSIENT),
        (503, Fault.TRANSIENT),
        (302, Fault.SHAPE),
    ],
)
async def test_the_fault_of_a_status(api, shop: Shop, status: int, fault: Fault):
    shop.answers = [answer(status, {"message": "não deu"})]
    error = await failure(api().call(POST))
    assert (error.fault, error.code, error.detail, error.status) == (fault, str(status), "não deu", status)
    assert shop.calls == 1


def vendor_code(reply: Reply) -> str | None:
    told = json.loads(reply.body)
    return told.get("error_code") or None


async def test_a_vendors_code_comes_before_the_status(api, shop: Shop):
    faults = {"E_LIMIT": Fault.THROTTLED, 400: Fault.MISSING}
    made = api(faults=faults, read_error=vendor_code)
    shop.answers = [answer(200, {"error_code": "E_LIMIT", "msg": "devagar"})]
    error = await failure(made.call(POST))
    assert (error.fault, error.code, error.detail) == (Fault.THROTTLED, "E_LIMIT", "devagar")
    shop.answers = [answer(400, {"error_code": "E_OTHER"})]
    error = await failure(api(account_id="a2", faults=faults, read_error=vendor_code).call(POST))
    assert (error.fault, error.code) == (Fault.MISSING, "E_OTHER")


async def test_an_unmapped_code_inside_a_200_is_a_shape_fault(api, shop: Shop):
    shop.answers = [answer(200, {"error_code": "E_NEW"})]
    error = await failure(api(read_error=vendor_code).call(GET))
    assert (error.fault, error.code) == (Fault.SHAPE, "E_NEW")
    assert shop.calls == 1


async def test_a_proxys_page_has_no_code_and_its_title_is_no_secret(api, shop: Shop):
    page = b"<html><head><style>x{}</style><title>502 Bad Gateway</title></head><body></body></html>"
    shop.answers = [web.Response(status=502, body=page, content_type="text/html")]
    error = await failure(api(read_error=vendor_code).call(POST))
    assert (error.fault, error.code, error.detail) == (Fault.TRANSIENT, "502", "502 Bad Gateway")


@pytest.mark.parametrize(("wanted", "in_doubt"), [(PUT, True), (ASK, False)])
async def test_a_good_status_with_an_unreadable_body_is_a_shape_fault(api, shop: Shop, wanted: Request, in_doubt: bool):
    shop.answers = [web.Response(body=b"<html>maintenance</html>")]
    error = await failure(api(read_error=vendor_code).call(wanted))
    assert (error.fault, error.code, error.in_doubt, shop.calls) == (Fault.SHAPE, "unreadable", in_doubt, 1)


async def test_the_words_of_a_graphql_mutation_that_was_refused_are_told(api, shop: Shop):
    told = {
        "data": {"fulfillmentCreate": {"userErrors": [{"field": ["id"], "message": "Fulfillment order is closed"}]}}
    }
    shop.answers = [answer(200, told)]
    error = await failure(api(faults={"NO": Fault.REJECTED}, read_error=lambda _reply: "NO").call(POST))
    assert error.detail == "fulfillmentCreate: Fulfillment order is closed"


async def test_accepted_statuses_are_answers_unless_the_code_says_wait(api, shop: Shop):
    wanted = Request(method="POST", path="/", accept=frozenset({409, 422, 503}))
    faults = {"E_BUSY": Fault.TRANSIENT, "E_STALE": Fault.REJECTED}
    made = api(faults=faults, read_error=vendor_code)
    for told in ({}, {"error_code": "E_STALE"}, {"error_code": "E_NEW"}):
        shop.answers = [answer(409, told)]
        assert (await made.call(wanted)).status == 409
    shop.answers = [answer(409, {"error_code": "E_BUSY"})]
    assert (await failure(made.call(wanted))).fault is Fault.TRANSIENT


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"errors":{"sku":["is taken"]}}', "sku: is taken"),
        (b'{"message":"Not valid.","errors":{"to.city":["is empty"]}}', "Not valid. (to.city: is empty)"),
        (b'{"error":{"type":"X","message":"Sem saldo","description":"y"}}', "Sem saldo"),
        (b'{"message":"Erro","details":[{"code":3000,"message":"Sem saldo"}]}', "Erro (Sem saldo)"),
        (b'{"message":"Erro","details":[{"code":3000}]}', "Erro"),
        (b'{"erro":{"id":-1,"descricao":"contrato invalido"}}', "contrato invalido"),
        (b'{"ErrorMessage":"Object reference not set"}', "Object reference not set"),
        (b'{"msgs":["CEP invalido","Peso invalido"]}', "CEP invalido; Peso invalido"),
        (b'{"error":"invalid_grant","error_description":"Expired"}', "Expired"),
        (b'[{"Message":"first"}]', "first"),
        (b"<erro><msg>Objeto &amp; tal</msg></erro>", "Objeto & tal"),
        (b'{"message":"' + b"a " * 300 + b'"}', "a " * 99 + "a…"),
        (b"", "status 400"),
    ],
)
async def test_the_channels_own_sentence(api, shop: Shop, body: bytes, words: str):
    shop.answers = [web.Response(status=400, body=body)]
    error = await failure(api().call(POST))
    assert error.detail == words
    assert len(error.detail) <= 200


async def test_redirects_are_not_followed(api, shop: Shop):
    shop.answers = [answer(302, Location=shop.url + "/elsewhere"), answer()]
    error = await failure(api().call(GET))
    assert (error.fault, error.status) == (Fault.SHAPE, 302)
    assert shop.calls == 1


async def test_an_answer_of_more_than_20_mb_is_cut(shop: Shop, clock: Clock):
    client = Client(Throttle(None), allow_private="127.0.0.1")

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        sent = 0
        while sent < 200 * 2**20:
            await response.write(b"x" * 2**20)
            sent += 2**20
        return response

    shop.answers = [endless]
    made = client.account(channel="shop", account_id="a1", base_url=shop.url)
    error = await failure(made.call(PUT))
    assert (error.fault, error.code, error.in_doubt) == (Fault.SHAPE, "too_large", True)
    await client.close()


async def test_a_small_answer_that_unpacks_to_more_than_20_mb_is_cut_too(shop: Shop):
    client = Client(Throttle(None), allow_private="127.0.0.1")
    body = gzip.compress(b"0" * (21 * 2**20))
    shop.answers = [web.Response(body=body, headers={"Content-Encoding": "gzip"})]
    made = client.account(channel="shop", account_id="a1", base_url=shop.url)
    assert (await failure(made.call(GET))).code == "too_large"
    await client.close()


# ── what is sent again ──────────────────────────────────────────────────────────────────────────


async def test_a_repeatable_request_is_sent_three_times_with_growing_pauses(api, shop: Shop, clock: Clock):
    shop.answers = [answer(503)]
    assert (await failure(api().call(GET))).fault is Fault.TRANSIENT
    assert shop.calls == 3
    first, second = clock.slept
    assert 0.25 <= first <= 0.5 < second <= 1.5


async def test_it_stops_when_it_is_well(api, shop: Shop):
    shop.answers = [answer(500), answer(200, {"ok": 1})]
    assert (await api().call(PUT)).body == b'{"ok": 1}'
    assert shop.calls == 2


@pytest.mark.parametrize(
    ("method", "repeatable", "calls"),
    [("POST", None, 1), ("POST", True, 3), ("PUT", False, 1), ("PUT", None, 3)],
)
async def test_only_what_is_repeatable_is_repeated(api, shop: Shop, method: str, repeatable: bool, calls: int):
    shop.answers = [answer(500)]
    await failure(api().call(Request(method=method, path="/", repeatable=repeatable)))
    assert shop.calls == calls


async def test_a_refusal_is_not_repeated(api, shop: Shop):
    shop.answers = [answer(422)]
    await failure(api().call(GET))
    assert shop.calls == 1


async def test_a_short_retry_after_is_waited_out(api, shop: Shop, clock: Clock):
    shop.answers = [answer(429, Retry_After="4"), answer()]
    assert (await api().call(GET)).status == 200
    assert sum(clock.slept) >= 4
    assert shop.calls == 2


@pytest.mark.parametrize("told", ["6", "6.0", "date"])
async def test_a_longer_one_is_told_to_the_caller(api, shop: Shop, clock: Clock, told: str):
    at = clock.now() + timedelta(seconds=6)
    shop.answers = [answer(429, Retry_After=format_datetime(at, usegmt=True) if told == "date" else told)]
    error = await failure(api().call(GET))
    assert (error.fault, error.retry_at) == (Fault.THROTTLED, at)
    assert shop.calls == 1


async def test_a_code_may_say_until_when_there_is_no_more(api, shop: Shop, clock: Clock):
    """A quota of the day, told inside a 200: whoever goes on asking is restricted."""
    midnight = clock.now() + timedelta(hours=4)
    spent = api(
        read_error=lambda reply: "daily" if b"daily" in reply.body else None,
        faults={"daily": Fault.THROTTLED},
        until=lambda code, _now: midnight if code == "daily" else None,
    )
    shop.answers = [answer(200, {"error": "daily"}), answer()]
    for _ in range(2):
        with pytest.raises(ChannelError) as refusal:
            await spent.call(GET)
        assert (refusal.value.fault, refusal.value.retry_at) == (Fault.THROTTLED, midnight)
    assert shop.calls == 1, "the second did not leave"
    await clock.sleep(4 * 3600)
    assert (await spent.call(GET)).status == 200


@pytest.mark.parametrize("told", ["soon", "nan", "-5", "99999999", "inf"])
async def test_a_strange_retry_after_holds_nobody_for_long(api, shop: Shop, clock: Clock, told: str):
    shop.answers = [answer(429, Retry_After=told)]
    error = await failure(api().call(POST))
    assert error.retry_at is None or clock.now() <= error.retry_at <= clock.now() + timedelta(hours=1)


async def test_a_429_holds_the_account_in_every_process_and_no_other_account(valkey: Valkey, shop: Shop, clock: Clock):
    shop.answers = [answer(429, Retry_After="30")]
    clients = [
        Client(Throttle(valkey.url, now=clock.now), allow_private="127.0.0.1", clock=clock, sleep=clock.sleep)
        for _ in range(2)
    ]
    one, other = (each.account(channel="shop", account_id="a1", base_url=shop.url, now=clock.now) for each in clients)
    await failure(one.call(POST))
    shop.answers = [answer()]
    with pytest.raises(ChannelError) as refusal:
        await other.call(POST)
    assert refusal.value.fault is Fault.THROTTLED
    assert shop.calls == 1
    third = clients[1].account(channel="shop", account_id="a3", base_url=shop.url, now=clock.now)
    assert (await third.call(POST)).status == 200
    for client in clients:
        await client.close()


async def test_a_429_where_only_the_app_has_limits_holds_the_app(valkey: Valkey, shop: Shop, clock: Clock):
    client = Client(Throttle(valkey.url, now=clock.now), allow_private="127.0.0.1")
    app = (Limit(burst=1000, seconds=1, per="app"),)
    one, other = (
        client.account(channel="s", account_id=who, app_key="k", base_url=shop.url, now=clock.now, limits=app)
        for who in ("a1", "a2")
    )
    shop.answers = [answer(429, Retry_After="30")]
    await failure(one.call(POST))
    with pytest.raises(ChannelError) as refusal:
        await other.call(POST)
    assert refusal.value.code == "own_limit"
    assert shop.calls == 1
    await client.close()


async def test_a_call_that_took_long_does_not_wait_for_our_limit(api, shop: Shop, clock: Clock):
    async def slow(_request: web.Request) -> web.StreamResponse:
        clock.seconds += 16
        return answer(503)

    made = api(limits=(Limit(burst=1, seconds=20),))
    with pytest.raises(ChannelError):
        await made.call(GET)  # each process's own bucket starts with nothing in it
    clock.seconds += 100
    shop.answers = [slow]
    with pytest.raises(ChannelError) as refusal:
        await made.call(GET)
    assert (refusal.value.code, shop.calls) == ("own_limit", 1)


# ── writes in doubt ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("behaviour", "code"), [(hang, "timeout"), (hang_up, "disconnected")])
@pytest.mark.parametrize("wanted", [POST, PUT, Request(method="POST", path="/", repeatable=True)])
async def test_a_write_without_an_answer_is_in_doubt_and_not_repeated(
    api, shop: Shop, wanted: Request, behaviour, code: str
):
    shop.answers = [behaviour]
    error = await failure(api().call(wanted))
    assert (error.fault, error.code, error.in_doubt) == (Fault.TRANSIENT, code, True)
    assert shop.calls == 1


async def test_a_write_on_a_kept_connection_that_breaks_is_not_sent_again(api, shop: Shop):
    shop.answers = [answer(), hang_up]
    await api().call(PUT)
    error = await failure(api().call(PUT))
    assert (error.code, error.in_doubt) == ("disconnected", True)
    assert shop.calls == 2  # aiohttp alone would have made it three


@pytest.mark.parametrize(("behaviour", "code"), [(hang, "timeout"), (hang_up, "disconnected")])
@pytest.mark.parametrize("wanted", [GET, ASK])
async def test_a_read_without_an_answer_is_repeated_and_never_in_doubt(
    api, shop: Shop, behaviour, code: str, wanted: Request
):
    shop.answers = [behaviour]
    error = await failure(api().call(wanted))
    assert (error.code, error.in_doubt) == (code, False)
    assert shop.calls == 3


async def test_half_an_answer_is_a_lost_connection(api, shop: Shop):
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport
        request.transport.close()
        return response

    shop.answers = [half]
    error = await failure(api().call(POST))
    assert (error.code, error.in_doubt) == ("disconnected", True)


@pytest.mark.parametrize(
    ("status", "in_doubt", "calls"),
    [
        (500, True, 3),
        (502, True, 1),
        (504, True, 1),
        (503, False, 3),
        (408, False, 3),
        (429, False, 1),
        (400, False, 1),
    ],
)
async def test_which_answers_leave_a_write_in_doubt(api, shop: Shop, status: int, in_doubt: bool, calls: int):
    shop.answers = [answer(status)]
    error = await failure(api().call(PUT))
    assert (error.in_doubt, shop.calls) == (in_doubt, calls)


async def test_doubt_of_an_earlier_attempt_stays(api, shop: Shop):
    shop.answers = [answer(500), answer(503)]
    assert (await failure(api().call(PUT))).in_doubt


async def test_no_connection_leaves_nothing_in_doubt(api, unused_tcp_port: int):
    error = await failure(api(base_url=f"http://127.0.0.1:{unused_tcp_port}").call(PUT))
    assert (error.fault, error.code, error.in_doubt) == (Fault.TRANSIENT, "connect", False)


async def test_an_unknown_name_leaves_nothing_in_doubt(api):
    error = await failure(api(base_url="http://no-such-host.invalid").call(POST))
    assert (error.code, error.in_doubt) == ("connect", False)


async def test_a_server_that_does_not_speak_http(api):
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01 what?\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    error = await failure(api(base_url=f"http://127.0.0.1:{port}").call(POST))
    assert (error.code, error.in_doubt) == ("disconnected", True)
    server.close()


# ── what we count ───────────────────────────────────────────────────────────────────────────────


async def test_every_request_is_observed(shop: Shop, clock: Clock):
    seen: list[tuple[str, str | None, int | None, float]] = []
    client = Client(
        Throttle(None), allow_private="127.0.0.1", sleep=clock.sleep, observe=lambda *told: seen.append(told)
    )
    shop.answers = [answer(500), hang_up, answer()]
    made = client.account(channel="shop", account_id=uuid4(), base_url=shop.url)
    await made.call(Request(method="GET", path="/", operation="orders"))
    assert [each[:3] for each in seen] == [
        ("shop", "orders", 500),
        ("shop", "orders", None),
        ("shop", "orders", 200),
    ]
    assert all(each[3] >= 0 for each in seen)
    await client.close()

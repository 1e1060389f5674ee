"""Where the hub may call: nowhere private, by whatever name."""

import pytest

from hub.faults import ChannelError, Fault
from hub.gate import Gate, PrivateAddress
from hub.http import Client
from hub.model import Request
from hub.throttle import Throttle
from tests.http.conftest import Clock, Shop, answer

GET = Request(method="GET", path="/")


async def refusal_of(base_url: str, request: Request = GET, allow: str = "") -> ChannelError:
    client = Client(Throttle(None), allow_private=allow, deadline=2)
    try:
        with pytest.raises(ChannelError) as refusal:
            await client.account(channel="shop", account_id="a1", base_url=base_url).call(request)
        return refusal.value
    finally:
        await client.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "localhost",
        "[::127.0.0.1]",
    ],
)
async def test_a_loopback_address_is_refused_under_every_name(shop: Shop, host: str):
    port = shop.url.rpartition(":")[2]
    error = await refusal_of(f"http://{host}:{port}")
    assert (error.fault, error.code) == (Fault.AUTH, "private_address")
    assert shop.calls == 0


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "017700000001", "0", "LOCALHOST."])
async def test_odd_spellings_of_loopback_reach_nothing(shop: Shop, host: str):
    port = shop.url.rpartition(":")[2]
    error = await refusal_of(f"http://{host}:{port}")
    assert error.code in {"private_address", "bad_address", "connect"}
    assert shop.calls == 0


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "172.16.3.4", "192.168.0.10", "127.9.9.9", "0.0.0.1", "100.64.0.1", "169.254.169.254",
        "224.0.0.1", "239.1.2.3", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
        "2001:db8::1",
        "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "2002:7f00:1::", "::10.0.0.1",
        "2001:0:1:2:3:4:80ff:fffe",
    ],
)  # fmt: skip
def test_what_is_not_public(address: str):
    with pytest.raises(PrivateAddress):
        Gate().check("shop.example", address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "200.147.3.157", "2800:3f0:4001::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_what_is_public(address: str):
    Gate().check("shop.example", address)


@pytest.mark.parametrize(
    ("allowed", "host", "address"),
    [
        ("*", "x", "10.0.0.1"),
        ("shop.local", "Shop.Local", "10.0.0.1"),
        ("a, 10.0.0.0/8", "x", "10.0.0.1"),
        ("10.0.0.1", "x", "::ffff:10.0.0.1"),
        ("[::1]", "x", "::1"),
    ],
)
def test_what_the_owner_allows(allowed: str, host: str, address: str):
    Gate(allowed).check(host, address)


def test_one_allowed_host_allows_no_other():
    with pytest.raises(PrivateAddress):
        Gate("shop.local, 10.0.0.0/8").check("evil.example", "192.168.0.1")


@pytest.mark.parametrize("allow", ["localhost", "127.0.0.0/8,::1", "*"])
async def test_an_allowed_name_is_called(shop: Shop, allow: str):
    client = Client(Throttle(None), allow_private=allow)
    port = shop.url.rpartition(":")[2]
    made = client.account(channel="shop", account_id="a1", base_url=f"http://localhost:{port}")
    assert (await made.call(GET)).status == 200
    await client.close()


async def test_a_redirect_into_the_private_network_is_not_followed(shop: Shop, clock: Clock):
    client = Client(Throttle(None), allow_private="localhost")  # the first hop only
    port = shop.url.rpartition(":")[2]
    shop.answers = [answer(307, Location=f"http://127.0.0.1:{port}/secret"), answer()]
    made = client.account(channel="shop", account_id="a1", base_url=f"http://localhost:{port}")
    with pytest.raises(ChannelError) as refusal:
        await made.call(GET)
    assert (refusal.value.fault, refusal.value.status, shop.calls) == (Fault.SHAPE, 307, 1)
    await client.close()


@pytest.mark.parametrize(
    "base",
    [
        "ftp://shop.example",
        "file:///etc",
        "shop.example",
        "",
        "http://",
        "http://a:b@shop.example",
    ],
)
async def test_only_http_and_https(base: str):
    error = await refusal_of(base)
    assert (error.fault, error.code) == (Fault.AUTH, "bad_address")


async def test_another_host_over_http_is_refused(shop: Shop):
    error = await refusal_of(shop.url, Request(method="GET", path="http://other.example/x"), allow="*")
    assert (error.fault, error.code) == (Fault.REJECTED, "foreign_address")


async def test_an_absolute_address_of_our_own_host_is_called_with_our_keys(api, shop: Shop):
    made = api(headers={"X-Key": "k1"})
    await made.call(Request(method="GET", path=f"{shop.url}/next?page=2"))
    assert (shop.seen[0].path_qs, shop.seen[0].headers["X-Key"]) == ("/next?page=2", "k1")


async def test_another_host_is_not_shown_our_keys(client: Client, shop: Shop):
    made = client.account(channel="shop", account_id="a1", base_url="https://shop.example", headers={"X-Key": "k1"})
    shown: list[dict[str, str]] = []

    async def exchange(method, url, headers, content, **more):
        shown.append(dict(headers))
        raise TimeoutError

    client.exchange = exchange  # type: ignore[method-assign] # an https server of another name is more than this needs
    for path in ("https://evil.example/next", "https://shop.example:444/next", "/next"):
        with pytest.raises(TimeoutError):
            await made.call(Request(method="POST", path=path))
    assert ["x-key" in each for each in shown] == [False, False, True]

"""No secret leaves: not in an error, a log line, a traceback or a repr."""

import base64
import logging
import time
import traceback

import pytest
from pydantic import BaseModel, SecretStr

from hub.faults import ChannelError
from hub.model import Request
from hub.redaction import redact, redact_event
from tests.http.conftest import Shop, answer, hang_up

SECRETS = {
    "consumer_secret": "cs_0123456789abcdef0123456789abcdef01234567",
    "access": "APP_USR-1234567890-112233-aabbccddeeff-998877",
    "password": "Curta-3-senha!",
    "code": "código de acesso çé",
    "basic": base64.b64encode(b"ck_user:pa55word-of-basic").decode(),
}


class Keys(BaseModel):
    shop: str
    password: SecretStr
    code: SecretStr


def nothing_of_it(text: str) -> None:
    for name, secret in SECRETS.items():
        assert secret not in text, name


async def test_a_channel_that_repeats_our_secrets_is_not_quoted(api, shop: Shop, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    words = "refused: " + " / ".join(SECRETS.values())
    made = api(
        headers={"Authorization": f"Basic {SECRETS['basic']}", "X-Shop-Token": SECRETS["access"]},
        credentials=Keys(shop="s", password=SecretStr(SECRETS["password"]), code=SecretStr(SECRETS["code"])),
    )
    wanted = Request(
        method="GET",
        path="/orders",
        params=(("consumer_secret", SECRETS["consumer_secret"]), ("page", "2")),
    )
    for behaviour in (answer(400, {"message": words}), answer(302, Location=f"/?{words}"), hang_up):
        shop.answers = [behaviour]
        with pytest.raises(ChannelError) as refusal:
            await made.call(wanted)
        nothing_of_it("".join(traceback.format_exception(refusal.value)))
        nothing_of_it(repr(refusal.value) + str(refusal.value) + refusal.value.detail + repr(vars(refusal.value)))
    nothing_of_it(repr(made) + str(made))
    ours = [line.getMessage() for line in caplog.records if line.name != "aiohttp.access"]  # that is the shop's
    nothing_of_it("\n".join(ours))
    assert shop.seen[0].query["consumer_secret"] == SECRETS["consumer_secret"]  # it was sent all the same


@pytest.mark.parametrize("key", ["linha\nquebrada-1234", "acentuação-1234"])
async def test_a_key_that_no_header_may_hold_is_not_in_the_error(api, shop: Shop, key: str):
    with pytest.raises(ChannelError) as refusal:
        await api(headers={"X-Key": key}).call(Request(method="GET", path="/"))
    assert refusal.value.code == "bad_credentials"
    assert key not in "".join(traceback.format_exception(refusal.value))
    assert shop.calls == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdef123456", "Authorization: ***"),
        ('{"access_token":"abc", "scope":"x"}', '{"access_token":***, "scope":"x"}'),
        ("{'client_secret': 'abc', 'a': 1}", "{'client_secret': ***, 'a': 1}"),
        ('{\\"refresh_token\\": \\"abc\\"}', '{\\"refresh_token\\": ***}'),
        ("GET /x?consumer_key=ck_1&page=2", "GET /x?consumer_key=***&page=2"),
        ("GET /cb?code=0123456789abc&state=9", "GET /cb?code=***&state=9"),
        ("got Bearer 0123456789abcdef", "got Bearer ***"),
        ("X-VTEX-API-AppToken: QWERTY", "X-VTEX-API-AppToken: ***"),
        ("key shpat_0123456789abcdef", "key ***"),
        ("TG-5b9032b4e4b0714aed1f959f-1234", "***"),
        ("eyJhbGciOi.eyJzdWIiOiI.abc-_", "***"),
        ("postgresql://user:pa:ss@host/db", "postgresql://***@host/db"),
        ("Basic plan of shop 12: order 55 not found", "Basic plan of shop 12: order 55 not found"),
        ("Pedido 123 não encontrado", "Pedido 123 não encontrado"),
    ],
)
def test_what_looks_like_a_secret_is_masked_and_the_rest_stands(text: str, shown: str):
    assert redact(text) == shown


def test_given_secrets_are_masked_as_they_stand_and_in_an_address():
    assert redact("a=s/e cret b=s%2Fe%20cret", ["s/e cret"]) == "a=*** b=***"


@pytest.mark.parametrize("part", ["a", "token", "token=", 'token="', "token ", "basic ", "://a", "eyJ.", "ck_", "x-"])
def test_hostile_text_takes_no_longer_than_any_other(part: str):
    began = time.perf_counter()
    redact(part * (100_000 // len(part)))
    assert time.perf_counter() - began < 2  # a thirtieth of this here; a careless pattern takes a minute


def test_an_event_is_redacted_at_every_depth():
    event = {
        "event": "call to https://u:p4ss@shop",
        "access_token": "abc",
        "headers": {"Authorization": "Bearer x", "Accept": "json"},
        "tried": [{"client_secret": "s"}, "cs_0123456789abcdef"],
        "count": 3,
        "tokens_left": 4,
        "who": None,
        "exception": "Traceback ... password='hunter2'",
    }
    assert redact_event(None, "info", event) == {
        "event": "call to https://***@shop",
        "access_token": "***",
        "headers": {"Authorization": "***", "Accept": "json"},
        "tried": [{"client_secret": "***"}, "***"],
        "count": 3,
        "tokens_left": 4,
        "who": None,
        "exception": "Traceback ... password=***",
    }

"""Who is told of what, when, and what chats are sent: nothing that a channel wrote is markup or calls anybody."""

import json
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest

from hub import chats, notice_words
from hub.deadlines import zone_of
from hub.faults import ChannelError, Fault
from hub.model import Reply
from hub.notice_words import Line, Message
from hub.notices import APART, APART_URGENT, HANDED, LISTED, News, Plan, Way, digest_due, due, plan, wants

ANA, BIA = UUID(int=1), UUID(int=2)
NOON = datetime.fromisoformat("2026-03-11T15:00:00+00:00")
ZONE = zone_of(None)
WAY = Way(id=UUID(int=9), user_id=ANA, role="operator")
NEWS = News(kind="shortage", severity="urgent", occasion="opened", owner_id=None, owner_role="operator", by=None)


def test_mine_is_by_name_or_by_role_while_it_is_nobodys_by_name():
    assert wants(WAY, NEWS, away=False)
    assert not wants(WAY, replace(NEWS, owner_role="manager"), away=False)
    assert not wants(WAY, replace(NEWS, owner_id=BIA), away=False)
    assert wants(WAY, replace(NEWS, owner_id=ANA, owner_role="manager"), away=False)
    assert wants(replace(WAY, scope="all"), replace(NEWS, owner_id=BIA), away=False)


def test_severity_and_kinds_narrow_it_and_what_is_handed_comes_whatever_it_is():
    mild = replace(NEWS, severity="warning")
    assert not wants(WAY, mild, away=False)
    assert wants(replace(WAY, least="warning"), mild, away=False)
    assert not wants(replace(WAY, kinds=("low_stock",)), NEWS, away=False)
    for occasion in HANDED:
        handed = replace(mild, occasion=occasion, owner_id=ANA)
        assert wants(replace(WAY, kinds=()), handed, away=False)
        assert not wants(replace(WAY, handed=False), handed, away=False)
        assert not wants(replace(WAY, scope="all"), replace(handed, owner_id=BIA), away=False)
        assert not wants(WAY, replace(handed, by=ANA), away=False), "one's own deed is no news"


def test_who_is_away_and_who_packs_parcels_are_told_nothing():
    assert not wants(replace(WAY, scope="all"), NEWS, away=True)
    assert not wants(replace(WAY, role="warehouse", scope="all"), NEWS, away=False)


def test_urgent_ones_leave_sooner_and_in_quiet_hours_alone():
    assert due("urgent", NOON) < due("warning", NOON) == due("info", NOON)
    night = NOON + timedelta(hours=9)
    assert plan(["urgent", "warning", "info"], None, None, NOON) == Plan((0, 1, 2), None)
    assert plan(["urgent", "warning"], None, night, NOON) == Plan((0,), night)
    assert plan(["warning"], None, night, NOON) == Plan((), night)
    assert plan(["warning"], NOON, None, NOON + APART_URGENT) == Plan((), NOON + APART)
    assert plan(["urgent", "warning"], NOON, None, NOON + APART_URGENT) == Plan((0, 1), None)
    assert plan(["urgent"], NOON, None, NOON) == Plan((), NOON + APART_URGENT)
    assert plan([], NOON, None, NOON) == Plan((), None)


def test_the_morning_comes_once_a_day_and_not_in_the_afternoon():
    at = time(7, 30)
    morning = datetime.combine(date(2026, 3, 11), at, ZONE)
    assert digest_due(None, None, ZONE, NOON) == (False, None)
    assert digest_due(at, None, ZONE, morning - timedelta(minutes=1)) == (False, morning)
    assert digest_due(at, date(2026, 3, 10), ZONE, morning) == (True, morning)
    assert digest_due(at, date(2026, 3, 11), ZONE, morning) == (False, morning + timedelta(days=1))
    assert digest_due(at, None, ZONE, morning + timedelta(hours=5)) == (False, morning + timedelta(days=1))


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────

ROW = {
    "id": UUID(int=5), "kind": "shortage", "title": None, "severity": "urgent", "due_at": NOON + timedelta(hours=1),
    "params": {"order": "1001", "units": ["CANECA 2"], "detail": "x" * 500}, "occasion": "opened",
}  # fmt: skip


def test_one_alert_and_many_in_both_languages():
    one = notice_words.of_alerts([ROW], "Loja", "pt_BR", ZONE, NOON, "https://b.example")
    assert one.headline == "Loja · Urgente: Vendido e em falta"
    (told,) = one.lines
    assert told.text.startswith("Urgente: Vendido e em falta (pedido 1001, CANECA 2, xxx")
    assert told.text.endswith("…) · prazo 11/03 13:00")
    assert told.url == f"https://b.example/alertas/{UUID(int=5)}"
    many = notice_words.of_alerts([ROW] * 50, "Loja", "en", ZONE, NOON, None)
    assert (many.headline, len(many.lines)) == ("Loja: 50 alerts, 50 urgent", LISTED)
    assert many.more == Line(text="and 30 more")
    own = notice_words.of_alerts([{**ROW, "title": "Falta!\nJá", "occasion": "escalated"}], "L", "en", ZONE, NOON, None)
    assert own.lines[0].text.startswith("Past due, and yours now · Urgent: Falta! Já (order 1001")


NASTY = "<!channel> @everyone <users/all> [grátis](https://mau.example) *negrito* & `x`"
MESSAGE = Message(headline=NASTY, lines=(Line(text=NASTY, url="https://b.example/alertas/1"), Line(text=NASTY)))


def test_what_a_channel_wrote_is_no_markup_and_calls_nobody():
    slack = chats.BODIES["slack"](MESSAGE)["text"]
    assert "<!" not in slack
    assert "&lt;!channel&gt;" in slack
    assert slack.count("<https://b.example/alertas/1|") == slack.count("<") == 1
    discord = chats.BODIES["discord"](MESSAGE)
    assert discord["allowed_mentions"] == {"parse": []}
    assert r"\[grátis\]\(https" in discord["content"]
    assert "<users" not in chats.BODIES["google_chat"](MESSAGE)["text"]
    card = chats.BODIES["teams"](MESSAGE)["attachments"][0]["content"]
    assert {each["type"] for block in card["body"] for each in block["inlines"]} == {"TextRun"}, "Markdown is not read"
    assert "parse_mode" not in chats.BODIES["telegram"](MESSAGE)


@pytest.mark.parametrize("format_", ["slack", "discord", "google_chat", "telegram"])
def test_no_message_is_longer_than_its_chat_takes_and_the_last_line_leads_on(format_: str):
    long = Message(
        headline="h" * 9000, lines=(Line(text="a" * 400, url="https://b.example/1"),) * 100, more=Line(text="e mais 80")
    )
    body = chats.BODIES[format_](long)
    text = body.get("text") or body["content"]
    assert len(text) <= chats.LONGEST[format_]
    assert text.endswith("e mais 80")
    assert "…" in text


@pytest.mark.parametrize(
    ("format_", "told", "problem"),
    [
        ("slack", {"url": "https://hooks.slack.com/services/T/B/x"}, None),
        ("slack", {"url": "https://chat.loja.com.br/hooks/abc"}, None),
        ("slack", {"url": "http://10.0.0.7:8065/hooks/abc"}, None),
        ("slack", {"url": "http://chat.loja.com.br/hooks/abc"}, "https"),
        ("slack", {"url": "https://discord.com/api/webhooks/1/x"}, "other:discord"),
        ("discord", {"url": "https://user@discord.com/x"}, "address"),
        ("teams", {"url": "ftp://x.example/y"}, "address"),
        ("teams", {"url": "https://[::1/y"}, "address"),
        ("teams", {"url": "https://a.b/ c"}, "address"),
        ("teams", {"url": ""}, "address"),
        ("telegram", {"token": f"123456:{'A' * 35}", "chat": "-100123"}, None),
        ("telegram", {"token": f"123456:{'A' * 35}/../x", "chat": "1"}, "token"),
        ("telegram", {"token": f"123456:{'A' * 35}", "chat": "loja"}, "chat"),
    ],
)
def test_an_address_that_cannot_be_one_is_named(format_: str, told: dict[str, str], problem: str | None):
    assert chats.problem_with(format_, told) == problem


def test_calls_keep_a_signed_address_whole_and_their_secrets_are_known():
    told = {"url": "https://x.logic.azure.com:443/workflows/abcdefgh/run?api-version=1&sig=qwerty%2Fuiop"}
    request = chats.request_of("teams", told, MESSAGE)
    assert (chats.base_of("teams", told), request.path) == (
        "https://x.logic.azure.com:443", "/workflows/abcdefgh/run?api-version=1&sig=qwerty%2Fuiop",
    )  # fmt: skip
    assert not request.is_repeatable()
    assert {"abcdefgh", "api-version=1&sig=qwerty%2Fuiop"} <= chats.secrets(told)
    bot = {"token": "123456:ABCDEFGHIJKLMNOPQRSTUVWX", "chat": "7"}
    sent = chats.request_of("telegram", bot, MESSAGE)
    assert sent.path == f"/bot{bot['token']}/sendMessage"
    assert json.loads(json.dumps(sent.json))["chat_id"] == "7"
    assert chats.secrets(bot) == {bot["token"]}


def test_failures_become_reasons():
    html = Reply(status=200, headers={"content-type": "text/html; charset=utf-8"}, body=b"<html>")
    assert chats.read_error(html) == "no_webhook"
    assert chats.read_error(Reply(status=200, headers={"content-type": "text/plain"}, body=b"ok")) is None
    for fault, code, reason in (
        (Fault.MISSING, "404", "gone"), (Fault.AUTH, "403", "refused_key"),
        (Fault.AUTH, "private_address", "private_address"),
        (Fault.THROTTLED, "429", "throttled"), (Fault.REJECTED, "400", "refused"), (Fault.TRANSIENT, "500", "server"),
        (Fault.TRANSIENT, "timeout", "timeout"), (Fault.SHAPE, "no_webhook", "no_webhook"),
    ):  # fmt: skip
        assert chats.reason_of(ChannelError(fault, code, "x")) == reason

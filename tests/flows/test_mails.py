"""Buyers' e-mail by a real SMTP server: once for each order and event, whatever crashes, repeats or turns it away."""

import asyncio
import email
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any
from unittest.mock import patch

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Protocol  # noqa: N811 - it is a class
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from hub.buyer_mail import Template
from hub.deadlines import zone_of
from hub.model import TrackingStatus
from hub.smtp import server_of
from hub.store import mails as store
from jobs import deadlines, mails
from jobs.connect import Refused
from tests.flows.test_deadlines import CANECA, parcel, told
from tests.world import Channel, Log, World, world

S = TrackingStatus
NOON = datetime.fromisoformat("2026-03-11T15:00:00+00:00")


@dataclass
class Post:
    """What a mail server got, and how it behaves."""

    got: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    rcpt: str | None = None
    answer: str | None = None
    hang_up: bool = False
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Protocol, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt:
            return self.rcpt.format(address=address)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Protocol, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        if self.answer:
            return self.answer
        assert isinstance(envelope.content, bytes)
        made = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(made, EmailMessage)
        self.got.append(made)
        self.to += envelope.rcpt_tos
        if self.hang_up and server.transport is not None:
            server.transport.close()
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [str(each["Subject"]) for each in self.got]


@pytest.fixture
def post() -> Iterator[Post]:
    made = Post(port=free_port())
    controller = Controller(made, hostname="127.0.0.1", port=made.port)
    controller.start()
    yield made
    controller.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


async def shop(
    w: World, post: Post, *, on: bool = True, address: str | None = "ana@exemplo.com.br"
) -> tuple[Channel, str]:
    """A paid order of a store whose buyers get e-mail, at any hour."""
    use(w, f"smtp://127.0.0.1:{post.port}")
    channel = await w.connect("woocommerce", [CANECA], seed=1)
    await w.open_stock(CANECA=10)
    await deadlines.set_shipping(w.rt, w.seller_id, quiet="00:00-00:00")
    if on:
        await mails.set_mail(w.rt, channel.account, on=True)
    return channel, await sell(w, channel, address)


async def sell(w: World, channel: Channel, address: str | None) -> str:
    ref = await channel.buy("CANECA")
    await w.settle()
    async with w.rt.db.seller(w.seller_id) as tx:
        await tx.run(
            "UPDATE orders SET told = jsonb_set(told, '{buyer}', coalesce(told->'buyer', '{}')"
            " || jsonb_build_object('email', %s::text, 'name', 'Ana Lima')) WHERE ref = %s", [address, ref],
        )  # fmt: skip
    return ref


def use(w: World, url: str) -> None:
    w.rt.policy = replace(w.rt.policy, smtp=server_of(url, "Balcão <avisos@balcao.example>"))


async def states(w: World) -> list[tuple[str, str, str | None]]:
    rows = await w.rows("SELECT event, state, reason FROM buyer_mail ORDER BY id")
    return [(row["event"], row["state"], row["reason"]) for row in rows]


async def send(w: World) -> None:
    while await mails.deliver(w.rt):
        pass


async def test_each_event_is_told_once_however_often_it_is_heard(post: Post) -> None:
    async with world() as w:
        _store, ref = await shop(w, post)
        await parcel(w, ref, S.LABEL_CREATED, timedelta())
        await send(w)
        assert post.got == []
        for status in (S.ACCEPTED, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.OUT_FOR_DELIVERY, S.DELIVERED, S.DELIVERED):
            await told(w, status, timedelta())
            await send(w)
        async with w.rt.db.seller(w.seller_id) as tx:  # everything is looked at once more
            await tx.run("UPDATE shipment SET look_at = now()")
        while await deadlines.turn(w.rt):
            pass
        await send(w)
        number = (await w.order(ref))["number"]
        assert post.subjects == [
            f"Seu pedido {number} foi enviado", f"Seu pedido {number} saiu para entrega",
            f"Seu pedido {number} foi entregue",
        ]  # fmt: skip
        assert post.to == ["ana@exemplo.com.br"] * 3
        first = post.got[0]
        assert first["From"] == "Loja de Teste <avisos@balcao.example>"
        text = first.get_body(("plain",))
        assert text is not None
        body = text.get_content()
        assert "Olá, Ana!" in body
        assert "AA123456785BR" in body
        assert f"{w.rt.policy.public_url}/r/" in body
        assert "{" not in body
        assert len({each["Message-ID"] for each in post.got}) == 3
        events = await w.rows(
            "SELECT params->>'event' AS event FROM order_event WHERE kind = 'buyer_mailed' ORDER BY at"
        )
        assert [row["event"] for row in events] == ["dispatched", "out_for_delivery", "delivered"]


async def test_two_who_send_at_once_send_it_once(post: Post) -> None:
    async with world() as w:
        _store, ref = await shop(w, post)
        await parcel(w, ref, S.ACCEPTED, timedelta())
        other, _pulse = await w.process()
        other.policy = w.rt.policy
        await asyncio.gather(*(mails.deliver(rt) for rt in (w.rt, other, w.rt, other)))
        await send(w)
        assert len(post.got) == 1


async def test_what_was_not_turned_on_is_not_sent_nor_what_happened_before(post: Post) -> None:
    async with world() as w:
        channel, ref = await shop(w, post, on=False)
        await parcel(w, ref, S.ACCEPTED, timedelta(hours=1))
        await send(w)
        assert await states(w) == []
        await mails.set_mail(w.rt, channel.account, on=True)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE shipment SET look_at = now()")
        while await deadlines.turn(w.rt):
            pass
        assert await states(w) == []
        await told(w, S.OUT_FOR_DELIVERY, timedelta())
        await mails.set_mail(w.rt, channel.account, on=False)  # wanted, and taken back before it left
        await send(w)
        assert await states(w) == [("out_for_delivery", "skipped", "turned_off")]
        assert post.got == []


async def test_old_news_is_no_news(post: Post) -> None:
    async with world() as w:
        _store, ref = await shop(w, post)
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run(
                "UPDATE account SET settings = jsonb_set(settings, '{mail,since}', '\"2020-01-01T00:00:00+00:00\"')"
            )
        await parcel(w, ref, S.DELIVERED, timedelta(days=3))
        assert await states(w) == []


@pytest.mark.parametrize(
    ("address", "why"),
    [(None, "no_address"), ("a***@exemplo.com", "masked"), ("x1@marketplace.amazon.com.br", "relay")],
)
async def test_an_address_that_cannot_be_used_is_skipped_with_the_reason(
    post: Post, address: str | None, why: str
) -> None:
    async with world() as w:
        _store, ref = await shop(w, post, address=address)
        await parcel(w, ref, S.ACCEPTED, timedelta())
        await send(w)
        assert await states(w) == [("dispatched", "skipped", why)]
        assert post.got == []


async def test_a_relay_that_the_seller_allows_is_used(post: Post) -> None:
    async with world() as w:
        channel, ref = await shop(w, post, address="x1@marketplace.amazon.com.br")
        await mails.set_mail(w.rt, channel.account, relays=True, locale="en")
        await parcel(w, ref, S.ACCEPTED, timedelta())
        await send(w)
        assert post.to == ["x1@marketplace.amazon.com.br"]
        assert post.subjects[0].startswith("Your order")


async def test_quiet_hours_put_it_off_and_what_is_overtaken_meanwhile_is_not_sent(post: Post) -> None:
    async with world() as w:
        _store, ref = await shop(w, post)
        start = w.rt.now()
        local = start.astimezone(zone_of(None))
        end = (local + timedelta(hours=2)).strftime("%H:%M")
        await deadlines.set_shipping(w.rt, w.seller_id, quiet=f"{(local - timedelta(hours=1)).strftime('%H:%M')}-{end}")
        await parcel(w, ref, S.ACCEPTED, timedelta())
        await told(w, S.OUT_FOR_DELIVERY, timedelta())
        await send(w)
        assert post.got == []
        assert await states(w) == [("dispatched", "skipped", "overtaken"), ("out_for_delivery", "due", None)]
        w.rt.now = lambda: start + timedelta(hours=2, minutes=1)
        await send(w)
        assert [subject.split()[-1] for subject in post.subjects] == ["entrega"]


async def test_a_crash_before_the_message_leaves_sends_it_later(post: Post) -> None:
    async with world() as w:
        _store, ref = await shop(w, post)
        await parcel(w, ref, S.ACCEPTED, timedelta())
        start = w.rt.now()
        with (
            patch.object(mails, "_send_all", side_effect=asyncio.CancelledError),
            pytest.raises(asyncio.CancelledError),
        ):
            await mails.deliver(w.rt)
        await send(w)
        assert post.got == []  # another may have it, until the lease is over
        w.rt.now = lambda: start + timedelta(minutes=3)
        await send(w)
        assert len(post.got) == 1


async def test_a_crash_between_sending_and_noting_leaves_it_in_doubt_and_does_not_send_it_again(post: Post) -> None:
    async with world() as w:
        _store, ref = await shop(w, post)
        await parcel(w, ref, S.ACCEPTED, timedelta())
        start = w.rt.now()
        with patch.object(store, "settle", side_effect=asyncio.CancelledError), pytest.raises(asyncio.CancelledError):
            await mails.deliver(w.rt)
        assert len(post.got) == 1
        assert await states(w) == [("dispatched", "sending", None)]
        w.rt.now = lambda: start + timedelta(minutes=3)
        await send(w)
        assert len(post.got) == 1
        assert await states(w) == [("dispatched", "doubt", "stopped")]
        assert "mail_doubt" in await w.alerts()
        (row,) = await w.rows("SELECT id FROM buyer_mail")
        assert await mails.decide_doubt(w.rt, w.seller_id, row["id"], send=True)  # only a person has it sent again
        assert "mail_doubt" not in await w.alerts()
        await send(w)
        assert len(post.got) == 2
        assert await states(w) == [("dispatched", "sent", None)]


async def test_a_connection_that_ends_after_the_message_leaves_it_in_doubt(post: Post) -> None:
    async with world() as w:
        _store, ref = await shop(w, post)
        await parcel(w, ref, S.ACCEPTED, timedelta())
        post.hang_up = True
        await send(w)
        assert await states(w) == [("dispatched", "doubt", "connection_lost")]
        post.hang_up = False
        start = w.rt.now()
        w.rt.now = lambda: start + timedelta(days=1)
        await send(w)
        assert len(post.got) == 1
        (row,) = await w.rows("SELECT id FROM buyer_mail")
        assert await mails.decide_doubt(w.rt, w.seller_id, row["id"], send=False)
        assert await states(w) == [("dispatched", "skipped", "left")]
        assert "mail_doubt" not in await w.alerts()
        assert not await mails.decide_doubt(w.rt, w.seller_id, row["id"], send=True)


async def test_what_a_server_refuses_for_now_is_tried_again_and_for_good_is_not(post: Post, log: Log) -> None:
    async with world() as w:
        _store, ref = await shop(w, post)
        await parcel(w, ref, S.ACCEPTED, timedelta())
        start = w.rt.now()
        post.rcpt = "451 4.7.1 <{address}> later please"
        await send(w)
        assert await states(w) == [("dispatched", "due", "refused 451 4.7.1")]
        post.rcpt, post.answer = None, "452 4.2.2 full"
        w.rt.now = lambda: start + timedelta(minutes=2)
        await send(w)
        assert await states(w) == [("dispatched", "due", "refused 452 4.2.2")]
        post.answer, post.rcpt = None, "550 5.1.1 <{address}> unknown"
        w.rt.now = lambda: start + timedelta(minutes=30)
        await send(w)
        assert await states(w) == [("dispatched", "failed", "refused 550 5.1.1")]
        assert post.got == []
        assert "ana@" not in str(log.events)
        assert not [row for row in await w.rows("SELECT to_jsonb(m)::text AS m FROM buyer_mail m") if "@" in row["m"]]


async def test_a_server_that_is_away_is_told_once_and_what_waits_leaves_when_it_is_back(post: Post) -> None:
    async with world() as w:
        _store, ref = await shop(w, post)
        await parcel(w, ref, S.ACCEPTED, timedelta())
        start = w.rt.now()
        use(w, "smtp://u:s3nha-secreta@127.0.0.1:1")
        await send(w)
        assert await states(w) == [("dispatched", "due", "server")]
        (alert,) = await w.rows("SELECT params FROM alert WHERE kind = 'mail_down' AND resolved_at IS NULL")
        assert "127.0.0.1:1 does not answer as an e-mail server" in alert["params"]["detail"]
        assert "s3nha" not in str(alert)
        use(w, f"smtp://127.0.0.1:{post.port}")
        w.rt.now = lambda: start + timedelta(minutes=5)
        await send(w)
        assert len(post.got) == 1
        assert "mail_down" not in await w.alerts()


async def test_a_sellers_own_words_are_sent(post: Post) -> None:
    async with world() as w:
        _store, ref = await shop(w, post)
        with pytest.raises(Refused, match=r"body: \{cpf\} is not known"):
            await mails.set_template(w.rt, w.seller_id, "dispatched", "pt_BR", Template("Oi", "{cpf}"))
        own = Template("Foi! {order}", "Oi\nCPF\n{carrier} {code}\n{deliver_by}")
        await mails.set_template(w.rt, w.seller_id, "dispatched", "pt_BR", own)
        await parcel(w, ref, S.ACCEPTED, timedelta())
        await send(w)
        assert post.subjects == [f"Foi! {(await w.order(ref))['number']}"]
        text = post.got[0].get_body(("plain",))
        assert text is not None
        assert text.get_content().splitlines()[:3] == ["Oi", "CPF", "Correios AA123456785BR"]


async def test_nothing_can_be_turned_on_without_a_server() -> None:
    async with world() as w:
        channel = await w.connect("woocommerce", [CANECA], seed=1)
        with pytest.raises(Refused, match="set BALCAO_SMTP_URL and BALCAO_MAIL_FROM"):
            await mails.set_mail(w.rt, channel.account, on=True)


async def test_signing_in(post: Post) -> None:
    def who(server: Protocol, session: Session, envelope: Envelope, how: str, auth: Any) -> AuthResult:
        good = isinstance(auth, LoginPassword) and (auth.login, auth.password) == (b"loja", b"p@ss word")
        return AuthResult(success=good, handled=False)

    port = free_port()
    controller = Controller(post, hostname="127.0.0.1", port=port, auth_require_tls=False, authenticator=who)
    controller.start()
    try:
        good = server_of(f"smtp://loja:p%40ss%20word@127.0.0.1:{port}", "a@b.example")
        assert await mails.check(good) is None
        assert "p@ss" not in repr(good)
        bad = server_of(f"smtp://loja:errada@127.0.0.1:{port}", "a@b.example")
        assert await mails.check(bad) == f"127.0.0.1:{port} refuses the login of BALCAO_SMTP_URL (535 5.7.8)"
        plain = server_of(f"smtp://loja:x@127.0.0.1:{post.port}", "a@b.example")
        assert "takes no login" in (await mails.check(plain) or "")
        wrong = server_of(f"smtps://127.0.0.1:{post.port}", "a@b.example")
        assert await mails.check(wrong) is not None
    finally:
        controller.stop()


def test_a_password_is_not_sent_in_the_clear(post: Post) -> None:
    async def ask() -> str | None:
        with patch("hub.smtp.Server.near", new=False):
            return await mails.check(server_of(f"smtp://u:p@127.0.0.1:{post.port}", "a@b.example"))

    assert "offers no encryption and would read the password" in (asyncio.run(ask()) or "")

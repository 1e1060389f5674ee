"""Which event is worth an e-mail, to which addresses, when, and in which words."""

from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from hub import parcel_link
from hub.buyer_mail import (
    EVENTS,
    FIELDS,
    LOCALES,
    SAMPLE,
    TEMPLATES,
    Template,
    event_of,
    greeting,
    not_before,
    problem_with,
    quiet_of,
    render,
    unusable,
)
from hub.model import TrackingStatus
from hub.secrets import Vault, new_key

S = TrackingStatus
SP = ZoneInfo("America/Sao_Paulo")


@pytest.mark.parametrize(
    ("status", "orders", "event"),
    [
        (S.ACCEPTED, ["paid"], "dispatched"),
        (S.IN_TRANSIT, ["dispatched"], "dispatched"),
        (S.OUT_FOR_DELIVERY, ["dispatched"], "out_for_delivery"),
        (S.AWAITING_PICKUP, ["dispatched"], "awaiting_pickup"),
        (S.DELIVERED, ["dispatched"], "delivered"),
        (S.LABEL_CREATED, ["paid"], None),
        (None, ["paid"], None),
        (None, ["dispatched"], "dispatched"),
        (S.LABEL_CREATED, ["dispatched"], "dispatched"),
        (None, ["delivered"], "delivered"),
        (None, ["delivered", "dispatched"], "dispatched"),
        (None, ["returned"], None),
        (S.RETURNING, ["dispatched"], None),
        (S.LOST, ["dispatched"], None),
        (S.EXCEPTION, ["dispatched"], None),
        (S.CANCELLED, ["dispatched"], None),
    ],
)
def test_what_a_buyer_is_told(status: TrackingStatus | None, orders: list[str], event: str | None):
    assert event_of(status, orders) == event


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ana@exemplo.com.br", None), (" ana.lima+loja@exemplo.com ", None), (None, "no_address"), (" ", "no_address"),
        ("a***@exemplo.com", "masked"), ("ana@*****.com", "masked"), ("xxxx@exemplo.com", "masked"),
        ("ana", "malformed"), ("ana@localhost", "malformed"), ("ana@exemplo.com\nBcc: x@y.com", "malformed"),
        ("a b@exemplo.com", "malformed"), ("ana@exemplo..com", "malformed"), ("Ana <ana@exemplo.com>", "malformed"),
        ("abc123@marketplace.amazon.com.br", "relay"), ("f00-1b@ct.vtex.com.br", "relay"),
        ("x.1-2@mail.mercadolivre.com", "relay"), ("x@mail.mercadolibre.com", "relay"),
        ("ana@notmarketplace.example.com", None), ("mercadolivre@exemplo.com.br", None),
    ],
)  # fmt: skip
def test_which_addresses_can_be_used(address: str | None, why: str | None):
    assert unusable(address, relays=False) == why
    assert unusable(address, relays=True) == (None if why == "relay" else why)


@pytest.mark.parametrize(
    ("local", "quiet", "due"),
    [
        ("2026-03-11 20:59", "21:00-08:00", "2026-03-11 20:59"),
        ("2026-03-11 21:00", "21:00-08:00", "2026-03-12 08:00"),
        ("2026-03-12 03:00", "21:00-08:00", "2026-03-12 08:00"),
        ("2026-03-12 08:00", "21:00-08:00", "2026-03-12 08:00"),
        ("2026-03-12 13:30", "12:00-14:00", "2026-03-12 14:00"),
        ("2026-03-12 03:00", "00:00-00:00", "2026-03-12 03:00"),
    ],
)
def test_quiet_hours_are_the_sellers(local: str, quiet: str, due: str):
    now = datetime.fromisoformat(local).replace(tzinfo=SP)
    assert not_before(now.astimezone(UTC), quiet_of(quiet), SP) == datetime.fromisoformat(due).replace(tzinfo=SP)
    early = not_before(now.astimezone(UTC), quiet_of(quiet), ZoneInfo("America/Rio_Branco"))
    assert early != datetime.fromisoformat(due).replace(tzinfo=SP) or quiet != "21:00-08:00" or local == due


@pytest.mark.parametrize("told", ["", "9-17", "21:00", "21:00-24:00", "21:00 - 08:00", "aa:00-08:00"])
def test_what_are_no_quiet_hours(told: str):
    with pytest.raises(ValueError):
        quiet_of(told)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("event", EVENTS)
def test_the_hubs_own_words(event: str, locale: str):
    template = TEMPLATES[locale][event]
    assert problem_with(template) is None
    words = render(template, SAMPLE[locale])
    assert "{" not in words.subject + words.text
    assert SAMPLE[locale]["link"] in words.text
    assert f'<a href="{SAMPLE[locale]["link"]}">' in words.html


def test_a_line_that_names_something_unknown_is_left_out():
    words = render(Template("Pedido {order}", "{greeting}\n\nChega {deliver_by}\n\nFim {store}"), {"greeting": "Olá!"})
    assert words.text == "Olá!\n"
    assert words.subject == "Pedido"


def test_nothing_that_a_buyer_or_carrier_writes_becomes_markup_or_a_placeholder():
    told = {"greeting": "<script>{link}</script>", "order": "1\r\nBcc: x", "link": "https://x.example/r/1"}
    words = render(Template("{order}", "{greeting} & {link}"), told)
    assert "<script>" not in words.html
    assert "{link}" in words.text
    assert words.subject == "1 Bcc: x"


@pytest.mark.parametrize(
    ("template", "named"),
    [
        (Template(" ", "x"), "subject: one line"), (Template("a\nb", "x"), "subject: one line"),
        (Template("a", " \n"), "body: a text"), (Template("{cpf}", "x"), "subject: {cpf} is not known; there are "),
        (Template("a", "{order.x}"), "body: {order.x} is not known"), (Template("a", "x" * 9000), "body: a text"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_used_is_named(template: Template, named: str):
    told = problem_with(template)
    assert told is not None
    assert told.startswith(named)


def test_every_field_has_a_sample_in_each_language():
    assert all(tuple(SAMPLE[locale]) == FIELDS for locale in LOCALES)


@pytest.mark.parametrize(
    ("name", "told"),
    [("Ana Lima", "Olá, Ana!"), ("ANA LIMA", "Olá, Ana!"), (None, "Olá!"), ("A*** L***", "Olá!"), ("123", "Olá!")],
)
def test_greetings(name: str | None, told: str):
    assert greeting(name, "pt_BR") == told


# ── the link ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_leads_to_its_parcel_and_no_other_can_be_made():
    old, new = new_key(), new_key()
    seller, parcel = uuid4(), uuid4()
    token = parcel_link.token_of(Vault([old]), seller, parcel)
    assert len(token) == 64
    assert parcel_link.read(Vault([old]), token) == (seller, parcel)
    assert parcel_link.read(Vault([new, old]), token) == (seller, parcel)  # after the key was changed
    assert parcel_link.read(Vault([new]), token) is None
    other = parcel_link.token_of(Vault([old]), seller, uuid4())
    for forged in (
        token[:43] + other[43:],
        other[:43] + token[43:],
        token[:-4],
        token + "AAAA",
        "",
        "ç" * 64,
        "a" * 64,
    ):
        assert parcel_link.read(Vault([old]), forged) is None, forged

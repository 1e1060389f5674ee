"""Melhor Envio: milestones, every trap of its answers, quotes, cart items, notices, and nonsense."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from adapters.melhorenvio import ADAPTER, client, freight, mapping, webhook
from hub.contract import Consignment, Token
from hub.faults import BadSignature, ChannelError, Fault, Unreadable
from hub.model import (
    Address,
    DeclaredGoods,
    Knock,
    Parcel,
    Party,
    Posting,
    Reply,
    Request,
    Topic,
    TrackingStatus,
    Unsigned,
)  # fmt: skip
from hub.tracking import merge_events
from hub.tracking import settle as settled
from tests.channels.parcels import Cases, z

PAYLOADS = Path(__file__).parents[1] / "adapters" / "melhorenvio"
FILES = Cases("melhorenvio", mapping.parse)
payload, tracked = FILES.payload, FILES.tracked
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "melhor_envio"
S = TrackingStatus


# ── Milestones and the word of the status ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", S.LABEL_CREATED), ("released", S.LABEL_CREATED), ("paid", S.LABEL_CREATED),
        ("generated", S.LABEL_CREATED), ("printed", S.LABEL_CREATED), ("received", S.ACCEPTED),
        ("posted", S.IN_TRANSIT), ("delivered", S.DELIVERED), ("undelivered", S.EXCEPTION), ("paused", S.EXCEPTION),
        ("suspended", S.EXCEPTION), ("canceled", S.CANCELLED), ("cancelled", S.CANCELLED), ("expired", S.CANCELLED),
        ("POSTED", S.IN_TRANSIT),
    ],
)  # fmt: skip
def test_a_word_without_its_milestone_counts_at_the_time_of_the_last_one(word, status):
    [told] = mapping.parse({"id": "a1", "status": word, "created_at": "2026-04-06 09:00:00"}, [])
    assert told.status is status
    assert {event.at for event in told.events} == {z("2026-04-06T12:00:00")}


def test_the_whole_way_of_a_label():
    [told] = tracked("delivered")
    assert [(event.raw_code, event.status, event.at) for event in told.events] == [
        ("created", S.LABEL_CREATED, z("2026-04-06T12:12:40")),
        ("paid", S.LABEL_CREATED, z("2026-04-06T12:15:02")),
        ("generated", S.LABEL_CREATED, z("2026-04-06T12:15:40")),
        ("posted", S.IN_TRANSIT, z("2026-04-06T20:31:09")),
        ("delivered", S.DELIVERED, z("2026-04-09T17:05:55")),
    ]
    assert (told.code, told.carrier_code, told.status) == (
        "9c1f0001-5b7e-4a10-8d22-6f0000000001", "QQ100000053BR", S.DELIVERED,
    )  # fmt: skip
    assert (told.events[0].raw_at, told.events[0].zone) == ("2026-04-06 09:12:40", "America/Sao_Paulo")


def test_absent_is_told_as_an_empty_string_and_the_id_only_as_the_key():
    [told] = tracked("empty_strings_and_no_id_in_the_map")
    assert (told.code[:8], told.status, len(told.events)) == ("9c1f0002", S.DELIVERED, 5)


def test_its_own_number_is_no_carriers():
    [told] = tracked("released_tracking_is_its_own_number")
    assert (told.carrier_code, told.status) == (None, S.LABEL_CREATED)
    for number, own, carrier in (
        ("ME26006ES26BR", None, None), ("PP123456789BR", "ME123456789BR", "PP123456789BR"),
        ("ME123456789BR", "ME123456789BR", None), ("", None, None), ("08020000000111", None, "08020000000111"),
    ):  # fmt: skip
        raw = {"id": "a1", "status": "released", "tracking": number, "melhorenvio_tracking": own}
        assert mapping.parse(raw, [])[0].carrier_code == carrier


def test_no_answer_is_a_list_and_not_an_error():
    told = mapping.parse([], ["9c1f0001-5b7e-4a10-8d22-6f0000000001"])
    assert [(one.status, one.events, one.error and one.error.code) for one in told] == [(None, (), "not_told")]
    assert mapping.parse([], []) == mapping.parse({}, []) == []


def test_what_is_not_found_has_an_error_and_spoils_nothing():
    told = tracked("not_found_yet")
    assert [one.error and one.error.code for one in told] == [None, "not_found", "not_found", "refused"]
    assert [one.status for one in told] == [S.LABEL_CREATED, None, None, None]


def test_objects_come_in_the_order_asked_by_uuid_or_by_any_number():
    raw = payload("answer_order_differs_from_asked")
    first, second = "9c1f0004-5b7e-4a10-8d22-6f0000000004", "9c1f0006-5b7e-4a10-8d22-6f0000000006"
    asked = [first, "qq100000075br", second.upper(), "ME26005QX26BR", "ORD-202604000006"]
    told = mapping.parse(raw, asked)
    assert [one.code for one in told] == asked
    assert [one.status for one in told] == [S.LABEL_CREATED, S.IN_TRANSIT, S.IN_TRANSIT, S.LABEL_CREATED, None]
    assert told[4].error, "a protocol is no code"


def test_an_unknown_status_is_listed_and_changes_nothing():
    [told] = tracked("unknown_status_keeps_previous")
    assert (told.status, told.events[-1].status, told.events[-1].raw_code) == (S.IN_TRANSIT, S.UNKNOWN, "in_dispute")


def test_a_word_alone_proves_no_delivery_where_the_carrier_can_be_asked():
    with_carrier, without = tracked("delivered_without_its_time_proves_nothing")
    assert (with_carrier.carrier_code, with_carrier.status) == ("QQ100000107BR", S.IN_TRANSIT)
    assert (with_carrier.events[-1].raw_code, with_carrier.events[-1].status) == ("delivered", S.UNKNOWN)
    assert (without.carrier_code, without.status) == (None, S.DELIVERED)


def test_a_milestone_counts_before_a_status_that_lags_behind():
    [told] = tracked("status_behind_the_milestones")
    assert (told.status, [event.raw_code for event in told.events]) == (
        S.IN_TRANSIT, ["created", "paid", "generated", "posted"],
    )  # fmt: skip


def test_what_needs_a_person():
    assert [told.status for told in tracked("undelivered_paused_suspended_need_a_person")] == [S.EXCEPTION] * 3


def test_left_at_a_drop_off_point_is_accepted_until_it_is_posted():
    [told] = tracked("received_at_drop_off_is_accepted")
    assert told.status is S.ACCEPTED
    raw = payload("received_at_drop_off_is_accepted")
    [order] = raw.values()
    [later] = mapping.parse(order | {"status": "posted", "posted_at": "2026-04-06 18:00:00"}, [])
    assert settled(merge_events(told.events, later.events))[1] is S.IN_TRANSIT


def test_cancelled_and_expired():
    assert [told.status for told in tracked("canceled_and_expired")] == [S.CANCELLED, S.CANCELLED]


def test_summer_time_of_older_rows():
    [told] = tracked("older_summer_time")
    assert [event.at for event in told.events] == [
        z("2018-01-10T12:00:00"), z("2018-01-10T14:00:00"), z("2018-07-10T15:00:00"),
    ]  # fmt: skip


def test_a_webhook_and_tracking_tell_the_same_scans():
    """Of one label: naive Brasília there, an offset here."""
    [fat] = tracked("webhook_body_tells_an_offset")
    [asked] = tracked("delivered")
    assert [(event.at, event.raw_code) for event in fat.events] == [
        (event.at, event.raw_code) for event in asked.events
    ]
    assert {event.zone for event in fat.events} == {None}
    assert len(merge_events(asked.events, fat.events)) == 5


def test_pages_lists_and_several_answers():
    assert [told.status for told in tracked("page_of_orders")] == [S.LABEL_CREATED, S.EXCEPTION]
    assert [told.status for told in tracked("search_answers_a_list")] == [S.EXCEPTION]
    assert [told.status for told in tracked("several_answers_in_one")] == [S.IN_TRANSIT, S.LABEL_CREATED]


def test_asked_by_uuid_where_it_was_bought_here():
    assert ADAPTER.tracking
    code_of = ADAPTER.tracking.code_of
    assert code_of(Consignment(tracking_code="QQ100000053BR", ref="9c1f")) == "9c1f"
    assert code_of(Consignment(tracking_code="QQ100000053BR")) == "QQ100000053BR"
    assert code_of(Consignment(tracking_code=None)) is None


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"message": "Unauthenticated."}, "not a tracking answer"),
        ({"error": "Para esta transportadora, informe a agência"}, "not a tracking answer"),
        ({"abc": {"status": False, "message": "Agência obrigatória"}}, "abc.status"),
        ([{"id": 2, "name": "SEDEX"}], "0.status: not told"),
        ({"status": "posted"}, "id: not told"),
        ({"id": "a1", "status": "posted", "posted_at": "ontem"}, "posted_at: not a time"),
        ({"u1": {"status": "posted", "posted_at": {}}}, "u1.posted_at"),
        ("<html></html>", "not a tracking answer"),
        (None, "not a tracking answer"),
        (7, "not a tracking answer"),
    ],
)
def test_what_is_no_tracking_answer_is_refused_with_one_sentence(document, why):
    with pytest.raises(Unreadable, match=r"\A[^\n]*\Z") as refusal:
        mapping.parse(document, [])
    assert why in refusal.value.detail


def test_an_order_without_any_milestone_is_an_object_without_events():
    [told] = mapping.parse({"id": "a1", "status": None}, [])
    assert (told.status, told.events, told.error) == (None, (), None)


# ── Quotes ─────────────────────────────────────────────────────────────────────────────────────────────────


def quoted(case: str, *services: str) -> list[tuple[str, int | None, int | None, str | None]]:
    found = freight.read_quotes([payload(case, "quote")], services)
    return [(one.service, one.price_cents, one.days, one.error.code if one.error else None) for one in found]


def test_prices_are_text_or_numbers_and_the_accounts_own_count():
    assert quoted("price_text_and_number", "1", "2") == [("1", 3779, 8, None), ("2", 4510, 3, None)]
    assert quoted("custom_price_differs") == [("2", 4155, 4, None)]


def test_one_refused_service_does_not_spoil_the_others():
    assert quoted("one_service_refused", "3", "1", "4") == [
        ("3", None, None, "refused"), ("1", 1998, 8, None), ("4", None, None, "not_told"),
    ]  # fmt: skip


def test_a_refused_quote_stands_for_every_service():
    [pac, sedex] = freight.read_quotes([payload("whole_quote_refused", "quote")], ["1", "2"])
    assert pac.error
    assert (pac.error.code, pac.error.message) == ("refused", "O CEP de destino é inválido.")
    assert sedex.error == pac.error


def test_one_service_is_told_bare_and_a_list_with_a_gap_as_a_map():
    assert quoted("single_service_told_bare", "4") == [("4", 2580, 4, None)]
    assert quoted("keys_with_a_gap") == [("1", 1850, 8, None), ("4", 2200, 4, None)]


def test_nothing_is_no_price():
    assert [row[1:] for row in quoted("no_price_told")] == [(None, 7, "no_price"), (None, 9, "no_price")]


@pytest.mark.parametrize(
    ("row", "why"),
    [({"price": "caro"}, "0.0.price"), ({"price": 1, "delivery_time": 1.5}, "0.0.delivery_time"),
     ({"price": 1, "delivery_time": -1}, "below zero"), ({"price": True}, "not a number")],
)  # fmt: skip
def test_a_figure_that_is_none_is_refused_by_its_path(row, why):
    with pytest.raises(Unreadable, match=why):
        freight.read_quotes([[{"id": 1} | row]], [])


# ── Postings ───────────────────────────────────────────────────────────────────────────────────────────────

HOME = Address(street="Rua das Flores", number="10", city="Londrina", state="PR", postal_code="86010000")
SHOP = Party(name="Loja", document="11222333000181", phone="+551133334444", address=HOME)
BUYER = Party(name="Ana", document="52998224725", address=HOME.model_copy(update={"number": None}))
BOX = Parcel(
    from_postal_code="01001000", to_postal_code="86010000", weight_g=350, length_cm=20, width_cm=15, height_cm=5,
    value_cents=5980,
)  # fmt: skip
GOODS = (DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),)
POSTING = Posting(reference="pedido 1", service="2", sender=SHOP, recipient=BUYER, parcel=BOX, goods=GOODS)


def test_a_cart_item_with_declared_goods():
    request = freight.cart_item(POSTING)
    assert (request.method, request.path, request.is_repeatable()) == ("POST", "/api/v2/me/cart", False)
    body = request.json
    assert body["service"] == 2
    assert body["from"] == {
        "name": "Loja", "phone": "1133334444", "company_document": "11222333000181", "address": "Rua das Flores",
        "number": "10", "city": "Londrina", "state_abbr": "PR", "country_id": "BR", "postal_code": "86010000",
    }  # fmt: skip
    assert body["to"]["document"] == "52998224725"
    assert body["to"]["number"] == "S/N"
    assert body["volumes"] == [{"height": 5, "width": 15, "length": 20, "weight": 0.35}]
    assert body["products"] == [{"name": "Caneca", "quantity": 2, "unitary_value": 29.9}]
    assert body["options"]["non_commercial"] is True
    assert body["options"]["insurance_value"] == 59.8
    assert body["options"]["tags"] == [{"tag": "pedido 1", "url": None}]
    assert "invoice" not in body["options"], "told beside goods it is refused"


def test_a_cart_item_with_an_invoice():
    body = freight.cart_item(POSTING.model_copy(update={"invoice_key": "3" * 44, "goods": ()})).json
    assert (body["options"]["non_commercial"], body["options"]["invoice"]) == (False, {"key": "3" * 44})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"goods": ()}, "exactly one"),
        ({"invoice_key": "3" * 44}, "exactly one"),
        ({"service": "SEDEX"}, "service: not a number"),
        ({"recipient": BUYER.model_copy(update={"address": Address(street="Rua A")})}, "recipient.address.postal_code"),
    ],
)
def test_what_cannot_be_posted_is_refused_by_its_field(change, why):
    with pytest.raises(Unreadable, match=why):
        freight.cart_item(POSTING.model_copy(update=change))


def test_a_purchase_has_the_carriers_number_once_there_is_one():
    raw = {"id": "u1", "service_id": 2, "price": "32.1", "status": "pending", "self_tracking": "ME26001ES26BR"}
    told = freight.read_purchase(raw)
    assert (told.ref, told.service, told.price_cents, told.tracking_code) == ("u1", "2", 3210, "ME26001ES26BR")
    assert freight.read_purchase(raw | {"tracking": "QQ100000053BR"}).tracking_code == "QQ100000053BR"
    assert freight.read_purchase({"id": "u1", "service": {"id": 4}}).service == "4"
    assert freight.read_purchase({"id": "u1", "service": 4}).service is None
    with pytest.raises(Unreadable, match="id: not told"):
        freight.read_purchase({"protocol": "ORD-1"})


def test_cancelling_names_the_only_reason_that_is_documented():
    request = freight.cancellation("u1")
    assert request.path == "/api/v2/me/shipment/cancel"
    assert request.json == {"order": {"id": "u1", "reason_id": "2", "description": "Cancelado pela loja"}}


# ── Tokens, the User-Agent, refusals ───────────────────────────────────────────────────────────────────────

CREDENTIALS = client.Credentials(
    client_id="4077", client_secret=SecretStr("segredo"), refresh_token=SecretStr("r1"), contact="eu@example.com"
)


def test_consent_asks_for_every_scope_with_spaces_as_percent_20():
    url = client.authorize(CREDENTIALS, "https://hub.example/volta", "s1", "")
    assert url.startswith("https://melhorenvio.com.br/oauth/authorize?client_id=4077&redirect_uri=https%3A%2F%2Fhub")
    assert "scope=users-read%20cart-read%20" in url
    assert parse_qs(urlsplit(url).query)["state"] == ["s1"]


def test_a_refresh_shows_the_last_token_and_is_signed_for_its_user_agent():
    last = Token(access=SecretStr("a"), expires_at=None, refresh=SecretStr("r2"))
    for token, shown in ((None, "r1"), (last, "r2")):
        request = client.refresh(CREDENTIALS, token)
        assert request.json == {
            "grant_type": "refresh_token", "refresh_token": shown, "client_id": "4077", "client_secret": "segredo",
        }  # fmt: skip
        assert (request.authenticate, request.signed, request.is_repeatable()) == (False, True, False)
    assert ADAPTER.token
    assert ADAPTER.token.single_use


def test_a_token_lives_for_its_thirty_days():
    at = z("2026-11-22T10:00:00")
    body = {"token_type": "Bearer", "expires_in": 2592000, "access_token": "A", "refresh_token": "R"}
    token = client.read_token(Reply(status=200, headers={}, body=json.dumps(body).encode()), at)
    assert token.expires_at == at + timedelta(days=30)
    assert token.refresh
    assert token.refresh.get_secret_value() == "R"


def test_a_refused_refresh_is_for_the_seller():
    body = b'{"error": "invalid_grant", "message": "The refresh token is invalid."}'
    with pytest.raises(ChannelError) as refusal:
        client.read_token(Reply(status=401, headers={}, body=body), datetime.now(UTC))
    assert (refusal.value.fault, refusal.value.code) == (Fault.AUTH, "invalid_grant")


def test_every_request_names_somebody_to_write_to():
    request = Request(method="GET", path="/api/v2/me", headers={"Accept": "application/pdf"})
    told = Unsigned(
        request=request, url="https://melhorenvio.com.br/api/v2/me", content=None, shown={"Authorization": "Bearer t"},
        credentials=CREDENTIALS, facts={}, external_id=None, now=datetime.now(UTC),
    )  # fmt: skip
    assert client.sign(told).headers == {
        "Accept": "application/pdf", "User-Agent": "Balcao (eu@example.com)", "Authorization": "Bearer t",
    }  # fmt: skip
    with pytest.raises(ValidationError, match="contact"):
        client.Credentials(client_id="1", client_secret=SecretStr("s"), contact="eu@example.com)\r\nX: y")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, '{"message":"Unauthenticated."}', None),
        (403, '{"message":"This action is unauthorized."}', None),
        (401, '{"error":"invalid_grant","message":"The refresh token is invalid."}', "invalid_grant"),
        (422, '{"message":"E-PRT-0011: O envio precisa estar gerado."}', "E-PRT-0011"),
        (422, '{"message":"The given data was invalid.","errors":{"to.document":["x"]}}', None),
        (422, '{"error":"Saldo insuficiente."}', "refused"),
        (200, '{"error":"Para esta transportadora, informe a agência"}', "refused"),
        (200, '{"u1":{"canceled":false}}', "not_canceled"),
        (200, '{"u1":{"canceled":true}}', None),
        (200, '{"id":3,"error":"Serviço indisponível para o trecho."}', None),
        (200, '{"u1":{"status":"posted"}}', None),
        (200, "{}", None),
        (200, "[]", None),
    ],
)
def test_the_code_of_a_refusal(status, body, code):
    assert ADAPTER.read_error(Reply(status=status, headers={}, body=body.encode())) == code


# ── Notices ────────────────────────────────────────────────────────────────────────────────────────────────


def knock(case: str) -> Knock:
    told = payload(case, "notice")
    headers = {name.lower(): value for name, value in told["headers"].items()}
    return Knock(headers=headers, body=told["body"].encode())


def test_a_fat_notice_is_read_as_tracking_of_the_code_that_it_names():
    [notice] = webhook.read(knock("delivered"))
    assert (notice.topic, notice.account_ref, notice.at) == (Topic.TRACKING, "90210", z("2026-04-09T17:05:55"))
    assert notice.ref
    [told] = mapping.parse(notice.raw, [notice.ref])
    assert (told.code, told.status, told.carrier_code) == (notice.ref, S.DELIVERED, "QQ100000155BR")


def test_the_event_says_cancelled_and_the_status_canceled():
    [notice] = webhook.read(knock("event_cancelled_status_canceled"))
    assert mapping.parse(notice.raw, [str(notice.ref)])[0].status is S.CANCELLED


def test_two_events_of_one_label_are_two_notices():
    [posted], [delivered] = webhook.read(knock("posted")), webhook.read(knock("delivered"))
    assert posted.ref == delivered.ref
    assert posted.dedupe_key != delivered.dedupe_key


def test_a_check_of_the_address_is_a_ping_signed_or_not_and_an_unsigned_label_is_forged():
    for case in ("registration_check_unsigned", "registration_check_signed"):
        assert webhook.is_ping(knock(case))
        assert [notice.topic for notice in webhook.read(knock(case))] == [Topic.PING]
    unsigned = Knock(headers={}, body=knock("posted").body)
    assert not webhook.is_ping(unsigned)
    assert ADAPTER.webhook
    with pytest.raises(BadSignature):
        ADAPTER.webhook.verify("segredo-do-aplicativo-de-exemplo", unsigned)


def test_the_signature_is_base64_of_44_characters():
    assert len(knock("posted").headers["x-me-signature"]) == 44
    told = knock("posted")
    hexadecimal = Knock(headers={"x-me-signature": "ab" * 32}, body=told.body)
    assert ADAPTER.webhook
    ADAPTER.webhook.verify("segredo-do-aplicativo-de-exemplo", told)
    with pytest.raises(BadSignature):
        ADAPTER.webhook.verify("segredo-do-aplicativo-de-exemplo", hexadecimal)


def test_an_event_of_something_else_is_kept_and_shown():
    [notice] = webhook.read(knock("unknown_event"))
    assert notice.topic is Topic.UNKNOWN
    assert notice.raw


# ── The vendor's own examples ──────────────────────────────────────────────────────────────────────────────

READ = {
    "order_info_generated_still_released.json": [S.LABEL_CREATED],
    "tracking_delivered.json": [S.DELIVERED],
    "tracking_empty.json": [],
    "tracking_released.json": [S.LABEL_CREATED],
}
REFUSED = {
    "balance_mixed_types.json": "document: not a tracking answer",
    "error_401.json": "document: not a tracking answer",
    "generate_error.json": "document: not a tracking answer",
    "generate_false.json": "abc.status: neither a word nor null: not a tracking answer",
    "oauth_refresh_refused_401.json": "document: not a tracking answer",
    "oauth_token.json": "document: not a tracking answer",
    "quote_mixed_price_types.json": "0.status: not told, and no milestone either",
    "webhook_headers.json": "document: not a tracking answer",
}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the repository")
def test_every_sample_is_read_or_refused_with_one_sentence():
    def sample(name: str) -> Any:
        return json.loads((SAMPLES / name).read_text())

    assert {path.name for path in SAMPLES.iterdir()} == {*READ, *REFUSED}
    for name, statuses in READ.items():
        assert [told.status for told in mapping.parse(sample(name), [])] == statuses, name
    for name, why in REFUSED.items():
        with pytest.raises(Unreadable) as refusal:
            mapping.parse(sample(name), [])
        assert refusal.value.detail == why, name
    [vnda] = mapping.parse(sample("tracking_delivered.json"), [])
    assert vnda.carrier_code == "PP123456789BR"
    quotes = freight.read_quotes([sample("quote_mixed_price_types.json")], ["1", "2", "3"])
    assert [quote.price_cents for quote in quotes] == [3779, 4510, None]


# ── Nonsense ───────────────────────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
WORDS = st.sampled_from(
    ["id", "status", "tracking", "self_tracking", "data", "event", "user_id", "error", "errors", "message", "price",
     "custom_price", "delivery_time", "company", "name", "posted_at", "created_at", "service_id", "service", "canceled"]
)  # fmt: skip
SCALARS = st.none() | st.integers() | st.text(max_size=8) | st.sampled_from(["2026-01-01 10:00:00", "posted", "9.99"])
SHAPED = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner), max_leaves=20)


def refusal_of(reader: Callable[[], object]) -> ChannelError | None:
    """Why a reader refused; anything but a ChannelError fails the test."""
    try:
        reader()
    except ChannelError as refusal:
        return refusal
    return None


def read_everything(raw: Any) -> None:
    """Every pure reader reads it or refuses it with one sentence."""
    body = json.dumps(raw).encode()
    reply = Reply(status=200, headers={}, body=body)
    readers = (
        lambda: mapping.parse(raw, []),
        lambda: mapping.parse(raw, ["9c1f0001-5b7e-4a10-8d22-6f0000000001", "", "x y"]),
        lambda: freight.read_quotes([raw], []),
        lambda: freight.read_quotes([raw, raw], ["1", "2"]),
        lambda: freight.read_purchase(raw),
        lambda: webhook.read(Knock(headers={}, body=body)),
        lambda: client.read_token(reply, datetime.now(UTC)),
    )
    for reader in readers:
        if refusal := refusal_of(reader):
            assert 0 < len(refusal.detail.strip()) < 400
    for status in (200, 422):
        code = mapping.error_code(Reply(status=status, headers={}, body=body))
        assert code is None or code.strip()


@given(JSON | SHAPED)
@settings(max_examples=300, deadline=None)
def test_any_json_is_read_or_refused(raw):
    read_everything(raw)


def branches(raw: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    keys = list(raw) if isinstance(raw, dict) else list(range(len(raw))) if isinstance(raw, list) else []
    return [(raw, key) for key in keys] + [deeper for key in keys for deeper in branches(raw[key])]


CASES = sorted((path.parent.name, path.stem) for path in PAYLOADS.glob("*/*.json"))


@given(case=st.sampled_from(CASES), where=st.integers(min_value=0), instead=JSON | st.just("gone"))
@settings(max_examples=300, deadline=None)
def test_a_payload_with_one_thing_wrong_is_read_or_refused(case, where, instead):
    raw = payload(case[1], case[0])
    places = branches(raw)
    container, key = places[where % len(places)]
    if instead == "gone":
        del container[key]
    else:
        container[key] = instead
    read_everything(raw)

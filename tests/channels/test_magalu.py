"""Magalu: deliveries in an order, money over its normalizer, numbers that stand later, notices signed with a time."""

import copy
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.magalu import ADAPTER, client, mapping, stock, webhook
from hub.contract import Token
from hub.faults import BadSignature, ChannelError, Fault, Unreadable
from hub.model import (
    FulfilledBy,
    Fulfilment,
    Hold,
    Knock,
    LineQuantity,
    News,
    Order,
    OutcomeKind,
    Payment,
    Reply,
    Request,
    ShipmentNews,
    Status,
    StockWrite,
    Topic,
    TrackingStatus,
    Unsigned,
)
from tests.channels.test_bling import JSON

FILES = Path(__file__).parents[1] / "adapters" / "magalu"
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "magalu"
FIRST, SECOND = "6c764444-436d-4659-8cec-304414b05201", "6c764444-436d-4659-8cec-304414b05202"
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


def payload(facet: str, name: str) -> Any:
    return json.loads((FILES / facet / f"{name}.json").read_text())


def refusal(body: Any) -> Reply:
    return Reply(status=400, headers={}, body=json.dumps(body).encode())


def told(name: str) -> Order:
    return mapping.order(payload("order", name))


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "payment", "fulfilment", "status"),
    [
        ("new_waits_for_payment", Payment.PENDING, Fulfilment.NONE, Status.PLACED),
        ("approved_with_one_delivery", Payment.PAID, Fulfilment.NONE, Status.PAID),
        ("half_cancelled", Payment.PAID, Fulfilment.NONE, Status.PAID),
        ("one_sent_of_two_earliest_deadline", Payment.PAID, Fulfilment.PARTIAL, Status.DISPATCHED),
        ("finished_with_legacy_tracking_url_and_nfe", Payment.PAID, Fulfilment.DELIVERED, Status.DELIVERED),
        ("cancelled_before_payment", Payment.VOIDED, Fulfilment.NONE, Status.CANCELLED),
        ("cancelled_after_payment", Payment.REFUNDED, Fulfilment.NONE, Status.CANCELLED),
        ("all_deliveries_cancelled", Payment.REFUNDED, Fulfilment.NONE, Status.CANCELLED),
        ("frozen_must_not_ship", Payment.PAID, Fulfilment.NONE, Status.PAID),
    ],
)
def test_statuses(name: str, payment: Payment, fulfilment: Fulfilment, status: Status):
    order = told(name)
    assert (order.payment, order.fulfilment, order.status) == (payment, fulfilment, status)
    assert (order.hold is Hold.FROZEN) is (name == "frozen_must_not_ship")


@pytest.mark.parametrize(
    ("words", "fulfilment"),
    [
        (("shipped", "shipped"), Fulfilment.DISPATCHED),
        (("shipped", "delivered"), Fulfilment.DISPATCHED),
        (("delivered", "delivered"), Fulfilment.DELIVERED),
        (("delivered", "invoiced"), Fulfilment.PARTIAL),
        (("delivered", "cancelled"), Fulfilment.DELIVERED),
        (("frozen", "shipped"), Fulfilment.PARTIAL),
    ],
)
def test_an_order_is_as_far_as_its_deliveries_that_are_not_cancelled(words: tuple[str, str], fulfilment: Fulfilment):
    raw = payload("order", "half_cancelled")
    for delivery, word in zip(raw["deliveries"], words, strict=True):
        delivery["status"] = word
    assert mapping.order(raw).fulfilment is fulfilment


def test_half_of_an_order_is_cancelled_and_the_rest_is_still_to_be_sent():
    order = told("half_cancelled")
    assert not order.cancelled
    assert [(line.ref, line.quantity, line.cancelled_quantity) for line in order.lines] == [
        (f"{FIRST}:1", 2, 2), (f"{SECOND}:1", 1, 0),
    ]  # fmt: skip
    assert [parcel.status for parcel in order.shipments] == [TrackingStatus.CANCELLED, None]
    assert order.ship_by == datetime(2026, 11, 25, tzinfo=UTC), "a cancelled delivery has no deadline"
    assert order.total_cents == 7980 + 1590 + 2500, "as first charged"


def test_an_order_cancelled_before_its_deliveries_say_so_is_cancelled_with_all_its_lines():
    raw = payload("order", "half_cancelled")
    order = mapping.order(raw | {"status": "cancelled"})
    assert (order.cancelled, [line.cancelled_quantity for line in order.lines]) == (True, [2, 1])


def test_deliveries_are_shipments_and_the_earliest_of_their_deadlines_counts():
    order = told("one_sent_of_two_earliest_deadline")
    assert order.ship_by == datetime(2026, 11, 23, tzinfo=UTC)
    sent, waiting = order.shipments
    assert (sent.ref, sent.tracking_code, sent.status) == (FIRST, "AA123456785BR", TrackingStatus.IN_TRANSIT)
    assert (waiting.ref, waiting.tracking_code, waiting.status) == (SECOND, None, None)
    assert [line.line_ref for line in waiting.lines] == [f"{SECOND}:1"]
    assert [line.dispatched_quantity for line in order.lines] == [2, 0]


def test_each_line_takes_who_fulfils_it_from_its_delivery():
    order = told("fulfilled_by_magalu_and_by_the_seller")
    assert order.fulfilled_by is FulfilledBy.MIXED
    assert [line.fulfilled_by for line in order.lines] == [FulfilledBy.MARKETPLACE, FulfilledBy.SELLER]
    assert told("fulfillment_as_older_payloads_say").fulfilled_by is FulfilledBy.MARKETPLACE
    raw = payload("order", "approved_with_one_delivery")
    del raw["deliveries"][0]["shipping"]
    assert mapping.order(raw).fulfilled_by is None


def test_codes_lose_what_the_portal_puts_before_them():
    assert told("code_with_the_portals_prefix").number == "123456789101112"
    assert mapping.order_code({"code": "LU-123456789101112-1"}) == "123456789101112"
    assert mapping.order_code({"code": "123456789101112-12"}) == "123456789101112"
    assert mapping.order_code({"code": "123456789101112"}) is None
    assert mapping.order_code({"code": None}) is None


@pytest.mark.parametrize(
    ("name", "items", "discount", "shipping", "other", "fees", "total"),
    [
        ("approved_with_one_delivery", 7980, 0, 1590, None, 1722, 9570),
        ("discount_carried_by_its_line", 7182, 0, 1590, None, 1578, 8772),
        ("discount_that_no_line_carries", 7980, 1000, 1590, None, 1722, 8570),
        ("normalizer_of_a_thousand_and_numbers_as_text", 7980, 0, 1590, 250, 1723, 9570),  # 17.226, 2.500; ICMS inside
        ("commission_in_percent_is_no_money", 7980, 0, 1590, None, None, 9570),
        ("amounts_of_its_deliveries", 7980, 0, 1590, None, 1722, 9570),
    ],
)
def test_money(name: str, items: int, discount: int, shipping: int, other: int | None, fees: int | None, total: int):
    order = told(name)
    assert (order.items_cents, order.discount_cents, order.shipping_cents) == (items, discount, shipping)
    assert (order.other_cents, order.fees_cents, order.total_cents) == (other, fees, total)
    assert order.channel_discount_cents is None, "who bears a shared discount is not told"


def test_a_thousandth_is_multiplied_before_it_is_rounded():
    raw = payload("order", "approved_with_one_delivery")
    raw["deliveries"][0]["items"][0] |= {"quantity": 3, "unit_price": {"value": 9995, "normalizer": 1000}}
    assert mapping.order(raw).lines[0].total_cents == 2998  # 29.985, half-even
    raw["deliveries"][0]["items"][0]["unit_price"] = None
    assert mapping.order(raw).lines[0].total_cents == 7980, "the line's own total, where no price is told"


def test_people():
    order = told("company_with_letters_and_masked_address")
    assert order.ship_to is None
    assert order.buyer
    assert order.buyer.document
    assert (order.buyer.name, order.buyer.email) == ("Empresa Exemplo LTDA", None)
    assert (order.buyer.document.kind, order.buyer.document.number) == ("cnpj", "12ABC34501DE35")
    home = told("approved_with_one_delivery")
    assert home.ship_to
    assert home.buyer
    assert (home.ship_to.recipient, home.ship_to.postal_code, home.ship_to.state) == (
        "Maria da Silva",
        "04101000",
        "SP",
    )
    assert home.buyer.phone == "+5511987650001"


def test_the_clock_is_the_latest_of_order_and_deliveries():
    assert told("finished_with_legacy_tracking_url_and_nfe").changed_at == datetime(2026, 11, 27, 10, tzinfo=UTC)
    (nfe,) = told("finished_with_legacy_tracking_url_and_nfe").invoices
    assert (nfe.key, nfe.status) == ("35261130188025000121550010000000011234567890", "approved")


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"id": None}, "order.id"),
        ({"status": "limbo"}, "order.status"),
        ({"status": None}, "order.status"),
        ({"deliveries": None}, "order.deliveries"),
        ({"deliveries": [{"id": "D", "status": "eaten"}]}, "order.deliveries.0.status"),
        ({"deliveries": [{"id": "D", "status": "new", "items": [{}]}]}, "order.deliveries.0.items.0.quantity"),
        ({"amounts": {"total": 95.5}}, "order.amounts.total"),
        ({"amounts": {"total": 9570, "normalizer": 0}}, "order.amounts.normalizer"),
        ({"updated_at": "ontem"}, "order.updated_at"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(changed: dict[str, Any], path: str):
    with pytest.raises(Unreadable) as problem:
        mapping.order(payload("order", "approved_with_one_delivery") | changed)
    assert problem.value.path == path


def test_two_lines_of_a_delivery_are_never_called_alike():
    raw = payload("order", "approved_with_one_delivery")
    raw["deliveries"][0]["items"] *= 2
    with pytest.raises(Unreadable, match="sequencial"):
        mapping.order(raw)


@given(JSON)
def test_any_json_is_read_or_refused(raw: Any):
    for read in (mapping.order, mapping.listings, mapping.order_code, lambda body: stock.error_of(refusal(body))):
        try:
            read(raw)
        except ChannelError:
            continue


def places(raw: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, each in raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ():
        yield (*path, key)
        yield from places(each, (*path, key))


@given(st.data())
def test_a_broken_document_is_read_or_refused(data: st.DataObject):
    facet, read = data.draw(st.sampled_from([("order", mapping.order), ("listing", mapping.listings)]))
    file = data.draw(st.sampled_from(sorted((FILES / facet).glob("*.json"))))
    raw = json.loads(file.read_text())
    *path, last = data.draw(st.sampled_from(list(places(raw))))
    inner = raw
    for key in path:
        inner = inner[key]
    inner[last] = data.draw(JSON)
    before = copy.deepcopy(raw)
    with suppress(Unreadable):
        read(raw)
    assert raw == before


# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_reserved_is_not_available():
    def number(name: str) -> tuple[int | None, str | None, str | None]:
        (one,) = mapping.listings(payload("listing", name))
        return one.stock_quantity, one.location_ref, one.version

    assert number("available_without_what_is_reserved") == (7, None, None)
    assert number("numbers_of_another_channel") == (9, "5f62650a-0039-4d65-9b96-266d498c03bd", None)
    assert number("no_number_yet") == (0, None, "absent")
    assert number("sku_alone") == (None, None, None)


WRITE = StockWrite(slot_ref="CAN/1 Á", listing_ref="CAN/1 Á", quantity=0)


def test_the_first_number_is_made_and_later_ones_change_it():
    later = stock.render(WRITE)
    first = stock.render(WRITE.model_copy(update={"version": "absent", "location_ref": "C"}))
    assert (later.method, later.path) == ("PATCH", "/seller/v1/portfolios/stocks/CAN%2F1%20%C3%81")
    assert later.json == {"channel": {"id": mapping.CHANNEL}, "quantity": 0, "type": "AVAILABLE"}
    assert (first.method, first.json["channel"]) == ("POST", {"id": "C"})
    assert later.is_repeatable()
    assert first.is_repeatable()


def test_an_answer_that_takes_a_number_says_202_and_nothing_else():
    taken = stock.read(WRITE, Reply(status=202, headers={}, body=b""))
    assert (taken.outcome, taken.seen) == (OutcomeKind.PENDING, None)
    for status in (200, 201, 204, 303):
        with pytest.raises(Unreadable, match="status"):
            stock.read(WRITE, Reply(status=status, headers={}, body=b"{}"))


def test_silence_is_not_zero():
    with pytest.raises(Unreadable, match=r"stocks\.results: not told"):
        mapping.listings({"sku": {"sku": "CUP"}, "stocks": {}})
    for told in ({}, {"quantity": -1}):
        with pytest.raises(Unreadable, match=r"request\.quantity"):
            stock.sent(Request(method="PATCH", path="/seller/v1/portfolios/stocks/CUP", json=told))


def test_a_page_of_somebody_else_refuses_nothing():
    with pytest.raises(Unreadable, match="not JSON"):
        stock.read(WRITE, Reply(status=404, headers={}, body=b"<html>"))


def test_errors_of_three_shapes():
    def told(body: Any) -> Any:
        return stock.error_of(refusal(body))

    def said(name: str) -> Any:
        return told(payload("stock_response", name)["body"])

    assert said("gateways_own_401") == ("30001", "Invalid token")
    assert said("refused_field_by_field") == (
        "UNPROCESSABLE_ENTITY",
        "Unprocessable entity. quantity: Invalid quantity",
    )
    assert told({"error": "invalid_grant", "error_description": "used"}) == ("invalid_grant", "used")
    assert told({"slug": "LOCKED", "details": ["odd"]}) == ("LOCKED", None)
    assert {code: ADAPTER.faults[code] for code in ("30001", "LOCKED", 423, 303)} == {
        "30001": Fault.AUTH, "LOCKED": Fault.TRANSIENT, 423: Fault.TRANSIENT, 303: Fault.REJECTED,
    }  # fmt: skip


def test_no_minute_holds_more_calls_than_are_allowed():
    allowed = {"orders": 850, "deliveries": 850, "shipment": 850, "products": 550, "stocks": 850, "stock": 650}
    for limit in ADAPTER.limits:
        most = limit.burst + limit.burst / limit.seconds * 60
        assert most <= allowed.get(limit.operation or "", 2000)
        assert most > allowed.get(limit.operation or "", 2000) * 0.98, "and nearly all of them are used"
    assert {limit.operation for limit in ADAPTER.limits} == {*allowed, None}


# ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────────

NEWS = ShipmentNews(news=News.DISPATCHED, order_ref="O", tracking_code="AA123456785BR", carrier="Correios", at=AT)


def there(*words: str, **more: Any) -> dict[str, Any]:
    raw: dict[str, Any] = payload("order", "half_cancelled")
    for delivery, word in zip(raw["deliveries"], words, strict=True):
        delivery |= {"status": word, **more}
    return raw


def paths(document: Any, **changed: Any) -> list[str]:
    news = NEWS.model_copy(update={"there": document, **changed})
    return [request.path.removeprefix("/seller/v1/deliveries/") for request in stock.shipped(news, "default")]


def test_a_parcel_is_told_of_the_deliveries_whose_lines_it_holds():
    both = there("invoiced", "invoiced")
    assert paths(both) == [f"{FIRST}/shippings", f"{SECOND}/shippings"]
    assert paths(both, shipment_ref=SECOND) == [f"{SECOND}/shippings"]
    held = (LineQuantity(line_ref=f"{FIRST}:1", quantity=2),)
    assert paths(both, lines=held, shipment_ref=SECOND) == [f"{FIRST}/shippings"]
    assert paths(there("shipped", "invoiced")) == [f"{SECOND}/shippings"], "what was told is not told twice"
    assert paths(there("cancelled", "invoiced")) == [f"{SECOND}/shippings"]
    assert paths(there("shipped", "delivered"), news=News.DELIVERED) == [f"{FIRST}/finishing"]
    assert paths(both, news=News.OUT_FOR_DELIVERY) == []
    full = there("invoiced", "invoiced")
    full["deliveries"][0]["shipping"]["logistic_network"] = {"id": "fulfillment"}
    assert paths(full) == [f"{SECOND}/shippings"], "Magalu itself sends what is in its own house"


def test_a_frozen_delivery_must_not_ship_and_the_nfe_comes_first():
    for words, code in ((("frozen", "invoiced"), "frozen"), (("approved", "invoiced"), "not_invoiced")):
        with pytest.raises(ChannelError) as problem:
            paths(there(*words))
        assert (problem.value.fault, problem.value.code) == (Fault.TRANSIENT, code)
    with pytest.raises(ChannelError):
        paths(there("approved", "approved", invoices=[{"status": "validating"}]))
    validated = there("approved", "approved", invoices=[{"status": "approved"}])
    assert paths(validated) == [f"{FIRST}/shippings", f"{SECOND}/shippings"]


def test_a_tracking_code_travels_as_protocol_and_in_the_address():
    def body(**changed: Any) -> Any:
        news = NEWS.model_copy(update={"there": there("cancelled", "invoiced"), **changed})
        return stock.shipped(news, "default")[0].json

    assert body() == {
        "channel": {"id": mapping.CHANNEL},
        "tracking_url": "https://rastreamento.correios.com.br/app/index.php?objetos=AA123456785BR",
        "dates": {"shipped_at": "2026-11-21T10:00:00.000Z", "estimated_delivery_at": "2026-12-01T00:00:00.000Z"},
        "protocol": "AA123456785BR",
        "carrier": {"name": "Correios"},
    }
    assert body(tracking_url="https://t.example/1")["tracking_url"] == "https://t.example/1"
    assert body(tracking_code="JT0001", carrier=None)["tracking_url"] == "JT0001"


# ── Notices, tokens ─────────────────────────────────────────────────────────────────────────────────────────


def knock(body: bytes, *secrets: str, stamp: str = "1763647200") -> Knock:
    signed = [hmac.digest(each.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hex() for each in secrets]
    shown = ", ".join(f"sha256={each}" for each in signed)
    return Knock(headers={"x-signature-256": shown, "x-timestamp": stamp}, body=body)


def test_either_of_two_signatures_is_good_while_a_secret_is_rotated():
    both = knock(b"{}", "old", "new")
    for secret in ("old", "new"):
        webhook.verify(secret, both)
    with pytest.raises(BadSignature):
        webhook.verify("other", both)


def test_the_time_is_signed_too():
    good = knock(b"{}", "s")
    for headers in (
        {**good.headers, "x-timestamp": "1763647201"},
        {"x-signature-256": good.headers["x-signature-256"]},
    ):
        with pytest.raises(BadSignature):
            webhook.verify("s", Knock(headers=headers, body=b"{}"))
    with pytest.raises(BadSignature):  # a signature over an empty time is none
        webhook.verify("s", Knock(headers={**knock(b"{}", "s", stamp="").headers}, body=b"{}"))


def test_a_delivery_is_topic_order_with_its_own_bare_id():
    (notice,) = webhook.read(
        Knock(headers={}, body=payload("notice", "delivery_is_an_order_by_its_id")["body"].encode())
    )
    assert (notice.topic, notice.ref, notice.raw) == (Topic.ORDER, FIRST, None)
    assert notice.at == datetime(2026, 11, 20, 14, 0, 0, 500_000, tzinfo=UTC)
    with pytest.raises(Unreadable, match="no id told"):
        webhook.read(Knock(headers={}, body=b'{"topic": "orders_order", "data": {}}'))


def test_two_changes_of_one_delivery_are_two_notices():
    body = payload("notice", "delivery_is_an_order_by_its_id")["body"]
    keys = {
        webhook.read(Knock(headers={}, body=each.encode()))[0].dedupe_key
        for each in (body, body.replace(".500Z", ".501Z"))
    }
    assert len(keys) == 2


KEYS = {"client_id": "C", "client_secret": "S", "refresh_token": "R1"}


def test_tokens_come_from_another_host_and_rotate():
    credentials = client.Credentials.model_validate(KEYS)
    renewal = client.refresh(credentials, None)
    assert (renewal.path, renewal.authenticate) == ("https://id.magalu.com/oauth/token", False)
    assert dict(renewal.form) == {"grant_type": "refresh_token", **KEYS}
    answer = {"access_token": "A", "refresh_token": "R2", "expires_in": 600}
    assert ADAPTER.token
    token = ADAPTER.token.read(Reply(status=200, headers={}, body=json.dumps(answer).encode()), AT)
    assert dict(client.refresh(credentials, token).form)["refresh_token"] == "R2"
    assert token.expires_at == datetime(2026, 11, 21, 10, 10, tzinfo=UTC), "never the published two hours"
    code = client.exchange(credentials, "code", "https://hub.example/back", "")
    assert (code.json["code"], code.form) == ("code", ())
    page = client.authorize(credentials, "https://hub.example/back", "st", "")
    assert page.startswith("https://id.magalu.com/login?client_id=C&")
    assert "choose_tenants=true" in page
    with pytest.raises(ChannelError, match="must be connected"):
        client.refresh(client.Credentials.model_validate(KEYS | {"refresh_token": None}), None)
    trials = client.Credentials.model_validate(KEYS | {"endpoint": client.TRIALS})
    assert client.refresh(trials, None).path == renewal.path


@pytest.mark.parametrize(
    ("typed", "facts", "channel"),
    [(None, {}, mapping.CHANNEL), (None, {"channel": "mine"}, "mine"), ("typed", {"channel": "mine"}, "typed")],
)
def test_each_call_says_which_channel_and_whose_shop(typed: str | None, facts: dict[str, str], channel: str):
    told = Unsigned(
        request=Request(method="GET", path="/x", headers={"X-Y": "1"}), url="https://api.magalu.com/x", content=None,
        shown=ADAPTER.token.headers(Token(access=SecretStr("A"), expires_at=None)) if ADAPTER.token else {},
        credentials=client.Credentials.model_validate(KEYS | {"channel_id": typed}), facts=facts, external_id="T",
        now=AT,
    )  # fmt: skip
    assert client.for_channel(told).headers == {
        "X-Y": "1", "Authorization": "Bearer A", "X-Channel-Id": channel, "X-Tenant-Id": "T",
    }  # fmt: skip


def test_the_webhooks_secret_is_typed_in():
    webhooks = ADAPTER.webhook
    assert webhooks
    assert webhooks.secret
    assert webhooks.secret(client.Credentials.model_validate(KEYS)) is None
    assert webhooks.secret(client.Credentials.model_validate(KEYS | {"webhook_secret": " whsec_1 "})) == "whsec_1"


# ── The vendor's published documents ────────────────────────────────────────────────────────────────────────

REFUSED = {
    "delivery_get_partial": "order.deliveries: not told",
    "legacy_alpha_order": "order.deliveries: not told",  # another platform's
    "legacy_alpha_error_not_found": "order: not an object",
    "delivery_histories_page": "order.deliveries: not told",
}


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not beside this checkout")
def test_published_documents_are_read_or_refused_in_one_sentence():
    for file in sorted(SAMPLES.glob("*.json")):
        with pytest.raises(Unreadable, match=rf"^[^\n]*{REFUSED.get(file.stem, 'order.deliveries: not told')}[^\n]*$"):
            mapping.order(json.loads(file.read_text()))
    for name, code in (
        ("401", "UNAUTHORIZED"),
        ("409", "CONFLICT"),
        ("429", "TOO_MANY_REQUESTS"),
        ("503", "SERVICE_UNAVAILABLE"),
    ):
        body = (SAMPLES / f"error_{name}.json").read_bytes()
        assert stock.read_error(Reply(status=int(name), headers={}, body=body)) == code
    (notice,) = webhook.read(Knock(headers={}, body=(SAMPLES / "webhook_delivery.json").read_bytes()))
    assert (notice.topic, notice.ref) == (Topic.UNKNOWN, "<delivery id>")  # its resource is a placeholder

"""A channel declares itself whole, and its pure half is pure."""

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import SecretStr

import adapters
from hub.contract import Adapter
from hub.faults import Fault
from hub.model import LineQuantity, News, Reply, Request, ShipmentNews
from tests.contract.payloads import FILES, FOLDERS, LEAST, channels, files

EVERY = adapters.names()


def declared(channel: str) -> Adapter:
    return adapters.get(channel)


def page(channel: str) -> str:
    return f"adapters/{channel}/__init__.py"


@pytest.mark.parametrize("channel", EVERY)
def test_has_a_name_and_a_sentence(channel: str):
    adapter = declared(channel)
    module = importlib.import_module(f"adapters.{channel}")
    assert adapter.label.strip() == adapter.label != "", f"{page(channel)}: label is what people call it"
    sentence = (module.__doc__ or "").strip().splitlines()[:1]
    assert sentence, f"{page(channel)}: begin with one sentence that says what this channel is"
    assert sentence[0].endswith((".", "/")), f"{page(channel)}: the first line is one whole sentence"
    assert "TODO" not in sentence[0], f"{page(channel)}: the first line still says TODO"


@pytest.mark.parametrize("channel", EVERY)
def test_points_at_the_vendors_documentation(channel: str):
    said = declared(channel).docs
    assert re.fullmatch(r"https://[\w.-]+\.\w+(/\S*)?", said), (
        f"{page(channel)}: docs must be the https address of the vendor's documentation, not {said!r}"
    )


@pytest.mark.parametrize("channel", EVERY)
def test_can_do_something(channel: str):
    assert declared(channel).can(), f"{page(channel)}: a channel that can do nothing"


@pytest.mark.parametrize("channel", EVERY)
def test_declares_its_limits(channel: str):
    limits = declared(channel).limits
    assert limits, (
        f"{page(channel)}: every channel has a limit: declare Limit(burst=…, seconds=…) as documented; one that "
        f"you had to assume says assumed=True"
    )
    for limit in limits:
        assert limit.burst >= 1, limit
        assert limit.seconds > 0, limit
        assert limit.per in ("account", "app", "ip"), limit
    assert any(limit.operation is None for limit in limits), f"{page(channel)}: no limit holds for all operations"


@pytest.mark.parametrize("channel", EVERY)
def test_credentials_make_a_form_that_hides_its_secrets(channel: str):
    credentials = declared(channel).credentials
    schema = credentials.model_json_schema()
    secret = [name for name, field in schema["properties"].items() if "password" in str(field)]
    assert secret, f"{page(channel)}: its credentials have no SecretStr field: nothing to keep secret?"
    assert credentials.__doc__, f"{credentials.__name__}: one sentence that says where a seller finds these"
    for name in schema["properties"]:
        loud = re.search(r"secret|password|senha|token|access_code", name) and not name.endswith(("_url", "_id"))
        assert not loud or name in secret, f"{credentials.__name__}.{name} must be a SecretStr"


@pytest.mark.parametrize("channel", EVERY)
def test_classes_what_every_channel_says(channel: str):
    faults = declared(channel).faults
    assert faults.get(401) is Fault.AUTH, f"{page(channel)}: faults[401] must be Fault.AUTH"
    assert faults.get(429) is Fault.THROTTLED, f"{page(channel)}: faults[429] must be Fault.THROTTLED"
    assert all(isinstance(fault, Fault) for fault in faults.values())
    assert not [code for code in faults if isinstance(code, int) and not 100 <= code <= 599]


@pytest.mark.parametrize("channel", EVERY)
@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"[]", b"null", b"{", b'"words"', b"\xff\x00"])
def test_reads_no_error_into_a_page_of_somebody_else(channel: str, body: bytes):
    """A proxy's page is no answer of the vendor's: the status alone decides."""
    code = declared(channel).read_error(Reply(status=502, headers={}, body=body))
    assert code is None


@pytest.mark.parametrize("channel", channels("webhook"))
def test_webhook_is_declared_whole(channel: str):
    webhook = declared(channel).webhook
    assert webhook
    assert webhook.deadline_ms > 0, f"{page(channel)}: how long does the vendor wait for an answer?"
    assert webhook.per in ("account", "app")
    assert webhook.signed.strip(), f'{page(channel)}: signed names the scheme; "none" where nothing is signed'


@pytest.mark.parametrize("channel", channels("stock"))
def test_stock_is_declared_whole(channel: str):
    sink = declared(channel).stock
    assert sink
    assert sink.batch >= 1
    assert sink.numbers in ("available", "physical")


@pytest.mark.parametrize("channel", channels("orders"))
def test_parts_own_fields_of_an_order(channel: str):
    from hub.model import Order

    source = declared(channel).orders
    assert source
    assert "order" not in source.parts, "the part `order` owns whatever no other part owns"
    owned = [name for names in source.parts.values() for name in names]
    assert len(owned) == len(set(owned)), "two parts own one field"
    assert set(owned) <= set(Order.model_fields), set(owned) - set(Order.model_fields)


@pytest.mark.parametrize(
    ("channel", "facet"),
    [(name, facet) for name in EVERY for facet in adapters.get(name).can() if facet in FOLDERS],
)
def test_has_payloads(channel: str, facet: str):
    found, folder = files(channel, facet), f"tests/adapters/{channel}/{FOLDERS[facet]}"
    assert len(found) >= LEAST, (
        f"{channel} declares {facet} and has {len(found)} of at least {LEAST} payloads: save what the vendor really "
        f"sends (its documentation's own examples will do, real names and numbers will not) as {folder}/<case>.json, "
        f"each named for what is special in it"
    )


@pytest.mark.parametrize("channel", EVERY)
def test_has_no_payloads_for_what_it_cannot_do(channel: str):
    folders = {path.name for path in (FILES / channel).glob("*") if path.is_dir()}
    declared_folders = {FOLDERS[facet] for facet in declared(channel).can() if facet in FOLDERS}
    assert folders <= declared_folders, f"nothing reads tests/adapters/{channel}/{folders - declared_folders}"


# ── Purity ──────────────────────────────────────────────────────────────────────────────────────────────────

PURE = {
    "webhook": ("verify", "read", "is_ping"),
    "orders": ("parse", "takes_stock"),
    "listings": ("parse",),
    "stock": ("render", "read", "asked"),
    "shipments": ("render",),
    "tracking": ("parse",),
    "freight": ("read_quotes", "read_purchase", "buy", "cancel"),
    "labels": ("standing",),
}
IMPURE = {
    "httpx", "aiohttp", "psycopg", "redis", "rq", "structlog", "tenacity", "requests", "urllib.request",
    "asyncio", "logging", "os", "random", "secrets", "socket", "time", "subprocess", "pathlib", "tempfile",
    "hub.http", "hub.store", "hub.secrets", "hub.context", "hub.bell", "config", "jobs",
}  # fmt: skip
MAY_STAND_IN_A_CLIENT = {"buy", "cancel"}  # requests, rendered beside the paths that they call


def pure_halves(channel: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    adapter = declared(channel)
    yield "read_error", adapter.read_error
    for facet, names in PURE.items():
        for name in names:
            found = getattr(getattr(adapter, facet), name, None)
            if found is not None:
                yield f"{facet}.{name}", found


@pytest.mark.parametrize("channel", EVERY)
def test_pure_functions_take_no_api_and_never_wait(channel: str):
    for name, found in pure_halves(channel):
        assert "api" not in inspect.signature(found).parameters, f"{channel}: {name} is pure: it cannot take an Api"
        assert not inspect.iscoroutinefunction(found), f"{channel}: {name} is pure: it is plain `def`"


@pytest.mark.parametrize("channel", EVERY)
def test_pure_functions_stand_in_pure_modules(channel: str):
    for name, found in pure_halves(channel):
        if name.rpartition(".")[2] in MAY_STAND_IN_A_CLIENT:
            continue
        module = inspect.getmodule(found)
        assert module
        assert module.__file__
        tree = ast.parse(Path(module.__file__).read_text())
        wrong = {word for word in _imported(tree) if word in IMPURE or word.partition(".")[0] in IMPURE}
        assert not wrong, f"{module.__name__} holds {name}, which is pure, and imports {', '.join(sorted(wrong))}"
        asked = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        clock = {"now", "utcnow", "today"} & set(asked)
        assert not clock, f"{module.__name__} holds {name}, which is pure, and asks the clock"


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


# ── What a channel is told about a parcel ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("channel", channels("shipments"))
@pytest.mark.parametrize("news", News)
def test_shipment_news_renders(channel: str, news: News):
    """Every news, to every target: requests (none where there is nothing to tell), the same ones each time."""
    sink = declared(channel).shipments
    assert sink
    assert sink.targets
    assert len(set(sink.targets)) == len(sink.targets)
    told = ShipmentNews(
        news=news,
        order_ref="1001",
        shipment_ref="2002",
        carrier="Correios",
        service="me1",
        tracking_code="AA123456785BR",
        at=datetime(2026, 3, 4, 12, 30, tzinfo=UTC),
        lines=(LineQuantity(line_ref="3003", quantity=1),),
    )
    for target in sink.targets:
        found = sink.render(told, target)
        assert found == sink.render(told, target)
        assert all(isinstance(request, Request) for request in found)
        assert all(request.method in ("POST", "PUT", "PATCH") for request in found)


def test_every_secret_is_a_secret_string():
    """The check above looks for pydantic's password format; this pins that SecretStr still writes it."""
    for channel in EVERY:
        hints = declared(channel).credentials.model_fields.values()
        assert any(SecretStr in (field.annotation, *get_args(field.annotation)) for field in hints), channel

"""A channel's document as canonical JSON, by the adapter's pure halves. No network, database or clock."""

import json
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ValidationError

from hub.contract import Adapter, StockSink, WebhookSource
from hub.faults import BadSignature, ChannelError, Unreadable
from hub.model import Knock, Outcome, OutcomeKind, Raw, Reply, Request, StockWrite

T = TypeVar("T")


class NoFacet(Exception):
    """This channel cannot do it; the message says so."""


def order(adapter: Adapter, raw: Raw) -> dict[str, Any]:
    """CANONICAL's order, with `status` and `unit_price_cents`. A page must hold exactly one."""
    source = _facet(adapter.orders, adapter, "orders")
    if isinstance(raw, list) and len(raw) != 1:
        held = "nothing" if not raw else f"a page of {len(raw)} documents"
        raise Unreadable("document", f"{held}, where one order was expected: give one of them (jq '.[0]')")
    return _plain(_read(lambda: source.parse(raw)))


def listing(adapter: Adapter, raw: Raw) -> dict[str, Any]:
    """{"listings": [...]}, one per sellable variation."""
    source = _facet(adapter.listings, adapter, "listings")
    return {"listings": [_plain(each) for each in _read(lambda: source.parse(raw))]}


def tracking(adapter: Adapter, raw: Raw, codes: Sequence[str] = ()) -> dict[str, Any]:
    """{"objects": [...]} in the order asked; every object of the document when no code is."""
    source = _facet(adapter.tracking, adapter, "tracking")
    return {"objects": [_plain(each) for each in _read(lambda: source.parse(raw, codes))]}


# ── notices ─────────────────────────────────────────────────────────────────────────────────────────────


def notice(adapter: Adapter, told: Raw) -> dict[str, Any]:
    """{"notices": [...]} of {headers, body, secret?, url?}. BadSignature: the knock is not theirs."""
    source = _facet(adapter.webhook, adapter, "webhook")
    file = _object(told, "document")
    knock = Knock(headers=_headers(file, ""), body=_text(file, "body"), url=_word(file, "url"))
    return {"notices": [_plain(each) for each in _read(lambda: _noticed(source, _word(file, "secret"), knock))]}


def _noticed(source: WebhookSource, secret: str, knock: Knock) -> list[Any]:
    """As intake does it: a registration ping is unsigned, everything else is verified before it is read."""
    if source.is_ping is None or not source.is_ping(knock):
        source.verify(secret, knock)
    return source.read(knock)


# ── answers to stock writes ─────────────────────────────────────────────────────────────────────────────


def stock_response(adapter: Adapter, told: Raw) -> dict[str, Any]:
    """{"outcomes": [...]} of {request, status, headers, body}: what was sent and what came back."""
    sink = _facet(adapter.stock, adapter, "stock")
    if sink.asked is None:
        raise NoFacet(f"{adapter.label} cannot read its own stock requests back")
    file = _object(told, "document")
    request, asked = _request(_object(file.get("request"), "request")), sink.asked
    writes = _read(lambda: asked(request))
    if not writes:
        raise Unreadable("request", "no stock write")
    reply = Reply(status=_status(file.get("status")), headers=_headers(file, ""), body=_text(file, "body", loose=True))
    return {"outcomes": [_plain(each) for each in _outcomes(adapter, sink, request, writes, reply)]}


def _outcomes(
    adapter: Adapter, sink: StockSink, request: Request, writes: Sequence[StockWrite], reply: Reply
) -> list[Outcome]:
    """As the engine has it: an answer is read, an error that is none refuses every row."""
    if reply.status < HTTPStatus.BAD_REQUEST or reply.status in request.accept:
        return _read(lambda: sink.read(writes, reply))
    try:
        return _read(lambda: sink.read(writes, reply))
    except Unreadable:
        code = adapter.read_error(reply) or str(reply.status)
        return [
            Outcome(
                listing_ref=write.listing_ref or None,
                variation_ref=write.variation_ref,
                slot_ref=write.slot_ref,
                outcome=OutcomeKind.FAULT,
                code=code,
                message=f"HTTP {reply.status}",
            )
            for write in writes
        ]


def _request(told: Mapping[str, Any]) -> Request:
    """{method, path or url, params?, headers?, json or body?} as it was sent."""
    where = urlsplit(_word(told, "path") or _word(told, "url"))
    if not where.path:
        raise Unreadable("request.path", "not told")
    body = told.get("json", told.get("body"))
    if isinstance(body, str):
        body = document(body.encode("utf-8", "surrogatepass"), "request.body")
    params = told.get("params")
    pairs = [(str(name), str(value)) for name, value in params.items()] if isinstance(params, dict) else []
    return Request(
        method=(_word(told, "method") or "POST").upper(),
        path=where.path,
        params=(*parse_qsl(where.query), *pairs),
        json=body,
        headers=_headers(told, "request."),
    )


def _status(told: Raw) -> int:
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) == 3:  # noqa: PLR2004 - HTTP
        told = int(told)
    if isinstance(told, bool) or not isinstance(told, int) or not 100 <= told <= 599:  # noqa: PLR2004 - HTTP
        raise Unreadable("status", "not an HTTP status")
    return told


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────


def document(body: bytes, path: str = "document") -> Raw:
    """The JSON value of a file; a file that is none is Unreadable."""
    try:
        return json.loads(body.decode("utf-8-sig", "surrogatepass"), parse_constant=_no_number)
    except json.JSONDecodeError as problem:
        raise Unreadable(path, f"not JSON (line {problem.lineno}, column {problem.colno})") from None
    except RecursionError:
        raise Unreadable(path, "not JSON that can be read: nested too deep") from None
    except ValueError as problem:  # not UTF-8, NaN, a number of thousands of digits
        raise Unreadable(path, f"not JSON: {problem}"[:160]) from None


def text_or_json(body: bytes) -> Raw:
    """A tracking answer: JSON, else the text itself, in the encoding that its XML names."""
    head = body[:1].lstrip()
    stripped = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if head and not stripped.startswith(b"<"):
        return document(body)
    encoding = "utf-8-sig"
    if stripped.startswith(b"<?xml") and b"encoding=" in (line := stripped.partition(b"?>")[0]):
        encoding = line.partition(b"encoding=")[2].strip()[1:].split(b'"')[0].split(b"'")[0].decode("ascii", "ignore")
    for each in (encoding, "utf-8-sig", "cp1252"):
        try:
            return body.decode(each)
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("cp1252", "replace")


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON number")


def _object(told: Raw, path: str) -> Mapping[str, Any]:
    if not isinstance(told, dict):
        raise Unreadable(path, "not an object" if told is not None else "not told")
    return told


def _word(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(name, "not a string")
    return value


def _text(told: Mapping[str, Any], name: str, *, loose: bool = False) -> bytes:
    """A body as bytes. `loose`: a JSON value stands for its text; a signature needs the text itself."""
    value = told.get(name)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if loose:
        return b"" if value is None else json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    raise Unreadable(name, "not told" if value is None else "must be the text as it came, in a string")


def _headers(told: Mapping[str, Any], path: str) -> dict[str, str]:
    """Header names in lower case."""
    headers = told.get("headers")
    if headers is None:
        return {}
    if not isinstance(headers, dict):
        raise Unreadable(f"{path}headers", "not an object")
    return {
        name.strip().lower(): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in headers.items()
        if value is not None
    }


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────


def _facet(facet: T | None, adapter: Adapter, name: str) -> T:
    if facet is None:
        raise NoFacet(f"{adapter.label} has no {name} (it has: {', '.join(adapter.can())})")
    return facet


def _read(read: Callable[[], T]) -> T:
    """What an adapter's pure half answers; a document that breaks it is Unreadable like any other."""
    try:
        return read()
    except (ChannelError, BadSignature):
        raise
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        raise Unreadable(".".join(map(str, first["loc"])) or "document", first["msg"]) from None
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as problem:
        raise Unreadable("document", f"not a shape that is known: {type(problem).__name__}: {problem}"[:200]) from None


def _plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json")


FACETS: Mapping[str, Callable[[Adapter, Raw], dict[str, Any]]] = {
    "order": order,
    "listing": listing,
    "notice": notice,
    "tracking": tracking,
    "stock_response": stock_response,
}

"""Calls that every channel makes: a JSON document got, one that may not be there, what an error answer tells."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from hub import parse
from hub.contract import Api, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Raw, Reply, Request

T = TypeVar("T")


async def get(api: Api, path: str, operation: str | None = None, /, **params: str) -> Raw:
    """The JSON value that a GET answers."""
    request = Request(method="GET", path=path, params=tuple(params.items()), operation=operation)
    return json_of(await api.call(request))


async def get_bytes(api: Api, path: str, **params: str) -> bytes:
    """The file that a GET answers."""
    return (await api.call(Request(method="GET", path=path, params=tuple(params.items())))).body


async def get_if_there(
    api: Api, path: str, headers: Mapping[str, str] | None = None, operation: str | None = None
) -> Reply | None:
    """The 200 of a GET; None for 404 and for an answer without content. Other failures are raised."""
    request = Request(
        method="GET", path=path, headers=headers or {}, operation=operation, accept=frozenset({HTTPStatus.NOT_FOUND})
    )
    reply = await api.call(request)
    return reply if reply.status == HTTPStatus.OK else None


def first(rows: Sequence[T], ref: str) -> T:
    """The first of the rows that a ref was answered with; where there is none it is not there."""
    if not rows:
        raise ChannelError(Fault.MISSING, "not_found", f"there is no {ref[:40]!r}")
    return rows[0]


def number_of(ref: str) -> str:
    """A ref of a channel that numbers everything, fit for a path; whatever is no number is not there."""
    if not (ref.isascii() and ref.isdecimal()):
        raise ChannelError(Fault.MISSING, "no_number", f"everything is numbered; {ref[:40]!r} is no number")
    return ref


def chosen(field: str, wanted: str | None, there: Sequence[str], best: str | None = None) -> str:
    """The place whose stock is written: the one that the seller named in this field, else the best, else the first."""
    found = wanted or best or next(iter(there), None)
    if found is None or found not in there:
        named = f"there is no active {wanted or 'one'} (there are: {', '.join(there) or 'none'})"
        raise ChannelError(Fault.REJECTED, f"no_{field}", f"{field}: {named}")
    return found


def batches(rows: Sequence[T], size: int) -> list[tuple[T, ...]]:
    """Groups of at most `size`, in order, for requests that take so many."""
    return [tuple(rows[start : start + size]) for start in range(0, len(rows), size)]


def grouped(rows: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    """Rows by key; keys, and the rows of each, in their order."""
    groups: dict[str, list[T]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


async def if_there(asked: Awaitable[T], *absent: Fault) -> T | None:
    """What is asked for; None where the channel says that there is no such thing: MISSING, or one of `absent`."""
    try:
        return await asked
    except ChannelError as gone:
        if gone.fault not in (absent or (Fault.MISSING,)):
            raise
        return None


def refusal_of(reply: Reply) -> dict[str, Any]:
    """The JSON object of an error answer; empty where there is none, and for an answer that is no error."""
    told = told_in(reply) if reply.status >= HTTPStatus.BAD_REQUEST else None
    return told if isinstance(told, dict) else {}


def told_in(reply: Reply) -> Raw:
    """The JSON value of an answer that may be anybody's; null where it is none."""
    try:
        return json_of(reply)
    except Unreadable:
        return None


def within(raw: Raw, *keys: str) -> Raw:
    """What stands at this path of a document that nobody has read yet; null where it does not lead on."""
    for key in keys:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw


def listed(raw: Raw, *keys: str) -> list[Raw]:
    """The rows that stand at this path, as `within`; none where no list does."""
    rows = within(raw, *keys)
    return rows if isinstance(rows, list) else []


def said(raw: Raw, *keys: str) -> str | None:
    """The first of these words or numbers of an error answer, whatever else it may be."""
    found = (within(raw, key) for key in keys)
    return next((word for each in found if isinstance(each, str | int) and (word := parse.text(each))), None)

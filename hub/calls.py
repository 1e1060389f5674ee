"""Calls that every channel makes: a JSON document got, one that may not be there, what an error answer tells."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from hub.contract import Api, json_of
from hub.faults import Unreadable
from hub.model import Raw, Reply, Request


async def get(api: Api, path: str, **params: str) -> Raw:
    """The JSON value that a GET answers."""
    return json_of(await api.call(Request(method="GET", path=path, params=tuple(params.items()))))


async def get_if_there(
    api: Api, path: str, headers: Mapping[str, str] | None = None, operation: str | None = None
) -> Reply | None:
    """The 200 of a GET; None for 404 and for an answer without content. Other failures are raised."""
    request = Request(
        method="GET", path=path, headers=headers or {}, operation=operation, accept=frozenset({HTTPStatus.NOT_FOUND})
    )
    reply = await api.call(request)
    return reply if reply.status == HTTPStatus.OK else None


def refusal_of(reply: Reply) -> dict[str, Any]:
    """The JSON object of an error answer; empty where there is none, and for an answer that is no error."""
    try:
        told = json_of(reply) if reply.status >= HTTPStatus.BAD_REQUEST else None
    except Unreadable:
        return {}
    return told if isinstance(told, dict) else {}


def within(raw: Raw, *keys: str) -> Raw:
    """What stands at this path of a document that nobody has read yet; null where it does not lead on."""
    for key in keys:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw

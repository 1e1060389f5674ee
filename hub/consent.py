"""An authorization on its way: what is asked for before it, where its answer comes back, and what that tells. Pure."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from types import NoneType
from typing import Any, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, create_model
from pydantic_core import PydanticUndefined

from hub.contract import Credentials, OAuth

PATH = "/contas/retorno"
HERE = frozenset({"127.0.0.1", "localhost", "::1"})  # where a browser on this machine finds the hub
LONGEST_TOLD = 300


class Declined(Exception):
    """The vendor's answer grants nothing. `code`: its error, or "incomplete"; `said`: its words, or what is missing."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(f"{code}: {said}")
        self.code, self.said = code, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A code to trade, and fields of the credentials that came with it."""

    code: str
    told: Mapping[str, str]


def draft(credentials: type[Credentials], oauth: OAuth) -> type[Credentials]:
    """The credentials before a consent: what it brings may be empty, the application's own fields must not."""
    changed: dict[str, Any] = {}
    for name, known in credentials.model_fields.items():
        kind = next((each for each in get_args(known.annotation) if each is not NoneType), known.annotation)
        if name in oauth.untyped() and known.is_required():
            changed[name] = (known.annotation, Field(SecretStr("") if kind is SecretStr else ""))
        elif name in oauth.app and not known.is_required():
            needed = copy(known)
            needed.default, needed.annotation = PydanticUndefined, kind
            changed[name] = (kind, needed)
    return create_model(f"Draft{credentials.__name__}", __base__=credentials, **changed)


def home(public_url: str | None, origin: str) -> str | None:
    """The hub's address that a vendor can send a browser back to: the public one, else this machine's own.

    `origin`: scheme and host by which the reader came. None: the hub has no address that a vendor would accept.
    """
    if public_url:
        return public_url.rstrip("/")
    return origin if urlsplit(origin).hostname in HERE else None


def return_address(base: str, channel: str) -> str:
    """Where a channel's consent page sends the person back to."""
    return f"{base}{PATH}/{channel}"


def read_back(oauth: OAuth, credentials: Credentials, told: Mapping[str, str]) -> Granted:
    """What the address tells that the vendor came back to. Declined, or the ChannelError of `oauth.verify`."""
    if error := told.get("error"):
        raise Declined(error[:80], told.get("error_description", "")[:LONGEST_TOLD])
    if oauth.verify:
        oauth.verify(credentials, told)
    missing = [name for name in (oauth.code, *oauth.tells) if not told.get(name)]
    if missing:
        raise Declined("incomplete", ", ".join(missing))
    return Granted(code=told[oauth.code], told={field: told[name] for name, field in oauth.tells.items()})


def granted_by(oauth: OAuth, answer: Mapping[str, Any]) -> dict[str, str]:
    """Fields of the credentials that the exchange's answer tells. Declined names those that it lacks."""
    missing = [name for name in oauth.grants if answer.get(name) in (None, "")]
    if missing:
        raise Declined("incomplete", ", ".join(missing))
    return {field: str(answer[name]) for name, field in oauth.grants.items()}

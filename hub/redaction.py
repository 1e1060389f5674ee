"""Secrets stay in: masks for what looks like one, in texts, in events and in a channel's own words. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, SecretStr

from hub.model import Request

MASK = "***"
_NAMES = (
    r"authori[sz]ation|cookie|passw|senha|secret|token|(?:api|app|consumer|private)[_-]?key"
    r"|access[_-]?(?:code|key)|signature|credential"
)
_NAMED = re.compile(
    rf"(?P<name>(?<![\w.-])(?=[\w.-]{{0,80}}?(?:{_NAMES}))[\w.-]{{1,120}}+\\?[\"']?\s*[=:]\s*)"
    r"(?:\\\"[^\"]*\"|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?:(?:bearer|basic)\s+)?[^\s&,;\"'<>(){}\[\]]+)",
    re.IGNORECASE,
)
_SHAPED = re.compile(
    r"(?P<name>\b(?:bearer|basic)\s+(?=\S*[\d=])|[?&](?:code|sign|hmac)=)[\w.~+/=-]{8,}"
    r"|\b(?:ck|cs)_[0-9a-f]{8,}"  # WooCommerce
    r"|\bshp(?:at|ca|pa|ss|ua)_\w+"  # Shopify
    r"|(?-i:\b(?:APP_USR|TG)-[\w-]{8,}"  # Mercado Livre
    r"|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?)"  # a JWT
    r"|(?<=://)[^/@\s]+(?=@)",  # user:password in an address
    re.IGNORECASE,
)
_is_secret = re.compile(rf"{_NAMES}|^(?:code_verifier|assertion|sign|hmac)$", re.IGNORECASE).search


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with everything masked that looks like a secret, and the given ones wherever they stand."""
    for secret in sorted({each for each in secrets if len(each) >= 4}, key=len, reverse=True):  # noqa: PLR2004
        text = text.replace(secret, MASK).replace(quote(secret, safe=""), MASK)
    text = _NAMED.sub(lambda found: found["name"] + MASK, text)
    return _SHAPED.sub(lambda found: (found["name"] or "") + MASK, text)


def redact_event(_logger: Any, _method: str, event: Any) -> Any:
    """A structlog processor: no secret in any value. It stands after the one that prints exceptions."""
    return {key: _redacted(key, told) for key, told in event.items()}


def _redacted(name: object, told: Any) -> Any:
    if told is None or isinstance(told, bool | int | float):
        return told
    if isinstance(name, str) and _is_secret(name):
        return MASK
    if isinstance(told, Mapping):
        return {key: _redacted(key, each) for key, each in told.items()}
    if isinstance(told, list | tuple | set | frozenset):
        return [_redacted(None, each) for each in told]
    return redact(str(told))


def secrets_of(request: Request, headers: Mapping[str, str], credentials: Any) -> set[str]:
    """What must not come back in a channel's own words: shown headers, secret fields and parameters."""
    found = {part for told in headers.values() for part in (told, told.rpartition(" ")[2])}
    found |= {told for name, told in (*request.params, *request.form) if _is_secret(name)}
    if isinstance(request.json, Mapping):
        found |= {str(told) for name, told in request.json.items() if _is_secret(str(name))}
    if isinstance(credentials, BaseModel):
        fields = vars(credentials).values()
        found |= {told.get_secret_value() for told in fields if isinstance(told, SecretStr)}
    return found

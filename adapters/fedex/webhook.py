"""What FedEx's Advanced Integrated Visibility tells: the results of one or more numbers, signed. Pure."""

from contextlib import suppress

from adapters.fedex.mapping import number, results
from adapters.fedex.mapping import parse as tracked
from hub import parse
from hub.faults import BadSignature, Unreadable
from hub.model import Knock, Notice, Raw, Topic
from hub.signing import hmac_sha256
from hub.wire import json_of_body

_BASE64 = hmac_sha256("fdx-signature", encoding="base64")
_HEX = hmac_sha256("fdx-signature", encoding="hex")  # the same page says both: "hex encoding", and Base 64 in its code


def verify(secret: str, knock: Knock) -> None:
    """BadSignature unless FedEx signed the body with the security token."""
    try:
        _BASE64(secret, knock)
    except BadSignature:
        _HEX(secret, knock)


def read(knock: Knock) -> list[Notice]:
    """A notice for each number, with its results. There is no event id: what is told of a number is the key."""
    raw = json_of_body(knock.body)
    try:
        told = [(number(row), dict(row.raw)) for row in results(raw)]
    except Unreadable:
        told = []
    return [_notice(ref, row) for ref, row in told] or [_notice(None, raw)]


def _notice(ref: str | None, raw: Raw) -> Notice:
    topic = Topic.TRACKING if ref else Topic.UNKNOWN
    at = None
    with suppress(Unreadable):
        at = max((event.at for told in tracked(raw, ()) for event in told.events), default=None)
    return Notice(topic=topic, ref=ref, dedupe_key=f"{ref}:{parse.digest(raw)}", at=at, raw=raw)

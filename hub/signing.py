"""Webhook signature schemes as data. Pure: secret and knock in; nothing or BadSignature out."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import TypeAlias

from hub.faults import BadSignature
from hub.model import Knock

Verify: TypeAlias = Callable[[str, Knock], None]


def _base64(digest: bytes) -> bytes:
    return base64.b64encode(digest)


def _hex(digest: bytes) -> bytes:
    return digest.hex().encode()


ENCODINGS = {"base64": _base64, "hex": _hex}


def hex_hmac(secret: str, message: bytes) -> str:
    """Lower hex HMAC-SHA256, for queries that are signed and for knocks that sign more than their body."""
    return hmac.digest(secret.encode(errors="surrogateescape"), message, hashlib.sha256).hex()


def expect(want: str | bytes, header: str, knock: Knock) -> None:
    """BadSignature unless a header (lower case) is just this; found out in constant time."""
    wanted = want.encode() if isinstance(want, str) else want
    if not hmac.compare_digest(wanted, knock.headers.get(header, "").encode(errors="surrogateescape")):
        raise BadSignature(header)


def hmac_sha256(header: str, *, encoding: str, prefix: str = "") -> Verify:
    """HMAC-SHA256 of the raw body under the webhook's secret, in `header` (lower case), after `prefix`."""
    encode = ENCODINGS[encoding]

    def verify(secret: str, knock: Knock) -> None:
        expect(prefix.encode() + encode(hmac.digest(secret.encode(), knock.body, hashlib.sha256)), header, knock)

    return verify


def shared_secret(header: str, *, prefix: str = "") -> Verify:
    """No signature, but a secret of ours that the vendor repeats in `header` (lower case), after `prefix`."""

    def verify(secret: str, knock: Knock) -> None:
        expect(prefix.encode() + secret.encode(), header, knock)

    return verify


def unsigned(_secret: str, _knock: Knock) -> None:
    """For vendors that sign nothing: the unguessable callback path is all there is; the body is only a hint."""

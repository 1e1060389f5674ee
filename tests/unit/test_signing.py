"""Webhook signatures: only who holds the secret gets past."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.faults import BadSignature
from hub.model import Knock
from hub.signing import ENCODINGS, expect, hex_hmac, hmac_sha256, unsigned

BODY = b'{"id":1}'
# RFC 4231, test case 2
RFC_KEY, RFC_BODY = "Jefe", b"what do ya want for nothing?"
RFC_HEX = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def knock(signature: str | None, body: bytes = BODY) -> Knock:
    return Knock(headers={} if signature is None else {"x-signature": signature}, body=body)


def test_the_vector_of_rfc_4231():
    hmac_sha256("x-signature", encoding="hex")(RFC_KEY, knock(RFC_HEX, RFC_BODY))
    in_base64 = base64.b64encode(bytes.fromhex(RFC_HEX)).decode()
    hmac_sha256("x-signature", encoding="base64")(RFC_KEY, knock(in_base64, RFC_BODY))
    hmac_sha256("x-signature", encoding="hex", prefix="sha256=")(RFC_KEY, knock(f"sha256={RFC_HEX}", RFC_BODY))


@pytest.mark.parametrize(
    "signature",
    [None, "", "0" * 64, RFC_HEX[:-1], RFC_HEX.upper(), f"sha256={RFC_HEX}", f" {RFC_HEX}", "é" * 32],
)
def test_anything_else_is_refused(signature):
    with pytest.raises(BadSignature, match="x-signature"):
        hmac_sha256("x-signature", encoding="hex")(RFC_KEY, knock(signature, RFC_BODY))


def test_what_a_channel_signs_in_its_own_way():
    assert hex_hmac(RFC_KEY, RFC_BODY) == RFC_HEX
    expect(RFC_HEX, "x-signature", knock(RFC_HEX))
    for shown in (None, "", RFC_HEX[:-1], RFC_HEX.upper(), "\udcff"):
        with pytest.raises(BadSignature, match="x-signature"):
            expect(RFC_HEX, "x-signature", knock(shown))


def test_a_missing_prefix_is_refused():
    with pytest.raises(BadSignature):
        hmac_sha256("x-signature", encoding="hex", prefix="sha256=")(RFC_KEY, knock(RFC_HEX, RFC_BODY))


@given(st.binary(), st.binary(), st.text(), st.text(), st.sampled_from(sorted(ENCODINGS)))
def test_another_body_or_secret_is_refused(body, other_body, secret, other_secret, encoding):
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    signature = ENCODINGS[encoding](digest).decode()
    verify = hmac_sha256("x-signature", encoding=encoding)
    verify(secret, knock(signature, body))
    if other_body != body:
        with pytest.raises(BadSignature):
            verify(secret, knock(signature, other_body))
    # HMAC pads keys with zero bytes: keys that differ only there are one key.
    if other_secret.encode().rstrip(b"\0") != secret.encode().rstrip(b"\0"):
        with pytest.raises(BadSignature):
            verify(other_secret, knock(signature, body))


def test_a_vendor_that_signs_nothing_is_let_in():
    unsigned("secret", knock(None))


def test_an_unknown_encoding_fails_when_declared():
    with pytest.raises(KeyError):
        hmac_sha256("x-signature", encoding="rot13")

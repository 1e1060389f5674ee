"""Codes of the second factor: TOTP (RFC 6238) of six digits and thirty seconds, and recovery codes."""

import base64
import re
import secrets
from datetime import datetime

import pyotp
import segno

from hub.secrets import same, token_hash

ISSUER = "Balcão"
SECONDS = 30
CODES = 10
AROUND = (0, -1, 1)  # steps: a telephone's clock may be half a minute off
_SIX = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """160 random bits as base32, as authenticator apps take them."""
    return pyotp.random_base32()


def address(secret: str, email: str) -> str:
    """The otpauth: address that the picture shows."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def picture(told: str) -> str:
    """A QR code as SVG, to stand in a page."""
    return segno.make_qr(told, error="m").svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, close to `now`; None for no such code."""
    if not _SIX.fullmatch(code):
        return None
    step, totp = int(now.timestamp()) // SECONDS, pyotp.TOTP(secret)
    fits = [step + off for off in AROUND if same(totp.generate_otp(step + off), code)]
    return max(fits, default=None)


def new_codes() -> list[str]:
    """Ten recovery codes of 80 random bits: xxxx-xxxx-xxxx-xxxx."""
    plain = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(CODES)]
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in plain]


def code_hash(told: str) -> bytes:
    """What is kept of a recovery code, however it was typed."""
    return token_hash(re.sub(r"[^a-z2-7]", "", told.lower()))

"""Credentials encrypted at rest, under keys that can be changed, and the tokens that callbacks carry.

`python -m hub.secrets` prints a new key for BALCAO_SECRET_KEYS.
"""

import hashlib
import hmac
import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

KEY_FILE = "secret.key"


class SecretsError(Exception):
    """Keys that cannot be used, or credentials that they do not open: one sentence for a person."""


class Vault:
    """Seals credentials under the first key and opens what any of the keys sealed."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise SecretsError("BALCAO_SECRET_KEYS holds no key: make one with `python -m hub.secrets`")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
            self._keys = [key.encode() for key in keys]
        except (ValueError, TypeError):
            raise SecretsError(
                "BALCAO_SECRET_KEYS holds something that is no key: make one with `python -m hub.secrets`"
            ) from None

    def __repr__(self) -> str:
        return "<Vault>"

    def seal(self, plain: Mapping[str, str]) -> bytes:
        """`plain` as bytes for a database."""
        return self._fernet.encrypt(json.dumps(dict(plain), ensure_ascii=False).encode())

    def open(self, sealed: bytes) -> dict[str, str]:
        """What was sealed. SecretsError when none of the keys fits."""
        return dict(json.loads(self._opened(sealed)))

    def rotate(self, sealed: bytes) -> bytes:
        """The same, sealed under the first key. SecretsError when none of the keys fits."""
        self._opened(sealed)
        return self._fernet.rotate(sealed)

    def signatures(self, purpose: str, body: bytes) -> list[bytes]:
        """What each key signs these bytes with for this purpose, the first key first (HMAC-SHA-256)."""
        apart = [hmac.digest(key, b"balcao:" + purpose.encode(), "sha256") for key in self._keys]
        return [hmac.digest(key, body, "sha256") for key in apart]

    def _opened(self, sealed: bytes) -> bytes:
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise SecretsError(
                "none of our keys opens these credentials: put the key that sealed them back "
                f"(in BALCAO_SECRET_KEYS, or {KEY_FILE} in BALCAO_HOME), or connect the account anew"
            ) from None


def new_key() -> str:
    """A key for a Vault."""
    return Fernet.generate_key().decode()


def load_keys(configured: str | None, home: Path) -> tuple[str, ...]:
    """The keys configured, separated by commas, else those of a file in `home`, made 0600 when missing."""
    keys = tuple(filter(None, (part.strip() for part in (configured or "").split(","))))
    if keys:
        return keys
    path = home / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        return tuple(path.read_text().split())
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is no text"
        raise SecretsError(f"{path} cannot be used ({why}): make it readable or set BALCAO_SECRET_KEYS") from None


def _make(path: Path) -> None:
    """Write a new key, whole or not at all; of two processes at once the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(new_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            return
    finally:
        aside.unlink()


def new_token() -> str:
    """An unguessable token for an address: 32 random bytes, URL-safe."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored and looked up in a token's place: its SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def same(one: str | bytes, other: str | bytes) -> bool:
    """Whether two secrets are equal, taking the same time wherever they differ."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


def _bytes(told: str | bytes) -> bytes:
    return told if isinstance(told, bytes) else told.encode("utf-8", "surrogatepass")


if __name__ == "__main__":
    sys.stdout.write(new_key() + "\n")

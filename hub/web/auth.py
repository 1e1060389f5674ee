"""Who is asking: passwords, the session cookie, and how often a sign-in may be tried."""

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from uuid import UUID

from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.secrets import SecretsError, Vault, new_token

LASTS = timedelta(hours=12)
HALF_LASTS = timedelta(minutes=10)  # between the password and the code
RENEWED_AFTER = timedelta(minutes=5)  # a cookie is given out anew at most this often
LONGEST_PASSWORD = 1024
LEAST_PASSWORD = 8

_HASHER = PasswordHasher()
HASHES_AT_ONCE = 2  # each takes 64 MiB


# ── passwords ───────────────────────────────────────────────────────────────────────────────────────────────


def hash_password(plain: str) -> str:
    """An argon2id hash to keep. ValueError, a sentence, for a password that is too short or too long."""
    if not LEAST_PASSWORD <= len(plain) <= LONGEST_PASSWORD:
        raise ValueError(f"a password has {LEAST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return _HASHER.hash(plain)


@cache
def _nobody() -> str:
    """The hash of a password that nobody has, so that an unknown e-mail takes as long as a known one."""
    return _HASHER.hash(new_token())


def _matches(kept: str, plain: str) -> bool:
    try:
        return _HASHER.verify(kept, plain)
    except (VerificationError, InvalidHashError):
        return False


async def matches(gate: asyncio.Semaphore, kept: str | None, plain: str) -> bool:
    """Whether a password is the one that was kept; None (nobody has that e-mail) takes just as long."""
    async with gate:
        told = plain if len(plain) <= LONGEST_PASSWORD else ""
        against = kept if kept is not None else await asyncio.to_thread(_nobody)
        right = await asyncio.to_thread(_matches, against, told)
    return right and kept is not None


async def rehashed(kept: str, plain: str) -> str | None:
    """A stronger hash of the same password, where today's parameters ask for one."""
    return await asyncio.to_thread(_HASHER.hash, plain) if _HASHER.check_needs_rehash(kept) else None


# ── the session ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the cookie holds, sealed. A visitor who has not signed in has one too, for the form's token alone."""

    at: datetime
    csrf: str
    user_id: UUID | None = None
    seller_id: UUID | None = None
    epoch: int = 0
    session_id: UUID | None = None
    half: tuple[UUID, int, int] | None = None  # the password was right, the code is awaited: user, epoch, since
    flash: tuple[str, str] | None = None  # (tone, sentence) to show once, on the next page

    def is_old(self, now: datetime) -> bool:
        """Whether it is time to give it out anew."""
        return now - self.at > RENEWED_AFTER

    def renewed(self, now: datetime) -> "Session":
        """The same from now on."""
        return replace(self, at=now)


def visitor(now: datetime) -> Session:
    """A fresh session of nobody."""
    return Session(at=now, csrf=new_token())


def signed_in(now: datetime, user_id: UUID, seller_id: UUID, epoch: int, session_id: UUID) -> Session:
    """A fresh session of a person; the form's token is a new one."""
    return Session(
        at=now, csrf=new_token(), user_id=user_id, seller_id=seller_id, epoch=epoch, session_id=session_id
    )  # fmt: skip


def half_in(now: datetime, user_id: UUID, epoch: int) -> Session:
    """Of somebody whose password was right, and whose code is awaited."""
    return Session(at=now, csrf=new_token(), half=(user_id, epoch, int(now.timestamp())))


def awaited(session: Session, now: datetime) -> tuple[UUID, int] | None:
    """(user, epoch) whose code is awaited still."""
    if session.half is None or now.timestamp() - session.half[2] > HALF_LASTS.total_seconds():
        return None
    return session.half[:2]


def seal(vault: Vault, session: Session) -> str:
    """The cookie's value."""
    plain = {
        "is": "session",
        "at": str(int(session.at.timestamp())),
        "csrf": session.csrf,
        "user": str(session.user_id or ""),
        "seller": str(session.seller_id or ""),
        "epoch": str(session.epoch),
        "session": str(session.session_id or ""),
        "half": "~".join(map(str, session.half)) if session.half else "",
        "flash": json.dumps(session.flash) if session.flash else "",
    }
    return vault.seal(plain).decode()


def _half(told: str) -> tuple[UUID, int, int] | None:
    if not told:
        return None
    user, epoch, since = told.split("~")
    return UUID(user), int(epoch), int(since)


def unseal(vault: Vault, told: str | None, now: datetime) -> Session | None:
    """The session in a cookie; None for none, a forged one, another kind of secret, or one that has run out."""
    if not told:
        return None
    try:
        plain = vault.open(told.encode())
        if plain.get("is") != "session":
            return None
        at = datetime.fromtimestamp(int(plain["at"]), UTC)
        flash = json.loads(plain["flash"]) if plain["flash"] else None
        session = Session(
            at=at,
            csrf=plain["csrf"],
            user_id=UUID(plain["user"]) if plain["user"] else None,
            seller_id=UUID(plain["seller"]) if plain["seller"] else None,
            epoch=int(plain["epoch"]),
            session_id=UUID(plain["session"]) if plain["session"] else None,
            half=_half(plain["half"]),
            flash=(flash[0], flash[1]) if flash else None,
        )
    except (SecretsError, KeyError, ValueError, TypeError):
        return None
    return session if timedelta(minutes=-1) <= now - at <= LASTS else None


def cookie_name(*, secure: bool) -> str:
    """__Host-: a browser takes it over https only, for this host alone."""
    return "__Host-balcao" if secure else "balcao"


def set_cookie(answer: web.StreamResponse, vault: Vault, session: Session, *, secure: bool) -> None:
    """Give the session to the browser."""
    answer.set_cookie(
        cookie_name(secure=secure), seal(vault, session), max_age=int(LASTS.total_seconds()), path="/",
        httponly=True, samesite="Lax", secure=secure,
    )  # fmt: skip


# ── where to, afterwards ────────────────────────────────────────────────────────────────────────────────────


def safe_next(told: str | None) -> str:
    """A path of ours to go on to; the front page for anything that a browser could take for another site."""
    path = told or "/"
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if ours and not path.startswith(("/entrar", "/sair")) else "/"


# ── how often ───────────────────────────────────────────────────────────────────────────────────────────────

WINDOW = timedelta(minutes=15)
PER_EMAIL, PER_ADDRESS = 8, 40
MOST_KEYS = 20_000


@dataclass(slots=True)
class Door:
    """Failed sign-ins of the last quarter of an hour, in this process, by e-mail and by address."""

    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHES_AT_ONCE))
    _failed: dict[str, deque[datetime]] = field(default_factory=dict)

    def wait(self, keys: Sequence[tuple[str, int]], now: datetime) -> timedelta | None:
        """How long to wait before another try under these (key, how many) limits; None: go on."""
        waits = []
        for key, most in keys:
            kept = self._failed.get(key)
            while kept and now - kept[0] > WINDOW:
                kept.popleft()
            if kept and len(kept) >= most:
                waits.append(WINDOW - (now - kept[0]))
        return max(waits, default=None)

    def note(self, keys: Sequence[tuple[str, int]], now: datetime) -> None:
        """Count a try, before its password is looked at: many at once must not slip through."""
        if len(self._failed) > MOST_KEYS:
            self._failed = {key: kept for key, kept in self._failed.items() if kept and now - kept[-1] <= WINDOW}
        for key, most in keys:
            self._failed.setdefault(key, deque(maxlen=most)).append(now)

    def forgive(self, keys: Sequence[tuple[str, int]]) -> None:
        """The password was right: this try does not count, nor the ones of that e-mail before it."""
        for key, _most in keys:
            if key.startswith("email:"):
                self._failed.pop(key, None)
            elif kept := self._failed.get(key):
                kept.pop()


def keys_of(email: str, address: str) -> tuple[tuple[str, int], ...]:
    """What a sign-in counts under."""
    return ((f"email:{email.strip().lower()[:320]}", PER_EMAIL), (f"address:{address}", PER_ADDRESS))


def address_of(request: web.Request) -> str:
    """Who knocks. Behind a proxy in our own network: the address that this nearest proxy wrote down."""
    peer = request.remote or ""
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")[-1].strip()
    try:
        inside = ip_address(peer).is_private
        return str(ip_address(forwarded)) if inside and forwarded else peer
    except ValueError:
        return peer

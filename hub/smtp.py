"""The way out for e-mail: one connection, one message at a time, and what is certain when it fails."""

import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import parseaddr
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib

SECONDS = 20.0
_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
TEMPORARY = 400
PERMANENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where e-mail leaves from: smtps is TLS from the first byte, smtp turns to it where the server can."""

    host: str
    port: int
    tls: bool
    sender: str  # Name <address>, or the address alone
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """The sender's bare address."""
        return parseaddr(self.sender)[1]

    @property
    def near(self) -> bool:
        """Whether it is this very machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def server_of(url: str, sender: str) -> Server:
    """smtp://user:password@host:587 or smtps://host; ports 587 and 465 where none is given."""
    parts = urlsplit(url)
    tls = parts.scheme.lower() == "smtps"
    return Server(
        host=parts.hostname or "", port=parts.port or (465 if tls else 587), tls=tls, sender=sender,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )  # fmt: skip


class Unreachable(Exception):
    """No message can leave by this server now; one sentence, without addresses of buyers or secrets."""


class Refused(Exception):
    """This message did not leave, certainly; `for_good`: nor will it. The text is the server's bare code."""

    def __init__(self, code: str, *, for_good: bool) -> None:
        super().__init__(code)
        self.for_good = for_good


class InDoubt(Exception):
    """The message was on its way when the connection ended: nobody knows whether it was taken."""


def _code(problem: aiosmtplib.SMTPResponseException) -> str:
    """The numbers alone: servers repeat the buyer's address in their words."""
    enhanced = _ENHANCED.search(problem.message)
    return f"{problem.code} {enhanced[0]}" if enhanced else str(problem.code)


@dataclass(frozen=True, slots=True)
class Line:
    """An open connection."""

    _client: aiosmtplib.SMTP
    _server: Server

    async def send(self, message: EmailMessage, to: str, before: Callable[[], Awaitable[None]]) -> None:
        """Hand one message over. `before` runs once sender and recipient are taken, right before the message itself.

        Raises Refused, Unreachable or InDoubt; whatever `before` raises, and then nothing was sent.
        """
        try:
            await self._client.mail(self._server.address)
            await self._client.rcpt(to)
        except aiosmtplib.SMTPRecipientRefused as problem:
            await self._reset()
            raise Refused(_code(problem), for_good=problem.code >= PERMANENT) from None
        except aiosmtplib.SMTPResponseException as problem:
            raise Unreachable(f"it refuses the sender BALCAO_MAIL_FROM ({_code(problem)})") from None
        except (aiosmtplib.SMTPException, OSError) as problem:
            raise Unreachable(f"the connection ended ({type(problem).__name__})") from None
        try:
            await before()
        except BaseException:
            await self._reset()
            raise
        try:
            await self._client.data(message.as_bytes(policy=WIRE))
        except aiosmtplib.SMTPResponseException as problem:
            await self._reset()
            raise Refused(_code(problem), for_good=problem.code >= PERMANENT) from None
        except (aiosmtplib.SMTPException, OSError) as problem:
            raise InDoubt(type(problem).__name__) from None

    async def _reset(self) -> None:
        with suppress(aiosmtplib.SMTPException, OSError):
            await self._client.rset()


@asynccontextmanager
async def line(server: Server) -> AsyncIterator[Line]:
    """An open connection, signed in. Unreachable, in one sentence, when there is none."""
    client = aiosmtplib.SMTP(
        hostname=server.host, port=server.port, use_tls=server.tls, start_tls=False, timeout=SECONDS,
        validate_certs=not server.near,
    )  # fmt: skip
    try:
        await _open(client, server)
        yield Line(client, server)
    finally:
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit()
        client.close()


async def _open(client: aiosmtplib.SMTP, server: Server) -> None:
    where = f"{server.host}:{server.port}"
    try:
        await client.connect()
        await client.ehlo()
        if not server.tls and client.supports_extension("starttls"):
            await client.starttls(validate_certs=not server.near)
        elif not server.tls and server.password and not server.near:
            raise Unreachable(f"{where} offers no encryption and would read the password: use smtps:// or another port")
        if server.user is not None and not client.supports_extension("auth"):
            raise Unreachable(f"{where} takes no login: leave user and password out of BALCAO_SMTP_URL")
        if server.user is not None:
            await client.login(server.user, server.password or "")
    except aiosmtplib.SMTPAuthenticationError as problem:
        raise Unreachable(f"{where} refuses the login of BALCAO_SMTP_URL ({_code(problem)})") from None
    except aiosmtplib.SMTPResponseException as problem:
        raise Unreachable(f"{where} turns us away ({_code(problem)})") from None
    except ssl.SSLError as problem:
        raise Unreachable(f"{where} cannot be encrypted with ({problem.reason or 'TLS failed'})") from None
    except (aiosmtplib.SMTPException, OSError) as problem:
        raise Unreachable(f"{where} does not answer as an e-mail server ({type(problem).__name__})") from None

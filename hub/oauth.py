"""What OAuth 2.0 token answers have in common. Pure."""

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from hub import parse
from hub.contract import Credentials, Token, json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import Reply, Request
from hub.wire import Wire

FAULTS: dict[int | str, Fault] = dict.fromkeys(  # RFC 6749's words for grants and applications that are refused
    ("invalid_grant", "invalid_client", "invalid_scope", "unauthorized_client"), Fault.AUTH
)
LONGEST = 10**8  # seconds: some answers tell the instant of expiry where the standard has a duration


class Application(Credentials):
    """An application of the channel, and the account's first refresh token."""

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr | None = None

    def ask(self, path: str, **form: str) -> Request:
        """A grant asked for, the application named in the form."""
        app = {"client_id": self.client_id, "client_secret": self.client_secret.get_secret_value()}
        return Request(method="POST", path=path, form=(*form.items(), *app.items()), authenticate=False)

    def renew(self, path: str, token: Token | None, way_out: str = "the account must be connected") -> Request:
        """Renews with the last refresh token, first with the one of the credentials."""
        last = refresh_with(self.refresh_token, token, way_out)
        return self.ask(path, grant_type="refresh_token", refresh_token=last)

    def trade(self, path: str, code: str, redirect_uri: str, verifier: str) -> Request:
        """Trades the code of a consent for the first token, with PKCE."""
        form = {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        return self.ask(path, grant_type="authorization_code", **form)


def client_secret(credentials: Any) -> str | None:
    """What a channel signs webhooks with that signs with its application's secret; None where it was not given."""
    secret: SecretStr | None = credentials.client_secret
    return secret.get_secret_value() if secret else None


def bearer(token: Token) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token.access.get_secret_value()}"}


def basic(name: str, secret: SecretStr) -> dict[str, str]:
    """The header of HTTP Basic authentication."""
    pair = f"{name}:{secret.get_secret_value()}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def challenge_of(verifier: str) -> str:
    """The S256 code challenge of a PKCE verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def refresh_with(given: SecretStr | None, token: Token | None, way_out: str = "the account must be connected") -> str:
    """The last refresh token, at first the one of the credentials; without any the seller must connect."""
    last = (token.refresh if token else None) or given
    if last is None:
        raise ChannelError(Fault.AUTH, "no_refresh_token", way_out)
    return last.get_secret_value()


def consent(page: str, client_id: str, redirect_uri: str, state: str, challenge: str) -> str:
    """The address where access is granted, with PKCE."""
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{page}?{urlencode(asked)}"


def token_of(
    reply: Reply,
    now: datetime,
    read_error: Callable[[Reply], str | None],
    *,
    account: str = "",
    expires: str = "expires_in",
) -> Token:
    """The token of an answer; `account` names the field that tells whose it is, `expires` how long it lasts.

    A refusal is AUTH whatever its status (a used refresh token is a 400), THROTTLED or TRANSIENT where it says so.
    """
    if reply.status >= HTTPStatus.BAD_REQUEST:
        fault = Fault.TRANSIENT if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Fault.AUTH
        fault = Fault.THROTTLED if reply.status == HTTPStatus.TOO_MANY_REQUESTS else fault
        raise ChannelError(fault, read_error(reply) or str(reply.status), "no token was granted", status=reply.status)
    told = Wire(json_of(reply), "token")
    lasts = told.units(expires)
    if lasts is not None and lasts < 0:
        raise Unreadable(told.at(expires), "below zero")
    return token_told(told, _ends(now, lasts, told.at(expires)), account=account)


def token_told(told: Wire, ends: datetime | None, *, account: str = "") -> Token:
    """The token of an answer that was looked at: `ends` is its true end, `account` names whose it is."""
    access, refresh = told.text("access_token"), told.text("refresh_token")
    if access is None:
        raise Unreadable(told.at("access_token"), "not told")
    return Token(
        access=SecretStr(access),
        expires_at=ends,
        refresh=SecretStr(refresh) if refresh else None,
        account_ref=told.ref(account) if account else None,
    )


def _ends(now: datetime, lasts: int | None, path: str) -> datetime | None:
    if lasts is None:
        return None
    return now + timedelta(seconds=lasts) if lasts <= LONGEST else parse.instant(lasts, path)

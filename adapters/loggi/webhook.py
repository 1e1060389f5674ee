"""What Loggi's webhook means: a package moved, and its whole history. Pure."""

import base64
from typing import Any

from pydantic import SecretStr

from hub import parse
from hub.model import Knock, Notice, Topic
from hub.signing import expect
from hub.wire import Wire, of_body


def secret(credentials: Any) -> str | None:
    """The user and password that the seller agreed with Loggi, as one pair; None where there is no password yet."""
    password: SecretStr | None = credentials.webhook_password
    return f"{credentials.webhook_user}:{password.get_secret_value()}" if password else None


def verify(pair: str, knock: Knock) -> None:
    """HTTP Basic with that pair."""
    shown = base64.b64encode(pair.encode(errors="surrogateescape"))
    expect(b"Basic " + shown, "authorization", knock)


def read(knock: Knock) -> list[Notice]:
    """One notice for each package, which tells all of its scans; a body without one is kept as unknown."""
    told = of_body(knock.body)
    rows = told.objects("packages") if isinstance(told.raw.get("packages"), list) else [told]
    known = [notice for row in rows if (notice := _notice(row))]
    return known or [Notice(topic=Topic.UNKNOWN, dedupe_key=f"unknown:{parse.digest(told.raw)}", raw=told.raw)]


def _notice(row: Wire) -> Notice | None:
    code = row.ref("trackingCode") if isinstance(row.raw.get("trackingCode"), str | int) else None
    if code is None:
        return None
    return Notice(
        topic=Topic.TRACKING,
        ref=code,
        dedupe_key=f"tracking:{code}:{parse.digest(row.raw)}",
        at=row.object("status").clock("updatedTime"),
        raw=row.raw,
    )

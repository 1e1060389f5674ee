"""docs/EVENTS.md, made of the models: `python -m hub.events_page > docs/EVENTS.md`."""

import sys
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from hub import events

HEAD = """\
# Events

What happens in the hub, told to a seller's own programs as it happens: a POST to each address that they name
(Configurações, Eventos; `balcao events`; `/api/v1/event-endpoints`), signed as the [Standard
Webhooks](https://www.standardwebhooks.com) say. Made by `python -m hub.events_page`.

## A request

    POST /eventos
    content-type: application/json
    webhook-id: evt_0199f3c2a7e17d3c9d1b6a52c0ffee42
    webhook-timestamp: 1773230400
    webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=

    {"type":"stock.changed","timestamp":"2026-03-11T12:00:00Z","data":{"version":812,"sku":"CANECA","available":7,...}}

* Answer 2xx within 15 seconds, and work afterwards. A redirect is not followed. The beginning of what is answered
  is kept in the log, what looks like a secret masked.
* **At least once.** The same event may come twice; `webhook-id` is the same at every attempt and every replay.
* **In no promised order.** `data.version` grows with every event of a seller: of two about one thing the greater is
  newer.
* `timestamp` is when it happened, `webhook-timestamp` when this attempt left.
* `data` is thin: ids, numbers, states and quantities, named as in the canonical model; no buyer and no secret. The
  rest is asked for over the API. A field may be added; one that stands here keeps its name and meaning.
* **What a SKU has left is told as it is, not as it moved.** A sale only marks its SKU; once a second the marked
  ones are looked at, and one whose number differs from the one told last is told, at most every five seconds. An
  older number that waits for an endpoint is not sent any more once a newer one is there (`superseded`).
* Events are written in the transaction of the change, and for sellers who listen only: what happened before the
  first endpoint (or the first key that reads the feed) is not told afterwards.

## Verifying

With the standard's library, which there is for Python, JavaScript, PHP, Java, Go, Ruby, C# and others:

```python
from standardwebhooks import Webhook, WebhookVerificationError


def event_of(secret: str, headers: dict[str, str], body: bytes) -> dict | None:
    \"\"\"The event of a request; None where it is not from the hub, or is older than five minutes.\"\"\"
    try:
        return Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return None
```

Without it (compare the timestamp with your clock as well):

```python
import base64
import hashlib
import hmac


def is_from_the_hub(secret: str, headers: dict[str, str], body: bytes) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return any(hmac.compare_digest(wanted, each) for each in headers["webhook-signature"].split(" "))
```

The secret is shown once. A new one can be had at any time; for a day both sign, each with a signature of its own.

## Again

| attempt | after the one before |
|---|---|
"""
TAIL = """
Each wait is shifted by up to a tenth to either side. `Retry-After` is waited out where it is longer (up to an
hour), by all that waits for that endpoint. 410 disables the endpoint at once; so do five days without one 2xx, and
somebody is alerted (`endpoint_disabled`). From the third failure in a row on, an endpoint is tried with one request
at a time, after rests of 5 seconds to 5 minutes; the others never wait for it. At most 4 requests are under way to
one endpoint. What failed is kept and can be replayed: one, or all since a time. The log is kept as long as raw
documents are (`BALCAO_INBOX_DAYS`).

## Reading instead of listening

Who cannot be reached from outside reads the same events in order: `GET /api/v1/events?after=VERSION` with a key
that has `events:read`. Events are kept from the moment on that such a key is in force. The version of the last
event read is the cursor; nothing is missed, whatever commits late.

## Which there are
"""
_WORDS: dict[Any, str] = {str: "string", int: "integer", UUID: "id", AwareDatetime: "instant", bool: "boolean"}


def _type(told: Any) -> str:
    if get_origin(told) is Annotated:
        return _type(get_args(told)[0])
    if get_origin(told) in (Union, types.UnionType):
        return " or null".join(_type(each) for each in get_args(told) if each is not type(None)) + " or null"
    if get_origin(told) is tuple:
        return f"list of {_type(get_args(told)[0])}"
    if isinstance(told, type) and issubclass(told, BaseModel):
        return "{" + ", ".join(told.model_fields) + "}"
    return _WORDS.get(told, "string")


def _table(model: type[BaseModel]) -> Iterator[str]:
    yield "| field | type | |"
    yield "|---|---|---|"
    for name, field in model.model_fields.items():
        yield f"| `{name}` | {_type(field.annotation)} | {field.description or ''} |"


def page() -> str:
    """The page."""
    waits = ["at once", *map(_wait, events.DELAYS)]
    lines = [HEAD + "\n".join(f"| {n} | {wait} |" for n, wait in enumerate(waits, start=1)) + "\n" + TAIL]
    lines += ["| event | when |", "|---|---|"]
    lines += [f"| `{name}` | {kind.when} |" for name, kind in events.KINDS.items()]
    for model in dict.fromkeys(kind.payload for kind in events.KINDS.values()):
        named = ", ".join(f"`{name}`" for name, kind in events.KINDS.items() if kind.payload is model)
        lines += ["", f"### {named}", "", (model.__doc__ or "").strip(), "", *_table(model)]
    return "\n".join(lines) + "\n"


def _wait(seconds: float) -> str:
    unit, each = next((u, n) for u, n in (("h", 3600), ("min", 60), ("s", 1)) if seconds % n == 0)
    return f"{seconds // each:g} {unit}"


if __name__ == "__main__":
    sys.stdout.write(page())

"""An operation of the API: one record, out of which come its route, its checks and its page in the document."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from hub.store.api_keys import ApiKey
from hub.web.api.problems import Refused, wrong
from hub.web.api.shapes import Asked, Nothing, Paging
from hub.web.i18n import N_, Language
from jobs.runtime import Runtime

BASE = "/api/v1"
M = TypeVar("M", bound=BaseModel)
# A keyset's place: what the last row is ordered by, ending in its id. Read back by type from a cursor.
ByInstant = tuple[datetime, UUID]
ById = tuple[UUID]
ByText = tuple[str]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a list, and the place after the last one; None: there are no more."""

    rows: Sequence[BaseModel]
    place: Sequence[object] | None


Answer = BaseModel | Part | None
Handler = Callable[["Call"], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`answer`: the model of what is told; of one row, where it pages (`place`: the type of its keyset's place).

    `once`: whether it takes an Idempotency-Key. "together": the handler's writes and the kept answer are one
    transaction, so it calls no channel; "apart": it calls channels, and what a crash leaves is told to be in doubt.
    `whole`: asked without such a key, too, its writes are one transaction; for handlers that change several things, or
    write by what they read. It calls no channel.
    `name` is the operationId, and the method's name in clients.
    """

    name: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handler: Handler
    scope: str
    tag: str
    summary: str
    answer: type[BaseModel] | None
    description: str = ""
    status: int = 200
    named: type[Asked] = Nothing
    query: type[Asked] = Nothing
    body: type[Asked] | None = None
    place: Any = None
    once: Literal["together", "apart"] | None = None
    whole: bool = False
    example: Mapping[str, Any] | None = None  # of the body
    conflicts: bool = False  # of a GET: the state of things may refuse it (409), as it may whatever writes

    def __post_init__(self) -> None:
        if self.place is not None and not issubclass(self.query, Paging):
            raise TypeError(f"{self.name} pages: its query is a Paging")
        if self.conflicts and self.method != "GET":
            raise TypeError(f"{self.name} writes: that it may conflict is told of itself")
        if (self.body is None) != (self.example is None):
            raise TypeError(f"{self.name}: a body comes with an example of it")
        if self.body is not None:
            self.body.model_validate_json(json.dumps(self.example))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of a program: for which seller, with which key, in which language, and what it asks."""

    request: web.Request
    rt: Runtime
    language: Language
    operation: Operation
    key: ApiKey
    seller: UUID
    asked: Mapping[str, BaseModel] = field(default_factory=dict)  # "path", "query", "body"

    @property
    def now(self) -> datetime:
        """The time."""
        return self.rt.now()

    def tx(self) -> Any:
        """A transaction that sees this seller's rows only."""
        return self.rt.db.seller(self.seller)

    def may(self, scope: str) -> bool:
        """Whether the key has that scope too."""
        return scope in self.key.scopes

    def need(self, scope: str) -> None:
        """Refuse a key that has not that scope, too."""
        if not self.may(scope):
            raise Refused(403, None, {"scope": scope})

    def path(self, model: type[M]) -> M:
        """What the path names."""
        return self._read("path", model)

    def query(self, model: type[M]) -> M:
        """What the query asks."""
        return self._read("query", model)

    def body(self, model: type[M]) -> M:
        """What was sent."""
        return self._read("body", model)

    def _read(self, where: str, model: type[M]) -> M:
        told = self.asked[where]
        if not isinstance(told, model):
            raise TypeError(f"{self.operation.name}: {where} is no {model.__name__}")
        return told

    @property
    def limit(self) -> int:
        """How many rows to read: one more than are told shows whether there are more."""
        return self.query(Paging).limit + 1

    @property
    def after(self) -> Any:
        """The place that the cursor names, of the operation's type; None: from the start."""
        cursor = self.query(Paging).cursor
        return None if cursor is None else place_in(self.operation, cursor)

    def part(
        self,
        rows: Sequence[Mapping[str, Any]],
        tell: Callable[[Mapping[str, Any]], BaseModel],
        *by: str,
    ) -> Part:
        """Of `limit` rows those to tell, and the place after them: the columns `by`."""
        shown = rows[: self.limit - 1]
        more = len(rows) > len(shown)
        return Part([tell(row) for row in shown], [shown[-1][name] for name in by] if more else None)


def cursor_of(operation: Operation, place: Sequence[object]) -> str:
    """A place as an opaque word."""
    words = [operation.name, *(each if isinstance(each, int) else _word(each) for each in place)]
    plain = json.dumps(words, ensure_ascii=False)
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _word(told: object) -> str:
    return told.isoformat() if isinstance(told, datetime) else str(told)


def place_in(operation: Operation, cursor: str) -> Any:
    """The place that a cursor of this operation names; refused when it is none."""
    try:
        plain = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        of, *place = json.loads(plain)
        strange = of != operation.name or any(isinstance(each, str) and "\x00" in each for each in place)
        return TypeAdapter(operation.place).validate_json("strange" if strange else json.dumps(place))
    except (ValueError, TypeError, ValidationError, RecursionError):
        raise wrong("cursor", N_("Use o next da página anterior, como veio, neste mesmo endereço.")) from None


def missing(sentence: str | None = None, **params: object) -> Refused:
    """What the path names is not there, or is another seller's."""
    return Refused(404, sentence, params)


def conflict(sentence: str, **params: object) -> Refused:
    """The state of things does not allow it."""
    return Refused(409, sentence, params)

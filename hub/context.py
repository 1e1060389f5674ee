"""What a piece of work carries along: its seller and account, who does it, and whether a transaction is open."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar
from uuid import UUID

from structlog.contextvars import bind_contextvars, get_contextvars, unbind_contextvars

T = TypeVar("T")

seller_id: ContextVar[UUID | None] = ContextVar("seller_id", default=None)
account_id: ContextVar[UUID | None] = ContextVar("account_id", default=None)
actor: ContextVar[str] = ContextVar("actor", default="flow")
in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)

_LOGGED = ("seller", "account")


class InTransaction(RuntimeError):
    """Somebody would wait for a channel while a transaction holds its locks: a fault in our own code."""


@contextmanager
def working_for(seller: UUID | None, account: UUID | None = None) -> Iterator[None]:
    """Everything within is done for this seller and account; every line logged there names them."""
    named = {"seller": seller, "account": account}
    logged = {name: str(who) for name, who in named.items() if who is not None}
    with _holding(seller_id, seller), _holding(account_id, account), _logging(logged):
        yield


@contextmanager
def acting_as(who: str) -> Iterator[None]:
    """Everything within is done by them: "cli:NAME" or "web:USER-ID". Without it, by a flow. The ledger keeps it."""
    with _holding(actor, who):
        yield


@contextmanager
def inside_transaction() -> Iterator[None]:
    """A transaction is open within; `refuse_in_transaction` raises there, and in tasks started there."""
    with _holding(in_transaction, value=True):
        yield


def refuse_in_transaction(what: str) -> None:
    """Raise InTransaction when a transaction is open: `what` names the thing that must not be done in one."""
    if in_transaction.get():
        raise InTransaction(f"{what} inside a transaction: commit first, then call")


@contextmanager
def _holding(variable: ContextVar[T], value: T) -> Iterator[None]:
    before = variable.get()
    variable.set(value)
    try:
        yield
    finally:
        variable.set(before)  # not `reset`: an async generator may be closed in another context than its own


@contextmanager
def _logging(named: Mapping[str, str]) -> Iterator[None]:
    before = {name: told for name, told in get_contextvars().items() if name in _LOGGED}
    unbind_contextvars(*_LOGGED)
    bind_contextvars(**named)
    try:
        yield
    finally:
        unbind_contextvars(*_LOGGED)
        bind_contextvars(**before)

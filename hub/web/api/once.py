"""Asked twice, done once: the answer to an Idempotency-Key is kept for a day, in the transaction that did the work.

Where a handler writes to the database alone, its transactions become savepoints of one, which keeps the answer too:
a crash leaves nothing, and the same question is simply asked again. Where it calls channels, the question is written
down first; an answer that never came is then told to be in doubt, and is never given by asking the channel twice.
What is kept is sealed: an answer may tell a secret that no other does.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hub.bell import Bell
from hub.context import inside_transaction
from hub.secrets import SecretsError
from hub.store import Database, Tx, api_answers
from hub.store.api_answers import KEPT, Kept
from hub.web.api.operations import Call
from hub.web.api.problems import Refused, wrong
from hub.web.i18n import N_
from jobs.runtime import Runtime

HEADER = "Idempotency-Key"
LONGEST = 200
WORKING = timedelta(minutes=2)  # longer than any handler that calls a channel waits
Done = tuple[int, bytes]  # status, body

RUNNING = N_("Este mesmo pedido ainda está sendo feito: pergunte de novo em instantes, com a mesma chave.")
OTHER = N_("Esta chave já foi usada para outro pedido: use outra, ou repita o primeiro como foi.")
SHUT = N_("Este pedido já foi feito, mas a resposta guardada não abre com as chaves deste hub: veja o que ficou.")
DOUBT = N_(
    "Este pedido foi interrompido, e não sabemos se o canal o fez: veja o que ficou antes de pedir com outra chave."
)


def key_of(call: Call) -> str | None:
    """The key that this call is to be known by; None where it has none."""
    told = call.request.headers.get(HEADER)
    if told is None or call.operation.once is None:
        return None
    if not 0 < len(told) <= LONGEST or not told.isascii() or not told.isprintable():
        raise wrong(HEADER, N_("Dê uma chave de 1 a %(most)s caracteres ASCII."), most=LONGEST)
    return f"{call.key.id}/{told}"


async def once(call: Call, key: str, body: bytes, work: Callable[[Call], Awaitable[Done]]) -> tuple[Done, bool]:
    """What `work` answers, or what it answered before (True)."""
    asked = hashlib.sha256(b"\n".join((call.request.method.encode(), call.request.path_qs.encode(), body))).digest()
    return await (_together if call.operation.once == "together" else _apart)(call, key, asked, work)


async def whole(call: Call, work: Callable[[Call], Awaitable[Done]]) -> Done:
    """What `work` answers; whatever its transactions write is written, or none of it."""
    bell = _LaterBell()
    async with call.rt.db.seller(call.seller) as tx:
        done = await work(_within(call, tx, bell))
    bell.ring_all(call.rt)
    return done


def _within(call: Call, tx: Tx, bell: Bell) -> Call:
    return replace(call, rt=replace(call.rt, db=_OneTransaction(tx), bell=bell))


async def _together(call: Call, key: str, asked: bytes, work: Callable[[Call], Awaitable[Done]]) -> tuple[Done, bool]:
    bell = _LaterBell()
    async with call.rt.db.seller(call.seller) as tx:
        if not await api_answers.turn(tx, key):
            raise Refused(409, RUNNING)
        if (kept := await api_answers.kept(tx, key, call.now - KEPT)) is not None:
            return _again(call, kept, asked), True
        done = await work(_within(call, tx, bell))
        await api_answers.start(tx, key, asked, call.now)
        await api_answers.finish(tx, key, *_sealed(call, done))
    bell.ring_all(call.rt)
    return done, False


async def _apart(call: Call, key: str, asked: bytes, work: Callable[[Call], Awaitable[Done]]) -> tuple[Done, bool]:
    async with call.rt.db.seller(call.seller) as tx:
        if not await api_answers.turn(tx, key):
            raise Refused(409, RUNNING)
        if (kept := await api_answers.kept(tx, key, call.now - KEPT)) is not None:
            return _again(call, kept, asked), True
        await api_answers.start(tx, key, asked, call.now)
    try:
        done = await work(call)
    except Refused:
        async with call.rt.db.seller(call.seller) as tx:
            await api_answers.forget(tx, key)
        raise
    async with call.rt.db.seller(call.seller) as tx:
        await api_answers.finish(tx, key, *_sealed(call, done))
    return done, False


def _sealed(call: Call, done: Done) -> Done:
    return done[0], call.rt.vault.seal({"body": done[1].decode()})


def _again(call: Call, kept: Kept, asked: bytes) -> Done:
    """What was answered to the same question."""
    if kept.request_hash != asked:
        raise Refused(422, OTHER)
    if kept.status is None:
        raise Refused(409, RUNNING if call.now - kept.started_at < WORKING else DOUBT)
    if kept.sealed is None:
        return kept.status, kept.body or b""
    try:
        return kept.status, call.rt.vault.open(kept.sealed)["body"].encode()
    except SecretsError:
        raise Refused(409, SHUT) from None


class _OneTransaction(Database):
    """A database whose every transaction is a savepoint of one that stays open around them."""

    def __init__(self, tx: Tx) -> None:  # the pools are the outer one's: super() would open others
        self._tx = tx

    def seller(self, seller_id: UUID) -> AbstractAsyncContextManager[Tx]:
        """A savepoint."""
        if seller_id != self._tx.seller_id:
            raise RuntimeError("one call works for one seller")
        return self._savepoint()

    @asynccontextmanager
    async def _savepoint(self) -> AsyncIterator[Tx]:
        async with self._tx.conn.transaction():
            with inside_transaction():
                yield self._tx

    def people(self) -> AbstractAsyncContextManager[Tx]:
        """Not here: its connection would wait for ours."""
        raise RuntimeError("another transaction beside one that must hold everything: make this operation `apart`")

    dispatch = intake = people


class _LaterBell(Bell):
    """Rings once what it rings about is committed."""

    def __init__(self) -> None:  # it has no connection of its own
        self._later: set[tuple[str, UUID]] = set()

    def ring_soon(self, lane: str, account_id: UUID) -> None:
        """Remember to."""
        self._later.add((lane, account_id))

    def ring_all(self, rt: Runtime) -> None:
        """Now."""
        for lane, account_id in self._later:
            rt.ring(lane, account_id)

"""The load generator, a process of its own: `python -m tests.bench.load` with a Load as JSON on its input.

It speaks HTTP over plain sockets with requests made beforehand, so that it costs little beside what it measures.
Half of the requests are signed orders of WooCommerce, half are notifications of Mercado Livre.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[1] / "adapters"
LATE = 30.0  # seconds to wait for the last answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send. `rate` 0: closed loop, the next request of a connection follows its answer."""

    port: int
    woo_path: str
    woo_secret: str
    market_path: str
    market_user: int
    count: int
    first: int  # orders are numbered from here: no two of a run are the same
    connections: int = 32
    rate: float = 0.0


@dataclass(slots=True)
class Told:
    """What came back: seconds of each answer in the order of sending, and how often which status."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    behind: float = 0.0  # the longest that a request left after its time

    def count(self, status: int) -> None:
        """One more of this status."""
        self.statuses[str(status)] = self.statuses.get(str(status), 0) + 1


def requests(load: Load) -> list[bytes]:
    """Every request as it goes over the wire."""
    woo = json.loads((SAMPLES / "woocommerce/notice/order_created.json").read_text())
    market = json.loads((SAMPLES / "mercadolivre/notice/orders_v2.json").read_text())
    order, notice = json.loads(woo["body"]), json.loads(market["body"])
    notice["user_id"] = load.market_user
    made = []
    for number in range(load.first, load.first + load.count):
        if number % 2:
            order["id"] = number
            body = json.dumps(order, separators=(",", ":")).encode()
            signed = base64.b64encode(hmac.digest(load.woo_secret.encode(), body, hashlib.sha256)).decode()
            headers = woo["headers"] | {"x-wc-webhook-signature": signed}
            made.append(_rendered(load, load.woo_path, headers, body))
        else:
            notice["resource"], notice["_id"] = f"/orders/{2_000_000_000_000_000 + number}", f"{number:032x}"
            made.append(_rendered(load, load.market_path, market["headers"], json.dumps(notice).encode()))
    return made


def _rendered(load: Load, path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{load.port}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {told}" for name, told in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection(asyncio.Protocol):
    """One kept connection with at most one request under way."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[int] | None = None
        self.transport: asyncio.Transport | None = None
        self._told = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self.transport = transport  # type: ignore[assignment]  # TCP gives a Transport

    def data_received(self, data: bytes) -> None:
        """Collect an answer; its status goes to whoever waits."""
        self._told += data
        head, blank, body = bytes(self._told).partition(b"\r\n\r\n")
        if not blank:
            return
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        if len(body) >= int(length.partition(b":")[2]) and self.answered and not self.answered.done():
            self._told.clear()
            self.answered.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed: what was under way has no answer."""
        if self.answered and not self.answered.done():
            self.answered.set_result(0)

    async def ask(self, request: bytes) -> int:
        """The status of the answer, 0 when none came."""
        if self.transport is None or self.transport.is_closing():
            return 0
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answered


async def _connected(load: Load) -> list[Connection]:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(Connection, "127.0.0.1", load.port) for _ in range(load.connections)]
    return [connection for _transport, connection in made]


async def closed(load: Load, told: Told, made: list[bytes]) -> None:
    """Every connection sends its next request when the last was answered."""
    left = deque(made)

    async def one(connection: Connection) -> None:
        while left:
            request, began = left.popleft(), time.perf_counter()
            told.count(await connection.ask(request))
            told.latencies.append(time.perf_counter() - began)

    connections = await _connected(load)
    await asyncio.gather(*(one(connection) for connection in connections))


async def opened(load: Load, told: Told, made: list[bytes]) -> None:
    """Requests leave at their times whatever becomes of those before; a wait for a free connection counts."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in await _connected(load):
        free.put_nowait(connection)
    told.latencies = [0.0] * len(made)
    began = time.perf_counter()

    async def one(number: int) -> None:
        due = began + number / load.rate
        connection = await free.get()
        told.behind = max(told.behind, time.perf_counter() - due)
        told.count(await connection.ask(made[number]))
        told.latencies[number] = time.perf_counter() - due
        free.put_nowait(connection)

    tasks = []
    for number in range(len(made)):
        if (pause := began + number / load.rate - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.wait(tasks, timeout=LATE)


async def _main(load: Load) -> dict[str, Any]:
    told, made = Told(), requests(load)
    began = time.perf_counter()
    await (opened if load.rate else closed)(load, told, made)
    told.seconds = time.perf_counter() - began
    return asdict(told)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_main(Load(**json.load(sys.stdin))))))

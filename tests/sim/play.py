"""Playing a story: on a database of its own, whose clock is the world's, until every promise was looked at."""

import asyncio
import atexit
import random
import time
import traceback
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import psycopg
import structlog

from hub.store import ROLES
from tests.services import database
from tests.sim import checks
from tests.sim.checks import Broken
from tests.sim.clock import virtual
from tests.sim.story import Event
from tests.sim.wire import Wire
from tests.sim.world import World


@dataclass(slots=True)
class Result:
    """What came of one run."""

    problem: str | None = None
    told: list[Event] = field(default_factory=list)  # what happened; of a long run its end
    journal: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)


def play(seed: int, events: Iterable[Event], orders: int = 0, *, calm: bool = False, keep: int | None = None) -> Result:
    """Run a story on a fresh database until so many orders are sold (a list of events: to its end).

    `calm`: in fine weather throughout. `keep`: of what happened, only the last so many events.
    """
    result, began = Result(), time.perf_counter()
    url = _house()
    with psycopg.connect(url, autocommit=True) as owner, virtual(seed) as loop:
        _empty(owner)
        # A plan changes the order of rows, and so the story: only a long one has its tables tended meanwhile.
        owner.execute(f"ALTER SYSTEM SET autovacuum = {'off' if keep is None else 'on'}")
        owner.execute("SELECT pg_reload_conf()")
        wires = {role: Wire(url, role) for role in ROLES}
        world = World(loop, seed, wires, random.Random(f"world {seed}"), storms=not calm, told=deque(maxlen=keep))
        world.analyze = lambda: owner.execute("ANALYZE")
        loop.run_until_complete(_play(world, events, orders, result))
        for wire in wires.values():
            wire.close()
    result.figures["seconds"] = time.perf_counter() - began
    return result


async def _play(world: World, events: Iterable[Event], orders: int, result: Result) -> None:
    try:
        with logged(world.problems):
            await world.run(events, orders)
    except Broken as problem:
        result.problem = str(problem)
    except Exception as problem:  # noqa: BLE001 - whatever the flows raise is a finding
        result.problem = "".join(traceback.format_exception(problem)[-6:])
    finally:
        for rt in world.workers.values():
            rt.db.dead = True  # type: ignore[attr-defined]
        world.thawed.set()
        result.told, result.faults = list(world.told), world.faults
        result.journal = sorted(line for shop in world.shops.values() for line in shop.journal)
        result.figures.update(checks.figures(world))
        for shop in world.shops.values():
            result.faults.update({k: n for k, n in shop.counted.items() if k in checks.FAULTS})
        await asyncio.sleep(100)  # whoever is left meets a closed world


@cache
def _house() -> str:
    """This process's database, prepared, for as long as the process lives: making one takes longer than emptying it."""
    exits = ExitStack()
    url = exits.enter_context(database())
    atexit.register(exits.close)
    prepare(url)
    return url


def _empty(conn: "psycopg.Connection[tuple[Any, ...]]") -> None:
    """The database without a row, and as if it had never had one: statistics of another story would change plans."""
    run: Any = conn.execute
    tables = run(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    ).fetchall()
    run(f"TRUNCATE {', '.join(name for (name,) in tables if name != 'alembic_version')}")
    run(
        "DELETE FROM pg_statistic WHERE starelid IN "
        "(SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)"
    )
    for sequence in ("fetch_seq", "sim.step"):
        run(f"ALTER SEQUENCE {sequence} RESTART")


def prepare(url: str) -> None:
    """The database's own clock becomes the world's: `now()` of this database reads a setting."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, autocommit=True) as conn:
        run: Any = conn.execute
        run("CREATE SCHEMA sim")
        run(
            "CREATE FUNCTION sim.now() RETURNS timestamptz LANGUAGE sql STABLE AS "
            "$$ SELECT coalesce(nullif(current_setting('sim.now', true), '')::timestamptz, pg_catalog.now()) $$"
        )
        run("GRANT USAGE ON SCHEMA sim TO PUBLIC")
        run(f"ALTER DATABASE {name} SET search_path = sim, public, pg_catalog")
        run(f"ALTER DATABASE {name} SET plan_cache_mode = force_generic_plan")
        run("CREATE SEQUENCE sim.step")  # which rows were written since the last step
        run("GRANT USAGE ON SEQUENCE sim.step TO PUBLIC")
        run("ALTER TABLE stock_movement ADD COLUMN sim_no bigint NOT NULL DEFAULT nextval('sim.step')")
        run("ALTER TABLE orders ADD COLUMN sim_no bigint")
        run("CREATE INDEX ON stock_movement (sim_no)")
        run("CREATE INDEX ON orders (sim_no)")
        run(
            "CREATE FUNCTION sim.step() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.sim_no := nextval('sim.step'); RETURN NEW; END $$"
        )
        run("CREATE TRIGGER sim_step BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION sim.step()")
        for table, column, default in run(
            """SELECT c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
               JOIN pg_class c ON c.oid = d.adrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
               WHERE pg_get_expr(d.adbin, d.adrelid) LIKE '%now()%'"""
        ).fetchall():
            told = default.replace("now()", "sim.now()")
            run(f"ALTER TABLE public.{table} ALTER COLUMN {column} SET DEFAULT {told}")


@contextmanager
def logged(problems: list[str]) -> Iterator[None]:
    """What a flow logs as an error is a finding; everything else is left unsaid."""

    def keep(_logger: Any, method: str, event: Any) -> Any:
        if method in ("error", "exception", "critical"):
            problems.append(f"{event.get('event')}: {traceback.format_exc()}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)

"""The installation's processes: all of them, one of them, the demo; and the schema."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.refusals import Failed


class Channels(StrEnum):
    """Which sandboxes take part in a demo."""

    SOME = "some"
    ALL = "all"


def add_to(app: typer.Typer) -> None:
    """Add these commands to the root."""
    for command in (up, down, demo, web, worker, cron, migrate):
        app.command()(command)


def up() -> None:
    """Run everything here: embedded services, web, workers and scheduler, until Ctrl-C."""
    from jobs import supervise

    supervise.up()


def down() -> None:
    """Stop the embedded PostgreSQL and Valkey of this installation; what they keep stays."""
    from config import settings as environment
    from hub import embedded

    told = environment.load()
    status = embedded.status(told.home.resolve())
    if status is None or (status.postgres is None and status.valkey is None):
        page.line("No embedded server runs.")
        return
    embedded.stop(told.home.resolve())
    page.line("The embedded servers are stopped.")


def demo(
    *,
    seconds: Annotated[float | None, typer.Option(min=1, help="End after so long; runs until Ctrl-C else.")] = None,
    orders_per_second: Annotated[float | None, typer.Option(min=0.01, max=1000, help="How much is sold.")] = None,
    kill_workers_every: Annotated[
        float | None, typer.Option(min=0.1, help="kill -9 one worker each so many s.")
    ] = None,
    flush_redis_every: Annotated[float | None, typer.Option(min=0.1, help="FLUSHALL each so many seconds.")] = None,
    stop_redis_for: Annotated[float | None, typer.Option(min=0.1, help="kill -9 Redis once, for so long.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Where the pages are served.")] = None,
    channels: Annotated[Channels, typer.Option(help="A few, or every one that there is a sandbox of.")] = Channels.SOME,
    skus: Annotated[int | None, typer.Option(min=1, max=100_000, help="How many products.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another story.")] = None,
    parcels: Annotated[int | None, typer.Option(min=1, max=100_000, help="Track so many at once, first.")] = None,
    as_json: page.AsJson = False,
) -> None:
    """Run the whole hub against channels that behave as their documentation says, with buyers and faults."""
    from dataclasses import fields

    from hub.demo import Wanted, run

    given = {
        "seconds": seconds,
        "orders_per_second": orders_per_second,
        "kill_workers_every": kill_workers_every,
        "flush_redis_every": flush_redis_every,
        "stop_redis_for": stop_redis_for,
        "port": port,
        "channels": channels.value,
        "skus": skus,
        "seed": seed,
        "parcels": parcels,
        "as_json": as_json,
    }
    known = {field.name for field in fields(Wanted)}
    told: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if unknown := sorted(told.keys() - known):
        raise Failed(f"this demo does not know --{unknown[0].replace('_', '-')}.")
    raise typer.Exit(run(Wanted(**told)))


def web() -> None:
    """Serve webhooks and pages until SIGTERM."""
    from hub.web.app import main

    main()


def worker(
    *,
    number: Annotated[int, typer.Option(min=0, help="Which of the workers: it decides the lane it prefers.")] = 0,
) -> None:
    """Drain what is due until SIGTERM."""
    from jobs.worker import main

    main(number)


def cron() -> None:
    """Ring what is due until SIGTERM."""
    from jobs.scheduler import main

    main()


def migrate() -> None:
    """Bring the database to the newest schema."""
    from config import settings as environment
    from jobs.install import prepare

    prepare(migrate=True)
    where = "the database of DATABASE_URL" if environment.load().database_url else "the embedded database"
    page.line(f"{where[0].upper()}{where[1:]} has the newest schema.")

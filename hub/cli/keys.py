"""The keys that seal credentials."""

from typing import TYPE_CHECKING

import typer

from hub.cli import page
from hub.cli.desk import serve
from hub.cli.refusals import Wrong

if TYPE_CHECKING:
    from jobs.runtime import Runtime

app = typer.Typer(help="The keys that seal credentials.")


@app.callback()
def keys() -> None:
    """The keys that seal credentials (BALCAO_SECRET_KEYS)."""


@app.command("rotate")
def rotate(*, as_json: page.AsJson = False) -> None:
    """Seal everything anew under the first key: after that, the keys behind it may go. Run it once more at will."""

    async def work(rt: "Runtime") -> dict[str, int]:
        from hub.secrets import SecretsError
        from jobs import keys

        try:
            return await keys.rotate(rt)
        except SecretsError as problem:
            raise Wrong(f"not all is sealed anew: {problem}.") from None

    told = serve(work)
    if as_json:
        page.write_json(told)
        return
    for name, count in told.items():
        page.line(f"{name}: {count}")

"""`python -m tests.guards [NAME ...]`: take guards out of a copy of the tree and see their tests fail."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.guards import GUARDS, ROOT, Guard, page

LONGEST = 600  # seconds that a guard's tests may take
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".balcao", "*.egg-info")


def without(guard: Guard, root: Path) -> bool:
    """Take it out of the tree at `root`, run its tests there, put it back. Whether they noticed."""
    file = root / guard.file
    kept = file.read_text()
    file.write_text(kept.replace(*guard.out))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *guard.tests],
            cwd=root, env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=False, timeout=LONGEST,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True
    finally:
        file.write_text(kept)
    if done.returncode not in (0, 1):  # pytest: 2 interrupted, 4 wrongly asked, 5 no such test
        raise SystemExit(f"{guard.name}: its tests could not be run\n{done.stdout[-2000:]}{done.stderr[-1000:]}")
    return done.returncode == 1


def main(argv: Sequence[str] | None = None) -> int:
    """1 when a guard's tests did not notice that it was gone."""
    asked = argparse.ArgumentParser(prog="python -m tests.guards", description=__doc__)
    asked.add_argument("names", nargs="*", help="all when none is named")
    asked.add_argument("--page", action="store_true", help="write docs/GUARDS.md")
    told = asked.parse_args(argv)
    if told.page:
        (ROOT / "docs" / "GUARDS.md").write_text(page())
        return 0
    chosen = [guard for guard in GUARDS if not told.names or guard.name in told.names]
    if unknown := set(told.names) - {guard.name for guard in chosen}:
        raise SystemExit(f"there is no guard called {', '.join(sorted(unknown))}: docs/GUARDS.md lists them")
    survived = []
    with tempfile.TemporaryDirectory(prefix="balcao-guards-") as folder:
        root = Path(folder) / "tree"
        shutil.copytree(ROOT, root, ignore=LEFT_OUT)
        for guard in chosen:
            began = time.perf_counter()
            noticed = without(guard, root)
            survived += [] if noticed else [guard.name]
            word, seconds = "killed  " if noticed else "SURVIVED", time.perf_counter() - began
            print(f"{word}  {guard.name}  {seconds:.0f} s", flush=True)
    told_of = ", ".join(survived) or "none"
    print(f"{len(chosen)} guards taken out, {len(chosen) - len(survived)} noticed; survived: {told_of}")
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main())

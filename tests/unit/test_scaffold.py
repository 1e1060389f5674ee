"""A scaffolded channel: clean files whose contract tests fail, and say what to write."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapters import scaffold
from hub.contract import FACETS, Kind

ROOT = Path(__file__).parents[2]
COPIED = (
    "adapters",
    "hub",
    "config",
    "pyproject.toml",
    "tests/__init__.py",
    "tests/contract",
    "tests/adapters",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree with one new channel of each kind."""
    tree = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        to = tree / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, to)
    stores = "webhook,orders,listings,stock,shipments"
    told = run(tree, "-m", "adapters.scaffold", "--name", "acme", "--kind", "marketplace", "--facets", stores)
    assert told.returncode == 0, told.stderr
    told = run(tree, "-m", "adapters.scaffold", "--name", "zeta", "--kind", "carrier", "--facets", "tracking,freight")
    assert told.returncode == 0, told.stderr
    return tree


def run(tree: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    return subprocess.run(
        [sys.executable, *args],
        cwd=tree,
        env=environment | {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def contract(tree: Path, name: str) -> str:
    """What the contract suite says about a channel."""
    told = run(
        tree,
        "-m",
        "pytest",
        "tests/contract",
        "-k",
        name,
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
    )
    assert told.returncode == 1, told.stdout[-3000:]
    assert "Error:" in told.stdout
    return told.stdout


def test_says_what_it_wrote_and_what_comes_next(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(scaffold, "HERE", tmp_path)
    scaffold.main(["--name", "acme", "--kind", "storefront", "--facets", "orders, webhook"])
    told = capsys.readouterr().out
    assert "wrote adapters/acme/webhook.py" in told
    assert "tests/adapters/acme/order/<case>.json" in told
    assert "pytest tests/contract -k acme" in told
    names = {"__init__.py", "mapping.py", "webhook.py", "client.py", "sandbox.py"}
    assert {path.name for path in (tmp_path / "acme").iterdir()} == names


def test_the_suite_names_what_a_store_lacks(copy: Path):
    told = contract(copy, "acme")
    for hint in (
        "adapters/acme/__init__.py: docs must be the https address",
        "adapters/acme/__init__.py: every channel has a limit",
        "adapters/acme/__init__.py: the first line still says TODO",
        "adapters/acme/__init__.py: how long does the vendor wait",
        "acme declares orders and has 0 of at least 5 payloads",
        "tests/adapters/acme/order/<case>.json",
        "tests/adapters/acme/notice/<case>.json",
        "tests/adapters/acme/listing/<case>.json",
        "tests/adapters/acme/stock_response/<case>.json",
        "adapters/acme/sandbox.py: write create, as its docstring says",
        "see hub.sandbox.Sandbox",
        "adapters/acme/mapping.py: write shipment_requests",
    ):
        assert hint in told, hint
    for other in ("AttributeError", "ImportError", "KeyError", "TypeError"):
        assert other not in told, f"{other} is no instruction"


def test_the_suite_names_what_a_carrier_lacks(copy: Path):
    told = contract(copy, "zeta")
    assert "tests/adapters/zeta/tracking/<case>.json" in told
    assert "tests/adapters/zeta/quote/<case>.json" in told
    assert "adapters/zeta/sandbox.py: write create" in told


def test_a_payload_calls_for_its_mapping(copy: Path):
    """With documents in place, what fails is the function that must read them."""
    folder = copy / "tests" / "adapters" / "acme" / "order"
    folder.mkdir(parents=True)
    for n in range(5):
        (folder / f"case_{n}.json").write_text('{"id": 1}')
    told = contract(copy, "acme and case_0")
    assert "adapters/acme/mapping.py: write order, as its docstring says" in told
    assert "The order of one document" in told
    shutil.rmtree(folder)


@pytest.mark.parametrize("tool", [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)], ids=" ".join)
def test_what_it_writes_is_clean(copy: Path, tool: tuple[str, ...]):
    told = run(copy, "-m", *tool, "adapters/acme", "adapters/zeta")
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("facet", FACETS)
def test_every_facet_compiles_alone(kind: Kind, facet: str):
    for name, text in scaffold.files("acme", kind, [facet]).items():
        compile(text, name, "exec")
        assert max(map(len, text.splitlines())) <= scaffold.WIDTH


def test_every_facet_can_be_scaffolded():
    assert set(scaffold.PIECES) == set(FACETS)


@pytest.mark.parametrize(
    ("name", "facets", "why"),
    [
        ("Acme", ["orders"], "is no name for a folder"),
        ("../acme", ["orders"], "is no name for a folder"),
        ("9lives", ["orders"], "is no name for a folder"),
        ("woocommerce", ["orders"], "is there already"),
        ("scaffold", ["orders"], "is there already"),
        ("acme", ["orders", "wings"], "no facet named 'wings'; there are: webhook, orders"),
        ("acme", ["stock"], "stock needs listings too"),
        ("acme", [], "name at least one facet"),
    ],
)
def test_refuses_in_a_sentence(name: str, facets: list[str], why: str, capsys):
    assert why in (scaffold.refusal(name, facets) or "")
    with pytest.raises(SystemExit) as stopped:
        scaffold.main(["--name", name, "--kind", "erp", "--facets", ",".join(facets)])
    assert stopped.value.code == 2
    assert why in capsys.readouterr().err


def test_leaves_nothing_behind():
    assert not (ROOT / "adapters" / "acme").exists()
    assert not (ROOT / "adapters" / "zeta").exists()

"""Log lines: both looks, ours and the libraries', nothing in them that should stay in."""

import io
import json
import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest
import structlog

from config.logging import setup
from hub.context import working_for
from hub.redaction import redact_event


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def fail(why: str) -> None:
    raise RuntimeError(why)


def written(log_format: str = "json", log_level: str = "info") -> io.StringIO:
    out = io.StringIO()
    setup(log_format, log_level, redaction=redact_event, stream=out)
    return out


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_json_lines_carry_seller_and_account():
    out = written()
    seller, account = uuid4(), uuid4()
    with working_for(seller, account):
        structlog.get_logger("jobs").info("pushed", slots=3)
        with working_for(account):
            structlog.get_logger("jobs").info("other")
    structlog.get_logger("jobs").info("done")
    first, second, third = lines(out)
    assert (first["event"], first["slots"], first["level"], first["logger"]) == ("pushed", 3, "info", "jobs")
    assert (first["seller"], first["account"]) == (str(seller), str(account))
    assert (second["seller"], "account" in second) == (str(account), False)
    assert not {"seller", "account"} & set(third)


def test_libraries_log_through_the_same_chain():
    out = written()
    with working_for(uuid4()):
        logging.getLogger("rq").warning("job %s with Bearer abcdef123456", 7)
    (line,) = lines(out)
    assert line["event"] == "job 7 with Bearer ***"
    assert "seller" in line


def test_less_than_the_level_is_not_logged_and_httpx_never_below_warning():
    out = written(log_level="debug")
    structlog.get_logger("x").debug("seen")
    logging.getLogger("httpx").info("GET https://x/?consumer_key=1")
    assert [line["event"] for line in lines(out)] == ["seen"]
    out = written(log_level="warning")
    structlog.get_logger("x").info("unseen")
    logging.getLogger("x").info("unseen")
    assert out.getvalue() == ""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_secret_is_in_a_line_or_a_traceback(log_format: str):
    out = written(log_format, "debug")
    password = "hunter2-and-more"
    try:
        fail(f"refused client_secret={password}")
    except RuntimeError:
        structlog.get_logger("x").exception("failed", access_token=password, headers={"Authorization": password})
        logging.getLogger("y").exception("failed too, password=%s", password)
    told = out.getvalue()
    assert told.count("RuntimeError: refused client_secret=***") == 2
    assert "hunter2" not in told


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_bodies_and_people_are_withheld_above_debug(log_format: str):
    out = written(log_format)
    buyer = {"name": "Maria da Silva"}
    structlog.get_logger("x").info("got", body="Maria", raw={"n": "Maria"}, buyer=buyer, reply=b"Maria", ref="7")
    told = out.getvalue()
    assert "Maria" not in told
    assert "5 bytes" in told
    assert "7" in told
    out = written(log_format, "debug")
    structlog.get_logger("x").debug("got", body="Maria", reply=b"Silva")
    assert "Maria" in out.getvalue()
    assert "Silva" not in out.getvalue()


def test_a_row_that_the_database_refuses_is_withheld():
    out = written()
    try:
        fail("null value\nDETAIL:  Failing row contains ({}, 12345678901).".format("Maria"))
    except RuntimeError:
        structlog.get_logger("x").exception("failed")
    assert "(Maria" not in out.getvalue()
    assert "DETAIL: <withheld>" in out.getvalue()


def test_console_lines_are_for_people():
    out = written("console")
    structlog.get_logger("jobs").warning("pushed", slots=3)
    assert "[warning  ] pushed" in out.getvalue()
    assert "slots=3" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_warnings_of_python_are_logged():
    out = written()
    import warnings

    warnings.warn("old way", stacklevel=1)
    assert "old way" in out.getvalue()

"""What every notice becomes, and that nobody can forge one."""

import copy
import inspect
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

import adapters
import hub.signing
from hub import normalize
from hub.contract import WebhookSource
from hub.faults import BadSignature, Unreadable
from hub.model import Knock, Raw, Topic
from tests.contract.conftest import canonical
from tests.contract.payloads import cases, channels, files, knock_of, raw_of, twice

EVERY = pytest.mark.parametrize(("channel", "path"), cases("webhook"))
FETCHED = {Topic.ORDER, Topic.SHIPMENT, Topic.LISTING}  # what the hub goes and fetches by its ref


def source_of(channel: str) -> WebhookSource:
    source = adapters.get(channel).webhook
    assert source
    return source


def is_signed(channel: str, knock: Knock) -> bool:
    source = source_of(channel)
    return source.signed != "none" and not (source.is_ping and source.is_ping(knock))


def signed_cases() -> list[Any]:
    return [case for case in cases("webhook") if is_signed(case.values[0], knock_of(raw_of(case.values[1])))]


SIGNED = pytest.mark.parametrize(("channel", "path"), signed_cases())
BODY_SIGNED = pytest.mark.parametrize(
    ("channel", "path"), [case for case in signed_cases() if source_of(case.values[0]).body_signed]
)


def is_refused(channel: str, secret: str, knock: Knock) -> bool:
    try:
        source_of(channel).verify(secret, knock)
    except BadSignature:
        return True
    return False


@EVERY
def test_is_read_as_when_last_looked_at(channel: str, path: Path, snapshot: SnapshotAssertion):
    told = twice(lambda raw: normalize.notice(adapters.get(channel), raw), raw_of(path))
    assert told == snapshot
    found = source_of(channel).read(knock_of(raw_of(path)))
    assert told == {"notices": [canonical(notice) for notice in found]}


@EVERY
def test_holds_to_the_rules(channel: str, path: Path):
    found = source_of(channel).read(knock_of(raw_of(path)))
    assert found, "a notice that is not for us is `ignored`; none at all would be lost"
    for notice in found:
        assert notice.dedupe_key.strip()
        assert notice.ref not in ("", "0")
        assert notice.account_ref not in ("", "0")
        if notice.topic in FETCHED:
            assert notice.ref, f"{notice.topic} names what to fetch"
            assert "/" not in notice.ref, "ref is the bare id that our fetch takes, never a path"
        if notice.topic is Topic.UNKNOWN:
            assert notice.raw is not None, "a topic never seen is kept whole, to be shown"
        if source_of(channel).per == "app" and notice.topic is not Topic.PING:
            assert notice.account_ref, "one callback serves many accounts: the notice says whose it is"


@EVERY
def test_another_body_is_another_notice(channel: str, path: Path):
    """Two things that happened never share a dedupe key (the whole folder is compared)."""
    source, mine = source_of(channel), knock_of(raw_of(path))
    keys = {notice.dedupe_key for notice in source.read(mine)}
    for other in files(channel, "webhook"):
        knock = knock_of(raw_of(other))
        for notice in source.read(knock):
            told = [each for each in source.read(mine) if each.dedupe_key == notice.dedupe_key]
            if notice.dedupe_key in keys:
                assert (notice.topic, notice.ref) in [(each.topic, each.ref) for each in told]


# ── Signatures ──────────────────────────────────────────────────────────────────────────────────────────────


@SIGNED
def test_the_true_signature_is_accepted(channel: str, path: Path):
    raw = raw_of(path)
    assert raw["secret"], "a signed notice's payload says under which secret"
    source_of(channel).verify(raw["secret"], knock_of(raw))


@BODY_SIGNED
def test_every_change_of_the_body_is_refused(channel: str, path: Path):
    raw, knock = raw_of(path), knock_of(raw_of(path))
    for at in range(len(knock.body)):
        forged = bytearray(knock.body)
        forged[at] ^= 1
        assert is_refused(channel, raw["secret"], replace(knock, body=bytes(forged))), f"byte {at}"
    for forged_body in (knock.body + b" ", knock.body[:-1], b"", b"{}"):
        assert is_refused(channel, raw["secret"], replace(knock, body=forged_body))


@SIGNED
def test_another_secret_is_refused(channel: str, path: Path):
    raw, knock = raw_of(path), knock_of(raw_of(path))
    for wrong in ("", raw["secret"] + "x", raw["secret"][:-1], raw["secret"].swapcase()):
        assert wrong == raw["secret"] or is_refused(channel, wrong, knock), wrong


@SIGNED
def test_a_missing_or_forged_header_is_refused(channel: str, path: Path):
    raw, knock = raw_of(path), knock_of(raw_of(path))
    assert is_refused(channel, raw["secret"], replace(knock, headers={}))
    carrying = []
    for name in knock.headers:
        rest = {other: told for other, told in knock.headers.items() if other != name}
        if is_refused(channel, raw["secret"], replace(knock, headers=rest)):
            carrying.append(name)
    assert carrying, "no header carries the signature"
    for name in carrying:
        for forged in ("", "forged", knock.headers[name][:-1], knock.headers[name].swapcase(), "\xff\xfe", "é" * 9):
            headers = {**knock.headers, name: forged}
            if forged == knock.headers[name]:
                continue  # digits have no other case
            assert is_refused(channel, raw["secret"], replace(knock, headers=headers)), f"{name}: {forged!r}"


@pytest.mark.parametrize("channel", channels("webhook"))
def test_a_body_is_compared_in_constant_time(channel: str):
    source = source_of(channel)
    if source.signed == "none":
        assert source.verify is hub.signing.unsigned, "what is not signed says so: verify=hub.signing.unsigned"
        return
    module = inspect.getmodule(source.verify)
    assert module
    told = inspect.getsource(module)
    ours = "compare_digest" in inspect.getsource(hub.signing) and "hub.signing" in told
    assert "compare_digest" in told or ours, f"{module.__name__} compares signatures without hmac.compare_digest"


# ── Whatever comes ──────────────────────────────────────────────────────────────────────────────────────────

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", "0", 0, -1, "null", "/", "//", "a/b", "../..", [], {}, [{}], {"id": None}, "9" * 400, "\0"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def paths_of(told: Raw, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: Any = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    return [path, *(deeper for key, each in inner for deeper in paths_of(each, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn, told: Raw) -> Raw:
    """A JSON value with some of its parts gone or odd."""
    told = copy.deepcopy(told)
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.sampled_from(paths_of(told)))
        if not where:
            told = copy.deepcopy(draw(ODD))
            continue
        *keys, last = where
        at = told
        for key in keys:
            at = at[key]
        if isinstance(at, dict) and draw(st.booleans()):
            del at[last]
        else:
            at[last] = copy.deepcopy(draw(ODD))  # it may itself be mutated next
    return told


@st.composite
def bodies(draw: st.DrawFn, body: bytes) -> bytes:
    """A body with something wrong in its JSON, or no JSON at all."""
    kind = draw(st.sampled_from(["json", "json", "json", "cut", "bytes", "deep"]))
    if kind == "json":
        with suppress(ValueError):
            return json.dumps(draw(mutated(json.loads(body)))).encode()
    if kind == "deep":
        return b"[" * draw(st.sampled_from([10, 2000, 100_000]))
    return body[: draw(st.integers(0, len(body)))] if kind == "cut" else draw(st.binary(max_size=60))


@EVERY
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of a loaded machine
@given(data=st.data())
def test_nothing_breaks_the_reader(channel: str, path: Path, data: st.DataObject):
    """A body is read, or Unreadable names the place: no other error comes out."""
    knock = knock_of(raw_of(path))
    headers = {name: told for name, told in knock.headers.items() if data.draw(st.integers(0, 9))}
    odd = replace(knock, headers=headers, body=data.draw(bodies(knock.body)))
    source = source_of(channel)
    if source.is_ping:
        assert source.is_ping(odd) in (True, False)
    with suppress(Unreadable):
        assert all(notice.dedupe_key for notice in source.read(odd))
    with suppress(BadSignature):
        source.verify("any secret", odd)

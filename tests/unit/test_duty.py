"""Whose an alert is: stand-ins, escalation, waking. And a playbook for every kind that the hub raises."""

import ast
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from hub import deadlines, playbooks
from hub.duty import AGAIN, Absence, Open, look, present
from hub.playbook_words import STEPS, TITLES
from hub.web import markdown

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANA, BIA, CAU = (UUID(int=n) for n in (1, 2, 3))
ALL = {ANA, BIA, CAU}
HOUR = timedelta(hours=1)


def away(who: UUID, stand_in: UUID, first: timedelta = -HOUR, last: timedelta = HOUR) -> Absence:
    return Absence(user_id=who, from_at=NOW + first, until_at=NOW + last, stand_in=stand_in)


def alert(**more: object) -> Open:
    told: dict[str, object] = {
        "owner_id": ANA, "owner_role": "operator", "due_at": NOW + HOUR, "snoozed_until": None, "escalated_at": None,
        "escalate_role": "manager", "escalate_id": None, **more,
    }  # fmt: skip
    return Open(**told)  # type: ignore[arg-type]  # a handful of columns


def test_who_stands_in_for_whom() -> None:
    assert present(ANA, [], ALL, NOW) == ANA
    assert present(ANA, [away(ANA, BIA)], ALL, NOW) == BIA
    assert present(ANA, [away(ANA, BIA), away(BIA, CAU)], ALL, NOW) == CAU
    assert present(ANA, [away(ANA, BIA), away(BIA, ANA)], ALL, NOW) is None, "nobody is there: no endless search"
    assert present(ANA, [away(ANA, BIA)], {ANA}, NOW) is None, "the stand-in has left the seller"
    assert present(ANA, [away(ANA, BIA, HOUR, 2 * HOUR)], ALL, NOW) == ANA
    assert present(ANA, [away(ANA, BIA, -HOUR, timedelta())], ALL, NOW) == ANA, "back from the end on"


def test_what_is_open_with_somebody_away_goes_to_the_stand_in_or_to_the_role() -> None:
    found = look(alert(), [away(ANA, BIA)], ALL, NOW)
    assert (found.owner_id, found.events) == (BIA, (("handed_over", {"from": ANA, "to": BIA, "role": None}),))
    found = look(alert(), [away(ANA, BIA), away(BIA, ANA)], ALL, NOW)
    assert (found.owner_id, found.owner_role) == (None, "operator")
    assert look(alert(), [], {BIA}, NOW).owner_id is None, "who left the seller owns nothing"
    asleep = look(alert(snoozed_until=NOW + HOUR), [away(ANA, BIA)], ALL, NOW)
    assert (asleep.owner_id, asleep.snoozed_until) == (BIA, NOW + HOUR), "what is put off is handed over too"


def test_past_due_goes_up_once() -> None:
    late = alert(due_at=NOW)
    found = look(late, [], ALL, NOW)
    assert (found.owner_id, found.owner_role, found.escalated_at) == (None, "manager", NOW)
    assert found.events == (("escalated", {"from": ANA, "to": None, "role": "manager"}),)
    again = look(alert(due_at=NOW, escalated_at=NOW - HOUR), [], ALL, NOW)
    assert (again.owner_id, again.events) == (ANA, ())
    person = look(alert(due_at=NOW, escalate_id=BIA), [away(BIA, CAU)], ALL, NOW)
    assert person.owner_id == CAU, "who escalation names may be away too"
    stays = look(alert(due_at=NOW, escalate_role=None), [], ALL, NOW)
    assert (stays.owner_id, stays.escalated_at) == (ANA, None)
    asleep = look(alert(due_at=NOW, snoozed_until=NOW + HOUR), [], ALL, NOW)
    assert (asleep.escalated_at, asleep.next_at) == (None, NOW + HOUR)
    woken = look(alert(due_at=NOW, snoozed_until=NOW), [], ALL, NOW)
    assert [kind for kind, _ in woken.events] == ["woke", "escalated"]


def test_when_it_is_looked_at_again() -> None:
    assert look(alert(due_at=NOW + 5 * HOUR), [], ALL, NOW).next_at == NOW + AGAIN, "the owner may leave meanwhile"
    nobody = alert(owner_id=None, due_at=NOW + 5 * HOUR)
    assert look(nobody, [], ALL, NOW).next_at == NOW + 5 * HOUR
    assert look(alert(owner_id=None, escalate_role=None), [], ALL, NOW).next_at is None


def raised() -> set[str]:
    """Kinds that the sources raise: literals, and names of constants in their modules."""
    kinds: set[str] = set()
    for path in (*Path("hub").rglob("*.py"), *Path("jobs").rglob("*.py")):
        text = path.read_text()
        if "alerts.raise_(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "alerts.raise_":
                kind = node.args[1]
                if isinstance(kind, ast.Constant):
                    kinds.add(str(kind.value))
                elif isinstance(kind, ast.Name) and kind.id.isupper():
                    found = re.search(rf'^{kind.id} = "(\w+)"', text, re.MULTILINE)
                    kinds |= {found[1]} if found else set()
    return kinds | set(deadlines.SHIP_KINDS.values()) | set(deadlines.PARCEL_KINDS) | {"mail_down", "mail_doubt"}


def test_every_kind_that_is_raised_has_a_playbook_in_both_languages() -> None:
    kinds = raised()
    assert len(kinds) > 25
    assert kinds - set(playbooks.RULES) == set()
    assert set(playbooks.RULES) == set(TITLES)
    assert set(playbooks.RULES) | {"other"} == set(STEPS)
    for kind in (*playbooks.RULES, "never_heard_of"):
        counts = set()
        for tag in ("pt-BR", "en"):
            assert playbooks.title(kind, tag)
            steps = [piece for piece in markdown.pieces(playbooks.steps(kind, tag)) if piece.key]
            assert len(steps) >= 2, kind
            assert len({step.key for step in steps}) == len(steps)
            counts.add(len(steps))
        assert len(counts) == 1, f"{kind}: as many steps in each language"
        rule = playbooks.rule(kind)
        assert rule.owner_role in playbooks.ROLES
        assert rule.escalate_role in (*playbooks.ROLES, None)


# ── Markdown ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "1. <img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "![x](https://example.com/x.png)",
        "[x](data:text/html;base64,AAAA)",
        "<a href='javascript:alert(1)'>x</a>",
    ],
)
def test_no_markup_of_ones_own_gets_through(text: str) -> None:
    html = "".join(str(piece.html) for piece in markdown.pieces(text))
    assert not re.search(r"<(script|img|iframe)", html)
    assert not re.search(r'<[^>]*\s(href="(javascript|data)|src=)', html)
    assert not re.search(r"<[^>]*\son\w+=", html)


def test_items_are_steps_whose_keys_follow_their_words() -> None:
    one, two = "- look\n- act\n  1. inner\n", "Before.\n\n1. act\n   - inner\n2. new\n3. look\n3. look\n"
    first = {piece.words: piece.key for piece in markdown.pieces(one) if piece.key}
    assert list(first) == ["look", "act inner"]
    second = markdown.pieces(two)
    assert [piece.words for piece in second if piece.key] == ["act inner", "new", "look", "look"]
    assert second[0].key is None
    assert next(piece.key for piece in second if piece.words == "look") == first["look"]
    assert len({piece.key for piece in second}) == 5
    assert "<h3>Big</h3>" in str(markdown.pieces("# Big")[0].html)

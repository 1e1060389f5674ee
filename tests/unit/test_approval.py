"""What people type to say which slots they approve."""

import pytest

from hub.approval import EVERYTHING, Kind, Scope, is_whole, scope


def test_scopes_as_people_type_them() -> None:
    assert scope(" ALL ") == EVERYTHING
    assert scope("no-decrease") == Scope(Kind.NO_DECREASE)
    assert scope("category: Louça, Mesa posta ,Louça") == Scope(Kind.CATEGORY, ("Louça", "Mesa posta"))
    assert scope("sku:A-1,b:2") == Scope(Kind.SKU, ("A-1", "b:2"))
    assert scope("listing:MLB1:77") == Scope(Kind.LISTING, ("MLB1:77",))
    assert is_whole([scope("sku:A"), EVERYTHING])
    assert not is_whole([scope("sku:A")])


@pytest.mark.parametrize(
    ("told", "said"),
    [("", "none of all"), ("todos", "none of all"), ("sku:", "names nothing"), ("sku: , ", "names nothing"),
     ("all:x", "takes no names"), ("no-decrease:", "takes no names")],
)  # fmt: skip
def test_a_scope_that_is_none_says_what_there_is(told: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        scope(told)

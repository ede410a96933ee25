"""What a configuration error says, and what it carries for programs."""

import pytest

from voicewarden.model.error import ConfigError


@pytest.mark.parametrize(
    ("given", "text"),
    [({}, "wrong"), ({"file": "a.yaml", "line": 3}, "a.yaml:3: wrong"), ({"file": "a.yaml"}, "a.yaml: wrong"),
     ({"line": 3}, "wrong"), ({"field": "book.args"}, "book.args: wrong"),
     ({"accepted": "1 to 3"}, "wrong (accepted: 1 to 3)"),
     ({"file": "a.yaml", "line": 3, "field": "f", "accepted": "x"}, "a.yaml:3: f: wrong (accepted: x)")],
)  # fmt: skip
def test_a_configuration_error_says_where_what_and_what_is_accepted(given: dict[str, object], text: str) -> None:
    error = ConfigError("wrong", **given)  # type: ignore[arg-type]  # one table for fields of two types
    assert str(error) == text
    defaults = {"what": "wrong", "file": "", "line": 0, "field": "", "accepted": ""}
    assert vars(error) == {**defaults, **given}

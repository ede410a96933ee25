"""The strict YAML loader: values of YAML 1.2, lines, and a clear error for everything that is not accepted."""

import pytest

from voicewarden.config.finding import errors_of
from voicewarden.config.yaml_file import LARGEST_BYTES, Place, YamlFile, parse_yaml, plain_scalar
from voicewarden.model.error import ConfigError


def parse(text: str) -> YamlFile:
    return parse_yaml(text.encode(), "f.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"), ("true", True), ("false", False),
        ("FALSE", False), ("null", None), ("~", None), ("", None), ("12", 12), ("-3", -3), ("0x1F", 31), ("0o17", 15),
        ("017", 17), ("1_000", "1_000"), ("1.5", 1.5), ("1e3", 1000.0), ("12:30:45", "12:30:45"),
        ("2026-12-01", "2026-12-01"), ("=", "="),
    ],
)  # fmt: skip
def test_plain_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    assert plain_scalar(text) == value
    assert type(plain_scalar(text)) is type(value)


def test_values_and_lines() -> None:
    source = parse("a: 1\nb:\n  - x\n  - {no: 'true', 7: \"12\"}\nc: |\n  text\n")
    assert source.data == {"a": 1, "b": ["x", {"no": "true", "7": "12"}], "c": "text\n"}
    assert source.place(("b",)) == Place("f.yaml", 2)
    assert source.place(("b", 1, "no")) == Place("f.yaml", 4)
    assert source.place(("b", 1, "missing")) == Place("f.yaml", 4)


def test_byte_order_mark_and_aliases_are_read() -> None:
    assert parse("\ufeffa: &x [1, 2]\nb: *x\n").data == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "empty"),
        (" \n\n", 1, "empty"),
        ("# nothing\n", 1, "no mapping"),
        ("- a\n", 1, "no mapping"),
        ("a: 1\nb:\n\tc: 1\n", 3, "tab"),
        ("a: 1\na: 2\n", 2, "given twice; it stands on line 1"),
        ("a: [1\nb: 2\n", 2, "not valid YAML"),
        ("a: 'x\n", 2, "not valid YAML"),
        ("a: !!python/object:os.system x\n", 1, "tag"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "merge key"),
        ("a: *nowhere\n", 1, "no finished anchor"),
        ("a: &x [*x]\n", 1, "no finished anchor"),
        ("a: 1\n---\nb: 2\n", 3, "second document"),
        ("a: 1\n? [x]\n: 2\n", 2, "a key must be a text"),
        ("a: 123456789012345678901234567890\n", 1, "too large"),
        ("a: x\nb: \x01\n", 2, "control character"),
    ],
)
def test_what_is_not_accepted_names_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert what in str(caught.value)
    assert (caught.value.file, caught.value.line) == ("f.yaml", line)


def test_every_duplicate_is_reported_with_its_field() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("a: {x: 1, x: 2}\nb: 1\nb: 2\nc: [{d: 1, d: 1}]\n")
    found = [(error.line, error.field) for error in errors_of(caught.value)]
    assert found == [(1, "a.x"), (3, "b"), (4, "c.1.d")]
    assert str(caught.value).count("\n") == 2


def test_other_encodings_are_named() -> None:
    with pytest.raises(ConfigError, match=r"f\.yaml:2: the file is not UTF-8"):
        parse_yaml(b"a: 1\nb: \xe4\n", "f.yaml")


def test_a_large_file_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ConfigError, match="too large"):
        parse_yaml(b"a" * (LARGEST_BYTES + 1), "f.yaml")


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ConfigError, match="unfolds to too many values"):
        parse("\n".join(lines))


def test_deep_nesting_is_refused_without_exhausting_the_stack() -> None:
    with pytest.raises(ConfigError, match=r"nested too deeply|not valid YAML"):
        parse("a: " + "[" * 5000)

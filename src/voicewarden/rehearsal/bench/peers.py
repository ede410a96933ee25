"""Other policy engines as contestants, each given the contest policy in its own language, parsed beforehand.

In: a policy. Out: engines; what is not installed is named with how to get it. Each gets the form that was fastest for
it in trials: parsed handles, one expression an action, a plain dict of values. Making that dict is not timed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from voicewarden.policy.ast import Policy
from voicewarden.proofs.cedar import export
from voicewarden.rehearsal.bench.contest_policy import FACTS, SIGNAL
from voicewarden.rehearsal.bench.contexts import Case, flat_name
from voicewarden.rehearsal.bench.engine import BIT, REASONS, Engine, NotInstalled, Work, mask_of
from voicewarden.rehearsal.bench.expression import (
    CASBIN,
    CEDAR,
    CEL,
    ZEN,
    Dialect,
    expression,
    rego_body,
    schema,
    ways,
)

EXTRA: Final = "pip install 'voicewarden[bench]'"
_CASBIN_MODEL: Final = """
[request_definition]
r = sub, act
[policy_definition]
p = rule, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && eval(p.rule)
"""


# Any: every engine below is an optional package without types that we could rely on.
def _module(name: str, package: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise NotInstalled(f"{package} is not installed: {EXTRA}") from missing


def _lists(policy: Policy, dialect: Dialect) -> dict[str, str]:
    """For each action, a list of whether each of its conditions is met."""
    return {
        name: "[" + ", ".join(expression(rule.condition, dialect) for rule in action.require) + "]"
        for name, action in policy.actions.items()
    }


def _joined(policy: Policy, dialect: Dialect) -> dict[str, str]:
    """For each action, whether all of its conditions are met."""
    return {
        name: dialect.both.join(expression(rule.condition, dialect) for rule in action.require)
        for name, action in policy.actions.items()
    }


def _read_bit(_: Case, found: Any) -> int:
    return 0 if found else 1


def _read_list(_: Case, found: Any) -> int:
    return mask_of([item is True for item in found])


def _prepared(programs: Mapping[str, Callable[..., Any]]) -> Callable[[Case], Work]:
    def prepare(case: Case) -> Work:
        return programs[case.action], (dict(case.flat),)

    return prepare


def cedar(policy: Policy) -> list[Engine]:
    """Cedar from Python: a forbid for each condition, a permit for each action, parsed once."""
    cedarpy = _module("cedarpy", "cedarpy")
    texts, names = [], []
    for name, action in policy.actions.items():
        scope = f'principal, action == Action::"{name}", resource'
        texts.append(f"permit({scope});")
        names.append("")
        for rule in action.require:
            texts.append(f"forbid({scope}) unless {{ {expression(rule.condition, CEDAR)} }};")
            names.append(rule.id)
    policies = cedarpy.PolicySet.from_str("\n".join(texts))
    nobody = cedarpy.Entities.from_json_str("[]")
    numbers = {f"policy{index}": name for index, name in enumerate(names) if name}

    def prepare(case: Case) -> Work:
        request = {
            "principal": 'Agent::"a"', "action": f'Action::"{case.action}"', "resource": 'Call::"c"',
            "context": dict(case.flat),
        }  # fmt: skip
        return cedarpy.is_authorized, (request, policies, nobody)

    def read(case: Case, found: Any) -> int:
        failed = {numbers[item] for item in found.diagnostics.reasons if item in numbers}
        mask = mask_of([rule.id not in failed for rule in policy.actions[case.action].require])
        return mask if found.allowed == (mask == 0) else -1

    return [Engine("cedarpy", REASONS, prepare, read, "Cedar, Rust"), _exported(policy, cedarpy, nobody)]


def _exported(policy: Policy, cedarpy: Any, nobody: Any) -> Engine:
    """What `voicewarden policy cedar` writes: unknown facts, ages, digests, stages and stoppers, too."""
    policies = cedarpy.PolicySet.from_str(export(policy).policies)

    def prepare(case: Case) -> Work:
        facts = {
            name: {"value": fact.value, "age_ms": case.now_ms - fact.at_ms}
            | ({"digest": fact.digest} if name.startswith("consent.") else {})
            for name, fact in case.facts.items()
        }
        more = {"digest": case.digest, "minted": case.minted, "stage": "bounded", "approved": False}
        request = {
            "principal": 'Agent::"a"', "action": f'Action::"{case.action}"', "resource": 'Call::"c"',
            "context": {"facts": facts, **more},
        }  # fmt: skip
        return cedarpy.is_authorized, (request, policies, nobody)

    def read(case: Case, found: Any) -> int:
        # Its own stage rule and stoppers apply beside the rules of the contest, and only where one of those does.
        failed = set(found.diagnostics.id_annotations_by_reason.values())
        mask = mask_of([rule.id not in failed for rule in policy.actions[case.action].require])
        return mask if found.allowed == (mask == 0) else -1

    return Engine("cedarpy, our export", REASONS, prepare, read, "Cedar, Rust")


def cel_rust(policy: Policy) -> list[Engine]:
    """CEL by `common-expression-language`."""
    cel = _module("cel", "common-expression-language")
    lists = {name: cel.compile(text).execute for name, text in _lists(policy, CEL).items()}
    bits = {name: cel.compile(text).execute for name, text in _joined(policy, CEL).items()}
    return [
        Engine("CEL (Rust)", REASONS, _prepared(lists), _read_list, "CEL, Rust"),
        Engine("CEL (Rust), bit", BIT, _prepared(bits), _read_bit, "CEL, Rust"),
    ]


def cel_cpp(policy: Policy) -> list[Engine]:
    """CEL by `cel-expr-python`, which is Google's C++."""
    cel = _module("cel_expr_python.cel", "cel-expr-python")
    kinds = {"bool": cel.Type.BOOL, "enum": cel.Type.STRING, "int": cel.Type.INT, "text": cel.Type.STRING}
    types = {flat_name(name): kinds["int" if name == SIGNAL else kind.kind] for name, kind in FACTS.items()}
    compiler = cel.NewEnv(variables=types)

    def value(program: Any, values: dict[str, Any]) -> Any:
        return program.eval(data=values).value()

    def items(program: Any, values: dict[str, Any]) -> list[bool]:
        return [item.value() for item in program.eval(data=values).value()]

    lists = {name: partial(items, compiler.compile(text)) for name, text in _lists(policy, CEL).items()}
    bits = {name: partial(value, compiler.compile(text)) for name, text in _joined(policy, CEL).items()}
    return [
        Engine("CEL (C++)", REASONS, _prepared(lists), _read_list, "CEL, C++"),
        Engine("CEL (C++), bit", BIT, _prepared(bits), _read_bit, "CEL, C++"),
    ]


def zen(policy: Policy) -> list[Engine]:
    """The expressions of GoRules' zen-engine."""
    module = _module("zen", "zen-engine")
    lists = {name: module.compile_expression(text).evaluate for name, text in _lists(policy, ZEN).items()}
    bits = {name: module.compile_expression(text).evaluate for name, text in _joined(policy, ZEN).items()}
    return [
        Engine("zen-engine", REASONS, _prepared(lists), _read_list, "ZEN, Rust"),
        Engine("zen-engine, bit", BIT, _prepared(bits), _read_bit, "ZEN, Rust"),
    ]


def rego(policy: Policy) -> list[Engine]:
    """Rego by regorus (the wheel is called gordon-to-regorus): one rule an action, which gives the set of reasons."""
    module = _module("regorus", "gordon-to-regorus")
    lines = ["package gate", "import rego.v1"]
    for name, action in policy.actions.items():
        for index, rule in enumerate(action.require):
            lines += [f"{name}_{index} if {{ {rego_body(way)} }}" for way in ways(rule.condition)]
            lines.append(f"{name} contains {index} if not {name}_{index}")
    engine = module.Engine()
    engine.add_policy("gate.rego", "\n".join(lines))

    def decide(rule: str, values: dict[str, Any]) -> Any:
        engine.set_input(values)
        return engine.eval_rule(rule)

    def prepare(case: Case) -> Work:
        return decide, (f"data.gate.{case.action}", dict(case.flat))

    return [Engine("regorus", REASONS, prepare, lambda _, found: sum(1 << int(item) for item in found), "Rego, Rust")]


def casbin(policy: Policy) -> list[Engine]:
    """pycasbin with rules over attributes (ABAC)."""
    module = _module("casbin", "pycasbin")
    model = module.Model()
    model.load_model_from_text(_CASBIN_MODEL)
    enforcer = module.Enforcer(model)
    for name, text in _joined(policy, CASBIN).items():
        enforcer.add_policy(text, name)

    def prepare(case: Case) -> Work:
        return enforcer.enforce, (_Attributes(dict(case.flat)), case.action)

    return [Engine("pycasbin", BIT, prepare, _read_bit, "Casbin, Python")]


class _Attributes:
    """Casbin reads attributes of an object."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def json_schema(policy: Policy) -> list[Engine]:
    """A JSON Schema an action, by jsonschema."""
    module = _module("jsonschema", "jsonschema")
    validators = {
        name: module.Draft202012Validator({"allOf": [schema(rule.condition) for rule in action.require]})
        for name, action in policy.actions.items()
    }

    def failed(validator: Any, values: dict[str, Any]) -> set[int]:
        return {error.schema_path[1] for error in validator.iter_errors(values)}

    reasons = {name: partial(failed, validator) for name, validator in validators.items()}
    bits = {name: validator.is_valid for name, validator in validators.items()}
    return [
        Engine("jsonschema", REASONS, _prepared(reasons), lambda _, found: sum(1 << at for at in found), "Python"),
        Engine("jsonschema, bit", BIT, _prepared(bits), _read_bit, "Python"),
    ]


def fast_json_schema(policy: Policy) -> list[Engine]:
    """The same by fastjsonschema, which generates Python."""
    module = _module("fastjsonschema", "fastjsonschema")

    def is_valid(validate: Any, values: dict[str, Any]) -> bool:
        try:
            validate(values)
        except module.JsonSchemaException:
            return False
        return True

    bits = {
        name: partial(is_valid, module.compile({"allOf": [schema(rule.condition) for rule in action.require]}))
        for name, action in policy.actions.items()
    }
    return [Engine("fastjsonschema", BIT, _prepared(bits), _read_bit, "generated Python")]


_PEERS: Final = (cedar, cel_rust, cel_cpp, zen, rego, casbin, json_schema, fast_json_schema)


def engines(policy: Policy) -> tuple[list[Engine], list[str]]:
    """All that are installed, and a line for each that is not."""
    found: list[Engine] = []
    missing: list[str] = []
    for make in _PEERS:
        try:
            found += make(policy)
        except NotInstalled as why:
            missing.append(str(why))
    return found, missing


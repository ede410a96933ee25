"""JSON Schemas of the configuration files: the document models come in, `schema/*.json` goes out.

Run as `python -m voicewarden.config.schema`; with `--check` it writes nothing and exits 1 when a file is stale.
Editors read them through the first line of each YAML file.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from voicewarden.config.agent_document import AgentDocument
from voicewarden.config.answerer_document import AnswererDocument
from voicewarden.config.approvals import ApprovalsDocument
from voicewarden.config.calibration_document import CalibrationDocument
from voicewarden.config.catalogue_document import CatalogueDocument
from voicewarden.config.lexicon_file import lexicon_schema
from voicewarden.config.people import PeopleDocument
from voicewarden.config.policy_document import PolicyDocument
from voicewarden.config.settings import SettingsDocument
from voicewarden.config.spoken_documents import ApprovedFactsDocument, LinesDocument
from voicewarden.config.validation import Document

_MODELS: Final[dict[str, type[Document]]] = {
    "policy": PolicyDocument,
    "approvals": ApprovalsDocument,
    "agent": AgentDocument,
    "people": PeopleDocument,
    "settings": SettingsDocument,
    "catalogue": CatalogueDocument,
    "lines": LinesDocument,
    "approved-facts": ApprovedFactsDocument,
    "answerer": AnswererDocument,
    "calibration": CalibrationDocument,
}
_MAY_BE_PARTIAL: Final = (
    "HearingEntry", "BandsEntry", "BandEntry", "AnswererEntry", "SilenceEntry", "CallEntry", "BudgetEntry",
    "QuestionsEntry", "SpeechEntry", "ContactEntry", "OversightEntry", "ActionEntry", "FactEntry",
)  # fmt: skip
"""Blocks that a layer may give in part; what is missing in the merged whole is found when the policy is loaded."""

# Any: a JSON schema is a tree of anything.
JsonSchema = dict[str, Any]


def schemas() -> dict[str, str]:
    """The text of every schema file by its name."""
    written = {f"{name}.json": _text(name, model) for name, model in _MODELS.items()}
    return {**written, "lexicon.json": _written(lexicon_schema())}


def _text(name: str, model: type[Document]) -> str:
    schema: JsonSchema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(by_alias=True),
    }
    if name == "policy":
        _loosen_for_layers(schema)
    if name == "settings":
        _drop_secrets(schema)
    return _written(schema)


def _written(schema: JsonSchema) -> str:
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _loosen_for_layers(schema: JsonSchema) -> None:
    required = schema.pop("required")
    schema["required"] = ["policy"]
    schema["if"] = {"not": {"required": ["extends"]}}
    schema["then"] = {"required": required}
    for name in _MAY_BE_PARTIAL:
        schema["$defs"][name].pop("required", None)


def _drop_secrets(schema: JsonSchema) -> None:
    """A secret has no place in the file, so the schema does not offer it."""
    for definition in schema["$defs"].values():
        properties = definition.get("properties", {})
        for key in [key for key in properties if f"{key}_file" in properties]:
            del properties[key]


def stale(directory: Path) -> list[str]:
    """Names of the files under `directory` that differ from what the models give."""
    wrong: list[str] = []
    for name, text in schemas().items():
        path = directory / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            wrong.append(name)
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the schemas, or check them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="voicewarden.config.schema", description="Write the JSON Schemas.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when a file is stale")
    parser.add_argument("--directory", type=Path, default=Path("schema"))
    options = parser.parse_args(arguments)
    if options.check:
        wrong = stale(options.directory)
        for name in wrong:
            print(f"{options.directory / name} is stale; run python -m voicewarden.config.schema")
        return 1 if wrong else 0
    options.directory.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (options.directory / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

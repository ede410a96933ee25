"""The catalogue: `catalogue.yaml` comes in, the named lists, destinations and look-ups of a release go out.

Called by `release`. An enum argument takes its values from a list here; a transfer dials only what stands here.
"""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from voicewarden.config.finding import Findings
from voicewarden.config.policy_blocks import Name, Owner, Reasoned
from voicewarden.config.validation import Document, validate
from voicewarden.config.yaml_file import YamlFile, read_yaml
from voicewarden.model.action import Value
from voicewarden.model.canonical import check_profile

Key = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9_:.-]*$")]
Said = Annotated[str, Field(min_length=1, max_length=120)]
PhoneNumber = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
"""E.164. Quote it: an unquoted number is no text."""

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day. Quote it; its order as a text is its order in the day."""
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class LookUpEntry(Document):
    """What `look_up` answers: how the subject is said, and the result."""

    said: Said
    answer: Annotated[dict[Name, str | int | bool], Field(min_length=1, max_length=40)]


class AppointmentsEntry(Reasoned):
    """When appointments can be had, in the zone that the settings name, and how long each service takes."""

    opens: Clock
    closes: Clock
    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    step_minutes: Annotated[int, Field(ge=5, le=480)]
    minutes: dict[Key, Annotated[int, Field(ge=5, le=1_440)]]

    def day_numbers(self) -> frozenset[int]:
        """The days, Monday being 0."""
        return frozenset(get_args(Weekday).index(day) for day in self.days)


class CatalogueDocument(Document):
    """Everything that arguments may name."""

    owner: Owner
    about: Annotated[str, Field(min_length=1, max_length=400)]
    lists: dict[Name, Annotated[dict[Key, Said], Field(min_length=1)]]
    destinations: dict[Key, PhoneNumber]
    lookups: dict[Name, LookUpEntry]
    appointments: AppointmentsEntry | None = None


class CatalogueFile:
    """The catalogue and where it stands."""

    def __init__(self, path: Path) -> None:
        self.source: YamlFile = read_yaml(path)
        self.document = validate(CatalogueDocument, self.source)

    def check(self, findings: Findings) -> None:
        """Note lists that are made elsewhere, desks without a number and answers that can't be recorded."""
        document = self.document
        for name in ("agents", "lookups"):
            if name in document.lists:
                self.source.complain(findings, ("lists", name), "is made from other files; remove it or rename it")
        desks = document.lists.get("desks", {})
        for desk in desks:
            if desk not in document.destinations:
                self.source.complain(findings, ("destinations", desk), "is missing: every desk needs a number")
        for desk in document.destinations:
            if desk not in desks:
                self.source.complain(findings, ("destinations", desk), "is no desk", ", ".join(desks))
        self._check_appointments(findings)
        for name, entry in document.lookups.items():
            try:
                check_profile(dict(entry.answer))
            except ValueError as error:
                self.source.complain(findings, ("lookups", name, "answer"), str(error))

    def _check_appointments(self, findings: Findings) -> None:
        entry = self.document.appointments
        if entry is None:
            return
        if entry.opens >= entry.closes:
            what = f"found '{entry.closes}', which is not after opens"
            self.source.complain(findings, ("appointments", "closes"), what, f"a time after {entry.opens}")
        services = self.document.lists.get("services", {})
        for service in services.keys() ^ entry.minutes.keys():
            what = "is missing: every service takes its time" if service in services else "is no service"
            self.source.complain(findings, ("appointments", "minutes", service), what, ", ".join(services))

    def listings(self, agents: dict[str, str]) -> dict[str, dict[str, str]]:
        """All named lists, with those of the agents and of the look-ups."""
        lists = {name: dict(values) for name, values in self.document.lists.items()}
        lists["lookups"] = {name: entry.said for name, entry in self.document.lookups.items()}
        lists["agents"] = agents
        return lists

    def answers(self) -> dict[str, dict[str, Value]]:
        """What each look-up answers."""
        return {name: dict(entry.answer) for name, entry in self.document.lookups.items()}

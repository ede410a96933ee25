"""Findings: everything that is wrong with a configuration, gathered so that one run shows all of it.

In: places and texts from the other modules of this room. Out: one `ConfigError` that lists each finding on a line.
"""

from collections.abc import Iterable

from voicewarden.model.error import ConfigError

_MOST_SHOWN = 50


class ConfigErrors(ConfigError):
    """Several things are wrong; `errors` holds each, and file, line and field are those of the first."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(errors)
        first = self.errors[0]
        super().__init__(first.what, file=first.file, line=first.line, field=first.field, accepted=first.accepted)
        lines = [str(error) for error in self.errors[:_MOST_SHOWN]]
        if len(self.errors) > _MOST_SHOWN:
            lines.append(f"and {len(self.errors) - _MOST_SHOWN} more; mend these first")
        self.args = ("\n".join(lines),)


def errors_of(error: ConfigError) -> tuple[ConfigError, ...]:
    """Each finding of a configuration error by itself."""
    return error.errors if isinstance(error, ConfigErrors) else (error,)


class Findings:
    """Gathers findings; nothing is raised before `raise_if_any`."""

    def __init__(self) -> None:
        self.errors: list[ConfigError] = []

    def add(self, what: str, *, file: str = "", line: int = 0, field: str = "", accepted: str = "") -> None:
        """Note one thing that is wrong."""
        self.errors.append(ConfigError(what, file=file, line=line, field=field, accepted=accepted))

    def take(self, error: ConfigError) -> None:
        """Note what another check raised."""
        self.errors.extend(errors_of(error))

    def raise_if_any(self) -> None:
        """Raise one error for everything noted so far, in the order of files and lines."""
        if not self.errors:
            return
        ordered = sorted(self.errors, key=lambda error: (error.file, error.line))
        raise ordered[0] if len(ordered) == 1 else ConfigErrors(ordered)

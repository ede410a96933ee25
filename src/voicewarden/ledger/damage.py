"""Damage: whether the SQLite file itself is whole, below the records in it.

In: a path. Out: what is wrong with pages, types, indexes and texts, in words. Called before records are looked at: a
page that was damaged may hand out columns that no writer has ever written, or hide rows behind an index.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw

from voicewarden.ledger.schema import open_plainly
from voicewarden.ledger.treefile import tree_path

_MOST: Final = 20


def damage(ledger: Path) -> Iterator[str]:
    """What is wrong with a ledger's file and that of its tree; nothing where both are whole. Reads all of them."""
    yield from _damage_of(ledger)
    if tree_path(ledger).is_file():
        yield from _damage_of(tree_path(ledger))


def _damage_of(path: Path) -> Iterator[str]:
    try:
        with closing(open_plainly(path)) as connection:
            found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_MOST})")]
            wrong = [what for what in found if what != "ok"] or _texts(connection)
            yield from (f"{path.name} is damaged: {what}" for what in wrong)
    # SQLite hands out names and messages of a damaged schema as they are.
    except (apsw.Error, UnicodeDecodeError) as error:
        yield f"{path.name} is damaged: {type(error).__name__}: {error}"


def _texts(connection: apsw.Connection) -> Iterator[str]:
    """Texts that are none: SQLite does not look at that, and whoever reads them would stumble."""
    tables = [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for table in tables:
        columns = [str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")') if row[2] == "TEXT"]
        if not columns:
            continue
        read = ", ".join(f'CAST("{column}" AS BLOB)' for column in columns)
        for number, row in enumerate(connection.execute(f'SELECT {read} FROM "{table}"'), start=1):
            for column, value in zip(columns, row, strict=True):
                if isinstance(value, bytes) and not _is_text(value):
                    yield f"{column} in row {number} of {table} is no text"


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True

"""Text folding: raw transcript or sentence in, one pinned plain form out.

Everything in this room matches on folded text. The table is written out here and not taken from `unicodedata`,
whose tables change between Python versions; only ASCII patterns are used on what comes out.
"""

import re
from collections.abc import Sequence

_PLAIN = {
    "a": "àáâãäåāăąǎаα", "c": "çćĉċčс", "d": "ďđ", "e": "èéêëēĕėęěеε", "g": "ĝğġģ", "h": "ĥħ", "i": "ìíîïĩīĭįıіι",
    "j": "ĵј", "k": "ķκ", "l": "ĺļľŀł", "n": "ñńņňŉ", "o": "òóôõöøōŏőоο", "p": "рρ", "r": "ŕŗř", "s": "śŝşšſѕ",
    "t": "ţťŧ", "u": "ùúûüũūŭůűų", "w": "ŵ", "x": "х", "y": "ýÿŷу", "z": "źżž", "ae": "æ", "oe": "œ", "ss": "ß",
}  # fmt: skip
_PLAIN_CAPITALS = {
    "a": "ÀÁÂÃÄÅĀĂĄАΑ", "b": "ВΒ", "c": "ÇĆĈĊČС", "d": "ĎĐ", "e": "ÈÉÊËĒĔĖĘĚЕΕ", "g": "ĜĞĠĢ", "h": "ĤĦНΗ",
    "i": "ÌÍÎÏĨĪĬĮİІΙ", "j": "Ĵ", "k": "ĶКΚ", "l": "ĹĻĽĿŁ", "m": "МΜ", "n": "ÑŃŅŇΝ", "o": "ÒÓÔÕÖØŌŎŐОΟ", "p": "РΡ",
    "r": "ŔŖŘ", "s": "ŚŜŞŠЅ", "t": "ŢŤŦТΤ", "u": "ÙÚÛÜŨŪŬŮŰŲ", "w": "Ŵ", "x": "ХΧ", "y": "ÝŸŶΥ", "z": "ŹŻŽΖ",
    "ae": "Æ", "oe": "Œ",
}  # fmt: skip
_SIGNS = {
    "'": "‘’‚‛ʼʹ′`´＇", '"': "“”„‟«»″", "-": "‐‑‒–—―−﹘", "...": "…",
    " ": "\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\t\n\r\v\f",
    "?": "¿؟", "!": "¡", ".": "。·•", ",": "،、", "/": "⁄∕", "1/2": "½", "1/4": "¼", "3/4": "¾", "fi": "ﬁ", "fl": "ﬂ",
    "tm": "™", "o": "º", "a": "ª", "1": "¹", "2": "²", "3": "³",
}  # fmt: skip
_VANISHING = (
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0x0300, 0x0370),
    *range(0xFE00, 0xFE10),
    0x00AD,
    0x034F,
    0x061C,
    0x180E,
    0xFEFF,
)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def _table() -> dict[int, str]:
    """Build the pinned table from code point to folded text."""
    table: dict[int, str] = {ord(upper): upper.lower() for upper in _ALPHABET.upper()}
    for group in (_PLAIN, _PLAIN_CAPITALS, _SIGNS):
        table.update({ord(char): plain for plain, chars in group.items() for char in chars})
    table.update(dict.fromkeys(range(0x2000, 0x200B), " "))
    table.update({0xFF01 + step: chr(0x21 + step).lower() for step in range(94) if 0xFF01 + step not in table})
    # Styled letters and digits that a speech engine would read like plain ones.
    table.update({code: _ALPHABET[(code - 0x1D400) % 26] for code in range(0x1D400, 0x1D6A4)})
    table.update({code: str((code - 0x1D7CE) % 10) for code in range(0x1D7CE, 0x1D800)})
    table.update({0x24B6 + step: _ALPHABET[step % 26] for step in range(52)})
    table.update(dict.fromkeys(_VANISHING, ""))
    return table


_TABLE = _table()
_ASCII_TABLE = bytes(ord(_TABLE.get(code, chr(code))) if code < 128 else code for code in range(256))
_ASCII_WORDS = bytes(code if chr(code) in "abcdefghijklmnopqrstuvwxyz0123456789'" else 0x20 for code in range(256))
_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*'?|[^\x00-\x7f]+", re.ASCII)


def fold(text: str) -> str:
    """Return `text` in lower case plain letters, with one kind of apostrophe and without invisible characters."""
    if text.isascii():
        # One byte in, one byte out: the same table, some ten times as fast.
        return text.encode("ascii").translate(_ASCII_TABLE).decode("ascii")
    return text.translate(_TABLE)


def fold_with_offsets(text: str) -> tuple[str, Sequence[int]]:
    """Return the folded text and, for each of its characters and its end, the offset in `text` it came from."""
    if text.isascii():
        return fold(text), range(len(text) + 1)
    pieces = [_TABLE.get(ord(char), char) for char in text]
    offsets = [at for at, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), (*offsets, len(text))


def tokens(text: str) -> tuple[str, ...]:
    """Return the words of `text`, folded: letters, digits and inner apostrophes; other scripts stay as they are.

    A run of unknown characters is a token of its own, so that no phrase can be matched around it unseen.
    """
    return folded_tokens(fold(text))


def folded_tokens(plain: str) -> tuple[str, ...]:
    """Return the words of a text that is folded already."""
    if plain.isascii():
        if plain.isalnum():
            return (plain,)
        if "''" not in plain:
            # Again one byte for one byte: what no word holds is a space, and only outer apostrophes are left to drop.
            parts = plain.encode("ascii").translate(_ASCII_WORDS).decode("ascii").split()
            return tuple([word for part in parts if (word := part.strip("'"))] if "'" in plain else parts)
    return tuple(token.rstrip("'") for token in _TOKEN.findall(plain))

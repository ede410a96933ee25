"""The folding table is pinned: a change of it changes what every stored call would have heard."""

from hashlib import sha256

from voicewarden.reading import text

COUNT = 1_350
DIGEST = "b666a1710bc1d3247e3d17636fcb20a7d3c5bb52ba93840629a38b40cb92e454"


def test_the_folding_table_is_the_pinned_one() -> None:
    table = text._table()
    told = "\n".join(f"{code:x} {plain}" for code, plain in sorted(table.items()))
    assert (len(table), sha256(told.encode()).hexdigest()) == (COUNT, DIGEST)

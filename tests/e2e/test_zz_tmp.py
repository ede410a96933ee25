import pytest
from tests.fakes.server import *
async def test_happy(tmp_path):
    async with open_house(tmp_path) as house:
        call = await house.place(book)
        try:
            print(await house.end(call))
        finally:
            for e in house.events[call]:
                if type(e).__name__ not in ("CadenceMeasured",): print(str(e)[:220])
            line=house.line(call); print(line and line.errors)

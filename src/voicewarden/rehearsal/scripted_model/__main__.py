"""The scripted model as a process of its own: `python -m voicewarden.rehearsal.scripted_model --agents agents`.

In come options, out goes one line `{"port": N}` when it is ready; it serves until interrupted or terminated.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from voicewarden.model.error import ConfigError
from voicewarden.rehearsal.scripted_model.pace import Fault, Pace
from voicewarden.rehearsal.scripted_model.server import ScriptedModel, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 2 if a dialogue file is wrong."""
    parser = argparse.ArgumentParser(prog="python -m voicewarden.rehearsal.scripted_model", description=__doc__)
    parser.add_argument("--agents", type=Path, required=True, help="folder with one folder an agent")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--first-token-ms", type=int, default=0, help="delay of the first token")
    parser.add_argument("--token-ms", type=int, default=0, help="delay of each further token")
    parser.add_argument("--fault", choices=[fault.value for fault in Fault], help="spoil every answer this way")
    parser.add_argument("--api-key", help="refuse requests without this bearer key")
    chosen = parser.parse_args(arguments)
    try:
        model = ScriptedModel(
            chosen.agents,
            pace=Pace(first_token_ms=chosen.first_token_ms, token_ms=chosen.token_ms),
            api_key=chosen.api_key,
            fault=Fault(chosen.fault) if chosen.fault else None,
        )
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    asyncio.run(_serve_until_told(model, chosen.port))
    return 0


async def _serve_until_told(model: ScriptedModel, port: int) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    async with serve(model, port=port) as base_url:
        print(json.dumps({"port": urlsplit(base_url).port}), flush=True)
        await told.wait()


if __name__ == "__main__":
    sys.exit(main())

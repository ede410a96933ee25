"""`voicewarden`: the one entry point; each group of commands stands in its own module.

Exit codes: 0 fine, 1 findings, 2 usage, 3 internal. Errors of ours are one line on stderr; `VOICEWARDEN_TRACE=1`
shows all.
"""

import os
import sys

import typer
from typer.core import TyperGroup

from voicewarden import __version__
from voicewarden.cli import (
    agreement,
    bench,
    calibrate,
    cases,
    decide,
    diff,
    explain,
    golden,
    hear,
    keys,
    label,
    ledger,
    model_check,
    phone,
    policy,
    prove,
    read,
    rehear,
    replay,
    run_report,
    whatif,
)
from voicewarden.model.error import VoicewardenError

FINDINGS = 1
INTERNAL = 3


class _Group(TyperGroup):
    """Turns our own errors into one clear line."""

    # typer types this loosely: whatever a command returns is passed through
    def __call__(self, *args: object, **kwargs: object) -> object:
        try:
            return super().__call__(*args, **kwargs)
        except VoicewardenError as error:
            if os.environ.get("VOICEWARDEN_TRACE"):
                raise
            typer.echo(f"voicewarden: {error}", err=True)
            sys.exit(FINDINGS)


app = typer.Typer(
    name="voicewarden", cls=_Group, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Phone calls by a voice agent that can only do what the call has earned the authority to do.",
)  # fmt: skip
app.add_typer(ledger.app, name="ledger")
app.add_typer(keys.app, name="keys")
app.add_typer(policy.app, name="policy")
policy.app.command("explain")(explain.explain)
policy.app.command("prove")(prove.prove)
policy.app.command("diff")(diff.diff)
policy.app.command("cases")(cases.cases)
policy.app.command("cedar")(cases.cedar)
policy.app.command("agreement")(agreement.agreement)
policy.app.command("model-check")(model_check.model_check)
policy.app.command("why")(explain.why)
policy.app.command("flips")(explain.flips)
app.command("bench")(bench.bench)
app.command("decide")(decide.decide)
app.command("replay")(replay.replay)
app.command("hear")(hear.hear)
app.command("calibrate")(calibrate.calibrate)
app.command("read")(read.read)
app.command("rehear")(rehear.rehear)
app.command("whatif")(whatif.whatif)
app.command("pin")(golden.pin)
app.command("check-golden")(golden.check_golden)
app.command("qa")(run_report.qa)
app.command("label")(label.label)
app.command("report")(replay.report)
app.command("serve")(phone.serve)
app.command("call")(phone.call)
app.command("contact")(phone.contact)
app.command("demo")(phone.demo)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


if __name__ == "__main__":
    app()

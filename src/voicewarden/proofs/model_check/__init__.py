"""The exhaustive model check of the real `kernel.step` over small alphabets of events.

In: a release. Out: how many states were reached, which promises were checked on every step, and each broken one as the
shortest call that breaks it. Called by the command line and tests.
"""



from voicewarden.proofs.model_check.report import Broken, Checked, Controlled, check, check_controls
from voicewarden.proofs.model_check.search import PROMISES

__all__ = ["PROMISES", "Broken", "Checked", "Controlled", "check", "check_controls"]

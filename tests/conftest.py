"""What every test shares: no network for models, one Hypothesis profile, the development recordings, and a last look
at pipecat's own record of deprecated calls, which its warnings never turn into an error."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")

# A deadline would be a wall-clock assertion; in CI the examples are fixed, so that a red run can be repeated.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def dev_data() -> Path:
    """The folder of development recordings named by VOICEWARDEN_DEV_DATA; a test that needs it is skipped without."""
    named = os.environ.get("VOICEWARDEN_DEV_DATA", "")
    if not named or not Path(named).is_dir():
        pytest.skip("needs recordings that are not part of the repository: set VOICEWARDEN_DEV_DATA to their folder")
    return Path(named)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when our code called a deprecated name of pipecat: its warnings are filtered by pipecat itself."""
    deprecation = sys.modules.get("pipecat.utils.deprecation")
    sites = sorted(map(str, getattr(deprecation, "_warned_sites", ())))
    if sites:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"\ndeprecated pipecat names were called at: {', '.join(sites)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

"""One policy file is enough: what it lacks is found around it or ships with the package."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.rig import TOP, shipped
from tests.unit.embed.policies import POLICY, SERVICES, WANTED, written

import voicewarden
from voicewarden.config.shipped import NEUTRAL_LINES, shipped_config
from voicewarden.config.spoken_documents import REQUIRED_LINES
from voicewarden.embed import Call, open_policy
from voicewarden.model.error import ConfigError

CATALOGUE = """\
owner: operations
about: What there is.
lists:
  services: {haircut: a haircut}
destinations: {}
lookups: {}
"""


def test_the_public_names_are_fetched_when_they_are_used() -> None:
    assert voicewarden.Call is Call and voicewarden.open_policy is open_policy
    assert {"Call", "open_policy"} <= set(dir(voicewarden))
    with pytest.raises(AttributeError, match="no attribute 'Cal'"):
        _ = voicewarden.Cal  # type: ignore[attr-defined]


def test_opening_and_asking_need_the_core_install_alone(tmp_path: Path) -> None:
    heavy = ("pipecat", "numpy", "fastapi", "openai", "httpx", "typer", "rich")
    code = (
        f"import sys\nsys.modules.update(dict.fromkeys({heavy!r}))\n"
        "from voicewarden import Call, open_policy\n"
        "call = Call(open_policy(sys.argv[1], catalogue={'services': ['haircut']}), agent='assistant')\n"
        "print(call.request('note', {'text': 'x'}).decision.verdict)\n"
    )
    command = [sys.executable, "-c", code, str(written(tmp_path))]
    run = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": "src"}, cwd=TOP)
    assert (run.stdout.strip(), run.stderr) == ("allow", "")


def test_a_single_file_anywhere_is_enough(tmp_path: Path) -> None:
    release = open_policy(written(tmp_path), catalogue={"services": SERVICES})
    assert sorted(release.data.agents) == ["assistant", "booking", "closing", "transfer"]
    assert {agent.stage for agent in release.data.agents.values()} == {"bounded"}
    assert release.data.lines == NEUTRAL_LINES
    assert release.data.facts == ()
    assert release.defaults["account_open"] is True


def test_the_lines_that_ship_are_all_that_the_kernel_says_and_name_nobody() -> None:
    assert set(REQUIRED_LINES) <= set(NEUTRAL_LINES)
    assert not any("Maple" in line for line in NEUTRAL_LINES.values())


def test_a_plain_list_is_said_as_it_is_written(tmp_path: Path) -> None:
    release = open_policy(written(tmp_path), catalogue={"services": ["haircut"]})
    assert release.data.catalogue["services"] == {"haircut": "haircut"}


@pytest.mark.parametrize("listing", ["haircut", [], {}, [1], {"haircut": ""}])
def test_a_list_that_is_none_is_an_error(tmp_path: Path, listing: object) -> None:
    with pytest.raises(ConfigError, match=r"catalogue\.services"):
        open_policy(written(tmp_path), catalogue={"services": listing})  # type: ignore[dict-item]


def test_a_list_of_the_own_file_that_is_missing_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(ConfigError) as raised:
        open_policy(path)
    assert (raised.value.file, raised.value.line) == (str(path), 9)
    assert "catalogue={...}" in raised.value.accepted


def test_an_inherited_action_without_its_list_is_denied(tmp_path: Path) -> None:
    call = Call(open_policy(written(tmp_path), catalogue={"services": SERVICES}), agent="booking")
    assert call.request("transfer", {"desk": "sales"}).decision.verdict == "deny"


def test_a_line_that_must_be_said_has_to_be_given(tmp_path: Path) -> None:
    said = "speech:\n  must_say: [{id: terms, line: disclosures.terms, within_ms: 5000, why: The law says so.}]\n"
    path = written(tmp_path, POLICY + said)
    with pytest.raises(ConfigError, match=r"disclosures\.terms"):
        open_policy(path, catalogue={"services": SERVICES})
    terms = {"disclosures.terms": "Our terms apply."}
    call = Call(open_policy(path, catalogue={"services": SERVICES}, lines=terms), agent="assistant")
    call.answered()
    assert "Our terms apply." in call.unshown


@pytest.mark.parametrize("stage", ["observe", "assist", "bounded", "autonomous"])
def test_roles_stand_in_the_stage_that_is_said(tmp_path: Path, stage: str) -> None:
    release = open_policy(written(tmp_path), catalogue={"services": SERVICES}, stage=stage)  # type: ignore[arg-type]
    assert {agent.stage for agent in release.data.agents.values()} == {stage}
    assert Call(release, agent="assistant").state.identity.stage == stage


def test_a_policy_without_roles_has_one(tmp_path: Path) -> None:
    text = (TOP / "config" / "policies" / "organisation.yaml").read_text(encoding="utf-8")
    anybody = text.replace("policy: organisation", "policy: desk")
    anybody = anybody.replace("requested_by: [booking, transfer, closing]", "")
    lists = {name: ["one"] for name in ("lookups", "desks", "callback_slots")}
    assert Call(open_policy(written(tmp_path, anybody), catalogue=lists)).state.identity.agent == "agent"


def test_what_lies_around_the_policy_is_used(tmp_path: Path) -> None:
    path = written(tmp_path / "policies")
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE, encoding="utf-8")
    release = open_policy(path)
    assert release.data.catalogue["services"] == {"haircut": "a haircut"}
    assert release.data.lines == NEUTRAL_LINES
    assert Call(release, agent="assistant").request("book", WANTED).decision.digest


def test_a_folder_that_is_named_is_used_for_a_policy_elsewhere(tmp_path: Path) -> None:
    release = open_policy(written(tmp_path), config=TOP / "config")
    assert "Maple Lane" in release.data.lines["disclosures.ai"]
    assert "consultation" in release.data.catalogue["services"]
    assert release.data.facts and "assistant" in release.data.agents


def test_with_agents_it_is_the_release_of_a_phone_call() -> None:
    given = open_policy("outbound-sales", config=TOP / "config", agents=TOP / "agents")
    around = open_policy(TOP / "config" / "policies" / "outbound-sales.yaml")
    assert given.hash == around.hash == shipped().hash
    with pytest.raises(ConfigError, match="stage"):
        open_policy("outbound-sales", config=TOP / "config", agents=TOP / "agents", stage="observe")


def test_a_base_is_found_beside_the_policy_first(tmp_path: Path) -> None:
    base = (TOP / "config" / "policies" / "organisation.yaml").read_text(encoding="utf-8")
    written(tmp_path, base.replace("longest_ms: 600000", "longest_ms: 120000"), "organisation.yaml")
    release = open_policy(written(tmp_path), catalogue={"services": SERVICES})
    assert release.data.policy.call.longest_ms == 120_000


def test_a_missing_policy_and_a_missing_base_are_errors(tmp_path: Path) -> None:
    for policy in (tmp_path / "none.yaml", "no-such-policy"):
        with pytest.raises(ConfigError, match="does not exist"):
            open_policy(policy)
    with pytest.raises(ConfigError, match="nowhere"):
        open_policy(written(tmp_path, POLICY.replace("extends: organisation", "extends: nowhere")))


def test_a_shadow_only_logs(tmp_path: Path) -> None:
    stricter = POLICY.replace("desk", "strict").replace("  note:\n", "  note:\n    cooldown_ms: 600000\n")
    release = open_policy(
        written(tmp_path), catalogue={"services": SERVICES}, shadow=written(tmp_path, stricter, "strict.yaml")
    )
    call = Call(release, agent="assistant", clock=lambda: 0)
    grants = [call.request("note", {"text": "x"}).grant for _ in range(2)]
    assert all(grants)
    assert [record.kind for record in call.records].count("shadow") == 1


def test_the_configuration_is_found_in_an_installed_package_as_well(tmp_path: Path) -> None:
    """A wheel has the configuration beside the module (`force-include` in pyproject.toml)."""
    package = tmp_path / "voicewarden"
    shutil.copytree(TOP / "src" / "voicewarden", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TOP / "config", package / "config" / "files")
    code = "from voicewarden.config.shipped import shipped_config; print(shipped_config())"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}, cwd=tmp_path
    )
    assert (run.stdout.strip(), run.stderr) == (str(package / "config" / "files"), "")
    assert shipped_config() == TOP / "config"

"""`svartid checks` and `svartid drift` as people use them, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.cli import main
from flows.services import Services
from processing.quality.verdict import DEFAULT
from processing.quality_drift.validation import validated
from storage import events, quality, quality_drift, quality_policies
from storage.database import now
from storage.errors import Malformed
from storage.records.proportion import wilson
from tests.flows.drift_lab import SCANNER, STAIN, Days, live

CHECK = "jpeg.quality"
COUNTS = ["--slides", "400", "--failures", "40", "--found", "38", "--false-alarms", "3"]
Told = Callable[..., tuple[int, str]]


@pytest.fixture
def told(services: Services, capsys: pytest.CaptureFixture[str]) -> Told:
    """Exit code and everything printed."""

    def call(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main([*words, "--data", str(services.layout.root)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return call


def test_thresholds_and_switches_are_versions_of_the_narrowest_policy(
    services: Services, told: Told
) -> None:
    assert "what svartid comes with" in told("checks", "list")[1]
    limit = f"{CHECK}:quality:review=70"
    code, said = told("checks", "set", "--stain", STAIN, "--limit", limit, "--off", "tissue.area")
    assert (code, said) == (0, "he version 1\n")
    kept = quality.policy_for(services.database, "any", STAIN)
    assert kept is not None
    assert kept.off == ("tissue.area",)
    (rule,) = (at for at in kept.rules if at.check == CHECK)
    assert (rule.review, rule.rescan, rule.below) == (70.0, 20.0, True)
    assert quality.policy_for(services.database, "any", "other") is None
    off = ["--limit", f"{CHECK}:quality:rescan=none", "--on", "tissue.area"]
    assert told("checks", "set", "--stain", STAIN, *off) == (0, "he version 2\n")
    shown = told("checks", "show", "--stain", STAIN)[1]
    assert "he version 2, scanner any, stain HE" in shown
    assert any(line.split()[:4] == [CHECK, "quality", "<", "70"] for line in shown.splitlines())
    assert len(told("checks", "history", "--policy", "he")[1].splitlines()) == 3
    assert "he " in told("checks", "list")[1]
    assert [at.kind for at in events.history(services.database, "quality_policy:he")] == [
        "QualityPolicyKept"
    ] * 2


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["set", "--limit", "no.check:x:review=1"], "with a check there is"),
        (["set", "--limit", f"{CHECK}:quality=1"], "with a check there is"),
        (["validate", CHECK, *COUNTS[:4]], "give --slides"),
        (["validate", "no.check", *COUNTS], "there is no check no.check"),
        (["validate", CHECK, *COUNTS, "--force"], "needs a --reason"),
        (["show", "--policy", "none"], "no such policy"),
        (["import", "/no/file.json"], "No such file"),
    ],
)
def test_what_is_wrong_is_refused_with_the_reason(
    told: Told, words: list[str], reason: str
) -> None:
    code, said = told("checks", *words)
    assert code == 1
    assert reason in said


def test_a_check_is_validated_by_counts_that_are_kept(services: Services, told: Told) -> None:
    database = services.database
    few = ["--slides", "299", "--failures", "40", "--found", "38", "--false-alarms", "3"]
    code, said = told("checks", "validate", CHECK, "--stain", STAIN, *few)
    assert code == 1
    assert "at least 300 slides with 30 failures" in said
    assert quality_policies.listing(database) == []
    code, said = told("checks", "validate", CHECK, "--stain", STAIN, *COUNTS, "--note", "October")
    assert (code, said) == (0, "he version 1\n")
    kept = quality.policy_for(database, "", STAIN)
    assert kept is not None
    assert kept.validated == (CHECK,)
    shown = told("checks", "show", "--stain", STAIN)[1]
    assert "on 400 slides, 40 bad: sensitivity 95.0 % (83.5 to 98.6)" in shown
    assert "specificity 99.2 % (97.6 to 99.7)" in shown
    why = "one scanner is new"
    forced = [*few, "--force", "--reason", why]
    assert told("checks", "validate", "tissue.area", "--stain", STAIN, *forced)[0] == 0
    (newest, _) = quality_policies.validations(database, "he")
    assert newest.validation.forced == why
    assert f"too few, but: {why}" in told("checks", "show", "--stain", STAIN)[1]
    assert told("checks", "withdraw", CHECK, "--stain", STAIN)[0] == 1
    assert told("checks", "withdraw", CHECK, "--stain", STAIN, "--reason", "x")[0] == 0
    kept = quality.policy_for(database, "", STAIN)
    assert kept is not None
    assert kept.validated == ("tissue.area",)
    kinds = [at.kind for at in events.history(database, "quality_policy:he")]
    assert kinds == [
        "QualityPolicyKept", "CheckValidated", "QualityPolicyKept", "CheckValidated",
        "QualityPolicyKept", "CheckRightWithdrawn",
    ]  # fmt: skip


def test_a_policy_goes_out_and_comes_in_but_no_right_with_it(
    services: Services, told: Told, tmp_path: Path
) -> None:
    document = json.loads(told("checks", "export")[1])
    assert document["policy_id"] == DEFAULT.policy_id
    file = tmp_path / "policy.json"

    def carried(**changes: object) -> tuple[int, str]:
        file.write_text(json.dumps(document | changes))
        return told("checks", "import", str(file))

    rule = {"check": CHECK, "figure": "quality", "limit": 9, "below": True, "priority": "urgent"}
    assert carried(policy_id="ours", stain="HE", triage=[rule]) == (0, "ours version 1\n")
    kept = quality.policy_for(services.database, "", "HE")
    assert kept is not None
    assert kept.triage[0].limit == 9
    assert json.loads(told("checks", "export", "--policy", "ours")[1])["stain"] == "HE"
    code, said = carried(policy_id="ours", validated=[CHECK])
    assert code == 1
    assert "with its evidence" in said
    assert "no such checks: x.y" in carried(off=["x.y"])[1]
    assert "does not fit" in carried(off=7)[1]
    file.write_text("{")
    assert "not JSON" in told("checks", "import", str(file))[1]


def test_a_validation_never_reaches_another_scanner(services: Services, told: Told) -> None:
    """A narrower policy begins without the rights of the wider one."""
    assert told("checks", "validate", CHECK, *COUNTS)[0] == 0
    assert told("checks", "set", "--scanner", SCANNER, "--off", "tissue.area")[0] == 0
    kept = quality.policy_for(services.database, SCANNER, STAIN)
    assert kept is not None
    assert (kept.scanner, kept.validated) == (SCANNER, ())


def test_drift_is_told_with_references_and_baselines(services: Services, told: Told) -> None:
    database = services.database
    assert told("drift") == (0, "no scanner has had slides in the last 28 days\n")
    start = now() - timedelta(days=40)
    live(database, Days(start, 34), Days(start + timedelta(days=34), 6, 15, blur=0.9))
    code, said = told("drift")
    assert code == 1
    (line,) = (at for at in said.splitlines() if " focus_p50 " in at)
    assert line.split()[:5] == [SCANNER, STAIN, "cases", "focus_p50", "out"]
    lines = [json.loads(at) for at in told("drift", "--json")[1].splitlines()]
    assert "focus_p50" in {at["figure"] for at in lines if at["state"] == "out"}
    assert quality_drift.kept(database) == []  # the command only looks
    assert told("drift", "reference", "add", SCANNER, "REF-7") == (0, "")
    assert "REF-7" in told("drift", "reference", "list")[1]
    assert "was not scanned on" in told("drift")[1]
    assert told("drift", "reference", "remove", SCANNER, "REF-7") == (0, "")
    assert told("drift", "reference", "remove", SCANNER, "REF-7")[0] == 1
    assert told("drift", "baseline", SCANNER)[0] == 2
    assert told("drift", "nonsense")[0] == 2
    assert told("drift", "baseline", SCANNER, "--reason", "lamp", "--from", "soon")[0] == 1
    assert told("drift", "baseline", SCANNER, "--reason", "lamp") == (0, "")
    assert told("drift")[0] == 0


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_share_and_narrows(found: int, missed: int) -> None:
    n = found + missed
    share, low, high = wilson(found, n)
    assert 0 <= low <= share <= high <= 1 or n == 0
    _, closer, nearer = wilson(10 * found, 10 * n)
    assert nearer - closer <= high - low


def test_wilsons_interval_against_the_literature() -> None:
    """Newcombe, Stat. Med. 17 (1998) 857, table I: 81/263, 15/148, 0/20, 1/29."""
    for k, n, low, high in (
        (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718),
    ):  # fmt: skip
        assert wilson(k, n)[1:] == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("counts", [(10, 11, 0, 0), (10, 5, 6, 0), (10, 5, 5, 6), (10, 5, -1, 0)])
def test_counts_that_do_not_fit_together(counts: tuple[int, ...]) -> None:
    with pytest.raises(Malformed):
        validated(CHECK, counts, "")

"""Every code the server can send has words on the screen."""

from __future__ import annotations

import inspect
import re

import pytest

from flows import casework_flows
from flows import intake as flows
from processing.dicom.guard import Reason
from storage import errors
from storage.errors import SvartidError
from storage.records.intake import IntakeState
from storage.records.people import Role
from storage.records.slide import Notice
from viewers import ops, pages
from viewers.pages import STATIC

FLOWS = [
    at
    for module in (flows, casework_flows)
    for at in vars(module).values()
    if hasattr(at, "flow_run_name")
]
WORDS = "".join((STATIC / "js" / name).read_text() for name in ("words.js", "profile_words.js"))


def table(name: str) -> set[str]:
    """The keys of one table of words."""
    body = re.search(rf"const {name} = {{\n(.*?)\n}};", WORDS, re.DOTALL)
    assert body, name
    return set(re.findall(r'^  "?([\w ]+)"?:', body[1], re.MULTILINE))


def test_every_reason_has_words() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    codes = {kind.code for kind in kinds if issubclass(kind, SvartidError)}
    assert codes <= table("REASONS")
    assert "no_access" in table("REASONS")


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("NOTICES", {at.value for at in Notice}),
        ("INTAKE_STATES", {at.value for at in IntakeState}),
        ("PROCESS_NAMES", {"web", "dispatcher", "watch", "casework", "prefect"}),
        ("PROCESS_STATES", {"starting", "running", "backing_off", "stopped"}),
        ("FLOW_NAMES", {at.name for at in FLOWS}),
        ("RUN_STATES", {"Completed", "Failed", "Crashed", "Running", "Scheduled", "Pending"}),
    ],
)
def test_every_code_has_words(name: str, codes: set[str]) -> None:
    assert codes
    assert codes <= table(name)


def test_every_flow_is_known_by_its_run_names() -> None:
    names = {str(at.flow_run_name).rpartition(" {")[0]: at.name for at in FLOWS}
    assert names == ops._FLOWS


def test_every_role_has_a_name() -> None:
    assert set(pages.ROLE_NAMES) == {role.value for role in Role}


def test_every_reason_of_dicom_quarantine_has_words() -> None:
    words = (STATIC / "js" / "ops_dicom.js").read_text()
    assert {reason.value for reason in Reason} == set(re.findall(r"^  (\w+): t\(", words, re.M))

"""Neural networks as guests: what they say of themselves, how far they are heard, their answers.

Lengths are in µm and pixels of the patch they are given (`input.mpp` µm along a pixel).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from storage.records.evidence import Evidence
from storage.records.quality import MapRef, ModelMode

LADDER = (ModelMode.TEST, ModelMode.SILENT, ModelMode.VISIBLE_QC, ModelMode.VISIBLE_SUPPORT)
"""From the lowest; a model rises one step at a time, and falls as far as anybody says."""
VISIBLE = (ModelMode.VISIBLE_QC, ModelMode.VISIBLE_SUPPORT)
APPROVALS = 2
"""Different people who have to say yes before a model rises."""


class ModelFormat(StrEnum):
    """How a model comes; anything else is refused."""

    SAFETENSORS = "safetensors"
    """Numbers alone; the network itself is one of ours, by name."""
    PT2 = "pt2"
    """A graph exported by torch.export: a program, run in the box alone."""


class Activation(StrEnum):
    """What the runner does to what the network answers."""

    NONE = "none"
    SIGMOID = "sigmoid"
    SOFTMAX = "softmax"


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What the model is to be fed with."""

    mpp: float
    tile: int
    """Pixels along a patch, halo and all."""
    halo: int
    """Pixels at each side whose answer is thrown away."""
    multiple: int = 1
    """Patches begin at multiples of this: what the network halves its input by in all."""
    range: tuple[float, float] = (0.0, 1.0)
    """What 0 and 255 become, before mean and std."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    colour: str = "rgb"


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """One of its answers."""

    name: str
    classes: tuple[str, ...]
    unit: str
    activation: Activation
    stride: int = 0
    """Pixels of the patch along a cell of the answer; 0: one answer for the whole patch."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a machine has to know to run the model."""

    name: str
    version: str
    task: str
    format: ModelFormat
    sha256: str
    licence: str
    input: ModelInput
    outputs: tuple[ModelOutput, ...]
    stains: tuple[str, ...]
    """Classes or codes of stains it is made for; empty: any."""
    nodata: float | None = None
    """An answer that means nothing."""
    architecture: str = ""
    parameters: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class TrainingData:
    """A set of slides it was trained on."""

    name: str
    licence: str
    slides: int


@dataclass(frozen=True, slots=True)
class Metric:
    """How good it was, on what, with a 95 % interval."""

    name: str
    scanner: str
    stain: str
    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Card:
    """What a person has to know before trusting the model."""

    version: str
    sha256: str
    intended_use: str
    training_data: tuple[TrainingData, ...]
    metrics: tuple[Metric, ...]
    known_failures: tuple[str, ...]
    limits: tuple[str, ...]
    contact: str


@dataclass(frozen=True, slots=True)
class AdmissionTest:
    """One admission test."""

    name: str
    passed: bool
    value: Any
    limit: Any
    """Of kind `Figure`."""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """All of them, in one run."""

    tests: tuple[AdmissionTest, ...]
    at: datetime
    by: str
    held: tuple[str, ...] = ()
    """What kept the model in its box meanwhile."""

    @property
    def passed(self) -> bool:
        """Whether it may rise above `test`."""
        return bool(self.tests) and all(test.passed for test in self.tests)


@dataclass(frozen=True, slots=True)
class Approval:
    """A person says that a model may rise."""

    to: ModelMode
    by: str
    role: str
    note: str
    at: datetime
    evidence: Evidence | None = None
    """What a step to a visible mode rests on."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model as it stands now."""

    manifest: Manifest
    card: Card
    mode: ModelMode
    mode_since: datetime
    added_at: datetime
    added_by: str
    admission: Admission | None = None
    approvals: tuple[Approval, ...] = ()
    """Those that count towards the next step."""


@dataclass(frozen=True, slots=True)
class ModelResult:
    """What a model said of a slide; never changed."""

    result_id: str
    name: str
    version: str
    sha256: str
    slide_id: str
    fingerprint: str
    root: str | None
    """Merkle root of the pyramid that it saw."""
    mode: ModelMode
    """The model's mode at the time: what was silent then stays so."""
    at: datetime
    figures: Mapping[str, Any]
    """Of kind `Figure`."""
    maps: Mapping[str, MapRef]
    seconds: float
    retired: bool = False
    """The slide was scanned again, or is another one by its root."""

"""A reading process: takes stages from its standard input, one at a time, stays warm.

Decoding files from outside happens here, so that a crash, a bomb or an endless loop takes
this process and not the service. `python -m flows.worker`; one JSON object a line each way.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
from pathlib import Path
from typing import Any

from flows.ingest import COMPLETE, STAGES
from flows.services import Services, open_services
from processing.readers import load_readers, open_slide
from storage import errors
from storage.errors import SlideError, SvartidError, TooLarge, Transient
from storage.logs import log_to_stderr
from storage.on_demand import load
from storage.records.intake import IntakeState
from storage.settings import read_settings

_LOG = logging.getLogger("svartid.worker")


def main() -> int:
    """Serve until standard input closes."""
    log_to_stderr()
    settings = read_settings()
    services = open_services(settings)
    load_readers()
    load(COMPLETE)
    _limit_memory(settings.memory_limit_mb)
    # A library that prints, from Python or from C, must not be taken for an answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        order = json.loads(line)
        answers.write(json.dumps(_obey(services, order)) + "\n")
        answers.flush()
    return 0


def _obey(services: Services, order: dict[str, Any]) -> dict[str, str]:
    """Run one stage, or open a file; the answer says how it went."""
    try:
        if "open" in order:
            with open_slide(Path(order["open"])):
                return {}
        STAGES[IntakeState(order["stage"])](services, order["intake_id"], None)
    except SvartidError as error:
        return {"error": type(error).__name__, "message": str(error)}
    except OSError as error:
        kind = SlideError if "open" in order else Transient
        return {"error": kind.__name__, "message": f"the disk did not answer: {error.strerror}"}
    except MemoryError:
        return {"error": TooLarge.__name__, "message": "it takes more memory than is allowed"}
    except Exception as error:
        # The last line of defence: the service goes on, the log says where it happened.
        _LOG.exception("%s of intake %s", order.get("stage", "opening"), order.get("intake_id"))
        return {"error": "SvartidError", "message": f"internal error ({type(error).__name__})"}
    return {}


def raise_answer(answer: dict[str, str]) -> None:
    """Raise on this side of the pipe what went wrong on the other."""
    if "error" in answer:
        kind = getattr(errors, answer["error"], SvartidError)
        raise kind(answer["message"])


def _limit_memory(megabytes: int) -> None:
    if megabytes:
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: SIM115
        resource.setrlimit(resource.RLIMIT_AS, (used + megabytes * 2**20,) * 2)


if __name__ == "__main__":
    raise SystemExit(main())

"""A reading process: takes stages from its standard input, one at a time, stays warm.

Decoding files from outside happens here, so that a crash, a bomb or an endless loop takes
this process and not the service. `python -m flows.worker`; one JSON object a line each way.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
from typing import Any

from flows.ingest import STAGES
from flows.parent import die_with_parent
from flows.services import Services, open_services
from storage import errors
from storage.errors import SvartidError, TooLarge
from storage.logs import log_to_stderr
from storage.records.intake import IntakeState
from storage.settings import read_settings

_LOG = logging.getLogger("svartid.worker")


def main() -> int:
    """Serve until standard input closes."""
    die_with_parent()
    log_to_stderr()
    settings = read_settings()
    services = open_services(settings)
    _limit_memory(settings.memory_limit_mb)
    answers = sys.stdout
    sys.stdout = sys.stderr  # a library that prints must not be taken for an answer
    for line in sys.stdin:
        order = json.loads(line)
        answers.write(json.dumps(_obey(services, order)) + "\n")
        answers.flush()
    return 0


def _obey(services: Services, order: dict[str, Any]) -> dict[str, str]:
    """Run one stage; the answer says how it went."""
    try:
        STAGES[IntakeState(order["stage"])](services, order["intake_id"], None)
    except SvartidError as error:
        return {"error": type(error).__name__, "message": str(error)}
    except MemoryError:
        return {"error": TooLarge.__name__, "message": "it takes more memory than is allowed"}
    except Exception as error:
        # The last line of defence: the service goes on, the log says where it happened.
        _LOG.exception("stage %s of intake %s", order["stage"], order["intake_id"])
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

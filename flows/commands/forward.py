"""What goes to other DICOM nodes by itself: the rules, and how far each series is.

A rule names a node and what has to happen: slide_complete (every level is stored, and the slide has
found its glass), final_report (its case is answered), series_received (another node has sent it).
Conditions narrow it; those of one kind are alternatives. It holds for what happens from now on.
What could not be delivered is tried again, each time after a longer wait; resend sends all of a
series once more, now. A node is sent nothing that its unit may not see.

examples:
  svartid forward rule add --to archive --on slide_complete
  svartid forward rule add --to pacs --on series_received --modality CT --modality MR --from ct-1
  svartid forward rule list
  svartid forward rule remove 3f2a9c41d07b
  svartid forward list --state waiting
  svartid forward resend 0c4f9a7be1d24c5a8b7d1e90f3a6c2b1

exit code: 0 done, 1 there is no such rule, node or series, 2 wrong usage
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from getpass import getuser
from typing import Any

from flows.commands.common import complain, print_json, services_of
from flows.commands.times import local, table
from storage import forward_rules, forwarding
from storage.database import Database
from storage.exchange.forward_json import forward_json, rule_json
from storage.records.forwarding import Forward, ForwardOn, ForwardRule, ForwardState, ForwardWhat

SUMMARY = "what goes to other nodes by itself, and how far it is"
_HEAD = ("id", "node", "state", "objects", "since", "next", "why")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", choices=("list", "resend", "rule"))
    parser.add_argument("words", nargs="*", metavar="ID|add|remove|list")
    parser.add_argument("--state", choices=[state.value for state in ForwardState], help="list")
    parser.add_argument("--to", metavar="NODE", help="list, rule add: the node's name")
    parser.add_argument("--on", choices=[on.value for on in ForwardOn], help="rule add: when")
    for name, words in (
        ("modality", "as DICOM writes it: SM, CT, MR, …"),
        ("unit", "of the case"),
        ("stain", "of the glass"),
        ("from", "the node, scanner or person that handed it in"),
    ):
        parser.add_argument(f"--{name}", action="append", default=[], dest=f"of_{name}", help=words)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """List, send again, or change rules."""
    acts: dict[tuple[str, ...], Callable[[argparse.Namespace, Database], int]] = {
        ("list",): _list, ("rule", "list"): _rules, ("rule", "add"): _add,
    }  # fmt: skip
    words = (args.action, *args.words)
    act = acts.get(words)
    if act is None and args.action == "resend" and args.words:
        act = _resend
    if act is None and words[:2] == ("rule", "remove") and len(words) > 2:
        act = _remove
    if act is None:
        complain("svartid forward: list, resend ID, rule list, rule add or rule remove ID")
        return 2
    return act(args, services_of(args).database)


def _list(args: argparse.Namespace, database: Database) -> int:
    states = [ForwardState(args.state)] if args.state else []
    about = {"destination": args.to} if args.to else {}
    found = forwarding.listing(database, states, **about)
    if args.json:
        for at in found:
            print_json(forward_json(at))
    elif found:
        print(
            table([("id", "node", "state", "objects", "since", "next", "why"), *map(_row, found)])
        )
    else:
        print("nothing is forwarded; svartid forward rule add says what should be")
    return 0


def _resend(args: argparse.Namespace, database: Database) -> int:
    for forward_id in args.words:
        forwarding.resend(database, forward_id, f"command:{getuser()}")
    return _done(args, {"again": len(args.words)})


def _rules(args: argparse.Namespace, database: Database) -> int:
    found = forward_rules.listing(database)
    if args.json:
        for at in found:
            print_json(rule_json(at))
    elif found:
        print(table([("id", "node", "on", "what", "since", "by"), *map(_rule_row, found)]))
    else:
        print("no rules; svartid forward rule add --to NODE --on slide_complete makes one")
    return 0


def _add(args: argparse.Namespace, database: Database) -> int:
    if not args.to or not args.on:
        complain("svartid forward rule add: --to NODE and --on say where to, and when")
        return 2
    conditions = (args.of_modality, args.of_unit, args.of_stain, args.of_from)
    what = ForwardWhat(ForwardOn(args.on), *(tuple(at) for at in conditions))
    made = forward_rules.add(database, args.to, what, f"command:{getuser()}")
    print_json(rule_json(made)) if args.json else print(made.rule_id)
    return 0


def _remove(args: argparse.Namespace, database: Database) -> int:
    for rule_id in args.words[1:]:
        forward_rules.remove(database, rule_id, f"command:{getuser()}")
    return _done(args, {"removed": len(args.words) - 1})


def _done(args: argparse.Namespace, told: dict[str, Any]) -> int:
    if args.json:
        print_json(told)
    return 0


def _row(at: Forward) -> tuple[str, ...]:
    waits = local(at.next_at) if at.state is ForwardState.WAITING and at.attempts else "-"
    objects = f"{len(at.done)}/{at.objects}" if at.objects else "-"
    why = " ".join(word for word in (at.reason, at.failed) if word) or "-"
    since = local(at.sent_at or at.created_at)
    return (at.forward_id, at.peer, at.state.value, objects, since, waits, why)


def _rule_row(at: ForwardRule) -> tuple[str, ...]:
    what = at.what
    words = [
        *what.modalities,
        *what.units,
        *what.stains,
        *(f"from {at}" for at in what.received_from),
    ]
    since = local(at.created_at)
    return (at.rule_id, at.peer, what.on.value, ", ".join(words) or "all", since, at.created_by)

"""What is asked of slides: the policy of a scanner and stain, its thresholds, and which checks run.

The policy that fits a slide best applies: of its scanner and stain, else of its scanner, of its
stain, of all; else the one that svartid comes with. A change is a new version and an event.

A check may ask for another scan by itself when it counts what is there, or when this site has
validated it: on at least 300 slides, 30 of them bad, read by people. It loses that right by itself
when it drifts (svartid drift).

examples:
  svartid checks list
  svartid checks show --scanner GT450-7 --stain HE
  svartid checks set --stain HE --limit focus.radius:bad_area_pct:review=3
  svartid checks set --scanner GT450-7 --off pen.area
  svartid checks validate focus.radius --stain HE --slides 412 --failures 41 --found 39 \\
                   --false-alarms 2 --note "read by two technicians, October"
  svartid checks withdraw focus.radius --stain HE --reason "new scanner"
  svartid checks export --stain HE > he.json       (edit it, then)
  svartid checks import he.json
  svartid checks history --policy he

exit code: 0 done, 1 refused, with the reason, 2 wrong usage
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import replace
from getpass import getuser
from pathlib import Path
from typing import Any

from flows.commands.common import complain, print_json, services_of
from flows.commands.times import local, table
from processing.quality.checks import TABLE
from processing.quality.verdict import DEFAULT
from processing.quality_drift.validation import validated
from storage import quality, quality_policies
from storage.database import Database
from storage.errors import Malformed
from storage.exchange.plain import from_plain, to_plain
from storage.records.quality import Policy, Rule
from storage.records.validation import Validation

SUMMARY = "what is asked of slides: thresholds, checks switched off, checks validated here"
_ACTIONS = (
    "list", "show", "set", "validate", "withdraw", "export", "import", "history",
)  # fmt: skip
_KNOWN = {*TABLE, *(rule.check for rule in DEFAULT.rules)}
_LIMIT = re.compile(r"([a-z.]+):(\w+):(review|rescan)=(none|-?\d+(?:\.\d+)?)")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", choices=_ACTIONS)
    parser.add_argument("what", nargs="?", help="validate, withdraw: the check; import: the file")
    parser.add_argument("--scanner", default="", help="the scanner; left out: any")
    parser.add_argument("--stain", default="", help="the code of the stain; left out: any")
    parser.add_argument("--policy", default="", metavar="NAME", help="a policy by its name")
    parser.add_argument(
        "--limit", action="append", default=[], metavar="CHECK:FIGURE:review|rescan=NUMBER",
        help="set: a threshold, or none; may be given more than once",
    )  # fmt: skip
    for word, about in (("off", "do not run"), ("on", "run again")):
        parser.add_argument(
            f"--{word}", action="append", default=[], choices=sorted(_KNOWN), metavar="CHECK",
            help=f"set: {about} this check",
        )  # fmt: skip
    for word, about in (
        ("slides", "read by people"), ("failures", "of those, bad"), ("found", "bad and found"),
        ("false-alarms", "good, and asked to be scanned again"),
    ):  # fmt: skip
        parser.add_argument(f"--{word}", type=int, help=f"validate: how many slides: {about}")
    parser.add_argument("--note", default="", help="validate: where the slides came from")
    parser.add_argument("--force", action="store_true", help="validate on fewer; needs --reason")
    parser.add_argument("--reason", default="", help="why; it is kept")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Show or change."""
    database, who = services_of(args).database, f"command:{getuser()}"
    if args.action in ("validate", "withdraw", "import") and not args.what:
        complain(f"svartid checks {args.action}: give the {_missing(args.action)}")
        return 2
    match args.action:
        case "list":
            return _list(database, as_json=args.json)
        case "history":
            return _history(database, args)
        case "show" | "export":
            return _show(database, args)
        case "set":
            kept = quality.keep_policy(database, _changed(_own(database, args), args), who)
        case "import":
            kept = quality.keep_policy(database, _read(database, Path(args.what)), who)
        case "withdraw":
            policy = _own(database, args)
            kept = quality_policies.withdraw(database, policy, args.what, who, args.reason)
        case _:
            kept = quality_policies.validate(database, _own(database, args), _said(args), who)
    print(f"{kept.policy_id} version {kept.version}")
    return 0


def _missing(action: str) -> str:
    return "FILE" if action == "import" else "CHECK"


def _applies(database: Database, args: argparse.Namespace) -> Policy:
    """What applies to such a slide now."""
    if args.policy:
        return quality_policies.get(database, args.policy)
    return quality.policy_for(database, args.scanner, args.stain) or DEFAULT


def _own(database: Database, args: argparse.Namespace) -> Policy:
    """The policy of exactly this scanner and stain; where there is none, out of what applies."""
    found = _applies(database, args)
    if args.policy or (found.scanner, found.stain) == (args.scanner, args.stain):
        return found
    name = "-".join(re.sub(r"[^A-Za-z0-9]+", "-", at) for at in (args.scanner, args.stain) if at)
    names = {"scanner": args.scanner, "stain": args.stain, "policy_id": (name or "all").lower()}
    return replace(found, **names, version=0, validated=())


def _changed(policy: Policy, args: argparse.Namespace) -> Policy:
    off = [at for at in policy.off if at not in args.on]
    off += [at for at in args.off if at not in off]
    rules = policy.rules
    for text in args.limit:
        rules = _with_limit(rules, text)
    changed = replace(policy, off=tuple(off), rules=rules)
    if changed == policy and policy.version:
        raise Malformed("nothing is changed: give --limit, --off or --on")
    return changed


def _with_limit(rules: tuple[Rule, ...], text: str) -> tuple[Rule, ...]:
    """With one threshold changed, or a rule added. Errors: Malformed."""
    found = _LIMIT.fullmatch(text)
    if found is None or found[1] not in _KNOWN:
        raise Malformed(f"--limit {text}: not CHECK:FIGURE:review=NUMBER with a check there is")
    check, figure, word = found[1], found[2], found[3]
    number: dict[str, Any] = {word: None if found[4] == "none" else float(found[4])}
    known = [at for at in rules if (at.check, at.figure) == (check, figure)]
    if not known:
        return (*rules, replace(Rule(check, figure, None), **number))
    return tuple(replace(at, **number) if at in known else at for at in rules)


def _said(args: argparse.Namespace) -> Validation:
    counts = (args.slides, args.failures, args.found, args.false_alarms)
    if args.what not in _KNOWN:
        raise Malformed(f"there is no check {args.what}; svartid quality --help names them")
    if any(at is None for at in counts):
        raise Malformed("give --slides, --failures, --found and --false-alarms")
    if args.force and not args.reason.strip():
        raise Malformed("--force needs a --reason, which is kept")
    return validated(args.what, counts, args.note, args.reason if args.force else "")


def _read(database: Database, path: Path) -> Policy:
    """Errors: Malformed; OSError."""
    try:
        policy = from_plain(Policy, json.loads(path.read_text("utf-8")))
    except ValueError as error:
        raise Malformed(f"{path}: not JSON: {error}") from error
    unknown = {at.check for at in policy.rules} | {*policy.off, *policy.required}
    unknown = {*unknown, *policy.validated} - _KNOWN
    if unknown:
        raise Malformed(f"{path}: there are no such checks: {', '.join(sorted(unknown))}")
    known = {at.policy.policy_id: at.policy for at in quality_policies.listing(database)}
    before = known[policy.policy_id].validated if policy.policy_id in known else ()
    if set(policy.validated) - set(before):
        raise Malformed(f"{path}: validated comes by svartid checks validate, with its evidence")
    return policy


def _list(database: Database, *, as_json: bool) -> int:
    rows: list[tuple[str, ...]] = [("policy", "version", "scanner", "stain", "since", "by")]
    for at in quality_policies.listing(database):
        policy = at.policy
        if as_json:
            print_json(_plain(policy) | {"by": at.by, "at": at.at.isoformat()})
        where = (policy.scanner or "any", policy.stain or "any")
        rows.append((policy.policy_id, str(policy.version), *where, local(at.at), at.by))
    if not as_json:
        print(table(rows) if len(rows) > 1 else "none of your own: what svartid comes with holds")
    return 0


def _history(database: Database, args: argparse.Namespace) -> int:
    policy = _applies(database, args)
    rows = [("version", "since", "by", "validated", "off")]
    for at in quality_policies.history(database, policy.policy_id):
        if args.json:
            print_json(_plain(at.policy) | {"by": at.by, "at": at.at.isoformat()})
        words = (", ".join(at.policy.validated) or "-", ", ".join(at.policy.off) or "-")
        rows.append((str(at.policy.version), local(at.at), at.by, *words))
    if not args.json:
        print(table(rows))
    return 0


def _show(database: Database, args: argparse.Namespace) -> int:
    policy = _applies(database, args)
    if args.json or args.action == "export":
        print(json.dumps(_plain(policy), ensure_ascii=False, indent=1))
        return 0
    rows: list[tuple[str, ...]] = [("check", "figure", "look at it", "scan again", "")]
    rows += [_row(policy, rule) for rule in policy.rules]
    where = f"scanner {policy.scanner or 'any'}, stain {policy.stain or 'any'}"
    print(f"{policy.policy_id} version {policy.version}, {where}")
    print(table(rows, (2, 3)))
    for kept in quality_policies.validations(database, policy.policy_id):
        if kept.validation.check in policy.validated:
            print(_evidence(kept.validation, kept.by))
    return 0


def _row(policy: Policy, rule: Rule) -> tuple[str, ...]:
    sign = "<" if rule.below else ">"
    limits = ("-" if at is None else f"{sign} {at:g}" for at in (rule.review, rule.rescan))
    marks = [
        word
        for word, checks in (
            ("off", policy.off), ("validated", policy.validated), ("required", policy.required),
        )
        if rule.check in checks
    ]  # fmt: skip
    return (rule.check, rule.figure, *limits, ", ".join(marks))


def _evidence(at: Validation, by: str) -> str:
    sensitivity, specificity = (
        f"{100 * share:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
        for share, low, high in (at.sensitivity, at.specificity)
    )
    forced = f"; too few, but: {at.forced}" if at.forced else ""
    return (
        f"{at.check} validated by {by} on {at.slides} slides, {at.failures} bad:"
        f" sensitivity {sensitivity}, specificity {specificity}{forced}"
    )


def _plain(policy: Policy) -> dict[str, Any]:
    return to_plain(policy)

"""Add people, say who they are and when they are away, give new passwords.

A password is made at random and shown once. `add` of somebody who is there gives a new one and
changes what is said; `change` leaves the password alone. What is not said stays as it is. Who
works at which unit decides whose cases they see.

examples:
  svartid user add lise --role pathologist --unit patologi --site naestved --full-name "Lise Holm"
  svartid user change lise --subspecialty skin --subspecialty gi --language da
  svartid user absent lise --from 2026-12-01 --until 2026-12-08 --reason course
  svartid user password admin
  svartid user list
"""

from __future__ import annotations

import argparse
from datetime import datetime

from flows.commands.common import complain, print_json, services_of
from flows.commands.times import local, table
from processing.turnaround.working_days import COPENHAGEN
from storage import colleagues, people
from storage.database import Database
from storage.records.people import Colleague, Role

SUMMARY = "add people, give new passwords"
_WRONG_USAGE = 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", choices=("add", "change", "password", "absent", "list"))
    parser.add_argument("name", nargs="?", help="what they sign in with")
    parser.add_argument("--role", choices=[role.value for role in Role], help="new: pathologist")
    parser.add_argument("--unit", help="the department whose cases they see")
    parser.add_argument("--site", help="the hospital they sit at")
    parser.add_argument("--full-name", help="what others see them called")
    parser.add_argument("--subspecialty", action="append", help="more than one: say it again")
    parser.add_argument("--language", action="append", help="they can read; as da, nb, en")
    away = parser.add_argument_group("absent")
    away.add_argument("--from", dest="from_at", type=_moment, metavar="DAY", help="first day away")
    away.add_argument("--until", type=_moment, metavar="DAY", help="the day they are back")
    away.add_argument("--reason", default="", help="a word for it")
    parser.add_argument("--json", action="store_true", help="list, add, password: JSON lines")


def run(args: argparse.Namespace) -> int:
    """Add, change, give a password, note an absence, or list."""
    database = services_of(args).database
    if args.action == "list":
        return _list(database, as_json=args.json)
    if args.name is None:
        complain(f"svartid user {args.action}: give the NAME")
        return _WRONG_USAGE
    if args.action == "absent":
        return _absent(args, database)
    if args.action == "change":
        return _change(args, database)
    password = ""
    if args.action == "add":
        role = Role(args.role) if args.role else people.role_of(database, args.name)
        password = people.add_person(database, args.name, role or Role.PATHOLOGIST)
        _describe(args, database)
    else:
        password = people.reset_password(database, args.name)
    if args.json:
        print_json({"name": args.name, "password": password})
    else:
        print(f"{args.name}  {password}   (shown only now)")
    return 0


def _change(args: argparse.Namespace, database: Database) -> int:
    _describe(args, database)
    if args.role:
        people.change_role(database, args.name, Role(args.role))
    (about,) = (at for at in colleagues.colleagues(database) if at.name == args.name)
    print(table([_HEAD, _row(about)]))
    return 0


def _describe(args: argparse.Namespace, database: Database) -> None:
    colleagues.describe(
        database,
        args.name,
        full_name=args.full_name,
        site=args.site,
        unit=args.unit,
        subspecialties=args.subspecialty,
        languages=args.language,
    )


def _absent(args: argparse.Namespace, database: Database) -> int:
    if args.from_at is None or args.until is None:
        complain("svartid user absent: give --from and --until")
        return _WRONG_USAGE
    colleagues.be_away(database, args.name, args.from_at, args.until, args.reason)
    print(f"{args.name} is away from {local(args.from_at)} until {local(args.until)}")
    return 0


def _list(database: Database, *, as_json: bool) -> int:
    found = colleagues.colleagues(database)
    for at in found if as_json else ():
        print_json(
            {
                "name": at.name,
                "role": at.role.value,
                "full_name": at.full_name,
                "unit": at.unit,
                "site": at.site,
                "subspecialties": list(at.subspecialties),
                "languages": list(at.languages),
                "absent": at.absent,
            }
        )
    if not as_json:
        print(table([_HEAD, *map(_row, found)]))
    return 0


_HEAD = ("name", "role", "unit", "site", "full name", "reads", "languages", "")


def _row(at: Colleague) -> tuple[str, ...]:
    reads, languages = ", ".join(at.subspecialties), ", ".join(at.languages)
    told = (at.name, at.role.value, at.unit, at.site, at.full_name, reads, languages)
    return (*(word or "-" for word in told), "away" if at.absent else "")


def _moment(text: str) -> datetime:
    """A day, or a day and a time, in Danish local time where it says no other."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day such as 2026-12-01") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=COPENHAGEN)

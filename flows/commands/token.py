"""Make access tokens for programs: sent as `Authorization: Bearer TOKEN`, shown once.

The person is made when there is none of that name; such a person cannot sign in. A revoked token
ends within seconds; a new password or role (`svartid user`) ends all of a person's tokens.

examples:
  svartid token create --user researcher-1 --role pathologist --expires 30
  TOKEN=$(svartid token create --user ci --json | jq -r .token)
  svartid token list
  svartid token revoke --user researcher-1
"""

from __future__ import annotations

import argparse

from flows.commands.common import complain, print_json, services_of
from storage import people
from storage.database import Database
from storage.records.people import Role

SUMMARY = "make access tokens for programs"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", choices=("create", "list", "revoke"))
    parser.add_argument("--user", metavar="NAME", help="whose token it is")
    parser.add_argument("--label", help="revoke this one only (token list shows labels)")
    parser.add_argument(
        "--role",
        choices=[role.value for role in Role],
        default=Role.PATHOLOGIST.value,
        help="what it may do (default: pathologist, who reads slides)",
    )
    parser.add_argument(
        "--expires", type=float, default=90, metavar="D", help="days it is good for (default 90)"
    )
    parser.add_argument("--json", action="store_true", help='print {"token": …}')


def run(args: argparse.Namespace) -> int:
    """Make, list or revoke."""
    database = services_of(args).database
    if args.action == "list":
        return _list(people.tokens(database), args.json)
    if not args.user:
        complain(f"svartid token {args.action}: --user NAME is needed")
        return 2
    if args.action == "revoke":
        ended = people.revoke(database, args.user, args.label)
        print_json({"revoked": ended}) if args.json else print(f"{ended} revoked")
        return 0 if ended else 1
    return _create(args, database)


def _create(args: argparse.Namespace, database: Database) -> int:
    if not 0 < args.expires <= 3650:
        complain("svartid token create: --expires lies between 0 and 3650 days")
        return 2
    role = Role(args.role)
    people.ensure_person(database, args.user, role)
    token = people.create_token(database, args.user, role, args.expires)
    if args.json:
        print_json({"token": token, "user": args.user, "role": role.value, "days": args.expires})
    else:
        print(token)
    return 0


def _list(found: list[dict[str, object]], as_json: bool) -> int:
    for token in found:
        if as_json:
            print_json(token)
        else:
            print("  ".join(str(value) for value in token.values()))
    return 0

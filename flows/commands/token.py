"""Make access tokens for programs: sent as `Authorization: Bearer TOKEN`, shown once.

The person is made when there is none of that name; such a person cannot sign in.

examples:
  svartid token create --user researcher-1 --role pathologist --expires 30
  TOKEN=$(svartid token create --user ci --json | jq -r .token)
"""

from __future__ import annotations

import argparse

from flows.commands.common import print_json, services_of
from storage import people
from storage.records.people import Role

SUMMARY = "make access tokens for programs"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", choices=("create",))
    parser.add_argument("--user", required=True, metavar="NAME", help="whose token it is")
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
    """Make one token."""
    if not 0 < args.expires <= 3650:
        raise SystemExit("svartid token: --expires lies between 0 and 3650 days")
    database = services_of(args).database
    role = Role(args.role)
    people.ensure_person(database, args.user, role)
    token = people.create_token(database, args.user, role, args.expires)
    if args.json:
        print_json({"token": token, "user": args.user, "role": role.value, "days": args.expires})
    else:
        print(token)
    return 0

"""Add people and give new passwords; the password is made at random and shown once.

examples:
  svartid user add lise --role pathologist
  svartid user password admin
"""

from __future__ import annotations

import argparse

from flows.commands.common import services_of
from storage import people
from storage.records.people import Role

SUMMARY = "add people, give new passwords"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", choices=("add", "password"))
    parser.add_argument("name")
    parser.add_argument(
        "--role", choices=[role.value for role in Role], default=Role.PATHOLOGIST.value
    )


def run(args: argparse.Namespace) -> int:
    """Add a person, or replace a password and end that person's sessions."""
    database = services_of(args).database
    if args.action == "add":
        password = people.add_person(database, args.name, Role(args.role))
    else:
        password = people.reset_password(database, args.name)
    print(f"{args.name}  {password}   (shown only now)")
    return 0

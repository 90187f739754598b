"""Checks of a slide at arrival: one file each behind the contract in `check`."""

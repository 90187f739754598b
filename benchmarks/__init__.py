"""Measurements: against named peers, under faults, at full size. Results are committed."""

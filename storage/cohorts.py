"""Research cohorts."""

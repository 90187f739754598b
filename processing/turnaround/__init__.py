"""Turnaround (svartid): clocks, steps, standing, statistics and forecast of cases; pure."""

"""One module a sub-command: `SUMMARY`, `configure(parser)`, `run(args)` giving the exit code."""

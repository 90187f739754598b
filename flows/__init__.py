"""When and in what order: receiving, reading in, completing, reporting; and the command."""

"""Records as messages for others, and back; pure."""

"""What is kept: slides as pyramids, originals, intake, people and the log of who saw what."""

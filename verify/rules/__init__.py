"""Rules: pure functions from what was found to evidence. No files, no clock, no network."""

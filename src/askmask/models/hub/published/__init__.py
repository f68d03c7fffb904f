"""Published checkpoints of the baselines, as their authors saved them, on today's transformers."""

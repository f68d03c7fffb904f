"""Outputs of an evaluation: tables, plots, a page of answers, comparisons and a leaderboard."""

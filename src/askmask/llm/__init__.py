"""Servers of language models that see pictures: OpenAI-compatible ones and Anthropic's API."""

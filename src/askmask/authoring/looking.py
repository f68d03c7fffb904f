"""A writer that shows each picture, with its marks, to a language model that sees."""

from __future__ import annotations

from askmask.authoring.marks import marked_jpeg
from askmask.authoring.prompt import instructions
from askmask.authoring.writer import MAX_REPLY_TOKENS, Request
from askmask.llm.chat import ChatServer, Prompt, Reply

__all__ = ["LookingWriter", "prompt_about"]


class LookingWriter:
    """Asks a model of a server for questions about one picture at a time; see `Writer`."""

    looks = True

    def __init__(self, server: ChatServer) -> None:
        """Nothing is sent yet."""
        self.name = server.name
        self._server = server

    def write(self, request: Request) -> Reply:
        """Ask about a picture; see `Writer`."""
        return self._server.ask(prompt_about(request))


def prompt_about(request: Request) -> Prompt:
    """What a model is shown and told for a request.

    Raises:
        ImageError: when the picture cannot be read, or is not of the annotation's size.
    """
    picture = marked_jpeg(request.picture)
    return Prompt(instructions(), (picture,), request.message, MAX_REPLY_TOKENS, request.key)

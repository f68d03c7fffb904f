"""Every failure that askmask raises on purpose.

    AskmaskError
    ├── DataError          a file or a record is not what its format promises
    │   ├── RLEError       a run-length code does not describe a mask of its size
    │   └── TornLineError  a file ends in the middle of a line, as its writer was killed
    ├── ImageError         a picture is missing, broken, too large or of an unknown kind
    ├── ShapeError         an array or mask has the wrong shape or dtype (also a ValueError)
    ├── QueryError         a sentence or its references cannot be asked
    ├── ConfigError        an option, recipe or model name is not known
    ├── WeightsError       a model's files are missing or do not match their hash
    │   └── NoRoomError    the memory does not hold a model and its work
    ├── OutputError        a result cannot be written
    ├── LLMError           a language model's server is out of reach, refuses us, or keeps failing
    │   └── RefusedError   it never will accept this one request; others may go well
    └── MissingExtraError  an optional package is not installed (also an ImportError)

    AskmaskWarning           the work goes on, but not as the user may think (a UserWarning)

A message is one line: who, what was expected, what came, where, and what to do next.
"""

from __future__ import annotations

__all__ = [
    "AskmaskError",
    "AskmaskWarning",
    "ConfigError",
    "DataError",
    "ImageError",
    "LLMError",
    "MissingExtraError",
    "NoRoomError",
    "OutputError",
    "QueryError",
    "RLEError",
    "RefusedError",
    "ShapeError",
    "TornLineError",
    "WeightsError",
]


class AskmaskError(Exception):
    """Base of all errors that askmask raises on purpose."""


class DataError(AskmaskError):
    """A file or a record is not what its format promises."""


class RLEError(DataError):
    """A run-length code does not describe a mask of its size."""


class TornLineError(DataError):
    """A file ends in the middle of a line, as its writer was killed."""


class ImageError(AskmaskError):
    """A picture is missing, broken, too large or of an unknown kind."""


class ShapeError(AskmaskError, ValueError):
    """An array or a mask has the wrong shape or dtype."""


class QueryError(AskmaskError):
    """A sentence or its references cannot be asked."""


class ConfigError(AskmaskError):
    """An option, a recipe or a model name is not known."""


class WeightsError(AskmaskError):
    """A model's files are missing or do not match their hash."""


class NoRoomError(WeightsError):
    """The memory of the device does not hold a model and its work."""


class OutputError(AskmaskError):
    """A result cannot be written."""


class LLMError(AskmaskError):
    """The server of a language model cannot be reached, does not accept us, or keeps failing."""


class RefusedError(LLMError):
    """A server accepts this one request never; others may go well."""


class MissingExtraError(AskmaskError, ImportError):
    """An optional package is not installed; the message gives the pip command."""

    @classmethod
    def of(cls, package: str, extra: str, purpose: str) -> MissingExtraError:
        """Build the one message that all optional imports share."""
        return cls(f"{purpose} needs the package {package}: pip install 'askmask[{extra}]'")


class AskmaskWarning(UserWarning):
    """The work goes on, but not as the user may think; one line, as an error's message."""

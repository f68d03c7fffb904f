"""What requests and responses look like; `docs/openapi.json` is made from these classes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictInt, Tag

from askmask.serve.limits import MAX_BATCH, MAX_REFERENCES
from askmask.types import MAX_TEXT, MaskType

__all__ = [
    "AnswerOut",
    "Batch",
    "BatchItem",
    "CandidateOut",
    "CandidatesOut",
    "Code",
    "ErrorOut",
    "HealthOut",
    "ImageIn",
    "ImageOut",
    "MaskPicture",
    "ModelsOut",
    "PointOnObject",
    "PredictionOut",
    "PredictionsOut",
    "Question",
    "Reference",
    "Segment",
]


class _Asked(BaseModel):
    """Part of a request: a key that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Code(_Asked):
    """A mask as COCO compressed run-length code."""

    size: list[StrictInt] = Field(min_length=2, max_length=2, description="Height and width.")
    counts: str


class PointOnObject(_Asked):
    """A pixel on the object that is meant: column x, row y, from the top left."""

    x: StrictInt = Field(ge=0)
    y: StrictInt = Field(ge=0)


class MaskPicture(_Asked):
    """A mask as PNG: every pixel that is not 0 belongs to it."""

    mask: str = Field(description="PNG file in base64, or as data: URI.")


def _reference_kind(value: Any) -> str:
    keys = value if isinstance(value, dict) else getattr(value, "model_fields_set", ())
    if "mask" in keys:
        return "mask"
    return "point" if "x" in keys or "y" in keys else "code"


Reference = Annotated[
    Annotated[Code, Tag("code")]
    | Annotated[PointOnObject, Tag("point")]
    | Annotated[MaskPicture, Tag("mask")],
    Discriminator(_reference_kind),
]

_Image = Annotated[
    str,
    Field(
        description="PNG, JPEG or WebP file in base64, or as data: URI. Never a path or an address."
    ),
]


class Question(_Asked):
    """A sentence about a picture."""

    text: str = Field(
        max_length=MAX_TEXT, description="What to segment; [1], [2] name the references."
    )
    references: list[Reference] = Field(default=[], max_length=MAX_REFERENCES)
    mask_type: MaskType | None = Field(
        None, description="Forces the mask type; null lets the sentence decide."
    )
    id: str = Field("query", min_length=1, max_length=200, description="Comes back as it is.")


class Segment(Question):
    """A picture and a sentence."""

    image: _Image


class ImageIn(_Asked):
    """A picture to be kept encoded."""

    image: _Image


class BatchItem(Question):
    """One question of a batch, with its picture, or the id of one that is kept."""

    image: _Image | None = None
    image_id: str | None = Field(None, max_length=64)


class Batch(_Asked):
    """Several questions in one request."""

    items: list[BatchItem] = Field(min_length=1, max_length=MAX_BATCH)


class ImageOut(BaseModel):
    """A picture that is kept."""

    id: str
    height: int
    width: int
    candidates: int | None = Field(description="Objects that were found; null: unknown.")
    expires_in: float = Field(description="Seconds after the last question; it may go earlier.")


class CandidateOut(BaseModel):
    """An object that was found in a picture, before any sentence."""

    id: int = Field(description="From 0, the surest first.")
    score: float
    box_xyxy: list[int] | None = Field(description="Of the visible part; x1, y1 exclusive.")
    modal: Code
    amodal: Code


class CandidatesOut(BaseModel):
    """All objects that were found in a picture."""

    height: int
    width: int
    candidates: list[CandidateOut]


class MaskOut(BaseModel):
    """A mask of the answer."""

    segmentation: Code
    score: float
    modal: Code | None = None
    amodal: Code | None = None
    label: str | None = None


class TypeShares(BaseModel):
    """Probability of each mask type."""

    modal: float
    amodal: float
    hidden: float


class PredictionOut(BaseModel):
    """A prediction record of the format askmask/1, as `askmask segment --json` prints it."""

    id: str
    mask_type: MaskType | None
    mask_type_probability: TypeShares | None
    masks: list[MaskOut] = Field(description="Best first; empty when nothing fits.")
    fused: Code | None
    no_target_probability: float | None
    rationale: str | None
    seconds: float | None = Field(description="Model time for the sentence.")
    error: str | None
    unsure: str | None = None


class AnswerOut(PredictionOut):
    """A prediction record, and what the model made of everything that was found."""

    candidate_scores: list[float] | None = Field(
        description="How well each of /candidates fits the sentence, in their order; null: unknown."
    )


class PredictionsOut(BaseModel):
    """Prediction records in the order of the questions; one that failed has `error` set."""

    predictions: list[PredictionOut]


class ModelOut(BaseModel):
    """A model that the server runs."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: Literal["askmask"] = "askmask"
    weights_sha256: str | None = None


class ModelsOut(BaseModel):
    """Models that the server runs, in OpenAI's shape."""

    object: Literal["list"] = "list"
    data: list[ModelOut]


class HealthOut(BaseModel):
    """Said by a server that takes requests; Label Studio looks at the first two."""

    status: Literal["UP"] = "UP"
    model_class: Literal["askmask"] = "askmask"
    model: str
    version: str


class ErrorDetail(BaseModel):
    """Why a request was refused."""

    code: str = Field(description="One word for programs.")
    type: str
    message: str = Field(description="What was expected, what came, what to do next.")


class ErrorOut(BaseModel):
    """A request that was refused."""

    error: ErrorDetail

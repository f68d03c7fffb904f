"""Make a Label Studio project of a folder of pictures, with askmask as its model.

    export ML_BLOCK_LOCAL_IP=false SSRF_PROTECTION_ENABLED=false
    label-studio start --port 8080    # pip install label-studio
    askmask serve --port 8000         # pip install 'askmask[serve]'
    LABEL_STUDIO_API_KEY=… python label_studio_project.py pictures/ --labels mug jar

Label Studio refuses models on its own machine unless these variables allow them; it needs neither
for a model with a public address. The key is the Legacy Token of Account & Settings. Then open a
task, type a sentence and press Update, or click an object with a smart label. The pictures travel
inside of the tasks, as the server opens no addresses; so this is for up to a few hundred of them.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from xml.sax.saxutils import quoteattr

KINDS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}


def interface(labels: Sequence[str]) -> str:
    """The labelling interface: a sentence, smart clicks, and brush masks."""
    tags = "".join(f"<Label value={quoteattr(label)}/>" for label in labels)
    return (
        '<View><Image name="image" value="$image" zoom="true"/>'
        '<TextArea name="sentence" toName="image" editable="true" maxSubmissions="1"'
        ' placeholder="the whole jar, also where the box covers it"/>'
        f'<BrushLabels name="mask" toName="image" smart="false">{tags}</BrushLabels>'
        f'<KeyPointLabels name="click" toName="image" smart="true">{tags}</KeyPointLabels></View>'
    )


def task(picture: Path, text: str | None) -> dict[str, Any]:
    """A task that carries its picture, and the sentence that is asked at first."""
    code = base64.b64encode(picture.read_bytes()).decode()
    image = f"data:image/{KINDS[picture.suffix.lower()]};base64,{code}"
    return {"data": {"image": image, "name": picture.name} | ({"text": text} if text else {})}


class LabelStudio:
    """Label Studio's programming interface, as far as it is needed here."""

    def __init__(self, address: str, key: str) -> None:
        self._address, self._key = address.rstrip("/"), key

    def post(self, path: str, content: Any) -> Any:
        """Send `content` and return what comes back."""
        headers = {"Authorization": f"Token {self._key}", "Content-Type": "application/json"}
        request = Request(self._address + path, json.dumps(content).encode(), headers)
        try:
            with urlopen(request, timeout=120) as response:
                return json.load(response)
        except HTTPError as error:
            sys.exit(f"{request.full_url}: {error.code} {error.read(500).decode(errors='replace')}")


def make_project(
    studio: LabelStudio,
    pictures: Sequence[Path],
    labels: Sequence[str],
    text: str | None,
    model: str,
) -> int:
    """Make the project, import its tasks and connect the model; return the project's number."""
    title = {"title": "askmask", "label_config": interface(labels)}
    project = studio.post("/api/projects", title)["id"]
    for picture in pictures:
        studio.post(f"/api/projects/{project}/import", [task(picture, text)])
    backend = {"url": model, "project": project, "title": "askmask", "is_interactive": True}
    studio.post("/api/ml", backend)
    return int(project)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--labels", nargs="+", default=["object"])
    parser.add_argument("--text", help="sentence that every task begins with")
    parser.add_argument("--studio", default="http://127.0.0.1:8080", help="Label Studio")
    parser.add_argument("--model", default="http://127.0.0.1:8000", help="askmask serve")
    options = parser.parse_args()
    pictures = sorted(one for one in options.folder.iterdir() if one.suffix.lower() in KINDS)
    studio = LabelStudio(options.studio, os.environ["LABEL_STUDIO_API_KEY"])
    project = make_project(studio, pictures, options.labels, options.text, options.model)
    print(f"{options.studio}/projects/{project}: {len(pictures)} tasks")


if __name__ == "__main__":
    main()

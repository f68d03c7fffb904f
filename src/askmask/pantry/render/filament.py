"""Open MuJoCo's Filament renderer without a window.

The renderer asks MuJoCo for its shaders under names such as `filament:pbr.filamat`. MuJoCo answers
through a resource provider, which its viewer registers and the Python bindings do not; here the
provider is three C callbacks that serve the asset folder of the mujoco package.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from askmask.errors import MissingExtraError

__all__ = ["asset_folder", "open_context", "require_driver", "vulkan_driver"]

_DRIVERS = (Path("/usr/share/vulkan/icd.d"), Path("/etc/vulkan/icd.d"))


class _Resource(ctypes.Structure):
    """mjResource; `name` is all that the callbacks read."""


_Open = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Resource))
_Read = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Resource), ctypes.POINTER(ctypes.c_void_p))
_Close = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Resource))

_Resource._fields_ = [
    ("name", ctypes.c_char_p),
    ("data", ctypes.c_void_p),
    ("vfs", ctypes.c_void_p),
    ("timestamp", ctypes.c_char * 512),
    ("provider", ctypes.c_void_p),
    ("args", ctypes.c_char_p),
]


class _Provider(ctypes.Structure):
    """mjpResourceProvider."""

    _fields_ = (
        ("prefix", ctypes.c_char_p),
        ("open", _Open),
        ("read", _Read),
        ("close", _Close),
        ("mount", ctypes.c_void_p),
        ("unmount", ctypes.c_void_p),
        ("modified", ctypes.c_void_p),
        ("write", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
    )


def asset_folder() -> Path:
    """Folder of the shaders and of the image-based light that come with mujoco."""
    import mujoco

    return Path(mujoco.__file__).parent / "studio" / "assets"


@cache
def _asset(name: str) -> ctypes.Array[ctypes.c_char] | None:
    path = asset_folder() / name
    if not path.is_file():
        return None
    content = path.read_bytes()
    return ctypes.create_string_buffer(content, len(content))


def _asset_of(resource: Any) -> ctypes.Array[ctypes.c_char] | None:
    return _asset(resource.contents.name.decode().partition(":")[2].lstrip("/"))


def _open(resource: Any) -> int:
    return int(_asset_of(resource) is not None)


def _read(resource: Any, buffer: Any) -> int:
    content = _asset_of(resource)
    if content is None:
        return -1
    buffer[0] = ctypes.addressof(content)
    return len(content)


def _close(_resource: Any) -> None:
    """Nothing to free: the assets stay in memory for the life of the process."""


_PROVIDER = _Provider(
    b"filament", _Open(_open), _Read(_read), _Close(_close), None, None, None, None, None
)


@lru_cache(maxsize=1)
def _register() -> None:
    import mujoco

    library = next(Path(mujoco.__file__).parent.glob("libmujoco.so*"))
    register = ctypes.CDLL(str(library)).mjp_registerProvider
    register.argtypes = [ctypes.POINTER(_Provider)]
    register.restype = ctypes.c_int
    register(ctypes.byref(_PROVIDER))


def vulkan_driver() -> Path | None:
    """Description of the software Vulkan driver (Mesa lavapipe), or None when there is none."""
    try:
        ctypes.CDLL("libvulkan.so.1")
    except OSError:
        return None
    named = os.environ.get("VK_ICD_FILENAMES")
    if named:
        found = [Path(named.split(os.pathsep)[0])]
    else:
        found = [path for folder in _DRIVERS for path in sorted(folder.glob("lvp_icd*.json"))]
    return next((path for path in found if path.is_file()), None)


def require_driver() -> Path:
    """Find mujoco and the software Vulkan driver.

    Returns:
        The driver's description.

    Raises:
        MissingExtraError: when either is missing; says what to install.
    """
    try:
        from mujoco import mjrf  # noqa: F401
    except ImportError as error:
        raise MissingExtraError.of("mujoco", "render", "rendering") from error
    driver = vulkan_driver()
    if driver is None:
        raise MissingExtraError(
            "rendering needs the Vulkan loader and Mesa's software driver "
            f"(lvp_icd*.json in {_DRIVERS[0]}), not found: "
            "apt-get install libvulkan1 mesa-vulkan-drivers"
        )
    return driver


def open_context() -> Any:
    """Make a rendering context on the software Vulkan driver.

    A software driver needs no display. Frames may differ in the last bits between runs.

    Returns:
        A `mujoco.mjrf.Context`.

    Raises:
        MissingExtraError: when mujoco or the Vulkan driver is missing; says what to install.
    """
    driver = require_driver()
    from mujoco import mjrf

    os.environ["VK_ICD_FILENAMES"] = str(driver)
    _register()
    config = mjrf.ContextConfig()
    config.software_rendering = True
    config.graphics_api = mjrf.GraphicsApi.GRAPHICS_API_VULKAN
    return mjrf.Context(config)

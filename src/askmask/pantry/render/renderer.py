"""Pictures and masks of one object at a time, by Filament on a software Vulkan driver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.render.filament import asset_folder, open_context
from askmask.pantry.render.shapes import Mesh, Part

__all__ = ["Camera", "Renderer"]

_AMBIENT = 33_000.0
_SUN = 88_000.0
_SUN_COLOUR = (0.86, 0.97, 1.12)
"""Slightly blue: it takes the warm cast off the image-based light."""

_SUN_DIRECTION = (-0.9, 0.55, -0.7)
"""From the upper left, over the camera's shoulder: the same side for all sprites of a picture."""

_F32 = np.float32


@dataclass(frozen=True, eq=False)
class Camera:
    """A square perspective camera.

    Attributes:
        position: (3,) metres.
        target: (3,) point in the middle of the picture.
        field_of_view: angle between the upper and the lower edge, degrees.
    """

    position: NDArray[np.float64]
    target: NDArray[np.float64]
    field_of_view: float


def _tangent_frames(normals: NDArray[np.float64]) -> NDArray[np.float32]:
    """(V, 4) quaternions x y z w of the frames (tangent, bitangent, normal)."""
    from scipy.spatial.transform import Rotation

    upright = np.abs(normals[:, 2:3]) < 0.9
    tangent = np.cross(np.where(upright, [[0.0, 0, 1]], [[1.0, 0, 0]]), normals)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    frames = np.stack([tangent, np.cross(normals, tangent), normals], axis=2)
    quaternion: NDArray[np.float32] = Rotation.from_matrix(frames).as_quat().astype(_F32)
    quaternion = np.where(quaternion[:, 3:] < 0, -quaternion, quaternion)
    # The sign of w carries the handedness, so it must not be lost at 0.
    quaternion[:, 3] = np.maximum(quaternion[:, 3], 1e-5)
    return quaternion


class Renderer:
    """Draws the parts that were put on stage, turned about the vertical, as seen by a camera.

    End a process that made a renderer with `os._exit`: the driver does not survive the
    interpreter's own clean-up.
    """

    def __init__(self, size: int) -> None:
        """Open the driver for pictures of `size` x `size` pixels.

        Raises:
            MissingExtraError: when mujoco or a Vulkan driver is missing.
        """
        self.size = size
        self._context = open_context()
        from mujoco import mjrf

        self._mjrf = mjrf
        self._scene = self._context.create_scene(mjrf.SceneParams())
        # Filament does not own what Python made: every object must be kept as long as it is used.
        self._lights = [self._sky(), self._sunlight()]
        self._stage: list[tuple[Any, ...]] = []
        self._open_target()

    def show(self, parts: Sequence[Part]) -> None:
        """Replace what is on stage by `parts`."""
        for renderable, *_ in self._stage:
            self._scene.remove_renderable(renderable)
        self._stage = [self._renderable(part) for part in parts]
        for renderable, *_ in self._stage:
            self._scene.add_renderable(renderable)

    def turn(self, degrees: float) -> None:
        """Set the rotation of what is on stage, anticlockwise seen from above."""
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        rotation = np.array([cos, -sin, 0, sin, cos, 0, 0, 0, 1], _F32).reshape(9)
        for renderable, *_ in self._stage:
            renderable.set_pose(np.zeros(3, _F32), rotation)

    def picture(self, camera: Camera) -> NDArray[np.uint8]:
        """(S, S, 3) uint8 sRGB."""
        return self._draw(camera, self._mjrf.DrawMode.DRAW_MODE_DEFAULT)

    def mask(self, camera: Camera) -> NDArray[np.bool_]:
        """(S, S) bool, pixels of what is on stage."""
        drawn = self._draw(camera, self._mjrf.DrawMode.DRAW_MODE_SEGMENTATION_BY_ID)
        mask: NDArray[np.bool_] = drawn[..., 0] == 1
        return mask

    def _draw(self, camera: Camera, mode: Any) -> NDArray[np.uint8]:
        request = self._mjrf.RenderRequest()
        request.scene, request.target, request.draw_mode = self._scene, self._target, mode
        request.camera = self._camera(camera)
        request.viewport.width = request.viewport.height = self.size
        request.haze = request.reflections = False
        frame = self._context.render([request], [self._read])
        self._context.wait_for_frame(frame)
        return self._buffer.copy()

    def _camera(self, camera: Camera) -> Any:
        line = camera.target - camera.position
        distance = float(np.linalg.norm(line))
        forward = line / distance
        right = np.cross(forward, [0.0, 0, 1])
        up = np.cross(right / np.linalg.norm(right), forward)
        near = distance * 0.05
        top = near * np.tan(np.radians(camera.field_of_view) / 2)
        return self._mjrf.Camera(
            pos=camera.position.astype(_F32),
            forward=forward.astype(_F32),
            up=up.astype(_F32),
            frustum_bottom=-top,
            frustum_top=top,
            frustum_near=near,
            frustum_far=distance * 5,
        )

    def _open_target(self) -> None:
        mjrf, size = self._mjrf, self.size
        config = mjrf.RenderTargetConfig(color_format=mjrf.PixelFormat.PIXEL_FORMAT_RGB8)
        config.width = config.height = size
        self._target = self._context.create_render_target(config)
        self._target.resize(size, size)
        self._buffer = np.zeros((size, size, 3), np.uint8)
        self._read = mjrf.ReadRequest(target=self._target)
        self._read.set_buffer(self._buffer)

    def _sky(self) -> tuple[Any, ...]:
        mjrf = self._mjrf
        content = (asset_folder() / "ibl.ktx").read_bytes()
        config = mjrf.TextureConfig(
            width=len(content),
            height=0,
            format=mjrf.PixelFormat.PIXEL_FORMAT_KTX,
            sampler_type=mjrf.SamplerType.TEXTURE_CUBE,
        )
        texture, data = self._context.create_texture(config), mjrf.TextureData()
        data.set_image(content)
        texture.upload(data)
        light = self._context.create_light(
            mjrf.LightParams(type=mjrf.LightType.LIGHT_IMAGE, texture=texture, intensity=_AMBIENT)
        )
        self._scene.add_light(light)
        return light, texture, data, content

    def _sunlight(self) -> tuple[Any, ...]:
        mjrf = self._mjrf
        light = self._context.create_light(
            mjrf.LightParams(
                type=mjrf.LightType.LIGHT_DIRECTIONAL,
                color=np.array(_SUN_COLOUR, _F32),
                intensity=_SUN,
                cast_shadow=True,
                shadow_map_size=1024,
            )
        )
        light.set_pose(np.array([1.0, 0, 2], _F32), np.array(_SUN_DIRECTION, _F32))
        self._scene.add_light(light)
        return (light,)

    def _renderable(self, part: Part) -> tuple[Any, ...]:
        mjrf = self._mjrf
        mesh, texture = self._mesh(part.mesh), self._texture(part.finish.texture)
        material = mjrf.Material()
        material.color_texture = texture[0]
        material.color = np.ones(4, _F32)
        material.roughness, material.metallic = part.finish.roughness, part.finish.metallic
        material.segmentation_id = 1
        material.uv_scale = np.ones(3, _F32)
        renderable = self._context.create_renderable(
            mjrf.RenderableParams(cast_shadow=True, receive_shadow=True, blend_order=4)
        )
        renderable.set_mesh(mesh[0], 0, int(part.mesh.faces.size))
        renderable.set_material(material)
        renderable.set_pose(np.zeros(3, _F32), np.eye(3, dtype=_F32).reshape(9))
        renderable.set_size(np.ones(3, _F32))
        return renderable, material, mesh, texture

    def _mesh(self, mesh: Mesh) -> tuple[Any, ...]:
        mjrf = self._mjrf
        usage, kind = mjrf.VertexAttributeUsage, mjrf.VertexAttributeType
        config = mjrf.MeshConfig(
            max_vertices=len(mesh.vertices),
            max_indices=mesh.faces.size,
            interleaved=True,
            index_type=mjrf.IndexType.INDEX_TYPE_U32,
            primitive_type=mjrf.MeshPrimitiveType.MESH_PRIMITIVE_TYPE_TRIANGLES,
            attributes=[
                mjrf.VertexAttribute(use, form)
                for use, form in (
                    (usage.VERTEX_ATTRIBUTE_USAGE_POSITION, kind.VERTEX_ATTRIBUTE_TYPE_FLOAT3),
                    (usage.VERTEX_ATTRIBUTE_USAGE_TANGENTS, kind.VERTEX_ATTRIBUTE_TYPE_FLOAT4),
                    (usage.VERTEX_ATTRIBUTE_USAGE_UV, kind.VERTEX_ATTRIBUTE_TYPE_FLOAT2),
                )
            ],
        )
        columns = [mesh.vertices.astype(_F32), _tangent_frames(mesh.normals), mesh.uv.astype(_F32)]
        vertices = np.concatenate(columns, axis=1).tobytes()
        indices = mesh.faces.astype(np.uint32).tobytes()
        data = mjrf.MeshData(
            compute_bounds=False,
            bounds_min=mesh.vertices.min(0).astype(_F32),
            bounds_max=mesh.vertices.max(0).astype(_F32),
        )
        data.set_vertices(config, vertices)
        data.set_indices(config, indices)
        made = self._context.create_mesh(config)
        made.upload(data)
        return made, data, config, vertices, indices

    def _texture(self, pixels: NDArray[np.uint8]) -> tuple[Any, ...]:
        mjrf = self._mjrf
        config = mjrf.TextureConfig(
            width=pixels.shape[1],
            height=pixels.shape[0],
            format=mjrf.PixelFormat.PIXEL_FORMAT_RGB8,
            color_space=mjrf.ColorSpace.COLORSPACE_SRGB,
            sampler_type=mjrf.SamplerType.TEXTURE_2D,
        )
        # Rows are uploaded from the bottom, as texture coordinates count.
        content = np.ascontiguousarray(pixels[::-1]).tobytes()
        made, data = self._context.create_texture(config), mjrf.TextureData()
        data.set_image(content)
        made.upload(data)
        return made, data, content

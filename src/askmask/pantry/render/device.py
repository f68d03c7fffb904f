"""What Filament needs to draw our meshes: uploads, lights, cameras and pictures to draw into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.render.filament import asset_folder, open_context
from askmask.pantry.render.shapes import Finish, Mesh

__all__ = ["Camera", "Device", "Handle", "Target", "pose"]

_F32 = np.float32

Handle = tuple[Any, ...]
"""Filament does not own what Python made: all of a handle must be kept as long as its head is
used. The head is the thing itself, the rest what it was made from."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A perspective camera without roll.

    Attributes:
        position: (3,) metres.
        target: (3,) point in the middle of the picture.
        field_of_view: angle between the upper and the lower edge, degrees.
        reach: how far it sees, as a multiple of the distance to the target.
    """

    position: NDArray[np.float64]
    target: NDArray[np.float64]
    field_of_view: float
    reach: float = 5.0


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


class Target:
    """Pixels to draw into; the last picture of one size."""

    def __init__(self, context: Any, mjrf: Any, size_hw: tuple[int, int]) -> None:
        self._context, self._mjrf, self.size_hw = context, mjrf, size_hw
        height, width = size_hw
        config = mjrf.RenderTargetConfig(color_format=mjrf.PixelFormat.PIXEL_FORMAT_RGB8)
        config.width, config.height = width, height
        self._target = context.create_render_target(config)
        self._target.resize(width, height)
        self._buffer = np.zeros((height, width, 3), np.uint8)
        self._read = mjrf.ReadRequest(target=self._target)
        self._read.set_buffer(self._buffer)

    def picture(self, scene: Any, camera: Any) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB."""
        return self._draw(scene, camera, self._mjrf.DrawMode.DRAW_MODE_DEFAULT)

    def numbers(self, scene: Any, camera: Any) -> NDArray[np.uint8]:
        """(H, W) uint8, number of the front-most renderable at each pixel, 0 for none."""
        drawn = self._draw(scene, camera, self._mjrf.DrawMode.DRAW_MODE_SEGMENTATION_BY_ID)
        # Where there is nothing, all three bytes are 255.
        nothing = (drawn[..., 1] != 0) | (drawn[..., 2] != 0)
        numbers: NDArray[np.uint8] = np.where(nothing, 0, drawn[..., 0]).astype(np.uint8)
        return numbers

    def _draw(self, scene: Any, camera: Any, mode: Any) -> NDArray[np.uint8]:
        request = self._mjrf.RenderRequest()
        request.scene, request.target, request.draw_mode = scene, self._target, mode
        request.camera = camera
        request.viewport.height, request.viewport.width = self.size_hw
        request.haze = request.reflections = False
        frame = self._context.render([request], [self._read])
        self._context.wait_for_frame(frame)
        return self._buffer.copy()


class Device:
    """An open driver.

    End a process that opened one with `os._exit`: the driver does not survive the interpreter's
    own clean-up.
    """

    def __init__(self) -> None:
        """Open the driver.

        Raises:
            MissingExtraError: when mujoco or a Vulkan driver is missing.
        """
        self._context = open_context()
        from mujoco import mjrf

        self._mjrf = mjrf

    def scene(self) -> Any:
        """Make an empty scene."""
        return self._context.create_scene(self._mjrf.SceneParams())

    def target(self, size_hw: tuple[int, int]) -> Target:
        """Make a picture of `size_hw` pixels to draw into."""
        return Target(self._context, self._mjrf, size_hw)

    def camera(self, camera: Camera, widened: float = 1.0) -> Any:
        """Make a camera of any aspect.

        Args:
            camera: where it stands and looks.
            widened: factor by which the picture plane is larger.
        """
        line = camera.target - camera.position
        distance = float(np.linalg.norm(line))
        forward = line / distance
        right = np.cross(forward, [0.0, 0, 1])
        up = np.cross(right / np.linalg.norm(right), forward)
        near = distance * 0.05
        top = near * np.tan(np.radians(camera.field_of_view) / 2) * widened
        return self._mjrf.Camera(
            pos=camera.position.astype(_F32),
            forward=forward.astype(_F32),
            up=up.astype(_F32),
            frustum_bottom=-top,
            frustum_top=top,
            frustum_near=near,
            frustum_far=distance * camera.reach,
        )

    def sky(self, intensity: float) -> Handle:
        """Make the image-based light, in candela per square metre."""
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
            mjrf.LightParams(type=mjrf.LightType.LIGHT_IMAGE, texture=texture, intensity=intensity)
        )
        return light, texture, data, content

    def sun(self, direction: Sequence[float], colour: Sequence[float], intensity: float) -> Handle:
        """Make a directional light with shadows, in lux."""
        mjrf = self._mjrf
        light = self._context.create_light(
            mjrf.LightParams(
                type=mjrf.LightType.LIGHT_DIRECTIONAL,
                color=np.array(colour, _F32),
                intensity=intensity,
                cast_shadow=True,
                shadow_map_size=1024,
            )
        )
        light.set_pose(np.array([1.0, 0, 2], _F32), np.array(direction, _F32))
        return (light,)

    def spot(
        self,
        position: NDArray[np.float64],
        target: NDArray[np.float64],
        colour: Sequence[float],
        intensity: float,
        *,
        cone: float,
        softness: float,
        bulb: float,
    ) -> Handle:
        """Make a spot light with soft shadows.

        Args:
            position: (3,) metres.
            target: (3,) point that it shines at.
            colour: red, green, blue.
            intensity: candela.
            cone: half angle, degrees.
            softness: of the cone's edge, in [0, 1].
            bulb: radius in metres; larger bulbs cast softer shadows.
        """
        mjrf = self._mjrf
        light = self._context.create_light(
            mjrf.LightParams(
                type=mjrf.LightType.LIGHT_SPOT,
                color=np.array(colour, _F32),
                intensity=intensity,
                cast_shadow=True,
                shadow_map_size=1024,
                range=20.0,
                cutoff=cone,
                softness=softness,
                bulb_radius=bulb,
            )
        )
        line = target - position
        light.set_pose(position.astype(_F32), (line / np.linalg.norm(line)).astype(_F32))
        return (light,)

    def renderable(self, mesh: Handle, texture: Handle, finish: Finish, number: int) -> Handle:
        """Make something to put into one scene, at the origin.

        Args:
            mesh: as `mesh` gives it.
            texture: as `texture` gives it.
            finish: how it looks.
            number: what `Target.numbers` shows, 0 to 254.
        """
        mjrf = self._mjrf
        material = mjrf.Material()
        material.color_texture = texture[0]
        material.color = np.array([1, 1, 1, finish.opacity], _F32)
        material.roughness, material.metallic = finish.roughness, finish.metallic
        material.segmentation_id = number
        material.uv_scale = np.ones(3, _F32)
        renderable = self._context.create_renderable(
            mjrf.RenderableParams(
                cast_shadow=finish.opacity > 0.3, receive_shadow=True, blend_order=4
            )
        )
        renderable.set_mesh(mesh[0], 0, mesh[1])
        renderable.set_material(material)
        pose(renderable, np.zeros(3), np.eye(3))
        renderable.set_size(np.ones(3, _F32))
        return renderable, material, mesh, texture

    def mesh(self, mesh: Mesh) -> Handle:
        """Upload a mesh; its second item is the number of indices."""
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
        return made, int(mesh.faces.size), data, config, vertices, indices

    def texture(self, pixels: NDArray[np.uint8]) -> Handle:
        """Upload (H, W, 3) uint8 sRGB."""
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


def pose(renderable: Any, position: NDArray[np.float64], rotation: NDArray[np.float64]) -> None:
    """Put a renderable at (3,) `position`, turned by (3, 3) `rotation`."""
    renderable.set_pose(position.astype(_F32), rotation.astype(_F32).reshape(9))

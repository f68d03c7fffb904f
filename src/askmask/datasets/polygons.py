"""The COCO rasteriser, under the name that the readers here know it by."""

from askmask.polygons import fill_polygons

__all__ = ["fill_polygons"]

"""Polygons to masks; see `askmask.polygons`."""

from askmask.polygons import fill_polygons

__all__ = ["fill_polygons"]

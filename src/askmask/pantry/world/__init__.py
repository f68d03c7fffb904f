"""Scenes in 3D: who stands where, seen by which cameras, in which light, with exact masks."""

"""Rendering the sprite bank: catalogue, meshes, labels and the Filament renderer."""

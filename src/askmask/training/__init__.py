"""Training of the models, from a recipe to exported weights."""

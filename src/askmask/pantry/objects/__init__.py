"""Objects in 3D: own groceries and openly licensed household things, with their measures."""

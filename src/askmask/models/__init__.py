"""Models: everything behind the `Segmenter` protocol."""

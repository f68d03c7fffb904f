"""The embedded model: proposer, completer and selector that run on onnxruntime without torch."""

"""The completer: a small network that looks at one mask at a time and guesses its whole shape."""

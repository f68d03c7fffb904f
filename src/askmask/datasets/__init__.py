"""Readers of the field's annotation files, one file a format; all give askmask entity records."""

"""A static page to look through a benchmark: pictures with masks, queries, tags."""

from askmask.browse.page import FILES, choose, write_page

__all__ = ["FILES", "choose", "write_page"]

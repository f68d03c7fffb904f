"""The server: pictures and sentences by HTTP, answered by one model that stays loaded.

`app.create_app` builds it, `run.run` lets it listen; `cli/serve.py` is its command.
"""

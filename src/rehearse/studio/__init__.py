"""The studio: HTTP API, event stream, worker process and engines behind the desk in the browser.

Needs the extra ``studio``. The server imports no torch: models live in the worker process alone.
"""

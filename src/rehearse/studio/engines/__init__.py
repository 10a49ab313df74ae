"""Where takes are run: behind :class:`~rehearse.studio.engines.engine.Engine`."""

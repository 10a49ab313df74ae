"""Is the marked thing the one that is acted on? (``rehearse evaluate target``)"""

"""Pictures set in motion, edited and dragged (``rehearse evaluate animate``)."""

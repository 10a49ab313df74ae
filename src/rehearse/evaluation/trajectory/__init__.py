"""Boxes and points: do subjects go where their paths lead? (``rehearse evaluate trajectory``)"""

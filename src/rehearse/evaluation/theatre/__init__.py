"""Do the shipped models draw what the words say? (``rehearse evaluate theatre``)"""

"""The durable tree of takes: project -> shots -> takes -> checkpoints.

SQLite (write-ahead log) beside content-addressed files. Every write is whole or not at all; what is announced
is on the disk. Needs the extra ``studio``; imports no torch.
"""

"""Investigation: from an image reference to a verdict, many at a time, each question asked once.

Knows nothing of resources, so that it can be done in a process of its own.
"""

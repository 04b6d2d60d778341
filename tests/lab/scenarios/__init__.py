"""Importing this package registers every scenario, in the order they run."""

from . import baseline, cables, load, kills, service, target  # noqa: F401

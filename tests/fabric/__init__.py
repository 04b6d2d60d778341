# SPDX-License-Identifier: GPL-2.0-or-later
"""The simulated InfiniBand fabric for tests: see README.md."""
from .fabric import Fabric, FabricError, Result, example  # noqa: F401
from .cases_api import Skip, each, eq, has, ok  # noqa: F401

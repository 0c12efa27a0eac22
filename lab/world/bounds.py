"""The bounds of the values on a tape. Facts from live sources are not checked against them; a file that somebody else
wrote is read through pydantic, which holds every field to its bound.

Each bound is far beyond what a cluster shows, and tight enough that no view of the value can fail.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Name = Annotated[str, Field(max_length=256)]
"""A name, an id or a state; a host name has at most 253 characters."""

Count = Annotated[int, Field(ge=0, le=10**15)]
"""A number of things, or a counter; also bytes of memory."""

PortNumber = Annotated[int, Field(ge=0, le=65_535)]

ExitStatus = Annotated[int, Field(ge=-(2**31), le=2**32)]
"""The exit status of a command or a container; an engine that has lost a container reports -1."""

Seconds = Annotated[float, Field(ge=0, le=1e10)]
"""A duration in seconds; an engine's own durations reach 292 years."""

Milliseconds = Annotated[float, Field(ge=0, le=1e10)]

Moment = Annotated[float, Field(ge=-6.21e10, le=2.534e11)]
"""Seconds since the epoch, within the years 2 to 9999, so that each one has a date."""

Share = Annotated[float, Field(ge=0, le=1)]
"""A fraction of a whole, from 0 to 1."""

Rate = Annotated[float, Field(ge=0, le=1e6)]
"""Requests per second."""

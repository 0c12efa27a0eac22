"""How far the values on a tape may reach. Live sources make facts without being checked against these; a file that
somebody else wrote is read through pydantic, which holds every field to its bound.

Each bound is far beyond what a cluster shows, and near enough that no view of the value can fail.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Name = Annotated[str, Field(max_length=256)]
"""A name, an id or a word of state; a host's name has at most 253 characters."""

Count = Annotated[int, Field(ge=0, le=10**15)]
"""How many there are, or a number that is counted up; bytes of memory too."""

PortNumber = Annotated[int, Field(ge=0, le=65_535)]

ExitStatus = Annotated[int, Field(ge=-(2**31), le=2**32)]
"""What a command or a container ended with; an engine that has lost a container says -1."""

Seconds = Annotated[float, Field(ge=0, le=1e10)]
"""How long something takes; an engine's own durations reach 292 years."""

Milliseconds = Annotated[float, Field(ge=0, le=1e10)]

Moment = Annotated[float, Field(ge=-6.21e10, le=2.534e11)]
"""Seconds since the epoch, within the years 2 to 9999: every one has a date."""

Share = Annotated[float, Field(ge=0, le=1)]
"""A part of a whole."""

Rate = Annotated[float, Field(ge=0, le=1e6)]
"""Requests a second."""

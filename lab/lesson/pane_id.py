"""The id of a pane in a lesson: one of those in `lab.panes.PANES`. A former id becomes the present one."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, GetJsonSchemaHandler

from lab import panes
from lab.schema.diagnostics import did_you_mean


def _check_id(id: str) -> str:
    id = panes.FORMER_IDS.get(id, id)
    ids = [pane.id for pane in panes.PANES]
    if id not in ids:
        raise ValueError(f"must be one of {', '.join(ids)}{did_you_mean(id, ids)}")
    return id


class _OneOfThePanes:
    """The JSON schema: an enum of the ids that exist when it is generated."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "enum": [pane.id for pane in panes.PANES]}


PaneId = Annotated[str, AfterValidator(_check_id), _OneOfThePanes()]

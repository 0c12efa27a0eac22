"""`python -m lab.course`: write the JSON schema for editors from the model."""

from __future__ import annotations

from lab import paths
from lab.course.editor import editor_schema

if __name__ == "__main__":
    (paths.lessons() / "schema.json").write_text(editor_schema(), encoding="utf-8")

"""`python -m lab.lesson`: write what is derived from the model: the editors' JSON schema, and the tables of checks and
keys."""

from __future__ import annotations

from lab import paths
from lab.lesson.challenge import Challenge
from lab.lesson.check_table import with_table
from lab.lesson.json_schema import editor_schema
from lab.lesson.key_tables import with_key_tables

if __name__ == "__main__":
    (paths.lessons() / "schema.json").write_text(editor_schema(), encoding="utf-8")
    (paths.challenges() / "schema.json").write_text(editor_schema(Challenge), encoding="utf-8")
    chapter = paths.lessons() / "README.md"
    chapter.write_text(with_key_tables(chapter.read_text(encoding="utf-8")), encoding="utf-8")
    document = paths.lessons().parent / "ARCHITECTURE.md"
    if document.is_file():  # not in a wheel
        document.write_text(with_table(document.read_text(encoding="utf-8")), encoding="utf-8")

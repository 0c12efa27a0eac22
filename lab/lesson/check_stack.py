"""What is wrong with stack files: with one, by itself or over the file beside it, or with several as one stack.

The rules of docker and Traefik are loaded with this module, which only a check of stack files needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lab.compose import lint
from lab.compose.merge import merge_files
from lab.errors import InputError
from lab.schema import document
from lab.schema.document import Document


def check_file(doc: Document) -> Iterable[InputError]:
    """Return the mistakes in a stack file. When a service in `app.prod.yaml` has no image, the file is laid over the
    `app.yaml` beside it: what is wrong with that one alone is not repeated."""
    services = doc.data.get("services")
    bare = isinstance(services, dict) and any(isinstance(s, dict) and "image" not in s for s in services.values())
    base = doc.path.with_name(doc.path.name.partition(".")[0] + doc.path.suffix)
    if doc.path.suffix == ".json" or not bare or base == doc.path or not base.is_file():
        return lint.find_mistakes(doc)
    first = document.read_stack(base)
    alone = {problem.sentence for problem in lint.find_mistakes(first)}
    return [each for each in lint.find_mistakes(merge_files([first, doc])) if each.sentence not in alone]


def check_stack(files: Sequence[Path]) -> Iterable[InputError]:
    """Return the mistakes in the one stack that docker merges these files into."""
    documents, problems = [], []
    for path in files:
        try:
            documents.append(document.read_stack(path))
        except InputError as problem:
            problems.append(problem)
    return problems or lint.find_mistakes(merge_files(documents))

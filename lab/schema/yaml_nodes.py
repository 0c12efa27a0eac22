"""A YAML text as nodes with their lines. Aliases lead to the nodes that they refer to; nothing is expanded here, so the
cost is proportional to the text's size."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import yaml

#: The C parser where PyYAML has it: 20 times as fast, but with terse error messages.
_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

DEEPEST = 24
"""The deepest nesting that is accepted."""


class Refused(ValueError):
    """The reason why a text is rejected, in words, and the one-based line; 0 when it has none."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


class Kind(Enum):
    """The kind of a node."""

    SCALAR = 1
    LIST = 2
    MAPPING = 3


@dataclass(slots=True, eq=False)
class Node:
    """A value of the text. `items` are a list's, or a mapping's keys and values in turn; `plain` marks a scalar without
    quotes or tag."""

    kind: Kind
    line: int
    text: str = ""
    tag: str = ""
    plain: bool = False
    items: list[Item] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Item:
    """A use of a node, in `line`: in its own place, or again through an alias (`*name`)."""

    node: Node
    line: int
    again: bool = False


def parse(text: str, *, shared: bool, most: int) -> Item | None:
    """Return the top of the only document in a text; None when there is nothing. `shared` allows anchors, aliases and
    tags. Raises Refused, also for more than `most` values."""
    try:
        return _compose(text, _FAST, shared, most)
    except Refused:
        raise
    except (yaml.YAMLError, ValueError, OverflowError):
        return _parse_slowly(text, shared, most)


def _compose(text: str, loader: Any, shared: bool, most: int) -> Item | None:
    composer = _Composer(shared, most)
    for event in yaml.parse(text, Loader=loader):
        composer.take(event)
    return composer.top


def _parse_slowly(text: str, shared: bool, most: int) -> Item | None:
    """Parse slowly what the fast parser rejected: this parser says in words what is wrong, and where."""
    try:
        return _compose(text, yaml.SafeLoader, shared, most)
    except yaml.MarkedYAMLError as error:
        line = int(getattr(error.problem_mark or error.context_mark, "line", -1)) + 1
        reason = " ".join(p for p in (error.context, error.problem) if p)
        raise Refused(f"not YAML: {reason}", line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Refused(f"not text: the character #x{ord(text[error.position]):04x}", line) from None
    except Refused:
        raise
    except (ValueError, OverflowError) as error:
        raise Refused(f"not YAML: {error}") from None


class _Composer:
    """Folds the parser's events into nodes."""

    def __init__(self, shared: bool, most: int) -> None:
        self.top: Item | None = None
        self._shared, self._left, self._most = shared, most, most
        self._open: list[Node] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        line = int(getattr(event.start_mark, "line", 0)) + 1
        if not self._shared:
            self._refuse_sharing(event, line)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise Refused("a second document begins here; a file holds one", line)
            case yaml.AliasEvent():
                node = self._anchors.get(event.anchor or "")
                if node is None:
                    raise Refused(f"*{event.anchor} is an unknown alias: no &{event.anchor} stands before it", line)
                if any(node is each for each in self._open):
                    raise Refused(f"*{event.anchor} stands inside &{event.anchor}: it would contain itself", line)
                self._put(Item(node, line, again=True))
            case yaml.ScalarEvent():
                self._scalar(event, line)
            case yaml.MappingStartEvent():
                self._begin(event, Node(Kind.MAPPING, line, tag=event.tag or ""))
            case yaml.SequenceStartEvent():
                self._begin(event, Node(Kind.LIST, line, tag=event.tag or ""))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        text, tag = str(event.value), event.tag or ""
        # An empty document has one empty value.
        if not self._open and not text and event.implicit[0]:
            return
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise Refused("holds a character that is not text (half of a surrogate pair)", line)
        plain = bool(event.implicit[0]) or (tag == "!" and not event.style)
        self._add_node(event, Node(Kind.SCALAR, line, text, tag, plain))

    def _begin(self, event: yaml.NodeEvent, node: Node) -> None:
        if len(self._open) >= DEEPEST:
            raise Refused(f"nested more than {DEEPEST} deep", node.line)
        self._add_node(event, node)
        self._open.append(node)

    def _add_node(self, event: yaml.NodeEvent, node: Node) -> None:
        if event.anchor:
            self._anchors[event.anchor] = node
        self._put(Item(node, node.line))

    def _put(self, item: Item) -> None:
        self._left -= 1
        if self._left < 0:
            raise Refused(f"holds more than {self._most:,} values", item.line)
        if self._open:
            self._open[-1].items.append(item)
        else:
            self.top = item

    def _refuse_sharing(self, event: yaml.Event, line: int) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Refused("anchors and aliases (& and *) are not taken here: write the value out", line)
        if tag := getattr(event, "tag", None):
            raise Refused(f"tags are not taken here: {tag}", line)

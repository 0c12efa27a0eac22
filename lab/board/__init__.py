"""The audience's board: a page that shows a talk as it goes, to browsers. No input of theirs reaches a shell or an
engine."""

"""The course, read once for all tests: lessons are immutable."""

from __future__ import annotations

from lab.lesson.course import load_course

LESSONS = load_course()

"""The recipes: the application without any precaution, and with one or more; each is a start to reset to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lab.errors import InputError
from lab.lesson.checkpoint import Patch
from lab.lesson.model import Lesson

PLAIN = "plain"


@dataclass(frozen=True)
class Precaution:
    """What is laid over the files of a stack, or set for them: `over` and `env` for the application, `edge` over
    Traefik's. `without` is what is laid over the application in every recipe that does not have it."""

    says: str
    over: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    edge: tuple[str, ...] = ()


PRECAUTIONS: Mapping[str, Precaution] = {
    "start-first": Precaution("the new task runs before the old one stops", env={"ORDER": "start-first"}),
    "health-check": Precaution(
        "a task gets requests once its health check has passed", without=("app.no-healthcheck.yaml",)
    ),
    "stop-grace": Precaution(
        "the application goes on answering for 12 s after its stop signal; without it, it is gone at once",
        without=("app.no-grace.yaml",),
    ),
    "retry": Precaution("Traefik tries up to three replicas", over=("app.retry.yaml",)),
    "retry-status": Precaution(
        "Traefik tries another replica after 502 to 504, too: a request that died with its replica",
        over=("app.retry-status.yaml",),
    ),
    "passive": Precaution("a replica that fails gets no requests for 10 s", over=("app.passive.yaml",)),
    "lbswarm": Precaution("Swarm's load balancer chooses the replica, not Traefik's", over=("app.lbswarm.yaml",)),
    "host-mode": Precaution("Traefik's port in host mode, past the routing mesh", edge=("edge.host-mode.yaml",)),
}

RECIPES: tuple[str, ...] = (PLAIN, *PRECAUTIONS, "start-first+health-check+stop-grace+retry")
"""What is measured where none is named. The last is what app.yaml itself has."""


def read_recipe(text: str) -> str:
    """Return a recipe with its precautions in their order: `plain`, or some of them joined by `+`. Raises
    InputError."""
    if text == PLAIN:
        return text
    words = text.split("+")
    if unknown := [word for word in words if word not in PRECAUTIONS]:
        raise InputError(
            f"there is no recipe {unknown[0] or text!r}",
            remedy=f"{PLAIN}, or one or more of these with + between them: {', '.join(PRECAUTIONS)}",
        )
    return "+".join(name for name in PRECAUTIONS if name in words)


def recipe_lesson(recipe: str, base: Lesson) -> Lesson:
    """Return a lesson whose start is that of `base` with the application as the recipe says."""
    has = {name: PRECAUTIONS[name] for name in _names(recipe)}
    over = ["app.direct.yaml"]
    over += [file for name, each in PRECAUTIONS.items() if name not in has for file in each.without]
    over += [file for each in has.values() for file in each.over]
    env = {"ORDER": "stop-first"} | {key: value for each in has.values() for key, value in each.env.items()}
    edge = [*base.start.stacks["edge"].over, *(file for each in has.values() for file in each.edge)]
    patch = Patch.model_validate({"stacks": {"app": {"over": tuple(over), "env": env}, "edge": {"over": tuple(edge)}}})
    return base.model_copy(update={"id": f"table-{recipe.replace('+', '-')}", "start": patch.apply_to(base.start)})


def describe_recipes(recipes: Iterable[str]) -> list[tuple[str, str]]:
    """Return the precautions that are in these recipes, with what each is."""
    used = {name for recipe in recipes for name in _names(recipe)}
    return [(name, each.says) for name, each in PRECAUTIONS.items() if name in used]


def _names(recipe: str) -> tuple[str, ...]:
    return () if recipe == PLAIN else tuple(recipe.split("+"))

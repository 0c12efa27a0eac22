"""A lesson's pages: the opening page, a step with its command and its checks, the end."""

from __future__ import annotations

from collections.abc import Iterator

from lab.lesson.applied import describe_applied
from lab.lesson.measured import list_measured
from lab.lesson.model import Step
from lab.plain.line import EMPTY, Line, code, describe_command, fill_text
from lab.plain.place import Place
from lab.text import count_of


def page(place: Place) -> Iterator[Line]:
    """Yield the page."""
    if place.step is not None:
        yield from _step(place, place.step)
    elif place.page < 0:
        yield from _opening(place)
    else:
        yield from _closing(place)


def prompt(place: Place, *, quizzed: bool = False) -> str:
    """Return what Enter alone does here, in a few words. `quizzed`: the lesson's questions were asked."""
    step, count = place.step, len(place.lesson.steps)
    if step is None:
        if place.page < 0:
            return f"start of the {place.kind}, Enter begins"
        if place.lesson.quiz and not quizzed:
            return f"end of the {place.kind}, Enter asks its questions"
        return f"end of the {place.kind}, " + ("Enter opens the next one" if place.after else "l lists all, q ends")
    here = f"step {place.page + 1} of {count}, "
    if place.state == "passed":
        return f"{here}done, Enter goes on"
    if step.your_turn and place.live:
        return f"{here}your turn"
    does = "asks, then runs it" if place.asks else "runs it"
    return f"{here}Enter {does}" + " again" * (place.state != "")


def afterwards(place: Place, step: Step) -> Iterator[Line]:
    """Yield what is told once a step has passed: what was to be seen, the right answer, and other ways."""
    if step.after:
        yield from (EMPTY, Line("What you saw:", "head"), Line(fill_text(step.after, place.values), form="markdown"))
    question = step.question
    if question is not None and question.choices:
        said, right = place.values.get(question.name), fill_text(question.answer or "", place.values)
        words = f"You said: {fill_text(said, place.values)}. " if said is not None else ""
        yield Line(f"{words}That is right." if said == question.answer else f"{words}Right is: {right}.")
    if question is not None and question.because:
        yield Line(fill_text(question.because, place.values), form="markdown")
    if step.solution is not None:
        yield from (Line("One way is:"), code(describe_command(step.solution, place.values)))
    for way in step.ways:
        yield from (Line("This does it too:"), code(describe_command(way, place.values)))


def command(place: Place, step: Step) -> Iterator[Line]:
    """Yield what Enter does in a step."""
    where = f" on {fill_text(step.on, place.values)}" if step.on else ""
    if step.your_turn:
        yield Line("Your turn: make it so, in any way you like." if place.live else "The recording shows one way.")
    elif step.act is not None:
        yield Line(f"The lab does this: {fill_text(step.sentence, place.values)}.")
    else:
        yield from (Line(f"This runs{where}:"), code(describe_command(step.run or "", place.values)))


def what_next(place: Place) -> Iterator[Line]:
    """Yield what comes after the lesson or the challenge; a challenge is begun by a command."""
    after, challenge = place.after, place.next_challenge
    if place.kind == "challenge" and challenge is not None:
        lesson = challenge.lesson
        yield Line(f"The next challenge is {lesson.title} ({lesson.minutes} minutes). After q, this begins it:")
        yield code(f"swarmlab challenge {challenge.challenge} --plain")
    elif place.kind == "challenge":
        yield Line("After q, these list the challenges, and begin one again with other values:")
        yield code("swarmlab challenge\nswarmlab challenge NAME --new --plain")
    elif after is not None:
        yield Line(f"The next lesson is {after.title} ({after.minutes} minutes).")
    else:
        yield Line("This was the last lesson.")


def _opening(place: Place) -> Iterator[Line]:
    lesson = place.lesson
    yield from (EMPTY, Line(f"{place.kind.capitalize()}: {lesson.title}", "head"))
    yield Line(f"{lesson.minutes} minutes, {count_of(len(lesson.steps), 'step')}.")
    yield from (EMPTY, Line(fill_text(lesson.about, place.values), form="markdown"))
    if lesson.kubernetes:
        yield from (EMPTY, Line(f"In Kubernetes: {fill_text(lesson.kubernetes, place.values)}", form="markdown"))
    yield EMPTY
    yield from _steps(place)


def _steps(place: Place) -> Iterator[Line]:
    for number, step in enumerate(place.lesson.steps, 1):
        how = {"passed": ", done", "failed": ", not done", "begun": ", stopped"}.get(place.state_of(step), "")
        yield Line(f"{fill_text(step.title, place.values)}{how}", lead=f"{number}. ")


def _step(place: Place, step: Step) -> Iterator[Line]:
    values = place.values
    title = fill_text(step.title, values)
    yield from (EMPTY, Line(f"Step {place.page + 1} of {len(place.lesson.steps)}: {title}", "head"), EMPTY)
    yield Line(fill_text(step.text, values), form="markdown")
    for each in step.reads:
        yield from (EMPTY, Line(f"In stacks/{each.file}, {each.block.partition('#')[0]}:"), code(each.excerpt))
        yield Line(fill_text(each.says, values), form="markdown")
        if each.became is not None:
            yield Line(f"Now: {describe_applied(each.became, place.world, values)[0]}.")
    yield EMPTY
    yield from command(place, step)
    if place.keeps_back:
        yield Line(f"What must hold within {step.bound:.0f} seconds is said once you have answered the question.")
    else:
        yield from must_hold(place, step)
    if place.state == "passed":
        yield Line("This step is done.", "good")
        yield from afterwards(place, step)


def must_hold(place: Place, step: Step) -> Iterator[Line]:
    """Yield what the step's checks ask for."""
    yield Line(f"Then this must hold, within {step.bound:.0f} seconds:")
    for number, check in enumerate(step.checks, 1):
        yield Line(fill_text(check.sentence, place.values), lead=f"{number}. ")


def _closing(place: Place) -> Iterator[Line]:
    lesson, values = place.lesson, place.values
    left = sum(place.state_of(step) != "passed" for step in lesson.steps)
    yield EMPTY
    if left:
        steps = count_of(len(lesson.steps), "step")
        yield Line(f"The end of the {place.kind}. {left} of {steps} are not done yet:", "head")
        yield from _steps(place)
        yield Line("p goes back to them.")
    else:
        yield Line(f"{lesson.title}: done. {count_of(len(lesson.steps), 'step')}, every check true.", "good")
    if rows := list_measured(lesson, place.world.lesson):
        yield from (EMPTY, Line("Requests under load:", "head"))
        for row in rows:
            yield Line(f"{row.title}: " + (f"you said {row.said}, " if row.said else "") + f"{row.words}.")
    if lesson.recap:
        yield from (EMPTY, Line("In short:", "head"))
        yield from (Line(fill_text(each, values), form="markdown") for each in lesson.recap)
    if lesson.terms:
        yield from (EMPTY, Line("Terms:", "head"))
        yield from (
            Line(f"{word}: {fill_text(meaning, values)}", form="markdown") for word, meaning in lesson.terms.items()
        )
    if lesson.quiz:
        yield from (EMPTY, Line(f"Check yourself: {count_of(len(lesson.quiz), 'question')}."))
    yield EMPTY
    yield from what_next(place)

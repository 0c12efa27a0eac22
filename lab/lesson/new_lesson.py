"""The lesson that an author begins with: small, of every part of the form, and proven."""

from __future__ import annotations

from lab.schema.yaml_scalars import resolve_core

_LESSON = r"""
# yaml-language-server: $schema=SCHEMA
id: NAME
title: TITLE
topics: [scalability]
minutes: 5
about: |
  A service declares how many of its **tasks** should run. You change that
  number twice: with a command that is given, and by yourself.
kubernetes: A service's replicas are what `replicas` is in a Deployment.
needs: {nodes: 1, managers: 1}
# The cluster as the first step finds it.
start:
  services:
    web:
      image: nginx:1.26
      replicas: 1

steps:
  - id: scale
    title: From one to three
    text: |
      The service `web` runs one task. Ask for three.
    question:
      name: guess
      text: How many tasks will be created?
      choices: [One, Two, Three]
      answer: Two
      because: |
        The task that runs stays. The managers create only what is missing.
    run: docker service scale web=3
    # Other commands that do the same.
    ways:
      - docker service update --replicas 3 web
    # False before the command, true after it.
    then:
      - running: {service: web, exactly: 3}
    bound: 120
    # `when` is matched against what a check finds while it is not true.
    hints:
      - when: (?P<task>web\.\d+) is (?P<state>\w+) on (?P<node>\S+)
        say: |
          `{{task}}` is {{state}} on {{node}}. A container needs some seconds
          to start.
      - when: there is no service web
        say: |
          The service is gone: press `r` to reset the cluster to the start of
          this step.
    after: |
      Two tasks were created. The first one ran on, untouched.
    notes:
      say: We change one number, and the managers do the rest.
      point_at: The two new tasks, on their way from *new* to *running*.
      while_it_runs: The scheduler spreads a service's tasks over the nodes.
      ask: On which nodes will the new tasks run?
      if_it_fails: '`docker service ps web` shows the error of each task.'
    # The changes to the cluster that the next step starts from.
    leaves:
      services:
        web: {replicas: 3}

  # Neither `run` nor `act`: the lab waits until the checks are true.
  - id: back
    title: Back to one
    text: |
      One task is enough again. Which command does it?
    solution: docker service scale web=1
    ways:
      - docker service update --replicas 1 web
    then:
      - service: {name: web, replicas: 1}
      - running: {service: web, exactly: 1}
    bound: 120
    hints:
      - when: wants (?P<count>\d+) replicas
        say: |
          The service still wants {{count}}. `docker service scale` changed
          that number before.
      - when: still stopping on (?P<node>\S+)
        say: |
          A task on {{node}} was told to stop. It has ten seconds to exit.
    after: |
      One task runs. The slots of the other two were removed, and
      `docker service ps web` no longer lists them.
    notes:
      say: Now it is your turn.
      point_at: The tasks that are shut down.
      ask: Which of the three will stay?
      if_it_fails: A task may take its ten seconds to exit. Wait for it.
    leaves:
      services:
        web: {replicas: 1}

recap:
  - A service declares a number of replicas; the managers make it so.
  - Scaling up creates tasks and scaling down removes them; others run on.
terms:
  replica: One of the tasks that a replicated service asks for.
  task: One container in one of the service's slots, such as `web.2`.
quiz:
  - ask: A service runs three tasks. What does `docker service scale web=4` do?
    choices:
      - It replaces all tasks by four new ones
      - It creates one more task
    answer: It creates one more task
    step: scale
    because: Tasks that run and are still wanted are left alone.
"""


def new_lesson(id: str, schema: str) -> str:
    """Return the text of a new lesson's file; `schema` is where yaml-language-server finds the editors' schema."""
    text = _LESSON.lstrip().replace("NAME", _scalar(id), 1)
    title = id.replace("-", " ").strip()
    # The place may contain any word: it is put in last.
    return text.replace("TITLE", _scalar(title[:1].upper() + title[1:]), 1).replace("SCHEMA", schema, 1)


def _scalar(text: str) -> str:
    """Return a text of letters, digits and spaces as YAML: one such as `true` or `42` needs quotes."""
    return text if isinstance(resolve_core(text, True), str) else f'"{text}"'

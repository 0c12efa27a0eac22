"""The faults that can be injected into a cluster's machines and their network, and their undoing: one row each.

The command line's `node`, the acts of lessons and their schema, and the texts for all of them use this table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab.cluster.link_faults import LinkFault
from lab.cluster.machine_faults import STATES, MachineFault
from lab.cluster.model import Cluster, Report
from lab.errors import InputError


@dataclass(frozen=True, slots=True)
class Argument:
    """What a fault takes besides the node: its name in the help; another node or process, or a whole number from
    `least` to `most` (0: it is no number) of a unit."""

    name: str
    unit: str = ""
    least: int = 1
    most: int = 0

    def check(self, text: str) -> None:
        """Raise InputError for a number that is none, or beyond the limits."""
        number = int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else None
        if self.most and (number is None or not self.least <= number <= self.most):
            raise InputError(
                f"{self.name} is a whole number, {self.least} to {self.most}{self.unit and f' {self.unit}'}, not {text}"
            )


PEER = Argument("PEER")
PORT = Argument("PORT", most=65_535)


Apply = Callable[[Cluster, tuple[str, ...], Report, bool], None]
"""What performs a fault: see `Fault`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault or its undoing. `{}` or `{0}` in a text is replaced by the node's name, `{1}` by what else it takes.

    `asks` says what will be done, `told` what was done, `state` the node's resulting state. `undo` is the verb that
    undoes the fault, "" for one that is itself an undoing. `apply` performs it on the node and what else it `takes`,
    idempotently, and may raise what the cluster's method raises; the bool says whether a fault of the network or inside
    the machine ends with this process.
    """

    asks: str
    told: str
    state: str
    undo: str
    apply: Apply
    takes: tuple[Argument, ...] = ()

    def read(self, target: str) -> tuple[str, ...]:
        """Return the words of a target, the node first. Raises InputError for too many, too few or a wrong one."""
        words = tuple(target.split())
        if len(words) != 1 + len(self.takes):
            takes = " ".join(["NODE", *(argument.name for argument in self.takes)])
            raise InputError(
                f"to {self.asks.format('a node', *(a.name for a in self.takes))} takes {takes}, not {target}"
            )
        for argument, word in zip(self.takes, words[1:], strict=True):
            argument.check(word)
        return words


def _link(make: Callable[[tuple[str, ...]], LinkFault]) -> Apply:
    """Return what applies a fault of a link."""
    return lambda cluster, words, _, held: cluster.break_link(make(words), held=held)


def _machine(make: Callable[[tuple[str, ...]], MachineFault]) -> Apply:
    """Return what applies a fault inside a machine."""
    return lambda cluster, words, _, held: cluster.break_machine(make(words), held=held)


FAULTS: Mapping[str, Fault] = {
    "stop": Fault(
        "power {} off",
        "the lab powered {} off",
        "{} is powered off",
        "start",
        lambda cluster, words, _, __: cluster.stop(words[0]),
    ),
    "start": Fault(
        "power {} on",
        "the lab powered {} on",
        "{} is back in the swarm",
        "",
        lambda cluster, words, report, _: cluster.start(words[0], report),
    ),
    "cut": Fault(
        "cut {} off the network",
        "the lab took {} off the nodes' network",
        "{} is off the nodes' network",
        "heal",
        lambda cluster, words, _, __: cluster.cut(words[0]),
    ),
    "partition": Fault(
        "cut the link between {0} and {1}",
        "the lab cut the link between {0} and {1}",
        "the link between {0} and {1} is cut",
        "heal",
        _link(lambda words: LinkFault(words[0], words[1], lost=1)),
        (PEER,),
    ),
    "silence": Fault(
        "drop what {0} sends to {1}",
        "the lab drops what {0} sends to {1}",
        "what {0} sends to {1} is dropped",
        "heal",
        _link(lambda words: LinkFault(words[0], words[1], one_way=True, lost=1)),
        (PEER,),
    ),
    "delay": Fault(
        "delay the frames of {0} by {1} ms",
        "the lab delays the frames of {0} by {1} ms",
        "the frames of {0} arrive {1} ms late, each way",
        "heal",
        _link(lambda words: LinkFault(words[0], delay=int(words[1]) / 1000)),
        (Argument("MS", "milliseconds", most=60_000),),
    ),
    "lose": Fault(
        "lose {1} percent of the frames of {0}",
        "the lab loses {1} percent of the frames of {0}",
        "{1} percent of the frames of {0} are lost, each way",
        "heal",
        _link(lambda words: LinkFault(words[0], lost=int(words[1]) / 100)),
        (Argument("PERCENT", "percent", most=100),),
    ),
    "block": Fault(
        "block port {1} of {0}",
        "the lab blocked port {1} of {0}",
        "port {1} of {0} is blocked, TCP and UDP, each way",
        "heal",
        _link(lambda words: LinkFault(words[0], lost=1, port=int(words[1]))),
        (PORT,),
    ),
    "fill": Fault(
        "fill the disk of {}",
        "the lab filled the disk of {}",
        STATES["fill"],
        "heal",
        _machine(lambda words: MachineFault(words[0], "fill")),
    ),
    "hang": Fault(
        "stop {1} on {0} with SIGSTOP",
        "the lab stopped {1} on {0} with SIGSTOP",
        STATES["hang"],
        "heal",
        _machine(lambda words: MachineFault(words[0], "hang", what=words[1])),
        (Argument("engine|SERVICE"),),
    ),
    "skew": Fault(
        "set the clock of {0} wrong by {1} min",
        "the lab set the clock of {0} wrong by {1} min",
        STATES["skew"],
        "heal",
        _machine(lambda words: MachineFault(words[0], "skew", minutes=int(words[1]))),
        (Argument("MINUTES", "minutes, ahead or (negative) behind", least=-500_000, most=500_000),),
    ),
    "heal": Fault(
        "end the faults of {} and of its network",
        "the lab ended the faults of {} and of its network",
        "{} is whole, and on the nodes' network",
        "",
        lambda cluster, words, report, _: cluster.heal(words[0], report),
    ),
}
"""The faults by the verb that the command line and lessons use."""


def apply_fault(cluster: Cluster, verb: str, target: str, report: Report, *, held: bool = False) -> None:
    """Inject a fault, or undo one. `target` is the node and what else the fault takes, in words; a `held` fault of the
    network ends with this process. Raises InputError for what this cluster cannot do, and what the cluster raises."""
    fault = FAULTS[verb]
    words = fault.read(target)
    if verb not in cluster.faults:
        raise InputError(
            f"a cluster of the provider {cluster.provider} cannot {fault.asks.format(*words)}",
            remedy=f"it can: {', '.join(sorted(cluster.faults)) or 'no fault'}",
        )
    fault.apply(cluster, words, report, held)

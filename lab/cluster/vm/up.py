"""`up` for the provider `vm`: from any state to a whole cluster. Run again after any interruption, it resumes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from lab import file_lock, files, paths
from lab.cluster import lab_paths, pki, swarm_init
from lab.cluster.docker_env import write_contexts
from lab.cluster.model import Images, Progress, Report, silent
from lab.cluster.provider import Consent
from lab.cluster.vm import acceleration, link_faults, machine_faults, ports, processes, requirements, state
from lab.cluster.vm.acceleration import Choice
from lab.cluster.vm.build import disk_cache, inputs, seed
from lab.cluster.vm.qemu import GATEWAY, HOST_ADDRESS, LOOPBACK, NAME_SERVER
from lab.cluster.vm.remove import remove
from lab.cluster.vm.snapshot import fits, recover, restore, store, up_template
from lab.cluster.vm.snapshot.store import Record
from lab.cluster.vm.state import LabState, NodeState
from lab.cluster.vm.vm_cluster import VmCluster, base_disk
from lab.engine.endpoint import Role
from lab.errors import InputError, LabError, MissingError

MEMORY = 1024
"""MiB per machine; measured: 130 of them are used when the engine runs nothing."""

SWARM_BOUND = 300.0
_TEMPLATE_BOUND = 90.0
_LAN = "10.77.0"
_HEARTBEAT = {"kvm": 5, "tcg": 10}
"""Seconds between the dispatcher's heartbeats. Emulated machines on a busy host may be too slow for 5 s."""


def up(
    name: str,
    nodes: int | None,
    report: Report,
    consent: Consent,
    images: Images | None = None,
    *,
    boot: bool = False,
) -> VmCluster:
    """Return the lab `name`, whole. A new one has by default 4 `nodes` and `images` from packages; an existing one
    keeps what it has. A new one is started from the template of its kind, if there is one and unless it is to `boot`;
    one that booted becomes the template. Raises LabError and its subclasses."""
    if (found := _find_existing(name)) is not None:
        _keeps(found, nodes, images)
    if found is not None and found.status().whole:
        report(Progress("swarm", "the swarm is whole", 1.0))
        return found
    requirements.require(consent, lambda text: report(Progress("packages", text, 0.0)))
    with file_lock.hold(lab_paths.lock_file(name), f"at work on the lab {name}"):
        found = _find_existing(name)
        if found is not None:
            _keeps(found, nodes, images)
            recover.recover(found, report)
            found = _on_this_machine(found)
            _make_whole(found, report)
        else:
            found = _make(name, nodes or 4, images or "packages", report, boot=boot)
    report(Progress("swarm", "the swarm is whole", 1.0))
    return found


def _make(name: str, count: int, images: Images, report: Report, *, boot: bool) -> VmCluster:
    cold = not disk_cache.is_ready(images)
    made, form = _decide_new(name, count, images, _scale_report(report, 0.0, 0.6 if cold else 0.0), boot=boot)
    lab, rest = VmCluster(made), _scale_report(report, 0.6 if cold else 0.0, 1.0)
    if form is not None and _start_from(form, lab, rest):
        return lab
    _make_whole(lab, rest)
    try:
        up_template.make(lab, rest)
    except LabError as error:  # The cluster is whole: the next one boots, as this one did.
        rest(Progress("template", f"no template was saved: {error.sentence}", 1.0))
    return lab


def _start_from(form: tuple[Path, Record], lab: VmCluster, report: Report) -> bool:
    """Start a new lab from a template; return False when that failed, and it is to boot."""
    folder, record = form
    report(Progress("machines", "starting the machines from the template", 0.0))
    try:
        restore.restore(lab, folder, record, _scale_report(report, 0.0, 0.6))
        swarm_init.wait_until_whole(
            lab.endpoints(), bound=_TEMPLATE_BOUND, say=_say_swarm(_scale_report(report, 0.6, 1.0))
        )
    except LabError as error:
        report(Progress("machines", f"the template did not start, and is deleted: {error.sentence}", 0.0))
        for node in lab.state.nodes:
            processes.power_off(lab.home / node.name, node.identity)
            files.delete(lab.home / node.name / "disk.qcow2")
        files.delete(lab.home / state.RESTORING)
        files.delete(folder)
        return False
    return True


def _make_whole(lab: VmCluster, report: Report) -> None:
    _boot(lab, _scale_report(report, 0.0, 0.7))
    heartbeat = _HEARTBEAT[lab.state.acceleration]
    say = _say_swarm(_scale_report(report, 0.7, 1.0))
    swarm_init.form_swarm(lab.endpoints(), heartbeat=heartbeat, bound=SWARM_BOUND, say=say)


def _say_swarm(report: Report) -> swarm_init.Say:
    def say(text: str, share: float) -> None:
        report(Progress("swarm", text, share))

    return say


def _find_existing(name: str) -> VmCluster | None:
    try:
        return VmCluster(state.load_state(name))
    except MissingError:
        return None


def _keeps(found: VmCluster, nodes: int | None, images: Images | None) -> None:
    have, again = len(found.state.nodes), "swarmlab down, then swarmlab up"
    if nodes is not None and nodes != have:
        raise InputError(
            f"the lab {found.name} has {have} nodes, which cannot be changed", remedy=f"{again} --nodes {nodes}"
        )
    if images is not None and images != found.images:
        raise InputError(
            f"the lab {found.name} was created with --images {found.images}, which cannot be changed",
            remedy=f"{again} --images {images}",
        )


def managers_of(count: int) -> int:
    """Return how many of `count` nodes are managers: three tolerate the loss of one. Raises InputError for 0 or more
    than 7."""
    if not 1 <= count <= 7:
        raise InputError(f"a lab has 1 to 7 nodes, not {count}")
    return 3 if count >= 4 else 1


def _decide_new(
    name: str, count: int, images: Images, report: Report, *, boot: bool
) -> tuple[LabState, tuple[Path, Record] | None]:
    """Decide everything about a new lab and save it, before anything of it runs; return it, and its template."""
    managers = managers_of(count)
    disk = disk_cache.ensure_disk(report, images)
    folder = paths.cache() / disk
    choice = acceleration.choose(folder / "vmlinuz", folder / "initrd")
    report(Progress("machines", choice.note or "hardware virtualisation works", 1.0))
    key = fits.machines_key(disk, count, choice.acceleration, MEMORY, outward=images == "official")
    form = None if boot else up_template.find(key)
    if not boot and up_template.is_too_old(key):
        age = store.LONGEST_LIFE.days
        report(Progress("machines", f"the template is older than {age} days, and its certificates may have ended", 1.0))
    home = lab_paths.lab_folder(name)
    remove(name, silent)
    home.mkdir(mode=0o700)
    files.write_private(home / state.MARK, b"swarmlab made this folder: swarmlab down deletes it\n")
    with file_lock.hold(paths.state() / "ports.lock", "choosing ports", bound=30):
        block = ports.allocate(count, _others_ports(name))
        nodes = tuple(
            _node(number, "manager" if number <= managers else "worker", block) for number in range(1, count + 1)
        )
        if form is not None:
            up_template.write_keys(form[0], home, [node.name for node in nodes])
        else:
            keys = pki.make_keys(name, [(node.name, node.lan_address) for node in nodes])
            _write_keys(home, keys, nodes, images)
        engines = {node.name: f"tcp://{LOOPBACK}:{node.engine}" for node in nodes}
        write_contexts(home / "docker", engines, home / "tls")
        made = LabState(
            version=state.VERSION,
            name=name,
            provider="vm",
            created=datetime.now(UTC),
            acceleration=choice.acceleration,
            note=choice.note,
            disk=disk,
            images=images,
            memory=MEMORY,
            first_port=block.first,
            switch=str(uuid.uuid4()),
            nodes=nodes,
        )
        state.save_state(made)
    return made, form


def _others_ports(name: str) -> list[int]:
    others = (other for other in lab_paths.lab_names() if other != name)
    return [state.load_state(other).first_port for other in others]


def _node(number: int, role: Role, block: ports.Block) -> NodeState:
    return NodeState(
        name=f"node{number}",
        number=number,
        role=role,
        identity=str(uuid.uuid4()),
        lan_address=f"{_LAN}.{10 + number}",
        engine=block.engine(number),
        published=block.published_ports(number),
    )


def node_settings(node: NodeState, images: Images) -> Mapping[str, str]:
    """Return a machine's settings as shell variables. With a GATEWAY it can reach registries; without one it uses the
    images in its own store."""
    outward = {"GATEWAY": GATEWAY, "NAME_SERVER": NAME_SERVER} if images == "official" else {}
    return {
        "NODE": node.name,
        "TASK": "node",
        "MODULES": " ".join(inputs.MODULES),
        "HOST_ADDRESS": f"{HOST_ADDRESS}/24",
        "LAN_ADDRESS": f"{node.lan_address}/24",
        **outward,
    }


def _write_keys(home: Path, keys: pki.Keys, nodes: Sequence[NodeState], images: Images) -> None:
    tls = home / "tls"
    files.write_private(tls / "ca.pem", keys.authority)
    files.write_private(tls / "cert.pem", keys.client.certificate)
    files.write_private(tls / "key.pem", keys.client.key)
    hosts = "127.0.0.1 localhost\n" + "".join(f"{node.lan_address} {node.name}\n" for node in nodes)
    for node in nodes:
        (home / node.name).mkdir(mode=0o700)
        pair = keys.servers[node.name]
        own = {
            "ca.pem": keys.authority,
            "cert.pem": pair.certificate,
            "key.pem": pair.key,
            "hosts": hosts.encode(),
        }
        seed.write(home / node.name / "settings.tar", node_settings(node, images), own)


def _on_this_machine(found: VmCluster) -> VmCluster:
    """Give a lab that is entirely powered off the acceleration that this machine supports now, perhaps after a move or
    an update."""
    if any(found.is_running(node) for node in found.state.nodes):
        return found
    folder = base_disk(found.state.disk).parent
    choice = acceleration.choose(folder / "vmlinuz", folder / "initrd")
    if choice == Choice(found.state.acceleration, found.state.note):
        return found
    changed = found.state.model_copy(update={"acceleration": choice.acceleration, "note": choice.note})
    state.save_state(changed)
    return VmCluster(changed)


def _boot(found: VmCluster, report: Report) -> None:
    link_faults.write_links(found.home, ())
    machine_faults.mend(found.home)
    for node in found.state.nodes:
        folder = found.home / node.name
        if found.is_running(node) and processes.is_cut(folder):
            processes.set_cut(folder, off=False)
    found.boot(found.state.nodes, report)


def _scale_report(report: Report, low: float, high: float) -> Report:
    """Return a report for a part of the work, from `low` to `high` of the whole."""

    def part(progress: Progress) -> None:
        done = None if progress.done is None else low + (high - low) * progress.done
        report(Progress(progress.stage, progress.text, done))

    return part

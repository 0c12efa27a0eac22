"""hypothesis strategies for what is at the edge: any world, however odd, for the views that draw it."""

from __future__ import annotations

from hypothesis import strategies as st

from lab.world.entries import AcmeTold, CertificateSeen, Entry, Fact, LoadReport, RoutesSeen, SwarmChanged, TrafficSeen
from lab.world.swarm import FileReference, Node, Port, Service, ServiceSpec
from lab.world.traefik import Balancer, Certificate, EntryPoint, Middleware, Router, Traffic
from lab.world.world import World, fold_all
from tests.strategies import facts, in_time, named, tasks

texts = st.text(max_size=14) | st.sampled_from(["app@swarm", "app", "web", "node1", "漢字かな", "a\nb", "x" * 80])
names = st.sampled_from(["a.localhost", "b.localhost", "名前", ""])
keys = st.sampled_from(
    [
        "traefik.enable", "traefik.http.routers.app.rule", "traefik.http.routers.app.middlewares", "traefik.port",
        "traefik.http.services.app.loadbalancer.server.port", "traefik.tcp.routers.t.rule", "traefik.http.router.x.y",
        "traefik.http.routers.app.entrypoints", "traefik..", "other",
    ]
)  # fmt: skip
values = st.sampled_from(["true", "false", "Host(`a.localhost`)", "Host('b')", "HostSNI(`*`)", "80", "("]) | texts
clocks = st.floats(-1e10, 1e13) | st.just(0.0)
few = st.integers(0, 3)


def _several(one: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(one, max_size=3).map(tuple)


networks = _several(st.sampled_from(["xid1", "xid2", "w3"]))
services = st.builds(
    Service,
    id=st.integers(0, 7).map("sid{}".format),
    name=texts,
    spec=st.builds(
        ServiceSpec,
        image=st.sampled_from(["traefik:3.7", "a/traefik@sha256:0", "pebble", "nginx", ""]),
        labels=st.dictionaries(keys, values, max_size=6),
        networks=networks,
        ports=_several(st.builds(Port, st.integers(0, 65535), few)),
        secrets=_several(st.builds(FileReference, texts, texts)),
        configs=_several(st.builds(FileReference, texts, texts)),
    ),
    desired=few,
)
certificates = st.builds(
    Certificate, texts, texts, texts, _several(texts), texts, texts, clocks, clocks, chain=_several(texts)
)
nodes = st.builds(
    Node, st.integers(0, 9).map("id{}".format), texts, st.just("manager"), st.sampled_from(["ready", "down"])
)
routes = st.builds(
    RoutesSeen,
    state=st.sampled_from(["live", "live", "none", "unreachable", "refused", "unreadable"]),
    why=texts,
    entrypoints=_several(st.builds(EntryPoint, texts, texts)),
    routers=_several(
        st.builds(
            Router, texts, st.sampled_from(["http", "tcp"]), texts, texts, _several(texts), _several(texts),
            status=texts, errors=_several(texts), tls=st.booleans(), resolver=texts,
        )
    ),
    balancers=_several(
        st.builds(Balancer, texts, st.just("http"), _several(st.tuples(texts, texts)), texts, _several(texts))
    ),
    middlewares=_several(st.builds(Middleware, texts, st.just("http"), texts, texts, _several(texts))),
    certificates=_several(certificates),
)  # fmt: skip
verdicts = st.sampled_from(
    ["good", "default", "self-signed", "untrusted", "expired", "early", "wrong-name", "unreachable", "unreadable"]
)
swarms = st.builds(
    SwarmChanged,
    by=st.just("node1"),
    nodes=_several(nodes),
    services=_several(services),
    tasks=_several(tasks),
    named=_several(named),
)
edge_facts: st.SearchStrategy[Fact] = (
    swarms
    | st.builds(CertificateSeen, names, texts, verdicts, texts, clocks, st.none() | certificates)
    | st.builds(
        AcmeTold,
        _several(names),
        st.sampled_from(["ordering", "proving", "issued", "renewing", "failed"]),
        texts,
    )
    | routes
    | st.builds(TrafficSeen, _several(st.builds(Traffic, texts, good=few, bad=few)))
    | st.builds(LoadReport, st.booleans(), st.floats(0, 1e6), texts, st.floats(0, 10), few, few, few)
)


def _world(entries: tuple[Entry, ...]) -> World:
    return fold_all(entries)


worlds = st.lists(st.tuples(st.floats(0, 20), edge_facts | facts), max_size=14).map(in_time).map(_world)

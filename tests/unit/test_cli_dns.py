"""swarmlab dns: served until it is ended, asked by name, and what it refuses."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from lab.cli import main
from lab.cli.dns import read_addresses, serve
from lab.cli.out import Out
from lab.cluster import api, edge_settings
from lab.dns.client import resolve
from lab.dns.server import LOOPBACK, NameServer
from lab.engine.endpoint import Endpoint
from lab.errors import InputError, LabError
from lab.world.dns import AddressRecord
from tests.doubles.cluster import DoubleCluster
from tests.doubles.engine import InstantSwarm

BOUND, HOST = 60.0, "node-app.localhost"
NODES = tuple(Endpoint(f"node{n}", "manager", "tcp://127.0.0.1:1", lan_address=f"10.77.0.1{n}") for n in (1, 2))


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DoubleCluster:
    """A cluster without engines, whose name server has a port that is free."""
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path))
    free = NameServer(0, lambda query: None)
    free.close()
    made = DoubleCluster(InstantSwarm(), [])
    monkeypatch.setattr(DoubleCluster, "dns_port", free.port)
    monkeypatch.setattr(DoubleCluster, "endpoints", lambda self: NODES)
    monkeypatch.setattr(api, "find", lambda name: made)
    return made


def test_it_serves_until_it_is_ended_and_is_asked_by_name(
    cluster: DoubleCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    ended, served = threading.Event(), threading.Event()

    class Told(Out):
        def say(self, text: str = "") -> None:
            super().say(text)
            served.set()

    settings = edge_settings.read_settings(cluster)
    thread = threading.Thread(target=serve, args=(cluster, settings, Told(), ended))
    thread.start()
    try:
        assert served.wait(BOUND)
        assert main(["dns", "node-app"]) == 0
        assert set(resolve(HOST, (LOOPBACK, cluster.dns_port), BOUND).addresses) == {"10.77.0.11", "10.77.0.12"}
        assert main(["dns", f"{HOST}.", "--json"]) == 0
        with pytest.raises(LabError, match="is taken"):
            serve(cluster, settings, Out(), ended)
    finally:
        ended.set()
        thread.join(BOUND)
    said = capsys.readouterr().out
    assert f"-p {cluster.dns_port} {HOST}" in said
    assert f"{HOST}. 10 IN A 10.77.0.12      ; node2" in said
    found = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    assert (found["name"], found["ttl"], len(found["answers"])) == (HOST, 10.0, 2)


def test_when_nobody_serves_it_says_who_does(cluster: DoubleCluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dns", "node-app"]) == 1
    assert "swarmlab dns" in capsys.readouterr().err


def test_what_is_for_route_53_needs_its_zone(cluster: DoubleCluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dns", "--address", "node1=8.8.8.8"]) == 2
    assert "--route53" in capsys.readouterr().err


def test_only_public_addresses_are_published() -> None:
    assert read_addresses(["node1=8.8.8.8"]) == [AddressRecord("node1", "8.8.8.8")]
    for wrong in ("node1", "=8.8.8.8", "node1=10.77.0.11", "node1=x", "node1=::1", "node1=127.0.0.1"):
        with pytest.raises(InputError):
            read_addresses([wrong])


def test_names_are_published_in_route_53_and_removed_again(
    cluster: DoubleCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("SWARMLAB_DOMAIN", "example.org")
    with mock_aws():
        amazon = boto3.client("route53")
        zone = amazon.create_hosted_zone(Name="example.org", CallerReference="a test")["HostedZone"]["Id"]
        published = ["dns", "--route53", zone, "--address", "node1=8.8.8.8", "--address", "node2=8.8.4.4", "--json"]
        assert main(published) == 0
        assert json.loads(capsys.readouterr().out)["nodes"] == {"node1": True, "node2": True}
        found = amazon.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        assert {each["Name"] for each in found if each["Type"] == "A"} >= {"node-app.example.org."}
        assert main(["dns", "--route53", zone]) == 0
        assert "node2        healthy" in capsys.readouterr().out
        assert main(["dns", "--route53", zone, "--remove"]) == 0
        assert amazon.list_health_checks()["HealthChecks"] == []
        assert main(["dns", "--route53", zone]) == 0
        assert "Nothing is published" in capsys.readouterr().out

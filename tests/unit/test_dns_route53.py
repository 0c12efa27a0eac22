"""Route 53 behind the interface of the lab's own zone, on moto in the place of Amazon."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from lab.dns.hosted_zone import HostedZone
from lab.dns.local_zone import LocalZone
from lab.dns.route53 import Route53Zone
from lab.dns.zone import Zone
from lab.errors import LabError
from lab.world.dns import AddressRecord
from lab.world.health import Health

pytestmark = pytest.mark.costly

HOST = "node-app.example.org"
NODES = tuple(AddressRecord(f"node{n}", f"203.0.113.{n}") for n in (1, 2, 3))
ZONE = Zone("example.org", (HOST, "traefik.example.org"), NODES)


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import boto3  # slow to import: not before one of these tests runs
    from moto import mock_aws  # slow to import: not before one of these tests runs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("route53")


@pytest.fixture
def zone_id(amazon: Any) -> str:
    return str(amazon.create_hosted_zone(Name="example.org", CallerReference="a test")["HostedZone"]["Id"])


def records(amazon: Any, zone_id: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = amazon.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    return {(each["Name"], each["SetIdentifier"]): each for each in found if "SetIdentifier" in each}


def checks(amazon: Any) -> dict[str, dict[str, Any]]:
    return {each["Id"]: each["HealthCheckConfig"] for each in amazon.list_health_checks()["HealthChecks"]}


def test_every_name_gets_a_record_a_node_and_every_node_one_check(amazon: Any, zone_id: str) -> None:
    Route53Zone(zone_id, HOST, client=amazon).publish(ZONE)
    found = records(amazon, zone_id)
    assert found.keys() == {(f"{name}.", f"swarmlab-node{n}") for name in ZONE.names for n in (1, 2, 3)}
    assert all(each["MultiValueAnswer"] and each["TTL"] == ZONE.ttl for each in found.values())
    asked = checks(amazon)
    assert sorted(each["IPAddress"] for each in asked.values()) == [record.address for record in NODES]
    for (_, node), each in found.items():
        config = asked[each["HealthCheckId"]]
        assert each["ResourceRecords"] == [{"Value": config["IPAddress"]}], node
        assert (config["Type"], config["RequestInterval"], config["FailureThreshold"]) == ("HTTPS", 10, 3)
        assert config["FullyQualifiedDomainName"] == HOST


def test_published_again_only_what_differs_changes(amazon: Any, zone_id: str) -> None:
    zone = Route53Zone(zone_id, HOST, client=amazon)
    zone.publish(ZONE)
    before = checks(amazon)
    zone.publish(ZONE)
    assert checks(amazon) == before
    moved = AddressRecord("node3", "203.0.113.33")
    zone.publish(Zone("example.org", (HOST,), (NODES[0], moved)))
    found = records(amazon, zone_id)
    assert found.keys() == {(f"{HOST}.", "swarmlab-node1"), (f"{HOST}.", "swarmlab-node3")}
    assert sorted(each["IPAddress"] for each in checks(amazon).values()) == ["203.0.113.1", "203.0.113.33"]


def test_what_is_withdrawn_is_gone_and_what_others_made_stays(amazon: Any, zone_id: str) -> None:
    other = {"Name": "mail.example.org.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "203.0.113.99"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": other}]}
    amazon.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)
    zone = Route53Zone(zone_id, HOST, client=amazon)
    zone.publish(ZONE)
    zone.withdraw()
    zone.withdraw()
    assert records(amazon, zone_id) == {} and checks(amazon) == {}
    left = amazon.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    assert "mail.example.org." in {each["Name"] for each in left}


def test_a_zone_that_is_not_there_is_told_in_a_sentence(amazon: Any) -> None:
    with pytest.raises(LabError, match=r"Route 53: .*NoSuchHostedZone"):
        Route53Zone("ZNOTTHERE", HOST, client=amazon).publish(ZONE)


@pytest.mark.parametrize("where", ["here", "Route 53"])
def test_both_places_judge_a_new_node_as_healthy_and_forget_it_when_it_is_withdrawn(
    where: str, amazon: Any, zone_id: str
) -> None:
    zone: HostedZone = Route53Zone(zone_id, HOST, client=amazon) if where == "Route 53" else LocalZone(0, lambda: {})
    zone.publish(ZONE)
    assert zone.health() == {"node1": True, "node2": True, "node3": True}
    zone.withdraw()
    assert zone.health() == {}


def test_the_share_of_checkers_that_say_so_decides(amazon: Any, zone_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = Route53Zone(zone_id, HOST, client=amazon)
    zone.publish(ZONE)

    def told(good: int, bad: int) -> dict[str, bool]:
        words = ["Success: HTTP Status Code 200, OK"] * good + ["Failure: Connection refused"] * bad
        seen = {"HealthCheckObservations": [{"StatusReport": {"Status": each}} for each in words]}
        monkeypatch.setattr(amazon, "get_health_check_status", lambda HealthCheckId: seen)
        return dict(zone.health())

    assert set(told(2, 9).values()) == {True}, "2 of 11 are more than 18 %"
    assert set(told(9, 41).values()) == {False}, "9 of 50 are exactly 18 %"
    assert set(told(0, 0).values()) == {True}, "until there is data"


def test_the_lab_judges_by_its_own_checks() -> None:
    zone = LocalZone(0, lambda: {"node2": Health(healthy=False)})
    zone.publish(ZONE)
    assert zone.health() == {"node1": True, "node2": False, "node3": True}
    zone.withdraw()


def test_nothing_of_amazon_is_imported_unless_it_is_asked_for() -> None:
    import subprocess
    import sys

    code = "import sys, lab.cli.parser, lab.session.live, lab.watch.dns.source; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ}, timeout=120).returncode == 0

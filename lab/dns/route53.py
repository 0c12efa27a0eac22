"""A zone in Amazon's Route 53: multivalue answer records, each with a health check of its node.

Facts: docs.aws.amazon.com/Route53/latest, "Multivalue answer routing" and the API's HealthCheckConfig. Credentials and
the region are boto3's own business. A health check costs money as long as it exists; `withdraw` deletes them all.
Amazon's checkers reach public addresses only.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lab.dns.zone import Zone
from lab.errors import LabError
from lab.world.dns import AddressRecord
from lab.world.health import INTERVALS, THRESHOLD

_OURS = "swarmlab-"
"""How the identifiers of the lab's record sets begin."""
_ENOUGH = 0.18
"""An endpoint is healthy when more than this share of the checkers says so."""
_CHANGES = 500
"""Record sets in one request, well below the API's limit."""

_Raw = dict[str, Any]


class Route53Zone:
    """`lab.dns.hosted_zone.HostedZone` in the hosted zone with this id. The checks ask for `host` by HTTPS."""

    def __init__(self, zone_id: str, host: str, *, interval: int = INTERVALS[0], client: Any = None) -> None:
        self._id, self._host, self._interval = zone_id, host, interval
        try:
            self._client = client or boto3.client("route53")
        except BotoCoreError as error:
            raise LabError(f"Route 53: {error}", remedy="aws configure") from error

    def publish(self, zone: Zone) -> None:
        """See `HostedZone.publish`."""
        with _Told():
            before = list(self._ours())
            checks = self._checks_of(before)
            made = {record: checks.get(record.address) or self._check(record) for record in zone.records}
            wanted = [self._record_set(zone, name, record, made[record]) for name in zone.names for record in made]
            keys = {_key(each) for each in wanted}
            self._change("DELETE", [each for each in before if _key(each) not in keys])
            self._change("UPSERT", wanted)
            self._delete_checks({each["HealthCheckId"] for each in before} - set(made.values()))

    def health(self) -> Mapping[str, bool]:
        """See `HostedZone.health`."""
        with _Told():
            checks = {each["SetIdentifier"].removeprefix(_OURS): each["HealthCheckId"] for each in self._ours()}
            return {node: self._is_healthy(check) for node, check in sorted(checks.items())}

    def withdraw(self) -> None:
        """See `HostedZone.withdraw`."""
        with _Told():
            before = list(self._ours())
            self._change("DELETE", before)
            self._delete_checks({each["HealthCheckId"] for each in before})

    def _ours(self) -> Iterator[_Raw]:
        """Yield the zone's record sets that the lab made."""
        pages = self._client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=self._id)
        for page in pages:
            yield from (e for e in page["ResourceRecordSets"] if e.get("SetIdentifier", "").startswith(_OURS))

    def _checks_of(self, sets: Iterable[_Raw]) -> dict[str, str]:
        """Return the health checks that can stay as they are, by the address that they ask."""
        found: dict[str, str] = {}
        for check in {each["HealthCheckId"] for each in sets}:
            config = self._client.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckConfig"]
            if self._config(config.get("IPAddress", "")).items() <= config.items():
                found[config["IPAddress"]] = check
        return found

    def _config(self, address: str) -> _Raw:
        return {
            "IPAddress": address,
            "Port": 443,
            "Type": "HTTPS",
            "ResourcePath": "/",
            "FullyQualifiedDomainName": self._host,
            "RequestInterval": self._interval,
            "FailureThreshold": THRESHOLD,
            "EnableSNI": True,
        }

    def _check(self, record: AddressRecord) -> str:
        # A reference is never free again, not even when its health check is deleted.
        made = self._client.create_health_check(
            CallerReference=f"{_OURS}{uuid.uuid4()}", HealthCheckConfig=self._config(record.address)
        )["HealthCheck"]
        name = [{"Key": "Name", "Value": f"{_OURS}{record.node}"}]
        self._client.change_tags_for_resource(ResourceType="healthcheck", ResourceId=made["Id"], AddTags=name)
        return str(made["Id"])

    def _record_set(self, zone: Zone, name: str, record: AddressRecord, check: str) -> _Raw:
        return {
            "Name": f"{name}.",
            "Type": "A",
            "SetIdentifier": f"{_OURS}{record.node}",
            "MultiValueAnswer": True,
            "TTL": zone.ttl,
            "ResourceRecords": [{"Value": record.address}],
            "HealthCheckId": check,
        }

    def _change(self, action: str, sets: list[_Raw]) -> None:
        for first in range(0, len(sets), _CHANGES):
            changes = [{"Action": action, "ResourceRecordSet": each} for each in sets[first : first + _CHANGES]]
            self._client.change_resource_record_sets(HostedZoneId=self._id, ChangeBatch={"Changes": changes})

    def _delete_checks(self, checks: Iterable[str]) -> None:
        for check in sorted(checks):
            self._client.delete_health_check(HealthCheckId=check)

    def _is_healthy(self, check: str) -> bool:
        """Return whether enough checkers say so; a check that none has made yet is healthy."""
        seen = self._client.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        good = sum(each["StatusReport"]["Status"].startswith("Success") for each in seen)
        return not seen or good / len(seen) > _ENOUGH


def _key(record_set: _Raw) -> tuple[str, str]:
    return record_set["Name"], record_set["SetIdentifier"]


class _Told:
    """A block in which what Amazon's library raises becomes a LabError."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BotoCoreError | ClientError):
            raise LabError(f"Route 53: {error}") from error

#!/bin/sh
# An alarm before a certificate ends. It reads Traefik's metrics, and exits with
# 1 when a certificate has fewer than so many seconds left, or when there is no
# certificate at all.
#
#   curl -s ... https://traefik.example.org/metrics \
#     | sh stacks/observe/certificates-left.sh 900
#
# The number of seconds has to be smaller than what is left when Traefik renews
# (edge.yaml, ACME_HOURS): then it exits with 1 only if a renewal has failed.
awk -v now="$(date +%s)" -v least="${1:?how many seconds}" '
  $1 ~ /^traefik_tls_certs_not_after/ {
    count++
    left = $NF - now
    if (left < least) {
      printf "%d s left: %s\n", left, $1
      soon++
    }
  }
  END {
    if (!count) print "no certificate in the metrics"
    else
      printf "%d of %d certificates have less than %d s left\n",
        soon, count, least
    exit soon || !count
  }'

#!/bin/sh
# An alarm before a certificate expires. It reads Traefik's metrics on standard
# input, and exits with 1 when a certificate has fewer seconds left than given,
# or when there is no certificate at all.
#
#   curl -s ... https://traefik.example.org/metrics \
#     | sh stacks/observe/certificates-left.sh 900
#
# Take fewer seconds than are left when Traefik renews (edge.yaml, ACME_HOURS):
# then it exits with 1 only if a renewal has failed, or nothing can be read.
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

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
#
# After a renewal the line of the old certificate stays until Traefik restarts
# (traefik#8606). So of those with the same names, the last to expire counts.
awk -v now="$(date +%s)" -v least="${1:?how many seconds}" '
  $1 ~ /^traefik_tls_certs_not_after/ {
    names = $1
    sub(/.*sans="/, "", names)
    sub(/".*/, "", names)
    if (!(names in end)) count++
    else if ($NF <= end[names]) next
    end[names] = $NF
    line[names] = $1
  }
  END {
    for (names in end) {
      left = end[names] - now
      if (left < least) {
        printf "%d s left: %s\n", left, line[names]
        soon++
      }
    }
    if (!count) print "no certificate in the metrics"
    else
      printf "%d of %d certificates have less than %d s left\n",
        soon, count, least
    exit soon || !count
  }'

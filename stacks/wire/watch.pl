# Watches for some seconds what this machine gets from the other nodes, and
# counts: packets of VXLAN, packets of ESP, and how many of them hold a text.
#
#   docker run --rm --interactive --network host nginx:1.26 \
#     perl - SECONDS TEXT <stacks/wire/watch.pl
use strict;
use warnings;

my ($seconds, $text) = @ARGV;
my ($AF_PACKET, $SOCK_RAW, $EVERY_PROTOCOL) = (17, 3, 0x0300);
my ($UDP, $ESP, $VXLAN) = (17, 50, 4789);
my $end = time + $seconds;

socket(my $wire, $AF_PACKET, $SOCK_RAW, $EVERY_PROTOCOL) or die "no raw socket: $!\n";
my (%packets, %readable);
while ((my $left = $end - time) > 0) {
  my $ready = "";
  vec($ready, fileno($wire), 1) = 1;
  next unless select($ready, undef, undef, $left) > 0;
  recv($wire, my $frame, 65535, 0);
  # Ethernet's header has 14 bytes; only IPv4 is looked into.
  next unless length($frame) > 38 && unpack("n", substr($frame, 12, 2)) == 0x0800;
  my $protocol = unpack("C", substr($frame, 23, 1));
  my $port = unpack("n", substr($frame, 14 + 4 * (ord(substr($frame, 14, 1)) & 15) + 2, 2));
  my $kind = $protocol == $ESP ? "ESP" : $protocol == $UDP && $port == $VXLAN ? "VXLAN" : next;
  $packets{$kind}++;
  $readable{$kind}++ if index($frame, $text) >= 0;
}
for my $kind ("VXLAN", "ESP") {
  printf "%-6s %d packets, %d with the text\n", $kind, $packets{$kind} // 0, $readable{$kind} // 0;
}

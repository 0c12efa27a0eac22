"""The provider `vm`: QEMU machines from Debian packages."""

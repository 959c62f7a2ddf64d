#!/usr/bin/env bash
# Installs the Debian packages that some test suites and benchmarks run against. Starts and enables no service.
set -eu
PACKAGES="g++ make python3 postfix dovecot-core dovecot-imapd dovecot-lmtpd nats-server chromium pflogsumm lnav zstd xz-utils bzip2 time iproute2 logrotate systemd-journal-remote bsdutils openssl"
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "not root or not Debian; as root, run:"
  echo "  apt-get update && apt-get install --no-install-recommends -y $PACKAGES"
  exit 0
fi
missing=""
for p in $PACKAGES; do dpkg -s "$p" >/dev/null 2>&1 || missing="$missing $p"; done
[ -n "$missing" ] || { echo "all packages are installed"; exit 0; }
# A policy-rc.d that answers 101 keeps package scripts from starting services.
policy=/usr/sbin/policy-rc.d
made=""
if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy; chmod 755 $policy; made=yes; fi
trap '[ -z "$made" ] || rm -f $policy' EXIT
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $missing
for unit in postfix dovecot nats-server; do
  [ ! -d /run/systemd/system ] || systemctl disable --now "$unit" >/dev/null 2>&1 || true
done

#!/bin/bash
# Makes the namespace a server's: addresses, a disk of its own, configuration. Run inside of it, as root: prepare.sh SITE LAB
set -euo pipefail
site=$1 lab=$2
ip link set lo up
for net in 198.18.0.0/15 203.0.113.0/24 198.51.100.0/24 192.0.2.0/24; do ip route add local "$net" dev lo; done
ip addr add 192.0.2.10/32 dev lo
sysctl -qw net.ipv4.ip_local_port_range="20000 60999"
hostname mail.nordhav.example

mount -t tmpfs tmpfs /run
mkdir -p /run/dovecot /run/rspamd /run/postgrey /run/lock
mount -t tmpfs tmpfs "$lab"
mkdir -p "$lab"/{disk,dev,log,postfix,dovecot,rspamd,lib}
# One small disk for queue and mailboxes, which can be full.
mount -t tmpfs -o size=64m tmpfs "$lab/disk"
mkdir -p "$lab/disk/vmail" /var/vmail
cp -a /var/spool/postfix "$lab/disk/spool"
mount --bind "$lab/disk/spool" /var/spool/postfix
mount --bind "$lab/disk/vmail" /var/vmail
chown 5000:5000 /var/vmail

# Its own /dev, so that what is logged goes to its own rsyslogd.
for node in null zero random urandom tty; do touch "$lab/dev/$node"; mount --bind "/dev/$node" "$lab/dev/$node"; done
mkdir "$lab/dev/shm"; mount -t tmpfs tmpfs "$lab/dev/shm"
ln -s /proc/self/fd "$lab/dev/fd"
mount --rbind "$lab/dev" /dev

for part in postfix dovecot rspamd; do cp -a "/etc/$part/." "$lab/$part/"; mount --bind "$lab/$part" "/etc/$part"; done
for state in postfix rspamd postgrey; do
  mkdir -p "/var/lib/$state" "$lab/lib/$state"; cp -a "/var/lib/$state/." "$lab/lib/$state/"
  mount --bind "$lab/lib/$state" "/var/lib/$state"
done
chown postfix "$lab/lib/postfix"; chown _rspamd: "$lab/lib/rspamd" /run/rspamd; chown postgrey: "$lab/lib/postgrey"
cp "$site/main.cf" "$site/master.cf" "$site/virtual" /etc/postfix/
cp "$site/dovecot.conf" /etc/dovecot/
cp "$site"/rspamd/* /etc/rspamd/local.d/
printf 'nameserver 192.0.2.53\n' > "$lab/resolv"; mount --bind "$lab/resolv" /etc/resolv.conf
printf '127.0.0.1 localhost\n192.0.2.10 mail.nordhav.example mail\n' > "$lab/hosts"; mount --bind "$lab/hosts" /etc/hosts
printf 'root finn.olsen@nordhav.example\npostmaster root\n' > "$lab/aliases"; touch /etc/aliases; mount --bind "$lab/aliases" /etc/aliases

cd "$lab"
openssl req -x509 -newkey rsa:2048 -nodes -days 900 -subj /CN=lab -keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=mail.nordhav.example -addext subjectAltName=DNS:mail.nordhav.example,DNS:\*.example \
  -keyout key.pem -out mail.csr 2>/dev/null
openssl x509 -req -in mail.csr -CA ca.pem -CAkey ca.key -copy_extensions copy -days 800 -out cert.pem 2>/dev/null
openssl req -x509 -key key.pem -days 900 -subj /CN=mx.example -out own.pem 2>/dev/null

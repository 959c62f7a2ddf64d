#!/bin/bash
# Starts what the server runs, inside its namespace: start.sh LAB
set -euo pipefail
lab=$1
cat > "$lab/rsyslog.conf" <<R
module(load="imuxsock" SysSock.Name="/dev/log" SysSock.RateLimit.Interval="0")
template(name="raw" type="string" string="%timegenerated:::date-rfc3339% %syslogtag%%msg%\n")
global(maxMessageSize="16k")
action(type="omfile" file="$lab/log/raw" template="raw")
R
rsyslogd -f "$lab/rsyslog.conf" -i "$lab/rsyslog.pid"
for _ in $(seq 50); do [ -S /dev/log ] && break; sleep 0.1; done
rspamd -u _rspamd -g _rspamd
cat > "$lab/postgrey.sh" <<P
#!/bin/bash
# A hundred times faster, so that five minutes of greylisting pass in three seconds and are written as five minutes.
export FAKETIME='+0 x100' LD_PRELOAD=$(echo /usr/lib/*/faketime/libfaketime.so.1)
exec postgrey --inet=127.0.0.1:10023 --delay=300 --dbdir=/var/lib/postgrey --pidfile=$lab/postgrey.pid --user=postgrey --group=postgrey -d
P
chmod +x "$lab/postgrey.sh"
"$lab/postgrey.sh"
dovecot -c /etc/dovecot/dovecot.conf
postfix start 2>/dev/null
for port in 127.0.0.1/11332 127.0.0.1/10023 192.0.2.10/25 192.0.2.10/993; do
  for n in $(seq 400); do (exec 3<>"/dev/tcp/$port") 2>/dev/null && break; sleep 0.1; [ "$n" -lt 400 ] || { echo "port $port is closed" >&2; exit 1; }; done
done

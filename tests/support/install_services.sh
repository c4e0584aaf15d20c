#!/usr/bin/env bash
# Makes sure that the programs are there which the tests start by themselves: RabbitMQ, PostgreSQL, Node.js and promtool.
#
# Missing ones are installed with apt-get when this runs as root on Debian or Ubuntu; otherwise it says what to install.
# Nothing is started or left enabled: every test starts its own private node on a free port, and a system service on the
# default port would only be in the way.
set -euo pipefail

policy=/usr/sbin/policy-rc.d # Debian's hook that may forbid packages to start their services

have_rabbitmq() { command -v rabbitmq-server >/dev/null || [ -x /usr/sbin/rabbitmq-server ]; }
have_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
have_node() { command -v node >/dev/null && command -v npm >/dev/null; }
have_promtool() { command -v promtool >/dev/null; }

missing() {
  have_rabbitmq || echo rabbitmq-server
  have_postgres || echo postgresql
  have_node || printf '%s\n' nodejs npm
  have_promtool || echo prometheus
}

mapfile -t packages < <(missing)
if [ "${#packages[@]}" -eq 0 ]; then
  echo "services: RabbitMQ, PostgreSQL, Node.js and promtool are installed"
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  {
    echo "The tests need programs that are not installed. Install what your system calls: ${packages[*]}"
    echo "(on Debian or Ubuntu: sudo apt-get install --no-install-recommends ${packages[*]}), then run this again."
  } >&2
  exit 1
fi

echo "services: installing ${packages[*]} (a few minutes, once)"
log=$(mktemp)
made_policy=
clean_up() {
  rm -f "$log"
  [ -z "$made_policy" ] || rm -f "$policy"
}
trap clean_up EXIT
if [ ! -e "$policy" ]; then
  made_policy=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -q -y -o DPkg::Lock::Timeout=300)
if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${packages[@]}"; } </dev/null >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  exit 1
fi
for package in "${packages[@]}"; do
  case $package in rabbitmq-server | postgresql | prometheus) update-rc.d "$package" disable ;; esac
done
if [[ " ${packages[*]} " == *" rabbitmq-server "* ]] && command -v systemctl >/dev/null; then
  systemctl --quiet disable epmd.service epmd.socket # Erlang's port mapper, which a node starts when it needs it
fi

mapfile -t packages < <(missing)
if [ "${#packages[@]}" -ne 0 ]; then
  echo "still missing after the installation: ${packages[*]}" >&2
  exit 1
fi
echo "services: installed"

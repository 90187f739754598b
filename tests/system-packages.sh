#!/bin/sh
# Checks for the programs in system-packages.txt and installs what is missing, as root with apt.
set -eu
list="$(dirname "$0")/system-packages.txt"
missing=""
found() {
    command -v "$1" >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/"$1" >/dev/null 2>&1
}
while read -r program package _; do
    case "$program" in "#"* | "") continue ;; esac
    found "$program" || missing="$missing $package"
done <"$list"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing$missing"
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    exit 0
fi
echo "the tests need programs that are not here; run this line, then make test again:" >&2
echo "  sudo apt-get install$missing" >&2
exit 1

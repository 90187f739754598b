#!/bin/sh
# Checks for what a list names (tests/system-packages.txt, or the file given) and installs what is
# missing, as root with apt. A name is a program, a shared library (lib*.so*) or a whole path.
set -eu
list="${1:-$(dirname "$0")/system-packages.txt}"
missing=""
found() {
    case "$1" in
    /*) test -e "$1" ;;
    lib*.so*) PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -q "[[:space:]]$1 " ;;
    *) PATH="$PATH:/usr/sbin" command -v "$1" || ls /usr/lib/postgresql/*/bin/"$1" ;;
    esac >/dev/null 2>&1
}
while read -r program package _; do
    case "$program" in "#"* | "") continue ;; esac
    found "$program" && continue
    case "$missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac
done <"$list"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing$missing"
    apt-get update -qq
    code=0
    for package in $missing; do # one that is not to be had does not keep the others away
        DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "$package" >/dev/null || code=1
    done
    exit $code
fi
echo "programs are needed that are not here; run this line, then the same make again:" >&2
echo "  sudo apt-get install$missing" >&2
exit 1

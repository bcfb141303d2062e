#!/usr/bin/env bash
# Installs what Gapscope is built from, on Debian 12, and says nothing when all of it is there.
#   install_dependencies.sh [build|test|bundle]     test adds what only the tests need, bundle what packaging/bundle.sh does
set -euo pipefail

packages=(g++ cmake ninja-build ccache pkg-config git python3 python3-venv ca-certificates
    qt6-base-dev qt6-svg-dev libqcustomplot-dev libgl-dev
    libsentencepiece-dev libsqlite3-dev libcli11-dev libsimdjson-dev libre2-dev libexpected-dev libgtest-dev
    zlib1g-dev libzstd-dev
    fonts-dejavu-core)
if [ "${1:-build}" = test ]; then
    packages+=(xvfb xauth xdotool x11-utils imagemagick sqlite3 desktop-file-utils appstream)
elif [ "${1:-build}" = bundle ]; then
    packages+=(patchelf xz-utils)
fi

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
finish() {
    if [ "${1:-build}" = test ]; then "$(dirname "$0")/export_readers.sh"; fi
}
if [ ${#missing[@]} -eq 0 ]; then
    finish "$@"
    exit 0
fi

if ! command -v apt-get >/dev/null; then
    echo "Gapscope builds on Debian 12. Install by hand: ${missing[*]}" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Run this as root once, to install: ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "Installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
finish "$@"

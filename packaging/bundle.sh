#!/usr/bin/env bash
# Packs built programs into one tree that runs from any folder, on any Linux whose glibc is as new as this one's:
#   bundle.sh OUT.tar.xz [PROGRAM...]        default programs: build/bin/gapscope build/bin/gapscope-cli
#
#   bin/       what a person starts       libexec/   the Qt programs themselves, with their qt.conf
#   lib/       libraries                  plugins/   Qt's: display by X11 or none, SVG, input methods
#   fonts/     for machines without any   share/     built-in model, examples, licences
#
# Left to the target: glibc, and libstdc++ and libgcc_s, which a system with that glibc has as new as ours or newer; older
# copies of those two beside newer display drivers are what breaks bundles. NVIDIA's libraries are found at run time.
# Needs patchelf (install_dependencies.sh bundle). Ends by starting what it packed with an empty environment.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,3s/^# \{0,1\}//p' "$0"; exit 2; }
out=$(realpath -m "$1")
shift
source=$(realpath "$(dirname "$0")/..")
programs=("$@")
[ $# -gt 0 ] || programs=("$source/build/bin/gapscope" "$source/build/bin/gapscope-cli")
for tool in patchelf qmake6 xz; do
    command -v "$tool" >/dev/null && continue
    echo "bundle: $tool is missing; packaging/install_dependencies.sh bundle installs it." >&2
    exit 1
done
for program in "${programs[@]}"; do
    [ -x "$program" ] || { echo "bundle: there is no program $program; build it first." >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/gapscope
mkdir -p "$tree"/{bin,libexec,lib,fonts,share/gapscope,share/licences}

readonly left_out='^(ld-linux-.*|linux-vdso|lib(c|m|dl|rt|pthread|resolv|util|mvec|stdc\+\+|gcc_s|cuda|nvidia-.*))\.so'

take_licence() {  # of the Debian package that FILE came from
    local package
    package=$(dpkg -S "$1" 2>/dev/null || dpkg -S "/usr$1" 2>/dev/null || true)
    package=${package%%:*}
    if [ -n "$package" ]; then cp -Ln "/usr/share/doc/$package/copyright" "$tree/share/licences/$package" || true; fi
}

# Copies what FILE needs, all the way down; fails if this machine lacks some of it.
take_libraries() {
    local name path missing=""
    while read -r name _ path _; do
        [[ $name =~ $left_out || $name == /* ]] && continue
        if [[ $path != /* ]]; then missing+=" $name"; continue; fi
        [ -e "$tree/lib/$name" ] && continue
        cp -L "$path" "$tree/lib/$name"
        take_licence "$path"
    done < <(ldd "$1")
    [ -z "$missing" ] || { echo "bundle: $1 needs$missing, which this machine lacks." >&2; return 1; }
}

readonly run_path='$ORIGIN/../lib'  # as DT_RPATH, which holds for plugins and the libraries of libraries too
for program in "${programs[@]}"; do
    name=$(basename "$program")
    take_libraries "$program"
    if ldd "$program" | grep -q libQt6Gui; then
        installed=$tree/libexec/$name
        cat >"$tree/bin/$name" <<LAUNCHER
#!/bin/sh
# The bundle's fonts are there beside the system's, or instead of them.
here=\$(dirname "\$(readlink -f "\$0")")
export FONTCONFIG_FILE="\${FONTCONFIG_FILE:-\$here/../fonts/fonts.conf}"
exec "\$here/../libexec/$name" "\$@"
LAUNCHER
        chmod 755 "$tree/bin/$name"
    else
        installed=$tree/bin/$name
    fi
    cp "$program" "$installed"
    strip --strip-unneeded "$installed"
    patchelf --force-rpath --set-rpath "$run_path" "$installed"
done

if [ -n "$(ls "$tree/libexec")" ]; then
    plugins=$(qmake6 -query QT_INSTALL_PLUGINS)
    for plugin in platforms/libqoffscreen.so platforms/libqxcb.so imageformats/libqsvg.so iconengines/libqsvgicon.so \
        platforminputcontexts/libcomposeplatforminputcontextplugin.so \
        platforminputcontexts/libibusplatforminputcontextplugin.so; do
        if [ ! -f "$plugins/$plugin" ] || ! take_libraries "$plugins/$plugin"; then
            echo "bundle: Qt's plugin $plugin is left out." >&2
            continue
        fi
        mkdir -p "$tree/plugins/$(dirname "$plugin")"
        cp -L "$plugins/$plugin" "$tree/plugins/$plugin"
        take_licence "$plugins/$plugin"
    done
    printf '[Paths]\nPrefix = ..\nPlugins = plugins\n' >"$tree/libexec/qt.conf"
    for font in DejaVuSans DejaVuSans-Bold DejaVuSansMono; do
        cp "/usr/share/fonts/truetype/dejavu/$font.ttf" "$tree/fonts/"
    done
    take_licence /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
    cat >"$tree/fonts/fonts.conf" <<'FONTS'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">.</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
FONTS
fi
find "$tree/lib" "$tree/plugins" -name '*.so*' -exec strip --strip-unneeded {} + 2>/dev/null || true
cp "$source"/resources/*.gguf "$source"/resources/*.gapscope.gz "$tree/share/gapscope/"
cp "$source/LICENSE" "$source/README.md" "$tree/"

mkdir -p "$(dirname "$out")"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -c gapscope | xz -9e -T0 >"$out"

# From another folder, with nothing of this machine's environment.
elsewhere=$work/else\ where
mkdir -p "$elsewhere/home"
tar -C "$elsewhere" -xJf "$out"
clean=(env -i "HOME=$elsewhere/home" PATH=/usr/bin:/bin QT_QPA_PLATFORM=offscreen GAPSCOPE_NO_ANIMATION=1)
strangers() {  # of the libraries named on stdin, those that are neither in the tree nor left out on purpose
    while read -r path; do
        [[ $path == "$elsewhere/gapscope/"* || $(basename "$path") =~ $left_out ]] || echo "$path"
    done
}
for program in "$elsewhere"/gapscope/bin/*; do
    [ ! -e "$elsewhere/gapscope/libexec/$(basename "$program")" ] || program=$elsewhere/gapscope/libexec/$(basename "$program")
    foreign=$("${clean[@]}" ldd "$program" | sed -n 's/.*=> \(.*\) (.*/\1/p; /not found/p' | strangers | xargs -r)
    [ -z "$foreign" ] || { echo "bundle: $program takes from outside: $foreign" >&2; exit 1; }
done
if [ -e "$elsewhere/gapscope/bin/gapscope" ]; then
    cp -r "$elsewhere/gapscope" "$elsewhere/moved"
    "${clean[@]}" "$elsewhere/moved/bin/gapscope" --version
    gunzip -c "$elsewhere/moved/share/gapscope/example-eager.gapscope.gz" >"$elsewhere/example.gapscope"
    rm -rf "$elsewhere/moved"
    "${clean[@]}" LD_DEBUG=libs timeout 120 "$elsewhere/gapscope/bin/gapscope" --size 1600x900 \
        --screenshot "$elsewhere/example.png" "$elsewhere/example.gapscope" 2>"$elsewhere/log"
    # The launcher's own shell and tools count as the system's.
    foreign=$(sed -n '/libexec/,$s/.*calling init: //p' "$elsewhere/log" | strangers | sort -u | xargs -r)
    [ -z "$foreign" ] || { echo "bundle: gapscope loads from outside: $foreign" >&2; exit 1; }
    [ -s "$elsewhere/example.png" ] || { echo "bundle: gapscope drew nothing." >&2; exit 1; }
fi
echo "$out: $(stat -c %s "$out") bytes, $(du -sb "$tree" | cut -f1) unpacked, $(ls "$tree/lib" | wc -l) libraries"

#!/bin/sh
# Unpacks qemu-user and, with `cross`, a Rust and C cross compiler for aarch64 from Debian's packages
# into DIR. Installs nothing: apt keeps its lists and archives below DIR, dpkg only unpacks there.
#   usage: cross-tools.sh DIR qemu|cross
# Leaves DIR/qemu-x86_64, DIR/qemu-aarch64 and, for `cross`, DIR/rustc and DIR/cc. Each step leaves a mark
# when it is done, so that another call takes no time. Needs apt, amd64, and about 900 MB for `cross`.
set -eu

folder=$(mkdir -p "$1" && cd "$1" && pwd)
wanted=$2
cd "$folder"
mkdir -p apt/lists/partial apt/cache/archives/partial root

cat > apt/apt.conf <<END
APT::Architecture "amd64";
APT::Architectures {"amd64";"arm64";};
Dir::State::lists "$folder/apt/lists";
Dir::Cache "$folder/apt/cache";
END
[ "$(id -u)" != 0 ] || echo 'APT::Sandbox::User "root";' >> apt/apt.conf
export APT_CONFIG="$folder/apt/apt.conf"

# unpack MARK PACKAGE...
unpack() {
    mark=$1
    shift
    [ ! -e "$mark.done" ] || return 0
    apt-get -qq download "$@"
    for package in *.deb; do
        dpkg -x "$package" root
        rm "$package"
    done
    touch "$mark.done"
}

# script NAME: a script that is wholly there or not at all, from standard input
script() {
    cat > "$1.new"
    chmod +x "$1.new"
    mv "$1.new" "$1"
}

if [ ! -e "$wanted.done" ]; then
    # An index that cannot be reached leaves the others; what is missing then is said by `download`.
    apt-get -qq update || true
fi

unpack qemu qemu-user-static
for machine in x86_64 aarch64; do
    ln -sf "root/usr/bin/qemu-$machine-static" "qemu-$machine"
done
[ "$wanted" = cross ] || exit 0

if [ ! -e cross.done ]; then
    # rustc-web is Debian's newest Rust (browsers need it); its libraries carry versions in their names.
    needs() { apt-cache depends "$1" | sed -n "s/^ *Depends: \($2\)\$/\1/p"; }
    # The sanitizers and the like, which take most of the space, are of no use here.
    linker=$(apt-get install -s gcc-aarch64-linux-gnu | awk '/^Inst/ { print $2 }' | grep -vE 'san|gomp|itm')
    # shellcheck disable=SC2046,SC2086
    unpack cross rustc-web libstd-rust-web-dev:amd64 libstd-rust-web-dev:arm64 \
        $(needs libstd-rust-web-dev 'libstd-rust-web-[0-9.]*') \
        $(needs "$(needs libstd-rust-web-dev 'libstd-rust-web-[0-9.]*')" 'libllvm[0-9]*') libz3-4 $linker
fi

root=$folder/root
libraries=$root/usr/lib/x86_64-linux-gnu
for llvm in "$root"/usr/lib/llvm-*/lib; do libraries=$libraries:$llvm; done
gcc=$(ls "$root/usr/lib/gcc-cross/aarch64-linux-gnu")
gcc_folder=$root/usr/lib/gcc-cross/aarch64-linux-gnu/$gcc
c_folder=$root/usr/aarch64-linux-gnu

script rustc <<END
#!/bin/sh
LD_LIBRARY_PATH=$libraries exec $root/usr/bin/rustc "\$@"
END
script cc <<END
#!/bin/sh
export LD_LIBRARY_PATH=$libraries
exec $root/usr/bin/aarch64-linux-gnu-gcc-$gcc --sysroot=$root -B$gcc_folder -B$c_folder/lib -L$gcc_folder -L$c_folder/lib -isystem $c_folder/include "\$@"
END

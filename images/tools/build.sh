#!/bin/sh
# Gathers /image/.berth: programs of Debian with every library they need and their own loader, so that they run in
# any image of this architecture. An RPATH (not RUNPATH) wins over the image's LD_LIBRARY_PATH and ld.so.cache.
set -eu

PREFIX=/.berth
TREE=/image$PREFIX
PYTHON=python3.11
LOADER=$(patchelf --print-interpreter /usr/bin/env)

mkdir -p "$TREE/bin" "$TREE/lib" "$TREE/libexec" "$TREE/busybox" "$TREE/fallback"

# Programs. sshd starts itself again by the path it was started with, so it stays one file.
install -m 755 /usr/sbin/sshd /usr/bin/ssh-keygen "$TREE/bin/"
install -m 755 /usr/lib/openssh/sftp-server "$TREE/libexec/"
install -m 755 /usr/bin/tini-static "$TREE/bin/tini"
install -m 755 "/usr/bin/$PYTHON" "$TREE/bin/python3"
# For a Docker daemon inside a workspace whose own root lacks CAP_SYS_RESOURCE.
install -m 755 /src/runc-nosysres.sh "$TREE/libexec/runc-nosysres"
# For the end of a user's PATH, where the image has none of its own.
install -m 755 /usr/bin/rsync /usr/bin/scp "$TREE/fallback/"

install -m 755 /tmp/busybox/bin/busybox "$TREE/bin/busybox"
for applet in $("$TREE/bin/busybox" --list); do
  # busybox finds an applet by the name it is called with; the links are relative, so the tree can be moved.
  [ "$applet" = busybox ] || ln -s ../bin/busybox "$TREE/busybox/$applet"
done

# Python's standard library, without what needs a screen, a compiler or a data base.
STDLIB=$TREE/lib/$PYTHON
cp -a "/usr/lib/$PYTHON" "$STDLIB"
( cd "$STDLIB"
  rm -rf __pycache__ config-* curses dbm distutils ensurepip idlelib lib2to3 msilib pydoc_data site-packages \
    dist-packages sqlite3 test tkinter turtle.py turtledemo unittest venv wsgiref xmlrpc _distutils* pydoc.py \
    sitecustomize.py EXTERNALLY-MANAGED LICENSE.txt
  cd lib-dynload
  rm -f _codecs_* _crypt* _curses* _dbm* _gdbm* _sqlite3* _test* _tkinter* _ctypes_test* _xx* xx* nis* readline* ossaudiodev* )
"/usr/bin/$PYTHON" -m compileall -q -b -j 0 "$STDLIB"
find "$STDLIB" \( -name '*.py' -o -name __pycache__ \) -prune -exec rm -rf {} +

# Libraries: what ldd names for every ELF file, with the loader.
elf_files() { find "$TREE/bin" "$TREE/libexec" "$TREE/fallback" "$STDLIB/lib-dynload" -type f ! -name runc-nosysres; }
elf_files | while read -r file; do
  { ldd "$file" 2>/dev/null || true; } | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p'
done | sort -u | while read -r library; do cp -L "$library" "$TREE/lib/"; done
cp -L "$LOADER" "$TREE/lib/"
INTERPRETER=$PREFIX/lib/$(basename "$LOADER")

{ elf_files; find "$TREE/lib" -maxdepth 1 -name '*.so*' ! -name 'ld-linux*' ! -name 'libc.so*'; } | while read -r file; do
  if patchelf --print-interpreter "$file" >/dev/null 2>&1; then patchelf --set-interpreter "$INTERPRETER" "$file"; fi
  if ldd "$file" >/dev/null 2>&1; then patchelf --set-rpath "$PREFIX/lib" --force-rpath "$file"; fi
done

install -m 644 /src/VERSION "$TREE/VERSION"

# What the image needs to run by itself: a user, a /tmp. A container that mounts only /.berth never sees these.
mkdir -p /image/etc /image/tmp /image/root /image/run
chmod 1777 /image/tmp
echo 'root:x:0:0:root:/root:/.berth/busybox/sh' >/image/etc/passwd
echo 'root:x:0:' >/image/etc/group

# The build fails here rather than the first workspace.
ln -s "$TREE" "$PREFIX"
"$PREFIX/bin/python3" -c 'import asyncio, base64, ctypes, errno, fcntl, hashlib, json, os, selectors, shutil, socket, stat, struct, subprocess, tarfile, zlib'
"$PREFIX/bin/sshd" -V 2>&1 | grep -q OpenSSH
"$PREFIX/fallback/rsync" --version >/dev/null
"$PREFIX/bin/tini" --version >/dev/null

#!/bin/sh
# Gathers what Debian has for a guest into the directory $1: the kernel, its modules with their index, and a static
# busybox. Packages are fetched and unpacked, not installed, so this needs neither root nor a container. With --version
# it only prints the version of the kernel that there is.
set -eu

OUT=$1
ARCH=$(dpkg --print-architecture)
# What has no use in a virtual machine of ours, by far the larger part of the modules.
UNUSED='infiniband scsi/[a-uw-z]* hid comedi target nvme ata nvdimm hv xen vfio thermal platform iio gpu usb hwmon i2c
  gpio input/joystick net/ethernet net/hyperv net/fjes net/vmxnet3 net/xen* net/mdio net/phy pinctrl power edac'

say() { echo "$*" >&2; }
fetch() {
  (cd "$work" && apt-get download -q "$1" >&2) || {
    say "Debian's package $1 could not be fetched. Its lists may be missing: apt-get update."
    exit 1
  }
}

# The package without a version depends on the newest kernel.
kernel=$(apt-cache depends --important "linux-image-cloud-$ARCH" | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
[ -n "$kernel" ] || { say "There is no package linux-image-cloud-$ARCH here."; exit 1; }
version=${kernel#linux-image-}
if [ "$OUT" = --version ]; then echo "$version"; exit; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

fetch "$kernel"
fetch busybox-static
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/tree"; done

mkdir -p "$OUT"
# Under usr/lib in newer packages.
modules=$(echo "$work"/tree/lib/modules/"$version" "$work"/tree/usr/lib/modules/"$version" | tr ' ' '\n' | while read -r d; do
  [ ! -d "$d/kernel" ] || echo "$d"
done)
for folder in $UNUSED; do rm -rf "$modules"/kernel/drivers/$folder; done
rm -rf "$modules"/kernel/sound "$modules"/kernel/arch/*/kvm

install -m 755 "$work/tree/bin/busybox" "$OUT/busybox"
install -m 644 "$work/tree/boot/vmlinuz-$version" "$OUT/vmlinuz"
mkdir -p "$OUT/modules/lib/modules"
cp -a "$modules" "$OUT/modules/lib/modules/$version"
"$OUT/busybox" depmod -b "$OUT/modules" "$version"
echo "$version" >"$OUT/kernel-version"

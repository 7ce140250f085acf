# Two builds of one release at two places, with the same keys, time and device HSM output: the same
# SB3.1, the same manifest, the same package but for the log's proof that the OEM recorded it.
. "$(dirname "$0")/lib.sh"
export SOURCE_DATE_EPOCH=1795000000
oem_workspace "$T/a"
sim_start desk --count 1 --seed 1
mfgpkg create -c "$T/a/release.yaml" -p "$T/desk/ttyMCX0" -o "$T/a.mfgpkg" -q
mkdir "$T/b"
cp -r "$T"/a/*.yaml "$T"/a/program.blhost "$T/a/firmware" "$T/a/keys" "$T/b/"
sim_stop desk
sim_start desk --count 1 --seed 1 # the same part with the same random numbers gives the same answers
mfgpkg create -c "$T/b/release.yaml" -p "$T/desk/ttyMCX0" -o "$T/b.mfgpkg" -q
cmp "$T/a/build/provisioning.sb3" "$T/b/build/provisioning.sb3" || fail "the device HSM gave something else"
for p in a b; do mkdir "$T/$p.d"; unzip -q "$T/$p.mfgpkg" -d "$T/$p.d"; done
for f in manifest.json SHA256SUMS sb/image.sb3 sb/provisioning.sb3 scripts/program.blhost; do
	cmp "$T/a.d/$f" "$T/b.d/$f" || fail "$f differs"
done
diff -rq "$T/a.d" "$T/b.d" >"$T/differ" || true
! grep -v 'provenance' "$T/differ" || fail "more than the provenance differs"
echo "same but for: $(cat "$T/differ")"

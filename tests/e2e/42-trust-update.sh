#!/bin/bash
# 42-trust-update - keys of a station changed from afar: added, revoked, threshold raised; and the same
# update too weak, edited, replayed. Then k of n with the station's own threshold.
. "$(dirname "$0")/lib.sh"
oem_workspace "$T/oem"
cd "$T"
S="--state $T/state"
for k in first second third; do mfgpkg keys generate --type package -o $k.key --no-passphrase -q; done
id() { head -1 "$1.pub" | grep -o '[0-9A-F]*$' | tr A-F a-f; }

cp first.key oem/keys/package.key; cp first.pub oem/keys/package.pub
oem_package "$T/oem" "$T/a.mfgpkg"
runner station init $S --name line3.example >/dev/null
runner trust add $S first.pub >/dev/null

step "before: the first key alone is trusted"
expect 0 '' runner verify $S a.mfgpkg

step "an update by a stranger, by too few, edited: refused, nothing changes"
mfgpkg trust update -P second.pub third.pub --threshold 2 --version 1 -s second.key third.key -o u1.json -q
expect 3 'keys trusted now: none of the 2 signatures is by a trusted key' runner trust import $S u1.json
rm u1.json*
mfgpkg trust update -P second.pub third.pub --threshold 2 --version 1 -s first.key second.key -o u1.json -q
expect 3 'keys of the update: 1 of 2 approvals' runner trust import $S u1.json
expect 0 '' mfgpkg trust approve u1.json -s third.key
cp u1.json good.json
sed -i 's/"threshold":2/"threshold":1/' u1.json
expect 3 'does not verify' runner trust import $S u1.json
cp good.json u1.json
expect 0 "$(id first)" runner trust list $S
expect 0 '' runner verify $S a.mfgpkg

step "complete it is taken: the first key is revoked, two of two are wanted"
expect 0 '' runner trust import $S u1.json
runner trust list $S >list.out
grep -qi "$(id second)" list.out && grep -qi "$(id third)" list.out || { cat list.out >&2; fail "new keys are not listed"; }
! grep -qi "$(id first)" list.out || { cat list.out >&2; fail "the revoked key is still trusted"; }
expect 3 'signed by the unknown key' runner verify $S a.mfgpkg

step "replayed: refused"
expect 3 'replayed or out of order' runner trust import $S u1.json

step "the package needs both new keys now, though its manifest asks for one"
expect 0 '' mfgpkg approve a.mfgpkg -s second.key
expect 3 "1 of 2 approvals \(the trusted keys' threshold\)" runner verify $S a.mfgpkg
expect 0 '' mfgpkg approve a.mfgpkg -s third.key
expect 0 '' runner verify $S a.mfgpkg

step "by hand at the station: remove, add; the threshold never exceeds the keys"
expect 2 'must have signed: without this key that is impossible' runner trust remove $S "$(id third)"
expect 2 'no trusted key has the id 0123456789abcdef' runner trust remove $S 0123456789abcdef
expect 2 'threshold 3: 1 to 2' runner trust add $S second.pub --threshold 3
expect 0 '2 keys, 1 of them' runner trust add $S second.pub --threshold 1
expect 0 '1 key, 1 of them' runner trust remove $S "$(id third)"
expect 0 '' runner verify $S a.mfgpkg
expect 0 '0 keys' runner trust remove $S "$(id second)"
expect 3 'trusts no OEM key yet' runner verify $S a.mfgpkg
# what was removed and added by hand does not make an old update new
expect 0 '' runner trust add $S second.pub third.pub --threshold 2
expect 3 'replayed or out of order' runner trust import $S u1.json
echo "trust update: ok"

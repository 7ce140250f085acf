#!/usr/bin/env python3
"""The checker of the campaign must see each violation: a good history, and one change at a time."""

import copy
import unittest

from check import Facts, check, check_events

IMAGE, A, B = "ab" * 32, "aa" * 16, "bb" * 16
SB = {"status": 0, "kind": "provisioning", "blocks": 5}
OEM = {"status": 0, "kind": "oem", "blocks": 18}
CUT = {"status": 10002, "kind": "oem", "blocks": 0}


def attempt(leaves, uuid, n=1, result="pass", reason=None):
    """The leaves of one attempt, as the runner writes them."""
    begin = len(leaves)

    def add(kind, **members):
        leaves.append(dict(seq=len(leaves), kind=kind, uuid=uuid, **members))
        return len(leaves) - 1

    add("device-begin", attempt=n)
    intent = add("intent", begin=begin, why="irreversible", step=1)
    add("step", begin=begin, stage="provision", intent=intent, result="ok")
    add("step", begin=begin, stage="program", intent=None, result="ok")
    intent = add("intent", begin=begin, why="attestation", step=4)
    receipt = add("attestation", begin=begin, intent=intent, result="ok")
    add("device-end", begin=begin, result=result, reason=reason, lifecycle="in-field",
        attestation=receipt)


def device(**change):
    d = dict(lifecycle="in-field", image_sha256=IMAGE, boot="application", key_blob_present=True,
             sb_accepted=[SB, OEM], sb_refused=[])
    d.update(change)
    return d


class Checker(unittest.TestCase):
    def setUp(self):
        self.leaves = [dict(seq=0, kind="genesis"), dict(seq=1, kind="package")]
        attempt(self.leaves, A)
        attempt(self.leaves, B)
        self.devices = {A: device(), B: device()}
        self.facts = Facts(IMAGE, 2, cold=True, must_pass={A, B}, recovered=True)

    def seen(self, pattern):
        self.assertRegex("\n".join(check(self.leaves, self.devices, self.facts)), pattern)

    def leaf(self, kind, uuid=A):
        return next(l for l in self.leaves if l["kind"] == kind and l.get("uuid") == uuid)

    def cut(self, leaf):
        """Take one leaf out; the others keep their meaning."""
        gone = leaf["seq"]
        self.leaves = [l for l in self.leaves if l is not leaf]
        for l in self.leaves:
            for k in ("seq", "begin", "intent", "attestation"):
                if l.get(k) is not None and l[k] > gone:
                    l[k] -= 1

    def test_good(self):
        self.assertEqual(check(self.leaves, self.devices, self.facts), [])

    def test_device_without_leaves(self):
        self.leaves = self.leaves[:9]
        self.seen("bb: got a file, and the log does not know it")
        self.seen("bb: is done, and no intent tells of it")

    def test_key_without_intent(self):
        self.cut(self.leaf("intent"))
        self.leaf("step")["intent"] = None
        self.seen("aa: got 1 provisioning files, 0 were announced")
        self.seen("aa: holds the OEM's key without an intent")

    def test_provisioned_twice(self):
        self.devices[A]["sb_accepted"] = [SB, SB, OEM]
        self.seen("aa: got 2 provisioning files, 1 were announced")
        self.seen("aa: took the provisioning file 2 times")

    def test_image_behind_the_log(self):
        self.devices[B]["sb_refused"] = [OEM]
        self.seen("bb: got 2 image files, the log tells of 1")

    def test_files_behind_the_log(self):
        self.devices[B]["sb_refused"] = [CUT]
        self.seen("bb: got 3 files, the log tells of 2")

    def test_passed_twice(self):
        attempt(self.leaves, A, 2)
        self.seen("aa: passed 2 times")
        self.seen("aa: begun at 16 after it had passed")

    def test_false_pass(self):
        for change in (dict(lifecycle="develop"), dict(image_sha256=None), dict(boot="isp"),
                       dict(boot="refused: image")):
            self.devices[A] = device(**change)
            self.seen("aa: passed, and is")

    def test_false_fail(self):
        self.leaf("device-end").update(result="fail", reason="S02 no answer")
        self.seen("aa: nothing was wrong with it, and it did not pass")
        self.seen("aa: could be finished, and was not")

    def test_passed_ghost(self):
        del self.devices[B]
        self.seen("bb: passed, and there is no such device")

    def test_no_receipt(self):
        self.leaf("attestation")["result"] = "invalid"
        self.seen("aa: passed without a receipt")

    def test_intent_without_outcome(self):
        self.cut(self.leaf("step"))
        self.seen("aa: intent 3 has no outcome")
        self.leaf("device-end").update(result="interrupted", reason="crash")
        self.facts.must_pass, self.facts.recovered = set(), False
        self.assertEqual(check(self.leaves, self.devices, self.facts), [])

    def test_no_end(self):
        self.leaves = self.leaves[:-1]
        self.facts.must_pass, self.facts.recovered = set(), False
        self.seen("bb: attempt 9 has no end")
        self.facts.settled = False
        self.assertEqual(check(self.leaves, self.devices, self.facts), [])

    def test_two_outcomes(self):
        self.leaves.insert(5, dict(self.leaf("step"), seq=5))
        self.seen("aa: intent 3 has two outcomes")

    def test_leaf_of_nobody(self):
        self.leaf("step")["begin"] = 9
        self.seen("aa: step 4 belongs to no open attempt")

    def test_wrong_attempt(self):
        self.leaf("device-begin", B)["attempt"] = 3
        self.seen("bb: attempt 3 at 9, 1 wanted")

    def test_missing_leaf(self):
        del self.leaves[1]
        self.seen("leaf 1 says it is 2")

    def test_quantity(self):
        self.facts.quantity = 1
        self.seen("2 devices were announced as begun for good, the order says 1")
        self.seen("2 devices hold the OEM's key, the order says 1")
        self.seen("2 devices have passed, the order says 1")

    def test_after_close(self):
        self.leaves.append(dict(seq=16, kind="close"))
        self.leaves.append(dict(seq=17, kind="epoch-seal"))
        self.assertEqual(check(self.leaves, self.devices, self.facts), [])
        self.leaves.append(dict(seq=18, kind="operator"))
        self.seen("leaf 18 comes after the close")

    def test_events(self):
        good = [dict(self.leaf("device-end", u), event="device-end") for u in (A, B)]
        good.append(dict(event="summary", passed=2, interrupted=0, events_lost=0))
        self.assertEqual(check_events(good, self.leaves, True), [])
        self.assertEqual(check_events([], self.leaves, True), ["the run ended without a summary"])
        lie = copy.deepcopy(good)
        lie[0]["result"] = "fail"
        self.assertRegex(check_events(lie, self.leaves, False)[0], "the screen says fail")
        lie = copy.deepcopy(good)
        lie[-1]["passed"] = 3
        self.assertRegex(check_events(lie, self.leaves, True)[0], "says 3 passed, the events 2")


if __name__ == "__main__":
    unittest.main(verbosity=0)

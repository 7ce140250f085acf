// judge - a log's leaves, checkpoints, proofs and cosignatures, judged by Go's golang.org/x/mod/sumdb
// (note, tlog) and by nothing of ours. Run by tests/e2e/39-go.sh.
//
//	judge log LEAVES VKEYS NOTE...     every checkpoint: signed by two keys of VKEYS, the root of its
//	                                   leaves, an extension of the checkpoint before it
//	judge prove LEAVES SIZE INDEX      the inclusion proof as Go makes it, one base64 hash a line
//	judge proof VKEYS PROOF...         each .tlog-proof: note, inclusion of its extra; one verdict a line
//
// LEAVES has one leaf a line; VKEYS one verifier key a line, of logs (type 1) and witnesses (type 4).
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// cosigner verifies type 4 lines: 8 bytes of time, then Ed25519 over time and text.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(c.key, append([]byte(head), msg...), sig[8:])
}

func verifier(vkey string) (note.Verifier, error) {
	part := strings.SplitN(vkey, "+", 3)
	if len(part) != 3 {
		return nil, errors.New("not a verifier key")
	}
	key, err := base64.StdEncoding.DecodeString(part[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return note.NewVerifier(vkey)
	}
	id, err := strconv.ParseUint(part[1], 16, 32)
	return cosigner{part[0], uint32(id), key[1:]}, err
}

func keys(path string) note.Verifiers {
	var list []note.Verifier
	for _, line := range lines(read(path)) {
		v, err := verifier(line)
		check(err)
		list = append(list, v)
	}
	return note.VerifierList(list...)
}

// checkpoint reads the three lines; tlog.ParseTree wants another first line.
func checkpoint(text string) (origin string, tree tlog.Tree, err error) {
	line := strings.Split(text, "\n")
	if len(line) != 4 || line[3] != "" {
		return "", tree, errors.New("not the three lines of a checkpoint")
	}
	tree.N, err = strconv.ParseInt(line[1], 10, 64)
	if err == nil && strconv.FormatInt(tree.N, 10) != line[1] {
		err = errors.New("size")
	}
	if err == nil {
		tree.Hash, err = tlog.ParseHash(line[2])
	}
	return line[0], tree, err
}

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if at >= int64(len(h)) {
			return nil, fmt.Errorf("no stored hash %d", at)
		}
		out[i] = h[at]
	}
	return out, nil
}

func store(leaves []string) (h hashes) {
	for i, leaf := range leaves {
		more, err := tlog.StoredHashes(int64(i), []byte(leaf), h)
		check(err)
		h = append(h, more...)
	}
	return h
}

func judgeLog(leaves []string, known note.Verifiers, notes []string) error {
	stored := store(leaves)
	var last tlog.Tree
	signatures := 0
	for _, path := range notes {
		n, err := note.Open(read(path), known)
		if err != nil {
			return fmt.Errorf("%s: %v", path, err)
		}
		origin, tree, err := checkpoint(n.Text)
		if err != nil {
			return fmt.Errorf("%s: %v", path, err)
		}
		own := 0
		for _, s := range n.Sigs {
			if s.Name == origin {
				own++
			}
		}
		if own != 2 {
			return fmt.Errorf("%s: %d signatures of the log, 2 wanted", path, own)
		}
		signatures += len(n.Sigs)
		root, err := tlog.TreeHash(tree.N, stored)
		if err != nil || root != tree.Hash {
			return fmt.Errorf("%s: not the root of its leaves", path)
		}
		if last.N > 0 {
			p, err := tlog.ProveTree(tree.N, last.N, stored)
			if err == nil {
				err = tlog.CheckTree(p, tree.N, tree.Hash, last.N, last.Hash)
			}
			if err != nil {
				return fmt.Errorf("%s: does not extend size %d: %v", path, last.N, err)
			}
		}
		last = tree
	}
	if last.N != int64(len(leaves)) {
		return fmt.Errorf("%d leaves, the last checkpoint is of size %d", len(leaves), last.N)
	}
	fmt.Printf("good: %d leaves, %d checkpoints, %d signatures\n", len(leaves), len(notes), signatures)
	return nil
}

func judgeProof(data []byte, known note.Verifiers) (string, error) {
	head, rest, found := strings.Cut(string(data), "\n\n")
	line := strings.Split(head, "\n")
	if !found || len(line) < 3 || line[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(line[1], "extra ") || !strings.HasPrefix(line[2], "index ") {
		return "", errors.New("not a proof with its leaf")
	}
	leaf, err := base64.StdEncoding.DecodeString(line[1][6:])
	if err != nil {
		return "", err
	}
	index, err := strconv.ParseInt(line[2][6:], 10, 64)
	if err != nil || index < 0 {
		return "", errors.New("index")
	}
	var path tlog.RecordProof
	for _, text := range line[3:] {
		h, err := tlog.ParseHash(text)
		if err != nil {
			return "", err
		}
		path = append(path, h)
	}
	n, err := note.Open([]byte(rest), known)
	if err != nil {
		return "", err
	}
	origin, tree, err := checkpoint(n.Text)
	if err != nil {
		return "", err
	}
	own := false
	for _, s := range n.Sigs {
		own = own || s.Name == origin
	}
	if !own {
		return "", errors.New("not signed by the log")
	}
	if index >= tree.N {
		return "", errors.New("index outside the tree")
	}
	if err := tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(leaf)); err != nil {
		return "", err
	}
	return fmt.Sprintf("leaf %d of %d, %d signatures", index, tree.N, len(n.Sigs)), nil
}

func read(path string) []byte {
	b, err := os.ReadFile(path)
	check(err)
	return b
}

func lines(b []byte) []string {
	return strings.Split(string(bytes.TrimSuffix(b, []byte("\n"))), "\n")
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) < 4 {
		check(errors.New("log LEAVES VKEYS NOTE..., prove LEAVES SIZE INDEX or proof VKEYS PROOF..."))
	}
	switch arg := os.Args[2:]; os.Args[1] {
	case "log":
		check(judgeLog(lines(read(arg[0])), keys(arg[1]), arg[2:]))
	case "prove":
		size, err := strconv.ParseInt(arg[1], 10, 64)
		check(err)
		index, err := strconv.ParseInt(arg[2], 10, 64)
		check(err)
		p, err := tlog.ProveRecord(size, index, store(lines(read(arg[0]))))
		check(err)
		for _, h := range p {
			fmt.Println(h)
		}
	case "proof":
		known := keys(arg[0])
		for _, path := range arg[1:] {
			if good, err := judgeProof(read(path), known); err != nil {
				fmt.Printf("%s: refused: %v\n", path, err)
			} else {
				fmt.Printf("%s: good: %s\n", path, good)
			}
		}
	default:
		check(errors.New("unknown act " + os.Args[1]))
	}
}

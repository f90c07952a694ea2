package tree_test

import (
	"crypto/rand"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/jujube-project/jujube/events/tree"
)

// must ends an example that cannot go on.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A log signs its size and its root. Whoever has the log's public key, and the checkpoint that
// he saw last, can check that a record lies in the log and that the log only grew.
func ExampleVerifiers_Check() {
	const environment = "0192"
	place := tree.LogOf(environment)
	private, public, err := tree.NewKey(rand.Reader, environment)
	if err != nil {
		panic(err)
	}
	signer := must(tree.NewSigner(environment, private))

	// The log: its records' hashes, and a checkpoint after the first and after the third.
	var edge tree.Edge
	var stored hashes
	var seen, newest tree.Checkpoint
	for i, record := range []string{"environment created", "machine enrolled", "order issued"} {
		stored = append(stored, edge.Add(place.Leaf(uint64(i+1), "environment", []byte(record)))...)
		if i == 0 {
			seen = must(signer.Sign(edge.Head()))
		}
	}
	newest = must(signer.Sign(edge.Head()))
	proof := must(tree.Prove(newest, 3, "environment", []byte("order issued"), []uint64{seen.Size}, tlog.HashReader(stored)))

	// The reader.
	verifiers := must(tree.NewVerifiers(environment, []string{public}))
	checked, refusal := verifiers.Check(proof, place, seen)
	fmt.Println(checked.Size, refusal == nil)
	proof.Record = []byte("another order")
	_, refusal = verifiers.Check(proof, place, seen)
	fmt.Println(refusal.Code)
	// Output:
	// 3 true
	// log-proof
}

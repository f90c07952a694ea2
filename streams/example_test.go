package streams_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/streams"
)

// A publisher makes a tree of one archive and signs it. A reader who believes the publisher
// lists it; one who believes somebody else does not.
func Example() {
	dir, err := os.MkdirTemp("", "tree-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	var b bytes.Buffer
	packed := archive.Pack(&b, archive.File{Name: archive.Jujud, Size: 7, Body: strings.NewReader("program")})
	written := os.WriteFile(filepath.Join(dir, "juju-1.25.1-trusty-amd64.tgz"), b.Bytes(), 0o644)
	key := func(n byte) ed25519.PrivateKey {
		return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
	}
	publisher, made := streams.NewSigner(key(1), key(2), key(3), key(4), now)
	g, generated := streams.Generate(dir, streams.Plan{Stream: "released", Signer: publisher, Life: 30 * 24 * time.Hour, Now: now})
	if err := errors.Join(packed, written, made, generated); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("archives copied into the tree:", g.Copied)

	for _, anchor := range []string{publisher.Anchor(), strings.Repeat("0", 64)} {
		source, err := streams.Open(dir, streams.Trust{Anchors: []string{anchor}, Now: func() time.Time { return now }})
		if err != nil {
			fmt.Println(err)
			return
		}
		listing, err := source.List(context.Background(), "released")
		for _, f := range listing.Found {
			fmt.Println("listed:", f.Version)
		}
		fmt.Println("refused:", err != nil)
	}
	// Output:
	// archives copied into the tree: 1
	// listed: 1.25.1-trusty-amd64
	// refused: false
	// refused: true
}

package tuf_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/secure-systems-lab/go-securesystemslib/cjson"
)

// doc is a document taken apart.
type doc struct {
	Signed     map[string]any `json:"signed"`
	Signatures []sig          `json:"signatures"`
}

type sig struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"`
}

func parse(t testing.TB, b []byte) doc {
	t.Helper()
	var d doc
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d doc) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sign replaces all signatures.
func (d doc) sign(t testing.TB, keys ...ed25519.PrivateKey) doc {
	t.Helper()
	payload, err := cjson.EncodeCanonical(d.Signed)
	if err != nil {
		t.Fatal(err)
	}
	d.Signatures = []sig{}
	for _, k := range keys {
		d.Signatures = append(d.Signatures, sig{tuf.KeyID(k.Public().(ed25519.PublicKey)), hex.EncodeToString(ed25519.Sign(k, payload))})
	}
	return d
}

// at gives the document of a role in a bundle: of root, the last one.
func at(b *tuf.Bundle, role string) *[]byte {
	switch role {
	case tuf.Root:
		return &b.Roots[len(b.Roots)-1]
	case tuf.Targets:
		return &b.Targets
	case tuf.Snapshot:
		return &b.Snapshot
	}
	return &b.Timestamp
}

// forge changes what a document says and has some keys sign it. A forged root is the next one.
func forge(t testing.TB, b tuf.Bundle, role string, change func(signed map[string]any), keys ...ed25519.PrivateKey) tuf.Bundle {
	t.Helper()
	b = copied(b)
	d := parse(t, *at(&b, role))
	if role == tuf.Root {
		d.Signed["version"] = len(b.Roots) + 1
		b.Roots = append(b.Roots, nil)
	}
	if change != nil {
		change(d.Signed)
	}
	*at(&b, role) = d.sign(t, keys...).bytes(t)
	return b
}

func copied(b tuf.Bundle) tuf.Bundle {
	b.Roots, b.Files = slices.Clone(b.Roots), maps.Clone(b.Files)
	return b
}

// relink makes the next version of each document that names a changed one, and signs it, so that it names
// what was changed. That change is then the only thing that is wrong.
func relink(t testing.TB, b tuf.Bundle, changed, snap, stamp string) tuf.Bundle {
	t.Helper()
	b = copied(b)
	for _, link := range []struct{ from, to, key string }{{tuf.Snapshot, tuf.Targets, snap}, {tuf.Timestamp, tuf.Snapshot, stamp}} {
		if changed == tuf.Timestamp || changed == tuf.Snapshot && link.from == tuf.Snapshot {
			continue
		}
		content := *at(&b, link.to)
		sum := sha256.Sum256(content)
		d := parse(t, *at(&b, link.from))
		meta := d.Signed["meta"].(map[string]any)[link.to+".json"].(map[string]any)
		meta["length"], meta["hashes"] = len(content), map[string]any{"sha256": hex.EncodeToString(sum[:])}
		if v, ok := parse(t, content).Signed["version"]; ok {
			meta["version"] = v
		}
		d.Signed["version"] = increased(d.Signed["version"])
		*at(&b, link.from) = d.sign(t, key(link.key)).bytes(t)
	}
	return b
}

func increased(version any) any {
	n, _ := version.(json.Number).Int64()
	return n + 1
}

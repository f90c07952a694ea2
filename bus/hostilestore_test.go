package bus_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
)

// bounded takes as much as was promised, and one byte more is an error: what an agent does.
type bounded struct {
	bytes.Buffer
	most int
}

var errMore = errors.New("more than was promised")

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, errMore
	}
	return b.Buffer.Write(p)
}

// Somebody with a state server's rights changes what lies in the object store. Each case
// changes one thing; a machine that fetches ends with an error, or with bytes whose digest
// gives them away, and never with more than it was promised.
func TestHostileObjects(t *testing.T) {
	b := bustest.Start(t)
	admin, _, _ := raw(t, b, stateServerRole(b))
	put := func(subject string, data []byte, header nats.Header) {
		t.Helper()
		m := &nats.Msg{Subject: subject, Data: data, Header: header}
		if _, err := admin.RequestMsg(m, 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	chunks := func(id string) string { return "$O.tools.C." + id }
	describe := func(name, nuid string, size string, n int) {
		put("$O.tools.M."+base64.URLEncoding.EncodeToString([]byte(name)),
			fmt.Appendf(nil, `{"name":%q,"bucket":"tools","nuid":%q,"size":%s,"chunks":%d,"options":{"max_chunk_size":%d}}`, name, nuid, size, n, 256<<10),
			nats.Header{"Nats-Rollup": {"sub"}})
	}
	const piece = 256 << 10
	for i, c := range []struct {
		id, what string
		change   func(sha string, data []byte)
	}{
		{"BI-01", "other bytes of the same length", func(sha string, data []byte) {
			put(chunks(sha+"x"), make([]byte, piece), nil)
			put(chunks(sha+"x"), make([]byte, piece), nil)
			put(chunks(sha+"x"), make([]byte, len(data)-2*piece), nil)
			describe(sha, sha+"x", fmt.Sprint(len(data)), 3)
		}},
		{"BI-02", "one byte short", func(sha string, data []byte) {
			put(chunks(sha+"x"), data[:piece], nil)
			put(chunks(sha+"x"), data[piece:len(data)-1], nil)
			describe(sha, sha+"x", fmt.Sprint(len(data)), 2)
		}},
		{"BI-03", "one byte long", func(sha string, data []byte) {
			put(chunks(sha), []byte("x"), nil)
			describe(sha, sha, fmt.Sprint(len(data)+1), 4)
		}},
		{"BI-06", "a chunk missing in the middle", func(sha string, data []byte) {
			put(chunks(sha+"x"), data[:piece], nil)
			put(chunks(sha+"x"), data[2*piece:], nil)
			describe(sha, sha+"x", fmt.Sprint(len(data)), 3)
		}},
		{"BI-07", "chunks in another order", func(sha string, data []byte) {
			put(chunks(sha+"x"), data[piece:2*piece], nil)
			put(chunks(sha+"x"), data[:piece], nil)
			put(chunks(sha+"x"), data[2*piece:], nil)
			describe(sha, sha+"x", fmt.Sprint(len(data)), 3)
		}},
		{"BI-07", "a chunk twice", func(sha string, data []byte) {
			put(chunks(sha+"x"), data[:piece], nil)
			put(chunks(sha+"x"), data[:piece], nil)
			put(chunks(sha+"x"), data[2*piece:], nil)
			describe(sha, sha+"x", fmt.Sprint(len(data)), 3)
		}},
		{"BI-08", "a size of 2^63", func(sha string, _ []byte) { describe(sha, sha, "9223372036854775808", 3) }},
		{"BI-08", "a size of 2^63-1", func(sha string, _ []byte) {
			put(chunks(sha), []byte("x"), nil)
			describe(sha, sha, "9223372036854775807", 3)
		}},
		{"BI-08", "a size below zero", func(sha string, _ []byte) { describe(sha, sha, "-5", 3) }},
		{"BI-09", "another object under the digest", func(sha string, _ []byte) {
			put(chunks("evil"), []byte("evil"), nil)
			describe(sha, "evil", "4", 1)
		}},
		{"BI-80", "chunks with headers like NATS's", func(sha string, data []byte) {
			put(chunks(sha+"x"), nil, nats.Header{"Status": {"204"}})
			put(chunks(sha+"x"), data[:piece], nats.Header{"Nats-Sequence": {"1"}, "Nats-Subject": {"x"}})
			describe(sha, sha+"x", fmt.Sprint(len(data)), 2)
		}},
	} {
		t.Run(c.id+" "+c.what, func(t *testing.T) {
			archive, data := bytesOf(i+1, 2*piece+100)
			data[0], data[piece], data[2*piece] = 'a', 'b', 'c'
			archive.SHA256 = fmt.Sprintf("%x", sha256.Sum256(data))
			if err := b.StateServer().Tools().Put(t.Context(), archive, bytes.NewReader(data), unchecked); err != nil {
				t.Fatal(err)
			}
			c.change(archive.SHA256, data)
			got := &bounded{most: len(data)}
			_, err := b.Agent("machine-3").Tools().Fetch(t.Context(), archive.SHA256, 0, got)
			sum := sha256.Sum256(got.Bytes())
			if err == nil && hex.EncodeToString(sum[:]) == archive.SHA256 {
				t.Errorf("%s: the change was not noticed", c.id)
			}
			if err != nil && errors.Is(err, io.EOF) {
				t.Errorf("%s: %v", c.id, err)
			}
			if (c.id == "BI-02" || c.id == "BI-06") && !errors.Is(err, bus.ErrDigest) {
				t.Errorf("%s: %v, want ErrDigest", c.id, err)
			}
		})
	}
}

package bus

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

func FuzzOpenRenewal(f *testing.F) {
	id, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	request, err := json.Marshal(wire.RenewRequest{Environment: "e", Machine: "1", Key: id.Public(), Nonce: "n"})
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := json.Marshal(sealedRenewal{Request: request, Signature: make([]byte, 64)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if req, err := openRenewal(b); err == nil {
			t.Fatalf("a forged renewal is believed: %+v", req)
		}
	})
}

// The JWT of credentials comes from whoever answers an enrolment.
// What NATS puts into headers, and what others put there before it.
func FuzzStoredHeaders(f *testing.F) {
	f.Add("7", "LOG", "log.order.machine-1.agent", "_R_.live.order.machine-1.agent", []byte("{}"))
	f.Add("", "x", "l", "_R_.live.", []byte(nil))
	f.Fuzz(func(t *testing.T, seq, stream, subject, delivered string, data []byte) {
		m := nats.NewMsg(delivered)
		m.Header["Nats-Sequence"], m.Header["Nats-Stream"], m.Header["Nats-Subject"] = []string{seq}, []string{stream}, []string{subject}
		m.Data = data
		if s, err := parseStored(m); err == nil {
			_, _ = s.record()
		}
		if s, err := parseLive(m); err == nil && s.stream != names.StreamLog {
			t.Fatalf("a message of stream %q is taken for one of the log", s.stream)
		}
		_, _ = statusOf(m)
		m.Header["Nats-Request-Info"] = []string{subject}
		_ = senderOf(m)
		_, _ = parseInfo(stored{subject: subject, data: data})
	})
}

func FuzzPieceHead(f *testing.F) {
	f.Add(`{"tools":{"version":"1.25.0-trusty-amd64","size":1,"sha256":"`+strings.Repeat("a", 64)+`"},"request":"r"}`, names.SubjectUpload+strings.Repeat("a", 64))
	f.Fuzz(func(t *testing.T, head, subject string) {
		m := nats.NewMsg(subject)
		m.Header.Set(headerPiece, head)
		if h, err := parsePieceHead(m); err == nil && (h.Tools.Size < 0 || len(h.Tools.SHA256) != 64) {
			t.Fatalf("%q: a piece of %d bytes of %q", head, h.Tools.Size, h.Tools.SHA256)
		}
	})
}

// What the other side answers, and says of itself: whoever sits on the bus could have
// written it.
func FuzzAnswers(f *testing.F) {
	for _, v := range []any{wire.Beat{}, wire.ReportAnswer{}, wire.Enrolled{Refused: events.Refuse("x", "y")}, wire.PieceAnswer{Error: "x"}} {
		b, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		var (
			beat wire.Beat
			r    wire.ReportAnswer
			e    wire.Enrolled
			p    wire.PieceAnswer
			n    wire.Renewed
			g    wire.Echoed
		)
		_ = json.Unmarshal(b, &n)
		_ = json.Unmarshal(b, &g)
		_ = json.Unmarshal(b, &beat)
		_ = json.Unmarshal(b, &r)
		_ = json.Unmarshal(b, &p)
		if json.Unmarshal(b, &e) == nil && e.Refused != nil {
			_ = e.Refused.Error()
		}
	})
}

// Query answers are packed: what unpacks to more than a client takes is refused.
func FuzzUnpack(f *testing.F) {
	enc, err := encoder()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(enc.EncodeAll([]byte(`{"a":1}`), nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		dec, err := decoder()
		if err != nil {
			t.Fatal(err)
		}
		if len(b) < 1<<10 {
			_, _ = dec.DecodeAll(b, nil)
		}
	})
}

// A signature that was never made is never right.
func FuzzVerifySignature(f *testing.F) {
	id, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	sig, err := id.Sign(events.PAE("x", []byte("y")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(id.Public(), []byte("y"), sig)
	f.Fuzz(func(t *testing.T, key string, b, sig []byte) {
		if Verify(key, b, sig) == nil {
			t.Fatalf("%s is said to have signed %q", key, b)
		}
		_, _ = ParseIdentity(b)
	})
}

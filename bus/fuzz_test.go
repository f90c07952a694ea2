package bus

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// fuzzFile is a secret's file that holds b.
func fuzzFile(t testing.TB, dir string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func fuzzTrust(f *testing.F) *Trust {
	f.Helper()
	trust, err := NewTrust("11111111-2222-3333-4444-555555555555")
	if err != nil {
		f.Fatal(err)
	}
	return trust
}

func FuzzLoadTrust(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "trust.json")
	if err := fuzzTrust(f).Save(path); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		trust, err := LoadTrust(fuzzFile(t, dir, b))
		if err != nil {
			return
		}
		_, _ = trust.AgentJWT("machine-1", "U")
		_, _, _ = trust.Authorities[0].Sign([]string{"localhost"}, time.Now())
	})
}

func FuzzLoadCredentials(f *testing.F) {
	trust, dir := fuzzTrust(f), f.TempDir()
	id, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	token, err := trust.AgentJWT("machine-1", id.Public())
	if err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(dir, "agent.creds")
	if err := (Credentials{JWT: token, Seed: string(id.Seed())}).Save(path); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := LoadCredentials(fuzzFile(t, dir, b)); err == nil {
			_, _ = c.Identity()
		}
	})
}

func FuzzCertificates(f *testing.F) {
	f.Add([]byte(fuzzTrust(f).Certificates()))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = CheckAuthorities(string(b))
		_, _ = Authority{Certificate: string(b), Key: string(b)}.Ends()
	})
}

func FuzzParseJoinToken(f *testing.F) {
	id, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(JoinToken{Environment: "e", Machine: "1", URLs: []string{"tls://h:1"}, Authorities: fuzzTrust(f).Certificates(), Seed: string(id.Seed())}.String())
	f.Add(tokenPrefix)
	f.Add(tokenPrefix + "e30")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := ParseJoinToken(text)
		if err == nil && (token.Machine == "" || len(token.URLs) == 0) {
			t.Fatalf("%q: half a token", text)
		}
	})
}

func FuzzOpenEnrolment(f *testing.F) {
	id, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	request, err := json.Marshal(wire.EnrolRequest{Environment: "e", Machine: "1", TokenKey: id.Public(), Key: id.Public()})
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := json.Marshal(sealedEnrolment{Request: request, ByToken: make([]byte, 64), ByKey: make([]byte, 64)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if req, err := openEnrolment(b); err == nil {
			t.Fatalf("a forged enrolment is believed: %+v", req)
		}
	})
}

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
func FuzzUserJWT(f *testing.F) {
	id, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	token, err := fuzzTrust(f).OperatorJWT("alice", id.Public())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Fuzz(func(_ *testing.T, token string) {
		_, _, _ = Holder(token)
		_, _ = LifeOf(token)
	})
}

// What NATS puts into headers, and what others put there before it.
func FuzzStoredHeaders(f *testing.F) {
	f.Add("7", "LOG", "log.order.machine-1.agent", "live.order.machine-1.agent", []byte("{}"))
	f.Add("", "x", "l", "live.", []byte(nil))
	f.Fuzz(func(t *testing.T, seq, stream, subject, delivered string, data []byte) {
		m := nats.NewMsg(delivered)
		m.Header["Nats-Sequence"], m.Header["Nats-Stream"], m.Header["Nats-Subject"] = []string{seq}, []string{stream}, []string{subject}
		m.Data = data
		if s, err := parseStored(m); err == nil {
			_, _ = s.record()
		}
		if s, err := parseLive(m); err == nil && s.stream != streamLog {
			t.Fatalf("a message of stream %q is taken for one of the log", s.stream)
		}
		_, _ = statusOf(m)
		_, _ = parseInfo(stored{subject: subject, data: data})
	})
}

func FuzzPieceHead(f *testing.F) {
	f.Add(`{"tools":{"version":"1.25.0-trusty-amd64","size":1,"sha256":"`+strings.Repeat("a", 64)+`"},"request":"r"}`, subjectUpload+strings.Repeat("a", 64))
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

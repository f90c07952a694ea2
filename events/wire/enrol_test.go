package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/wire"
)

func FuzzOpenEnrolment(f *testing.F) {
	id := testkey.Of("host").Public()
	request, err := json.Marshal(wire.EnrolRequest{Environment: "e", Machine: "1", TokenKey: id, Key: id})
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := json.Marshal(map[string][]byte{"request": request, "by_token": make([]byte, 64), "by_key": make([]byte, 64)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if req, err := wire.OpenEnrolment(b); err == nil {
			t.Fatalf("a forged enrolment is believed: %+v", req)
		}
	})
}

// An enrolment counts if the token's key and the host's key signed it, each for itself.
func TestEnrolmentHasTwoSignatures(t *testing.T) {
	token, host := testkey.Of("token"), testkey.Of("host")
	r := wire.EnrolRequest{Environment: "e", Machine: "1", TokenKey: token.Public(), Key: host.Public()}
	for _, c := range []struct {
		token, host testkey.Key
		good        bool
	}{{token, host, true}, {host, token, false}, {token, token, false}, {host, host, false}} {
		sealed, err := wire.SealEnrolment(r, c.token, c.host)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := wire.OpenEnrolment(sealed); (err == nil) != c.good || c.good && got != r {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

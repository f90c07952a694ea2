package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
)

// What agents, uploading clients and hosts with a join token say is the same bytes in every
// version, as what is asked (TestBytesOfQuestions). A field that is empty in most messages
// is left out of them.
func TestBytesOfMessages(t *testing.T) {
	archive := tools.Tools{Version: version.Binary{Number: version.Number{Major: 1, Minor: 25}, Series: "trusty", Arch: "amd64"}, Size: 9, SHA256: "d"}
	refused := events.Refuse("token-used", "the token was used")
	for _, c := range []struct {
		message any
		want    string
	}{
		{wire.Beat{Version: "1.25.0", PID: 7}, `{"version":"1.25.0","pid":7}`},
		{
			wire.Beat{Version: "1.25.0", PID: 7, Log: tree.Head{Size: 3}, Instance: "i", Echo: "n"},
			`{"version":"1.25.0","pid":7,"log":{"size":3,"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},"instance":"i","echo":"n"}`,
		},
		{wire.Echoed{Nonce: "n"}, `{"nonce":"n"}`},
		{wire.Echoed{Nonce: "n", Again: true}, `{"nonce":"n","again":true}`},
		{wire.ReportAnswer{Seq: 8}, `{"seq":8}`},
		{wire.ReportAnswer{Code: wire.ReportInvalid, Text: "t"}, `{"code":"invalid","text":"t"}`},
		{
			wire.PieceHead{Tools: archive, Request: "r", Offset: 4},
			`{"tools":{"version":"1.25.0-trusty-amd64","size_bytes":9,"sha256":"d"},"request":"r","offset":4}`,
		},
		{wire.PieceAnswer{Next: 4}, `{"next":4,"done":false}`},
		{wire.PieceAnswer{Error: "e", Again: true, Bad: true}, `{"next":0,"done":false,"again":true,"error":"e","bad":true}`},
		{
			wire.EnrolRequest{Environment: "e", Machine: "1", TokenKey: "T", Key: "K", Hostname: "h", Host: "d", Version: "v"},
			`{"environment":"e","machine":"1","token_key":"T","key":"K","hostname":"h","host":"d","version":"v"}`,
		},
		{
			wire.Enrolled{Machine: "1", Environment: "e", JWT: "j", URLs: []string{"tls://h:1"}, Root: []byte("r")},
			`{"machine":"1","environment":"e","jwt":"j","urls":["tls://h:1"],"root":"cg=="}`,
		},
		{
			wire.Enrolled{Refused: refused},
			`{"machine":"","environment":"","jwt":"","urls":null,"root":null,"refused":{"code":"token-used","text":"the token was used"}}`,
		},
		{
			wire.RenewRequest{Environment: "e", Machine: "1", Key: "K", Generation: 2, Nonce: "n"},
			`{"environment":"e","machine":"1","key":"K","generation":2,"nonce":"n"}`,
		},
		{wire.Renewed{JWT: "j", URLs: []string{"tls://h:1"}, Authorities: "PEM"}, `{"jwt":"j","urls":["tls://h:1"],"authorities":"PEM"}`},
	} {
		if b, err := json.Marshal(c.message); err != nil || string(b) != c.want {
			t.Errorf("%T is %s (%v), expected %s", c.message, b, err, c.want)
		}
	}
}

// A machine of an earlier version also says which order it saw last; nobody asks.
func TestBeatOfAnEarlierVersion(t *testing.T) {
	var b wire.Beat
	if err := json.Unmarshal([]byte(`{"version":"1.25.0","seq":4,"pid":7}`), &b); err != nil || b.PID != 7 {
		t.Errorf("%+v %v", b, err)
	}
}

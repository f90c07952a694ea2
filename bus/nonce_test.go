package bus_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
)

// askingServer is a server that anybody can connect to, as somebody has it who took a state
// server over. It asks each client for a signature over text, and keeps what the client says.
type askingServer struct {
	text string
	said chan string
}

// InProcessConn implements bus.InProcess.
func (s askingServer) InProcessConn() (net.Conn, error) {
	ours, theirs := net.Pipe()
	nonce, err := json.Marshal(s.text)
	if err != nil {
		return nil, err
	}
	go func() {
		const info = `INFO {"server_id":"X","version":"2.15.0","proto":1,"headers":true,"auth_required":true,"max_payload":1048576,"nonce":%s}`
		_, _ = fmt.Fprintf(ours, info+"\r\n", nonce)
		line, _ := bufio.NewReader(ours).ReadString('\n') // "" when the client leaves without a word
		s.said <- line
		_ = ours.Close()
	}()
	return theirs, nil
}

// With the key with which an operator connects he also signs his requests, and a machine its
// reports. A server that asks for a signature over a request, in the place of a nonce, gets none.
func TestB29OnlyNoncesAreSigned(t *testing.T) {
	accounts := newAccounts(t)
	request := events.PAE(events.SignedType("deploy"), []byte(`{"action":"deploy","deploy":{"command":["sh","-c","id"]}}`))
	for name, text := range map[string]string{
		"a request": string(request), "nothing": " ", "a long text": strings.Repeat("a", 4096), "a line": "abc\n", "no ASCII": "näh",
	} {
		t.Run(name, func(t *testing.T) {
			s := askingServer{text, make(chan string, 16)}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			conn, err := bus.Connect(ctx, bus.ConnConfig{Server: s, Credentials: operatorCredentials(t, accounts)})
			if !errors.Is(err, bus.ErrUntrusted) {
				t.Errorf("%v, want ErrUntrusted", err)
			}
			if err == nil {
				conn.Close()
			}
			if line := <-s.said; strings.Contains(line, `"sig"`) {
				t.Errorf("it signed: %.200q", line)
			}
		})
	}
	s := askingServer{"aBcDeFgHiJkLm-_", make(chan string, 16)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if line := <-s.said; !strings.Contains(line, `"sig"`) {
			t.Errorf("a nonce was not signed: %.200q", line)
		}
		cancel()
	}()
	if _, err := bus.Connect(ctx, bus.ConnConfig{Server: s, Credentials: operatorCredentials(t, accounts)}); err == nil {
		t.Error("it connected to nothing")
	}
}

package network

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/connection"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
)

// nobody is a user that every host has.
const nobody = "nobody"

// This test program is also the network half.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Command {
		if err := Be(os.Args[2:], func() string { return "id" }); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func needsRoot(t *testing.T) {
	t.Helper()
	if why, ok := Available(nobody); !ok {
		t.Skipf("%s: that the network half is another user's process is not shown", why)
	}
}

// machine is a machine of a bus, with its files, and its network half.
func machine(t *testing.T, b *bustest.Bus) (*Half, Config) {
	t.Helper()
	conf := agent.Conf{Tag: "machine-3", DataDir: t.TempDir(), Environment: bustest.Environment, APIAddresses: b.URLs}
	creds, _ := b.Credentials(func(key string) (string, error) { return b.Accounts.AgentJWT("machine-3", key) })
	renewal, err := b.Accounts.EnrolCredentials()
	if err != nil {
		t.Fatal(err)
	}
	if err := conf.Bootstrap(agent.Credentials{Agent: creds, Renewal: renewal, Authorities: b.Accounts.Certificates()}); err != nil {
		t.Fatal(err)
	}
	keys, err := connection.OpenFiles(conf, func() string { return "nonce" })
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Conf: conf, Keys: keys, PID: os.Getpid(), User: nobody, Logger: slog.New(slog.DiscardHandler)}
	h := New(cfg)
	ended := make(chan struct{})
	ctx, end := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		h.Run(ctx)
	}()
	t.Cleanup(func() { end(); <-ended })
	return h, cfg
}

func trusty(t *testing.T) version.Binary {
	t.Helper()
	v, err := version.ParseBinary("1.25.1-trusty-amd64")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// accepts takes any archive.
type accepts struct{ io.Writer }

func (accepts) Close() error { return nil }

// until waits for a condition.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for late := time.After(time.Minute); !is(); {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// half is the PID of the network half that this process runs.
func half() int {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", os.Getpid()))
	for _, f := range files {
		b, _ := os.ReadFile(f)
		for child := range strings.FieldsSeq(string(b)) {
			if line, _ := os.ReadFile("/proc/" + child + "/cmdline"); bytes.Contains(line, []byte("\x00"+Command+"\x00")) {
				pid, _ := strconv.Atoi(child)
				return pid
			}
		}
	}
	return 0
}

// What an agent does over the bus, it does over a network half, which is not root; and when that is
// killed, over the next one.
func TestAnAgentsBusOverTheNetworkHalf(t *testing.T) {
	needsRoot(t)
	b := bustest.Start(t)
	server := b.StateServer()
	content := bytes.Repeat([]byte("tools "), 100_000)
	sum := sha256.Sum256(content)
	archive := tools.Tools{Version: trusty(t), SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
	if err := server.Tools().Put(t.Context(), archive, bytes.NewReader(content), func() io.WriteCloser { return accepts{io.Discard} }); err != nil {
		t.Fatal(err)
	}
	reports, beats := make(chan []byte, 10), make(chan wire.Beat, 10)
	stop, err := server.ServeReports(func(r bus.Report) { reports <- r.Data; r.Answer(wire.ReportAnswer{}) })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	stop, err = server.ServeBeats(func(_ string, b wire.Beat, answer func(wire.Echoed)) {
		if beats <- b; answer != nil {
			answer(wire.Echoed{Nonce: "n"})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	h, cfg := machine(t, b)
	started := &events.AgentStarted{Version: trusty(t), PID: 7}
	started.SetHead(events.ReportHead{Machine: "3", Epoch: "e", N: 1})
	rec, err := events.New(events.Envelope{ID: "r", Time: time.Unix(1, 0), Actor: "machine-3"}, started)
	if err != nil {
		t.Fatal(err)
	}
	published, err := events.New(events.Envelope{ID: "x", Time: time.Unix(1, 0), Actor: "state-server-0"}, &events.RestartOrdered{Machine: "3", Order: "o"})
	if err != nil {
		t.Fatal(err)
	}
	last, err := server.Log().Append(t.Context(), 0, published)
	if err != nil {
		t.Fatal(err)
	}
	orders := make(chan events.Record, 10)
	go func() { _ = h.Orders(t.Context(), func(rec events.Record) { orders <- rec }) }()
	killed := 0
	for range 2 {
		until(t, "it is connected", h.Connected)
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", half()))
		for _, line := range []string{"\nUid:\t65534\t65534\t65534\t65534\n", "\nCapPrm:\t0000000000000000\n"} {
			if err != nil || !strings.Contains(string(status), line) {
				t.Errorf("it is not nobody's: %v\n%s", err, status)
			}
		}
		if a, err := h.Report(t.Context(), rec); err != nil || a != agent.Stored || len(<-reports) == 0 {
			t.Errorf("a report: %v, %v", a, err)
		}
		if err := h.Beat(trusty(t).Number, tree.Head{}); err != nil {
			t.Errorf("a heartbeat: %v", err)
		}
		if beat := <-beats; beat.PID != os.Getpid() {
			t.Errorf("the heartbeat is of process %d", beat.PID)
		}
		if rec := <-orders; rec.Seq != last || rec.Kind != published.Kind || rec.Entity != published.Entity || !bytes.Equal(rec.Data, published.Data) {
			t.Errorf("an order: %+v, not %+v", rec, published)
		}
		var got bytes.Buffer
		if n, err := h.Fetch(t.Context(), archive.SHA256, 5, &got); err != nil || n != archive.Size-5 || !bytes.Equal(got.Bytes(), content[5:]) {
			t.Errorf("fetched %d bytes, %v", n, err)
		}
		if _, err := h.Fetch(t.Context(), strings.Repeat("0", 64), 0, io.Discard); err == nil {
			t.Error("it fetched what is not there")
		}
		if killed == 0 {
			killed = half()
			_ = syscall.Kill(killed, syscall.SIGKILL)
			until(t, "another one runs", func() bool { pid := half(); return pid != 0 && pid != killed })
		}
	}
	if err := Reach(t.Context(), cfg); err != nil {
		t.Errorf("reach: %v", err)
	}
	cfg.Conf.APIAddresses = []string{"tls://127.0.0.1:1"}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := Reach(ctx, cfg); err == nil {
		t.Error("it reached nobody")
	}
}

// Over the network half a host is enrolled, and its credentials are renewed, with a key that stays here.
func TestCredentialsOverTheNetworkHalf(t *testing.T) {
	needsRoot(t)
	b := bustest.Start(t)
	server := b.StateServer()
	var renewed int
	stop, err := server.ServeRenewals(func(r bus.Renewal) {
		renewed++
		jwt, err := b.Accounts.RenewedJWT("machine-"+r.Machine, r.Key, r.Generation+1, time.Now().Add(time.Hour))
		r.Answer(wire.Renewed{JWT: jwt}, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	_, cfg := machine(t, b)
	before, err := cfg.Keys.Life()
	if err != nil {
		t.Fatal(err)
	}
	if err := Renew(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if life, err := cfg.Keys.Life(); err != nil || life.Generation != before.Generation+1 || renewed != 1 {
		t.Errorf("generation %d after %d, %d renewals, %v", life.Generation, before.Generation, renewed, err)
	}
	stop, err = server.ServeEnrol(func(e bus.Enrolment) { e.Answer(wire.Enrolled{Machine: e.Machine, JWT: e.Key}, nil) })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	secret, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	host, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	enrol, err := b.Accounts.EnrolCredentials()
	if err != nil {
		t.Fatal(err)
	}
	token := bus.JoinToken{
		Environment: bustest.Environment, Machine: "4", URLs: b.URLs, Authorities: b.Accounts.Certificates(), Enrol: enrol, Seed: string(secret.Seed()),
	}
	got, err := Show(t.Context(), cfg, connection.Showing{Token: token.String(), Key: host, Facts: wire.EnrolRequest{Hostname: "h", Version: "1.25.1"}})
	if err != nil || got.JWT != host.Public() {
		t.Errorf("enrolled %+v, %v", got, err)
	}
}

// The machine's key signs for the network half what is needed to connect, and nothing that says
// something in the machine's name.
func TestTheKeySignsOnlyForConnecting(t *testing.T) {
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for text, signed := range map[string]bool{
		"aBcDeFgHiJkLm-_": true,
		string(events.PAE("jujube.renew.v1", []byte("{}"))):      true,
		string(events.PAE("jujube.enrol.v1.host", []byte("{}"))): true,
		string(events.PAE(events.RecordType, []byte("{}"))):      false,
		string(events.PAE(events.SignedType("deploy"), nil)):     false,
		"": false, " ": false, "DSSEv1 15 jujube.renew.v2 2 {}": false,
	} {
		a := answerKeys(hostKey{Signer: id}, keyQuestion{Ask: keySign, Bytes: []byte(text)})
		if (a.Error == "") != signed || (len(a.Bytes) > 0) != signed {
			t.Errorf("%q: %d bytes of signature, %q", text, len(a.Bytes), a.Error)
		}
	}
	for _, ask := range []string{keyToken, keyAuthorities, keyLife, keyEnrol, keyNonce, keyKeep, "seed", ""} {
		if a := answerKeys(hostKey{Signer: id}, keyQuestion{Ask: ask}); a.Error == "" {
			t.Errorf("a host that is not enrolled answers %q", ask)
		}
	}
}

// taken is a Half whose other side says what it likes.
func taken(t *testing.T, says func(call net.Conn, q question)) *Half {
	t.Helper()
	ours, theirs, err := socketpair()
	if err != nil {
		t.Fatal(err)
	}
	control, err := connOf(theirs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(ours.Close(), control.Close()) })
	go func() {
		for {
			call, err := take(control)
			if err != nil {
				return
			}
			var q question
			_ = readJSON(call, &q)
			says(call, q)
			_ = call.Close()
		}
	}()
	h := New(Config{Logger: slog.New(slog.DiscardHandler)})
	h.set(ours)
	return h
}

// Whatever a network half says that was taken over, the agent goes on. What is no record, no chunk
// or no answer is an error.
func TestANetworkHalfThatWasTakenOver(t *testing.T) {
	for name, says := range map[string][]byte{
		"nothing":           {},
		"an endless frame":  {0xff, 0xff, 0xff, 0xff, 1},
		"half a frame":      {0, 0, 0, 9, '{'},
		"no JSON":           []byte("\x00\x00\x00\x03abc"),
		"a key twice":       []byte("\x00\x00\x00\x15{\"yes\":true,\"yes\":1}\n"),
		"an unknown answer": []byte("\x00\x00\x00\x0e{\"answer\":1000}"),
		"deep JSON":         append([]byte{0, 0, 0, 200}, bytes.Repeat([]byte("["), 200)...),
		"an empty chunk":    {0, 0, 0, 0},
		"a short record":    {0, 0, 0, 3, 1, 2, 3},
		"no record":         append([]byte{0, 0, 0, 12}, "\x00\x00\x00\x00\x00\x00\x00\x01what"...),
	} {
		t.Run(name, func(t *testing.T) {
			h := taken(t, func(call net.Conn, _ question) { _, _ = call.Write(says) })
			if h.Connected() {
				t.Error("it is connected")
			}
			if a, err := h.Report(t.Context(), events.Record{}); a == agent.Stored || err == nil {
				t.Errorf("a report: %v, %v", a, err)
			}
			if err := h.Beat(version.Number{}, tree.Head{}); err == nil && name != "an unknown answer" {
				t.Error("a heartbeat was sent")
			}
			if _, err := h.Fetch(t.Context(), "", 0, io.Discard); err == nil {
				t.Error("it fetched something")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_ = h.Orders(ctx, func(rec events.Record) { t.Errorf("a record: %+v", rec) })
		})
	}
	h := taken(t, func(call net.Conn, _ question) {
		_ = writeJSON(call, answer{}.failed(fmt.Errorf("cut: %w", install.ErrSize)))
	})
	if _, err := h.ask(t.Context(), time.Minute, question{Do: doBeat}); !errors.Is(err, install.ErrSize) {
		t.Errorf("an archive that is too long: %v", err)
	}
}

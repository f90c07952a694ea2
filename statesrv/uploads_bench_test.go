package statesrv_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/statesrv"
)

// BenchmarkSync uploads an archive from a file to a state server with an embedded NATS,
// over TCP, until it is inspected, on disk and in the log. The yardstick, right before
// it, reads the same file, hashes it and writes it once, as cp and sha256sum would.
func BenchmarkSync(b *testing.B) {
	for _, c := range []struct {
		name string
		body func(b *testing.B) []byte
	}{
		{"noise-500MiB", func(*testing.B) []byte { return noise(500 << 20) }},
		{"jujud", jujud},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkSync(b, c.body(b)) })
	}
}

func benchmarkSync(b *testing.B, body []byte) {
	p := newPlace(b)
	p.startAs(p.embedded())
	var here, yard, busy, yardBusy time.Duration
	var size int64
	for i := range b.N {
		file, t := archiveFile(b, fmt.Sprintf("1.25.%d", i), body)
		size = t.Size
		wall, cpu := measured(b, func() error { return copyAndHash(file) })
		yard, yardBusy = yard+wall, yardBusy+cpu
		id, _ := p.ask(events.Ask{
			Action: events.ActionSyncTools, SyncTools: &events.AskSyncTools{Source: "here", Wanted: []version.Binary{t.Version}, Unsigned: true},
		})
		f, err := os.Open(file)
		if err != nil {
			b.Fatal(err)
		}
		wall, cpu = measured(b, func() error {
			return p.alice.Upload(b.Context(), wire.PieceHead{Tools: t, Request: id}, f, nil)
		})
		here, busy = here+wall, busy+cpu
		_ = f.Close()
	}
	rate := func(d time.Duration) float64 { return float64(size) * float64(b.N) / d.Seconds() / 1e6 }
	b.ReportMetric(rate(here), "MB/s")
	b.ReportMetric(rate(yard), "yardstick-MB/s")
	b.ReportMetric(rate(here)/rate(yard), "ratio")
	b.ReportMetric(1000/rate(busy), "cpu-s/GB")
	b.ReportMetric(1000/rate(yardBusy), "yardstick-cpu-s/GB")
	b.ReportMetric(0, "ns/op")
}

// embedded connects a state server as jujud does.
func (p *place) embedded() *bus.Conn {
	id, err := bus.NewIdentity()
	if err != nil {
		p.Fatal(err)
	}
	token, err := p.bus.Accounts.StateServerJWT("state-server-0", id.Public())
	if err != nil {
		p.Fatal(err)
	}
	return p.bus.With(bus.ConnConfig{Server: p.bus.Server, Credentials: bus.Credentials{JWT: token, Seed: string(id.Seed())}})
}

// startAs is start on a connection that is there.
func (p *place) startAs(conn *bus.Conn) {
	p.start(func(c *statesrv.Config) { c.Bus = conn })
}

// measured says how long f takes, and how much of the processors.
func measured(b *testing.B, f func() error) (wall, cpu time.Duration) {
	start, used := time.Now(), processors(b)
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start), processors(b) - used
}

func processors(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// copyAndHash writes a copy beside the file, on disk, and hashes it on the way.
func copyAndHash(name string) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(name + ".copy")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(out.Name()) }()
	if _, err := io.Copy(out, io.TeeReader(in, sha256.New())); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return out.Close()
}

// noise does not compress, so an archive of it is as large.
func noise(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// jujud is the real one.
func jujud(b *testing.B) []byte {
	name := filepath.Join(b.TempDir(), "jujud")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", name, "github.com/jujube-project/jujube/cmd/jujud").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	body, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// archiveFile packs an archive of a version, other than that of every other version.
func archiveFile(b *testing.B, v string, body []byte) (string, tools.Tools) {
	t := tools.Tools{Version: bin(v)}
	name := filepath.Join(b.TempDir(), t.FileName())
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	h := sha256.New()
	number := t.Version.Number.String()
	err = archive.PackAt(gzip.BestSpeed, io.MultiWriter(f, h),
		archive.File{Name: archive.ForceVersion, Size: int64(len(number)), Body: bytes.NewReader([]byte(number))},
		archive.File{Name: archive.Jujud, Size: int64(len(body)), Body: bytes.NewReader(body)})
	if err != nil {
		b.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	t.Size, t.SHA256 = info.Size(), hex.EncodeToString(h.Sum(nil))
	return name, t
}

package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools"
)

// hostileStore answers each fetch as its script says; the last line goes for the rest.
type hostileStore struct {
	*fakeBus
	script []func(ctx context.Context, offset int64, w io.Writer) error
	from   []int64
}

func (h *hostileStore) Fetch(ctx context.Context, _ string, offset int64, w io.Writer) (int64, error) {
	answer := h.script[min(len(h.from), len(h.script)-1)]
	h.from = append(h.from, offset)
	return 0, answer(ctx, offset, w)
}

type answers = []func(context.Context, int64, io.Writer) error

// gives sends bytes from the offset on.
func gives(b []byte) func(context.Context, int64, io.Writer) error {
	return func(_ context.Context, offset int64, w io.Writer) error {
		_, err := w.Write(b[min(int64(len(b)), offset):])
		return err
	}
}

// trickles sends a byte now and then, for as long as it is let.
func trickles(ctx context.Context, _ int64, w io.Writer) error {
	for {
		select {
		case <-time.After(5 * time.Millisecond):
			if _, err := w.Write([]byte("x")); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Each case breaks one thing in what the store answers, and says how the download ends, and
// from where each try began.
func TestHostileDownloads(t *testing.T) {
	good := bytes.Repeat([]byte("0123456789abcdef"), 256)
	same, flipped := bytes.Repeat([]byte("y"), len(good)), bytes.Clone(good)
	flipped[100] ^= 4
	cut := func(b []byte) func(context.Context, int64, io.Writer) error {
		return func(ctx context.Context, offset int64, w io.Writer) error {
			return errors.Join(gives(b[:len(b)/2])(ctx, offset, w), errors.New("the connection broke"))
		}
	}
	endless := func(_ context.Context, _ int64, w io.Writer) (err error) {
		for err == nil {
			_, err = w.Write(make([]byte, 700))
		}
		return err
	}
	stalls := func(ctx context.Context, offset int64, w io.Writer) error {
		if err := gives(good[:len(good)*99/100])(ctx, offset, w); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	short := func(context.Context, int64, io.Writer) error { return fmt.Errorf("%w: it ends early", install.ErrSize) }
	for _, c := range []struct {
		id, what string
		script   answers
		want     string // code; empty: well
		from     string
	}{
		{"BI-01", "the same length, other bytes", answers{gives(same)}, "artefact-hash", "[0 0 0]"},
		{"BI-02", "one byte short", answers{gives(good[:len(good)-1])}, "artefact-length", "[0 0 0]"},
		{"BI-03", "one byte long", answers{gives(append(bytes.Clone(good), 0))}, "artefact-length", "[0 0 0]"},
		{"BI-04", "endless", answers{endless}, "artefact-length", "[0 0 0]"},
		{"BI-05", "a bit flipped on the way, once", answers{gives(flipped), gives(good)}, "", "[0 0]"},
		{"BI-06", "a chunk missing", answers{short}, "artefact-length", "[0 0 0]"},
		{"BI-09", "another object under its digest", answers{gives(same[:len(same)-9])}, "artefact-length", "[0 0 0]"},
		{"BI-13", "a byte now and then, then well", answers{trickles, gives(good)}, "", ""},
		{"BI-14", "stops at 99 %, then goes on", answers{stalls, gives(good)}, "", "[0 4055]"},
		{"BI-15", "other content behind half of it", answers{cut(good), gives(same), gives(good)}, "", "[0 2048 0]"},
		{"BI-15", "other content for ever", answers{cut(good), gives(same)}, "artefact-hash", "[0 2048 0 0]"},
	} {
		t.Run(c.id+" "+c.what, func(t *testing.T) {
			b := &hostileStore{fakeBus: &fakeBus{connected: []bool{true}}, script: c.script}
			a := testAgent(t, b.fakeBus)
			a.downloads.bus, a.downloads.window = b, 200*time.Millisecond
			o := install.Order{ID: "o1", Tools: tools.Tools{Version: binOf(t, "1.25.2"), Size: int64(len(good)), SHA256: fmt.Sprintf("%x", sha256.Sum256(good))}}
			f := a.downloads.get(t.Context(), o)
			if f == nil != (c.want == "") || f != nil && f.Code != c.want {
				t.Errorf("%s: it ended with %+v, want %q", c.id, f, c.want)
			}
			if got := fmt.Sprint(b.from); c.from != "" && got != c.from {
				t.Errorf("%s: it fetched from %s on, want %s", c.id, got, c.from)
			}
			left, err := filepath.Glob(filepath.Join(a.layout.Staging(), "*"))
			if err != nil || (len(left) > 0) != (c.want == "") {
				t.Errorf("%s: in staging lie %q, %v", c.id, left, err)
			}
			for _, l := range left {
				if info, err := os.Stat(l); err != nil || info.Size() > o.Tools.Size {
					t.Errorf("%s: %d bytes are on disk, %v", c.id, info.Size(), err)
				}
			}
		})
	}
}

// The bounds that hold when no test says otherwise; and how many tries there are.
func TestLimitsOfDownloads(t *testing.T) {
	a := testAgent(t, &fakeBus{connected: []bool{true}})
	if a.downloads.window != limits.DownloadWindow || limits.DownloadBad >= limits.DownloadTries {
		t.Errorf("a download is looked at over %v, want %v", a.downloads.window, limits.DownloadWindow)
	}
	a.downloads.window = time.Second
	for _, c := range []struct{ order, want int64 }{
		{0, limits.DownloadRate}, {2*limits.DownloadRate + 1, limits.DownloadRate}, {limits.DownloadRate, limits.DownloadRate / 2},
	} {
		p := a.downloads.progress(t.Context(), install.Order{Rate: c.order}, io.Discard, 0)
		if got := int64(p.slowest()); got != c.want {
			t.Errorf("ordered with %d B/s, less than %d B/s is too slow, want %d", c.order, got, c.want)
		}
	}
	// Exactly as fast as it must be it goes on; a byte less, and it is cut off.
	for bytes, want := range map[int64]error{limits.DownloadRate: nil, limits.DownloadRate - 1: errSlow} {
		p := a.downloads.progress(t.Context(), install.Order{Tools: tools.Tools{Size: 1 << 20}}, io.Discard, 0)
		err := a.downloads.watched(t.Context(), p, func(ctx context.Context) error {
			p.ctx = ctx
			if _, err := p.Write(make([]byte, bytes)); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(1500 * time.Millisecond):
				return nil
			}
		})
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%d bytes in the first second: %v, want %v", bytes, err, want)
		}
	}
}

package streams

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/jujube-project/jujube/events/limits"
)

// Times and bounds of HTTP. A download may take any time while bytes come; a server that sends
// nothing is given up.
const (
	headerTimeout   = 20 * time.Second // to connect, and again for the headers
	stallTimeout    = 30 * time.Second // in which fewer bytes come than slowest asks for
	metadataTimeout = 2 * time.Minute  // for one index or products file
	maxRedirects    = limits.Redirects
)

var client = &http.Client{
	Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: headerTimeout}).DialContext,
		ResponseHeaderTimeout: headerTimeout, TLSHandshakeTimeout: headerTimeout, IdleConnTimeout: time.Minute,
		MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		DisableCompression: true, // the bytes are hashed as they are stored
	},
	CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if via[0].URL.Scheme == "https" && next.URL.Scheme != "https" {
			return fmt.Errorf("redirected from https to %s", next.URL.Redacted())
		}
		return nil
	},
}

// web is a tree behind http or https.
type web struct {
	given *url.URL
	stall time.Duration
	trust Trust

	mu    sync.Mutex
	bases []*url.URL // where the tools directory may be; once it is known, only that URL
}

func newWeb(u *url.URL, stall time.Duration, trust Trust) *web {
	fallbackRoots()
	w := &web{given: u, stall: stall, trust: trust, bases: []*url.URL{u}}
	if path.Base(u.Path) != "tools" {
		w.bases = append(w.bases, below(u, "tools"))
	}
	return w
}

// below is the URL of a path below u.
func below(u *url.URL, p string) *url.URL {
	v := *u
	v.Path, v.RawPath = strings.TrimSuffix(u.Path, "/")+"/"+p, ""
	return &v
}

func (w *web) String() string { return w.given.Redacted() }

func (w *web) List(ctx context.Context, stream string) (Listing, error) {
	return w.trust.list(stream, w.String(), func(path string, limit int64) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
		defer cancel()
		resp, err := w.get(ctx, path, 0)
		if err != nil {
			return nil, err
		}
		defer func() { _ = resp.Body.Close() }()
		return readAll(resp.Body, limit)
	})
}

func (w *web) Fetch(ctx context.Context, f Found, offset int64) (io.ReadCloser, error) {
	if offset >= f.Size {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	resp, err := w.get(ctx, f.Path, offset)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	body := &exact{ReadCloser: resp.Body, f: f, where: w.String(), left: f.Size - offset}
	if offset > 0 && resp.StatusCode == http.StatusOK { // the server knows no ranges and sends the whole archive
		body.left = f.Size
		if _, err := io.CopyN(io.Discard, body, offset); err != nil {
			return nil, errors.Join(err, body.Close())
		}
	}
	return body, nil
}

// get asks for a path in the tools directory. While it is not known where that is, it asks in
// each place where it may be, and remembers the first that answers. It returns fs.ErrNotExist
// when no place has the path.
func (w *web) get(ctx context.Context, path string, offset int64) (*http.Response, error) {
	w.mu.Lock()
	bases := w.bases
	w.mu.Unlock()
	var missing error
	for _, base := range bases {
		resp, err := w.getFrom(ctx, below(base, path), offset)
		switch {
		case err == nil:
			w.mu.Lock()
			w.bases = []*url.URL{base}
			w.mu.Unlock()
			return resp, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case missing == nil:
			missing = err
		}
	}
	return nil, missing
}

// getFrom asks one URL for its bytes from offset on. Closing the body of the answer frees the
// request.
func (w *web) getFrom(ctx context.Context, u *url.URL, offset int64) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	resp, err := client.Do(req)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	if err := answered(resp, offset); err != nil {
		cancel(nil)
		return nil, errors.Join(fmt.Errorf("get %s: %w", u.Redacted(), err), resp.Body.Close())
	}
	resp.Body = newWatched(ctx, cancel, resp.Body, w.stall)
	return resp, nil
}

// answered judges the status and the headers of an answer. An answer with the whole archive,
// although a part was asked for, is accepted.
func answered(resp *http.Response, offset int64) error {
	switch {
	case resp.StatusCode == http.StatusOK:
		return nil
	case resp.StatusCode == http.StatusPartialContent && offset > 0:
		if r := resp.Header.Get("Content-Range"); !strings.HasPrefix(r, fmt.Sprintf("bytes %d-", offset)) {
			return fmt.Errorf("asked for bytes from %d on, it sends %q", offset, r)
		}
		return nil
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return fmt.Errorf("it answers %s: %w", resp.Status, fs.ErrNotExist)
	}
	return fmt.Errorf("it answers %s", resp.Status)
}

// watched is the body of an answer. It is cancelled when its bytes come too slowly. Only the time
// inside Read counts; the time that the reader takes between two reads does not.
type watched struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer   // runs while Read waits
	stall  time.Duration // see slowest
	waited time.Duration // in Read, for the bytes in got
	got    int           // bytes since waited was last zero
}

// slowest is how many bytes a second must come, on average over the time stall.
const slowest = 1 << 10

func newWatched(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser, stall time.Duration) *watched {
	w := &watched{ReadCloser: body, ctx: ctx, cancel: cancel, stall: stall}
	w.timer = time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing, or next to nothing, came for %s", stall)) })
	w.timer.Stop()
	return w
}

func (w *watched) Read(p []byte) (int, error) {
	began := time.Now()
	w.timer.Reset(w.stall - w.waited)
	n, err := w.ReadCloser.Read(p)
	w.timer.Stop()
	w.waited, w.got = w.waited+time.Since(began), w.got+n
	if float64(w.got) >= slowest*w.stall.Seconds() {
		w.waited, w.got = 0, 0
	}
	if cause := context.Cause(w.ctx); cause != nil && err != nil && err != io.EOF {
		err = cause
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	defer w.cancel(nil)
	return w.ReadCloser.Close()
}

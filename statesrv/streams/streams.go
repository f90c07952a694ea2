// Package streams fetches tools from a simplestreams tree, in a directory or behind
// http(s), and builds such a tree from a folder of archives. It checks metadata; the
// bytes of an archive are the caller's to hash.
package streams

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events/tools/simplestreams"
)

// Found is one archive that a source has.
type Found = simplestreams.Found

// Source is a simplestreams tree.
type Source interface {
	// List reads what a stream has. Nothing is fetched but metadata.
	List(ctx context.Context, stream string) ([]Found, error)
	// Fetch opens an archive from byte offset on.
	Fetch(ctx context.Context, f Found, offset int64) (io.ReadCloser, error)
	// String is where it is, for a person.
	String() string
}

// maxMetadata bounds an index or a products file.
const maxMetadata = 32 << 20

// ErrSource is wrapped by every failure of a source: where it is and what was wrong.
var ErrSource = errors.New("bad source of tools")

// Open takes a directory or an http(s) URL: the tools directory of a tree, or the
// directory that holds it. It reads nothing yet.
func Open(base string) (Source, error) {
	if strings.Contains(base, "://") {
		u, err := url.Parse(base)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return nil, fmt.Errorf("%w: %q is no http or https URL", ErrSource, base)
		}
		return &web{base: strings.TrimSuffix(base, "/")}, nil
	}
	dir, err := toolsDir(base)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	return directory(dir), nil
}

// toolsDir finds the tools directory: base itself, or the one in it.
func toolsDir(base string) (string, error) {
	info, err := os.Stat(base)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is no directory", base)
	}
	if _, err := os.Stat(filepath.Join(base, "streams")); err == nil {
		return base, nil
	}
	return filepath.Join(base, "tools"), nil
}

// list reads index and products through get, which reads a small file below the tools
// directory.
func list(stream, where string, get func(path string) ([]byte, error)) ([]Found, error) {
	index, err := get(simplestreams.IndexPath)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: index: %w", ErrSource, where, err)
	}
	path, err := simplestreams.ParseIndex(index, stream)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSource, where, err)
	}
	products, err := get(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: products: %w", ErrSource, where, err)
	}
	found, err := simplestreams.ParseProducts(products)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSource, where, err)
	}
	return found, nil
}

// directory is a tree on disk.
type directory string

func (d directory) String() string { return string(d) }

func (d directory) List(_ context.Context, stream string) ([]Found, error) {
	return list(stream, string(d), func(path string) ([]byte, error) {
		f, err := os.Open(filepath.Join(string(d), filepath.FromSlash(path)))
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		return readAll(f)
	})
}

func readAll(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxMetadata+1))
	if err == nil && len(b) > maxMetadata {
		err = fmt.Errorf("it is larger than %d bytes", maxMetadata)
	}
	return b, err
}

func (d directory) Fetch(_ context.Context, f Found, offset int64) (io.ReadCloser, error) {
	file, err := os.Open(filepath.Join(string(d), filepath.FromSlash(f.Path)))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSource, d, err)
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSource, d, errors.Join(err, file.Close()))
	}
	return file, nil
}

// web is a tree behind http or https.
type web struct{ base string }

func (w *web) String() string { return w.base }

// Times and bounds of HTTP. A download may last; a silent server may not.
const (
	headerTimeout = 20 * time.Second
	maxRedirects  = 5
)

var client = &http.Client{
	Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: headerTimeout, TLSHandshakeTimeout: headerTimeout,
		MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	},
	CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		return nil
	},
}

func (w *web) get(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	want := http.StatusOK
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
		want = http.StatusPartialContent
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != want {
		return nil, errors.Join(fmt.Errorf("%s answers %s", req.URL.Redacted(), resp.Status), resp.Body.Close())
	}
	return resp.Body, nil
}

func (w *web) List(ctx context.Context, stream string) ([]Found, error) {
	return list(stream, w.base, func(path string) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*headerTimeout)
		defer cancel()
		body, err := w.get(ctx, path, 0)
		if err != nil {
			return nil, err
		}
		defer func() { _ = body.Close() }()
		return readAll(body)
	})
}

func (w *web) Fetch(ctx context.Context, f Found, offset int64) (io.ReadCloser, error) {
	body, err := w.get(ctx, f.Path, offset)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	return body, nil
}

package tools

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/streams"
)

// What became of a wanted archive.
const (
	stateThere  = "already-there"
	stateWould  = "would-copy"
	stateCopied = "copied"
	stateFailed = "failed"
	stateLeft   = "not-tried" // an archive before it failed
)

// syncResult is the answer of `juju sync-tools`.
type syncResult struct {
	Source   string        `json:"source" yaml:"source"`
	Stream   string        `json:"stream" yaml:"stream"`
	SignedBy string        `json:"signed_by,omitempty" yaml:"signed_by,omitempty"` // empty: nobody
	DryRun   bool          `json:"dry_run" yaml:"dry_run"`
	Found    int           `json:"found" yaml:"found"` // in the stream
	Wanted   int           `json:"wanted" yaml:"wanted"`
	There    int           `json:"already_there" yaml:"already_there"`
	Copied   int           `json:"copied" yaml:"copied"`
	Bytes    int64         `json:"bytes" yaml:"bytes"` // copied, or to be copied in a dry run
	Archives []syncArchive `json:"archives" yaml:"archives"`
}

type syncArchive struct {
	Version version.Binary `json:"version" yaml:"version"`
	State   string         `json:"state" yaml:"state"`
	Size    int64          `json:"size_bytes" yaml:"size_bytes"`
	SHA256  string         `json:"sha256" yaml:"sha256"`

	found streams.Found
}

func newSyncResult(from source, wanted []streams.Found, dryRun bool) *syncResult {
	r := &syncResult{
		Source: from.String(), Stream: from.stream, SignedBy: from.SignedBy, DryRun: dryRun,
		Found: len(from.Found), Wanted: len(wanted), Archives: []syncArchive{},
	}
	for _, f := range wanted {
		r.Archives = append(r.Archives, syncArchive{f.Version, stateLeft, f.Size, f.SHA256, f})
	}
	slices.SortFunc(r.Archives, func(a, b syncArchive) int {
		return cmp.Or(a.Version.Number.Compare(b.Version.Number), cmp.Compare(a.Version.Platform(), b.Version.Platform()))
	})
	return r
}

// missing lists the wanted archives that are not there. A version that is there with other bytes is an
// error, because it would have to be replaced. Where final is false those bytes are not final: in the store of
// an environment they give way unless they were signed, which the state server knows.
func (r *syncResult) missing(stored []tools.Tools, final bool) ([]streams.Found, error) {
	var list []streams.Found
	var faults []error
	for i, a := range r.Archives {
		there := slices.IndexFunc(stored, func(t tools.Tools) bool { return t.Version == a.Version })
		switch {
		case there < 0, stored[there].SHA256 != a.SHA256 && !final:
			list = append(list, a.found)
		case stored[there].SHA256 != a.SHA256:
			faults = append(faults, fmt.Errorf("%s is stored with sha256 %s, %s has it with %s; a version is never replaced",
				a.Version, stored[there].SHA256, r.Source, a.SHA256))
		default:
			r.Archives[i].State = stateThere
		}
	}
	if r.DryRun {
		for _, f := range list {
			r.set(f.Version, stateWould)
		}
	}
	return list, errors.Join(faults...)
}

func (r *syncResult) set(v version.Binary, state string) {
	i := slices.IndexFunc(r.Archives, func(a syncArchive) bool { return a.Version == v })
	r.Archives[i].State = state
}

// write shows the result. The table leaves out archives that were there already; JSON and YAML have
// all.
func (r *syncResult) write(a *app.App, format string) error {
	for _, archive := range r.Archives {
		switch archive.State {
		case stateThere:
			r.There++
		case stateCopied:
			r.Copied++
			r.Bytes += archive.Size
		case stateWould:
			r.Bytes += archive.Size
		}
	}
	switch format {
	case "json":
		return json.NewEncoder(a.Stdout).Encode(r)
	case "yaml":
		return yaml.NewEncoder(a.Stdout).Encode(r)
	}
	if !a.Quiet {
		r.tabular(a)
	}
	return nil
}

func (r *syncResult) tabular(a *app.App) {
	fmt.Fprintf(a.Stdout, "found %d archives in %s, %d of them wanted, %d already there\n", r.Found, r.Source, r.Wanted, r.There)
	words := map[string]string{stateWould: "would copy", stateCopied: "copied", stateFailed: "could not copy", stateLeft: "did not try"}
	for _, archive := range r.Archives {
		if word, told := words[archive.State]; told {
			fmt.Fprintf(a.Stdout, "%s %s (%s)\n", word, archive.Version, app.Bytes(archive.Size))
		}
	}
	switch {
	case r.DryRun:
		fmt.Fprintf(a.Stdout, "would copy %d archives, %s\n", r.Wanted-r.There, app.Bytes(r.Bytes))
	case r.Wanted == 0:
		fmt.Fprintln(a.Stdout, "copied 0 archives: the source has nothing that is wanted")
	case r.There == r.Wanted:
		fmt.Fprintln(a.Stdout, "copied 0 archives: nothing was missing")
	default:
		fmt.Fprintf(a.Stdout, "copied %d archives, %s\n", r.Copied, app.Bytes(r.Bytes))
	}
}

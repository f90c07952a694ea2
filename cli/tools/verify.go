package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/wire"
)

// verifyResult is the answer of `juju sync-tools --verify`.
type verifyResult struct {
	Checked int           `json:"checked" yaml:"checked"` // objects that were read
	Bytes   int64         `json:"bytes" yaml:"bytes"`
	Faults  []verifyFault `json:"faults" yaml:"faults"`
}

type verifyFault struct {
	Name  string `json:"name" yaml:"name"` // a version, or the digest of an object without one
	Fault string `json:"fault" yaml:"fault"`
}

// hashTimeout is how long the state server may take to read one archive.
const hashTimeout = 5 * time.Minute

// verifyStore compares the store with the catalogue: every archive of the catalogue must be in the
// store with its bytes, and every object of the store must be in the catalogue.
func (y *syncTools) verifyStore(ctx context.Context, s *session.Session) error {
	_, c, err := knowledge(ctx, s)
	if err != nil {
		return app.Fail(err, "", "")
	}
	objects, err := wire.ToolsObjects.Ask(ctx, s, wire.Nothing{})
	if err != nil {
		return app.Fail(fmt.Errorf("list the store: %w", err), "", "")
	}
	r := verifyResult{Faults: []verifyFault{}}
	unknown := map[string]bool{}
	for _, o := range objects {
		unknown[o.SHA256] = true
	}
	for _, t := range c.Stored {
		if err := y.verifyOne(ctx, s, &r, t, unknown[t.SHA256]); err != nil {
			return err
		}
		delete(unknown, t.SHA256)
	}
	for _, o := range objects {
		if unknown[o.SHA256] {
			r.add(o.SHA256, "it is in the store, %d bytes, and no version in the catalogue is it", o.Size)
		}
	}
	return r.write(y.app, y.format)
}

// verifyOne lets the state server read and hash one archive. What is wrong with the archive is added
// to the result; an error ends the whole comparison.
func (y *syncTools) verifyOne(ctx context.Context, s *session.Session, r *verifyResult, t tools.Tools, there bool) error {
	if !there {
		r.add(t.Version.String(), "it is in the catalogue, with sha256 %s, and not in the store", t.SHA256)
		return nil
	}
	y.app.Logger().Debug("hashing", "tools", t.Version.String(), "sha256", t.SHA256)
	h, err := wire.ToolsHash.Ask(ctx, s.Patient(hashTimeout), wire.Text(t.SHA256))
	r.Checked++
	r.Bytes += h.Size
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		r.add(t.Version.String(), "it cannot be read: %v", err)
	case h.SHA256 != t.SHA256 || h.Size != t.Size:
		r.add(t.Version.String(), "expected %d bytes with sha256 %s, found %d bytes with %s", t.Size, t.SHA256, h.Size, h.SHA256)
	case h.Fault != "":
		r.add(t.Version.String(), "it is not that version: %s", h.Fault)
	default:
		y.app.Say("%s is as it should be", t.Version)
	}
	return nil
}

func (r *verifyResult) add(name, format string, args ...any) {
	r.Faults = append(r.Faults, verifyFault{name, fmt.Sprintf(format, args...)})
}

func (r *verifyResult) write(a *app.App, format string) error {
	var err error
	switch format {
	case "json":
		err = json.NewEncoder(a.Stdout).Encode(r)
	case "yaml":
		err = yaml.NewEncoder(a.Stdout).Encode(r)
	default:
		for _, f := range r.Faults {
			fmt.Fprintf(a.Stdout, "%s: %s\n", f.Name, f.Fault)
		}
		if !a.Quiet {
			fmt.Fprintf(a.Stdout, "checked %d archives, %s: %d faults\n", r.Checked, app.Bytes(r.Bytes), len(r.Faults))
		}
	}
	if err == nil && len(r.Faults) > 0 {
		err = app.Fail(fmt.Errorf("%d faults in the store of tools", len(r.Faults)), "Nothing was changed.",
			"agents check every archive themselves and refuse these; publish the build again under another number")
	}
	return err
}

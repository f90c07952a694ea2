package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections/audit"
	"github.com/jujube-project/jujube/projections/plain"
)

// verdict is what audit verify found, as JSON.
type verdict struct {
	Records   uint64            `json:"records"`
	Digest    string            `json:"digest"`
	Orders    int               `json:"orders"`
	Open      []audit.Open      `json:"open_orders"`
	Snapshots int               `json:"snapshots_checked"`
	Unknown   map[string]uint64 `json:"unknown_kinds"`
	Served    string            `json:"served"` // in words: what was compared with the state server
	Signed    []string          `json:"signed"` // in words: the checkpoints that it was compared with
	Root      string            `json:"root"`   // sha256 of the first root of the signed metadata, from which causes follow; empty: facts need none
	Pinned    bool              `json:"pinned"` // this client knew the root beforehand; false: it believes the one in the log
	Proven    uint64            `json:"proven"` // the record from which on every fact needs a signed cause
	Findings  []audit.Finding   `json:"findings"`
}

// verify is `juju audit verify`.
type verify struct {
	*reader
	format string
	from   []string // files of checkpoints
}

func (c *verify) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that the log is whole and that what is served follows from it",
		Long: `Replay the log from its first record and check that no sequence is missing, that it
begins with the environment's creation, that every order ended exactly once (open ones
are listed), that no report stands in it twice, that the state at every snapshot is what
the snapshot says, and that the state server serves the very state the log gives.

Every fact needs a signed cause: a request of an operator that asks for it, signed
metadata, a machine's signature, or a state server's for just that place. What has none
changes nothing, and is a finding: no-cause, cause-differs, event-author.

Every byte is held against the newest checkpoint that the state server has signed, and
the whole against the newest that this client saw before, and against those of --from:
what a checkpoint covers can never be missing, changed or in another order again.
Findings: log-gap, log-tamper, and log-fork for a log that is not the one seen before.

It exits with 1 when it finds anything.`,
		Example: `  juju audit verify
  juju audit verify --format json
  juju audit verify --from last-month.checkpoint`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.format != "text" && c.format != "json" {
				return fmt.Errorf("format %q is not text or json", c.format)
			}
			return c.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&c.format, "format", "text", "text or json")
	cmd.Flags().StringArrayVar(&c.from, "from", nil, "a file with a checkpoint that the log must go on from; may be given again")
	return cmd
}

func (c *verify) run(ctx context.Context) error {
	c.verifies = true
	src, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer src.close()
	said, note, err := src.askDigest(ctx)
	if err != nil {
		return err
	}
	t, signed, err := src.witnesses(ctx, c.from)
	if err != nil {
		return err
	}
	v, err := verifyLog(ctx, src.log, src.root, said, t)
	if err != nil {
		return err
	}
	if err := src.conclude(ctx, t, signed); err != nil {
		return err
	}
	out := verdict{
		Records: v.State.Seq, Digest: v.State.Digest(), Orders: v.Orders, Open: v.OpenOrders(),
		Snapshots: v.Checked, Unknown: v.Unknown, Served: note, Signed: t.Compared(),
		Root: v.State.Root, Pinned: src.root != "", Proven: v.Proven, Findings: append(t.Findings, v.Findings...),
	}
	if src.witness.Blind() {
		out.Signed = []string{"not compared: " + errNoLogKey.Error()}
	}
	if out.Findings == nil {
		out.Findings = []audit.Finding{}
	}
	if err := out.write(c.stdout, c.format); err != nil {
		return err
	}
	if n := len(out.Findings); n > 0 {
		return fmt.Errorf("the log is not as it must be: %d findings", n)
	}
	return nil
}

// askDigest asks the state server for the digest of the state that it serves. note says in words
// what was compared, or why nothing was.
func (src logSource) askDigest(ctx context.Context) (said wire.Position, note string, err error) {
	if src.ask == nil {
		return said, "not compared: the log was read off line", nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	said, err = wire.Digest.Ask(ctx, src.ask, wire.Nothing{})
	if errors.Is(err, bus.ErrNoStateServer) {
		return said, "not compared: no state server answers", nil
	}
	if err != nil {
		return said, "", err
	}
	return said, fmt.Sprintf("compared with the state server at %d", said.Seq), nil
}

// verifyLog reads the log twice. The first pass checks the bytes against the checkpoints and notes
// what the snapshots say; the second replays the records. It reads to the end of what was signed,
// even if the log says that it is shorter: so records that were taken away from its end are found.
func verifyLog(ctx context.Context, log events.Log, root string, said wire.Position, t *audit.Tree) (*audit.Verifier, error) {
	last, err := log.Last(ctx)
	if err != nil {
		return nil, err
	}
	v := audit.NewVerifier()
	v.State.Pin(root)
	for stored, err := range log.Stored(ctx, 1, max(last, t.Need())) {
		if errors.Is(err, bus.ErrNotFound) {
			break
		}
		if err := t.Add(stored, err); err != nil {
			return nil, err
		}
		if rec, err := stored.Record(); err == nil {
			v.Expect(rec)
		}
	}
	t.End()
	for stored, err := range log.Stored(ctx, 1, t.Size()) {
		if errors.Is(err, events.ErrGap) {
			continue
		}
		if err != nil {
			return nil, err
		}
		rec, err := stored.Record()
		v.Fold(rec, err)
		if rec.Seq == said.Seq {
			v.Served(said.Seq, said.Digest)
		}
	}
	return v, nil
}

// rootInWords says by what the causes of facts were judged.
func (v verdict) rootInWords() string {
	if v.Root == "" {
		return "none: this log is from before facts needed a signed cause, and is believed as it lies"
	}
	words := fmt.Sprintf("%.16s…, as the log itself says: this client has pinned none", v.Root)
	if v.Pinned {
		words = fmt.Sprintf("%.16s…, as this client has pinned it", v.Root)
	}
	if v.Proven > 1 {
		words += fmt.Sprintf("; what lies before %d is from before facts needed a signed cause, and is believed as it lies", v.Proven)
	}
	return words
}

func (v verdict) write(out io.Writer, format string) error {
	if format == "json" {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	for _, f := range v.Findings {
		fmt.Fprintf(out, "FOUND at %d (%s): %s\n", f.Seq, f.Code, plain.Text(f.Text))
	}
	fmt.Fprintf(out, "records:   %d\n", v.Records)
	fmt.Fprintf(out, "orders:    %d, of which %d are open\n", v.Orders, len(v.Open))
	for _, o := range v.Open {
		fmt.Fprintf(out, "           %s of machine %s, open since %d\n", o.Order, o.Machine, o.Seq)
	}
	fmt.Fprintf(out, "snapshots: %d compared\n", v.Snapshots)
	for _, kind := range slices.Sorted(maps.Keys(v.Unknown)) {
		fmt.Fprintf(out, "unknown:   %d of kind %s, written by a newer release\n", v.Unknown[kind], plain.Text(kind))
	}
	fmt.Fprintf(out, "served:    %s\n", v.Served)
	for _, s := range v.Signed {
		fmt.Fprintf(out, "signed:    %s\n", s)
	}
	fmt.Fprintf(out, "root:      %s\n", v.rootInWords())
	fmt.Fprintf(out, "digest:    %s\n", v.Digest)
	if len(v.Findings) == 0 {
		fmt.Fprintln(out, "The log is whole.")
	}
	return nil
}

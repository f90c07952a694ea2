package audit

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/jujube-project/jujube/projections/plain"
)

// Formats that a Writer knows.
const (
	FormatTable = "table"
	FormatJSON  = "json"
	FormatJSONL = "jsonl"
)

// Writer prints entries, one after the other. Text from hosts and people is escaped; see package plain.
type Writer struct {
	w      *bufio.Writer
	format string
	zone   *time.Location
	n      int
}

// NewWriter gives a Writer of one of the formats. Times in the table are in zone, times in JSON always in
// UTC. Close ends the output.
func NewWriter(w io.Writer, format string, zone *time.Location) (*Writer, error) {
	switch format {
	case FormatTable, FormatJSON, FormatJSONL:
	default:
		return nil, fmt.Errorf("format %q is not %s, %s or %s", format, FormatTable, FormatJSON, FormatJSONL)
	}
	return &Writer{w: bufio.NewWriter(w), format: format, zone: zone}, nil
}

// row is the layout of the table. The widths of its columns are those of usual values and not measured:
// each entry is printed at once, before the later ones are known.
const row = "%6v  %-19s  %-16s  %-22s  %-14s  %s\n"

// Write prints one entry.
func (w *Writer) Write(e Entry) error {
	w.n++
	if w.format == FormatTable {
		if w.n == 1 {
			fmt.Fprintf(w.w, row, "SEQ", "TIME", "ACTOR", "WHAT", "SUBJECT", "WHY")
		}
		_, err := fmt.Fprintf(w.w, row, e.Seq, e.Time.In(w.zone).Format(time.DateTime),
			plain.Text(e.Actor), plain.Text(e.What), plain.Text(short(e.Subject)), plain.Text(e.Why))
		return err
	}
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if w.format == FormatJSON {
		lead := ",\n"
		if w.n == 1 {
			lead = "[\n"
		}
		w.w.WriteString(lead)
	}
	w.w.Write(plain.JSON(b))
	if w.format == FormatJSONL {
		w.w.WriteByte('\n')
	}
	return nil
}

// short keeps the end of a long id. The beginning of a UUIDv7 is its time, so ids that were made at one
// time differ only at the end.
func short(s string) string {
	const most = 14
	if len(s) <= most {
		return s
	}
	return "…" + s[len(s)-most+1:]
}

// Flush writes what was printed so far to the underlying writer.
func (w *Writer) Flush() error { return w.w.Flush() }

// Close ends the output and flushes it.
func (w *Writer) Close() error {
	if w.format == FormatJSON {
		if w.n == 0 {
			w.w.WriteString("[")
		}
		w.w.WriteString("\n]\n")
	}
	return w.w.Flush()
}

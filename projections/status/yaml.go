package status

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"

	"github.com/jujube-project/jujube/projections/plain"
)

// writeYAML writes the JSON of st as block-style YAML, with the keys in the same order. A string that YAML
// could read as something else is written as in JSON, with quotes: YAML reads that too.
func writeYAML(out *bufio.Writer, st Status, o Options) error {
	b, err := json.Marshal(st.in(o))
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	y := yaml{out: out, d: d}
	if _, err := d.Token(); err != nil { // the opening brace
		return err
	}
	return y.object(0)
}

type yaml struct {
	out *bufio.Writer
	d   *json.Decoder
}

// object writes the pairs of the object whose brace was read.
func (y yaml) object(depth int) error {
	for y.d.More() {
		key, err := y.d.Token()
		if err != nil {
			return err
		}
		y.indent(depth)
		y.out.WriteString(scalar(key) + ":")
		if err := y.value(depth + 1); err != nil {
			return err
		}
	}
	_, err := y.d.Token()
	return err
}

// list writes the elements of the list whose bracket was read.
func (y yaml) list(depth int) error {
	for y.d.More() {
		y.indent(depth)
		y.out.WriteString("-")
		if err := y.value(depth + 1); err != nil {
			return err
		}
	}
	_, err := y.d.Token()
	return err
}

// value writes the value behind "key:" or "-".
func (y yaml) value(depth int) error {
	t, err := y.d.Token()
	if err != nil {
		return err
	}
	brace, ok := t.(json.Delim)
	switch {
	case !ok:
		y.out.WriteString(" " + scalar(t) + "\n")
		return nil
	case !y.d.More(): // empty
		closing, err := y.d.Token()
		if err != nil {
			return err
		}
		y.out.WriteString(" " + brace.String() + closing.(json.Delim).String() + "\n")
		return nil
	case brace == '{':
		y.out.WriteByte('\n')
		return y.object(depth)
	}
	y.out.WriteByte('\n')
	return y.list(depth)
}

func (y yaml) indent(depth int) {
	io.WriteString(y.out, strings.Repeat("  ", depth))
}

// bareRE matches text that needs no quotes: it begins with a letter and has no character to which YAML gives
// a meaning.
var bareRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./=-]*( [A-Za-z0-9_./(][A-Za-z0-9_.,/%()-]*)*$`)

// versionRE matches version numbers. They need no quotes: with two points they are no number in YAML.
var versionRE = regexp.MustCompile(`^\d+\.\d+\.\d+(\.\d+)?$`)

// taken are words that YAML 1.1 or 1.2 does not read as text.
var taken = map[string]bool{
	"true": true, "false": true, "null": true, "yes": true, "no": true, "on": true, "off": true,
	"y": true, "n": true,
}

func scalar(t json.Token) string {
	switch t := t.(type) {
	case string:
		if bareRE.MatchString(t) && !taken[strings.ToLower(t)] || versionRE.MatchString(t) {
			return t
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(t); err != nil {
			return `""`
		}
		return string(plain.JSON(bytes.TrimSpace(b.Bytes())))
	case json.Number:
		return t.String()
	case bool:
		if t {
			return "true"
		}
		return "false"
	}
	return "null"
}

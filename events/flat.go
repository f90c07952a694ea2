package events

import (
	"strconv"

	"github.com/jujube-project/jujube/events/version"
)

// A replay of a long log spends most of its time in the JSON of reports, so they are
// read by hand when they look as this package writes them: one flat object of plain
// strings and whole numbers. Everything else about them (escapes, spaces, fields of
// other releases) goes to encoding/json. FuzzDecode holds the two to the same result.

// flat is a payload that can be read by hand.
type flat interface {
	// setField takes one field. It returns false for a field or a value that
	// encoding/json has to judge.
	setField(key string, v flatValue) bool
}

// flatValue is a string without escapes, or a whole number from 0.
type flatValue struct {
	text   []byte
	number bool
}

// readFlat reads data into p. After false p is in an undefined state and must be thrown
// away; data may still be good JSON.
func readFlat(data []byte, p flat) bool {
	if len(data) < 2 || data[0] != '{' || data[len(data)-1] != '}' {
		return false
	}
	rest := data[1 : len(data)-1]
	for {
		key, after, ok := flatString(rest)
		if !ok || len(after) < 2 || after[0] != ':' {
			return false
		}
		v := flatValue{}
		if v.text, rest, ok = flatString(after[1:]); !ok {
			if v.text, rest, ok = flatNumber(after[1:]); !ok {
				return false
			}
			v.number = true
		}
		if !p.setField(string(key), v) {
			return false
		}
		if len(rest) == 0 {
			return true
		}
		if rest[0] != ',' {
			return false
		}
		rest = rest[1:]
	}
}

// flatString cuts a quoted string of printable ASCII without escapes off b.
func flatString(b []byte) (text, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, b, false
	}
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return b[1:i], b[i+1:], true
		case c < ' ' || c > '~' || c == '\\':
			return nil, b, false
		}
	}
	return nil, b, false
}

// flatNumber cuts a whole number without leading zeros off b.
func flatNumber(b []byte) (text, rest []byte, ok bool) {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return b[:n], b[n:], n == 1 || n > 1 && n < 19 && b[0] != '0'
}

func (v flatValue) str(to *string) bool {
	if v.number {
		return false
	}
	*to = string(v.text)
	return true
}

func (v flatValue) count(to *int) bool {
	n, err := strconv.Atoi(string(v.text))
	*to = n
	return v.number && err == nil
}

func (v flatValue) version(to *version.Number) bool {
	return !v.number && to.UnmarshalText(v.text) == nil
}

func (v flatValue) binary(to *version.Binary) bool {
	return !v.number && to.UnmarshalText(v.text) == nil
}

func (h *ReportHead) setField(key string, v flatValue) bool {
	switch key {
	case "machine":
		return v.str(&h.Machine)
	case "epoch":
		return v.str(&h.Epoch)
	case "n":
		n, err := strconv.ParseUint(string(v.text), 10, 64)
		h.N = n
		return v.number && err == nil
	}
	return false
}

func (h *orderHead) setField(key string, v flatValue) bool {
	if key == "order" {
		return v.str(&h.Order)
	}
	return h.ReportHead.setField(key, v)
}

func (e *AgentStarted) setField(key string, v flatValue) bool {
	switch key {
	case "version":
		return v.binary(&e.Version)
	case "sha256":
		return v.str(&e.SHA256)
	case "pid":
		return v.count(&e.PID)
	case "restart":
		return v.count(&e.Restart)
	case "order":
		return v.str(&e.Order)
	case "no_return":
		return v.str(&e.NoReturn)
	}
	return e.ReportHead.setField(key, v)
}

func (e *AgentDownloading) setField(key string, v flatValue) bool {
	if key == "percent" {
		return v.count(&e.Percent)
	}
	return e.orderHead.setField(key, v)
}

func (e *AgentRestarting) setField(key string, v flatValue) bool {
	switch key {
	case "from":
		return v.version(&e.From)
	case "to":
		return v.version(&e.To)
	}
	return e.orderHead.setField(key, v)
}

func (e *AgentUpgraded) setField(key string, v flatValue) bool {
	if key == "version" {
		return v.binary(&e.Version)
	}
	return e.orderHead.setField(key, v)
}

func (e *RestartDone) setField(key string, v flatValue) bool {
	if key == "pid" {
		return v.count(&e.PID)
	}
	return e.orderHead.setField(key, v)
}

func (e *UnitStateChanged) setField(key string, v flatValue) bool {
	switch key {
	case "unit":
		return v.str(&e.Unit)
	case "state":
		return v.str(&e.State)
	case "info":
		return v.str(&e.Info)
	case "pid":
		return v.count(&e.PID)
	case "version":
		return v.version(&e.Version)
	}
	return e.ReportHead.setField(key, v)
}

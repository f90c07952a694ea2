package main

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
)

// outcomes counts how the tests that name an input ended: id → pass, fail or skip → how many.
type outcomes map[string]map[string]int

// readOutcomes reads what go test -json printed.
func readOutcomes(r io.Reader) (outcomes, error) {
	all := outcomes{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct{ Action, Test string }
		if !strings.HasPrefix(lines.Text(), "{") {
			continue // a line that is no JSON: the output of a build
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, err
		}
		if e.Action != "pass" && e.Action != "fail" && e.Action != "skip" {
			continue
		}
		for _, id := range idsIn(e.Test) {
			if all[id] == nil {
				all[id] = map[string]int{}
			}
			all[id][e.Action]++
		}
	}
	return all, lines.Err()
}

// of says how the tests of an input ended, and whether that is good: all tests that ran have
// passed, or the list says why there is none.
func (o outcomes) of(in input) (string, bool) {
	n := o[in.id]
	switch {
	case n["fail"] > 0:
		return "FAILED", false
	case n["pass"] > 0 && n["skip"] > 0:
		return "held, in part skipped", true
	case n["pass"] > 0:
		return "held", true
	case in.notShown != "":
		return "not shown", true
	case n["skip"] > 0:
		return "skipped", true
	}
	return "NO TEST RAN", false
}

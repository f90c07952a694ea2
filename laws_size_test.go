package jujube_test

import (
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// A size bounds what must stay small: lines that are neither blank nor comments.
type size struct {
	pkg   string
	lines int
	why   string
}

var sizes = []size{
	{"agent/launcher", 400, "the launcher judges trials and is never updated with the agents: it must be read in one sitting"},
	{"agent/launcher/process", 250, "what starts and reaps for the launcher stays as small"},
	{"agent/pipe", 100, "what launcher and agent say is for ever"},
}

func TestLawOfSize(t *testing.T) { hold(t, lawOfSize(sizes)) }

func lawOfSize(table []size) law {
	return func(tr *tree) (found []breach) {
		for _, l := range table {
			lines := 0
			for _, s := range tr.product(l.pkg) {
				lines += linesOfCode(tr.read(s.name))
			}
			if lines > l.lines {
				found = append(found, breach{l.pkg, fmt.Sprintf("has %d lines of code, more than %d: %s", lines, l.lines, l.why)})
			}
		}
		return found
	}
}

// columns is how long a line may be; a tab is one.
const columns = 160

func TestLawOfColumns(t *testing.T) { hold(t, lawOfColumns) }

func lawOfColumns(tr *tree) (found []breach) {
	for _, s := range tr.sources {
		n := 0
		for line := range strings.Lines(string(tr.read(s.name))) {
			n++
			if long := utf8.RuneCountInString(strings.TrimRight(line, "\n")); long > columns {
				found = append(found, breach{fmt.Sprintf("%s:%d", s.name, n), fmt.Sprintf("is %d columns long, more than %d", long, columns)})
			}
		}
	}
	return found
}

// read panics if a file that was just parsed has gone.
func (tr *tree) read(name string) []byte {
	src, err := os.ReadFile(filepath.Join(tr.dir, name))
	if err != nil {
		panic(err)
	}
	return src
}

// linesOfCode counts the lines on which a token stands.
func linesOfCode(src []byte) int {
	set := token.NewFileSet()
	f := set.AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(f, src, nil, 0)
	lines := map[int]bool{}
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return len(lines)
		}
		if tok == token.SEMICOLON && lit != ";" {
			continue // the scanner put it there
		}
		for i := range 1 + strings.Count(lit, "\n") {
			lines[f.Line(pos)+i] = true
		}
	}
}

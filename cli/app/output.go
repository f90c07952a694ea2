package app

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jujube-project/jujube/projections/plain"
)

// Say writes a line for the person on stderr. With --quiet it writes nothing.
func (a *App) Say(format string, args ...any) {
	if !a.Quiet {
		a.Show(format, args...)
	}
}

// Show writes what is signed, for the person who signs it, on stderr. --quiet does not leave it
// out: nobody signs what was not shown.
func (a *App) Show(format string, args ...any) {
	fmt.Fprintln(a.Stderr, plain.Lines(fmt.Sprintf(format, args...)))
}

// Confirm asks the person to type y or yes. Every other answer means no, and so does the end of the
// input.
func (a *App) Confirm(question string) bool {
	fmt.Fprintf(a.Stderr, "%s\nContinue [y/N]? ", plain.Lines(question))
	line, _ := bufio.NewReader(a.Stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

// Logger writes what is done, step by step, to stderr. Without --debug it writes nothing.
func (a *App) Logger() *slog.Logger {
	if !a.Debug {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Explain writes an error for a person: what happened and, where Fail has added it, what was
// not changed and what to type next.
func (a *App) Explain(err error) {
	fmt.Fprintln(a.Stderr, "ERROR", plain.Lines(err.Error()))
	var h hintError
	if !errors.As(err, &h) {
		return
	}
	if h.unchanged != "" {
		fmt.Fprintln(a.Stderr, "      ", plain.Lines(h.unchanged))
	}
	if h.next != "" {
		fmt.Fprintln(a.Stderr, "Next: ", plain.Lines(h.next))
	}
}

package pipe

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// agentOf is an agent of this build whose launcher says what a transcript says.
func agentOf(t *testing.T, transcript string) (p *Parent, said *bufio.Scanner) {
	t.Helper()
	b, err := os.ReadFile(transcript)
	if err != nil {
		t.Fatal(err)
	}
	fromAgent, out, err := os.Pipe()
	in, toAgent, err2 := os.Pipe()
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _, _ = fromAgent.Close(), out.Close(), in.Close(), toAgent.Close() })
	for line := range strings.Lines(string(b)) {
		if _, err := toAgent.WriteString(strings.TrimPrefix(line, "< ")); err != nil {
			t.Fatal(err)
		}
	}
	if p, err = newParent(out, in); err != nil {
		t.Fatal(err)
	}
	return p, bufio.NewScanner(fromAgent)
}

func TestLaunchersOfOtherReleasesAreUnderstood(t *testing.T) {
	transcripts, err := filepath.Glob("testdata/launcher-*.txt")
	if err != nil || len(transcripts) < 2 {
		t.Fatal(transcripts, err)
	}
	for _, transcript := range transcripts {
		p, _ := agentOf(t, transcript)
		if err := p.Listen(t.Context()); err != nil {
			t.Errorf("%s: %v", transcript, err)
		}
		if id := <-p.Committed; id != "o1" || !p.Keep {
			t.Errorf("%s: committed %q, keep %v", transcript, id, p.Keep)
		}
		<-p.Stopped
	}
}

// Everything that this build says must be in the transcripts of its release. Launchers that are
// installed would not understand a word that changed.
func TestTheWordsAreForEver(t *testing.T) {
	p, said := agentOf(t, "testdata/launcher-1.25.1.txt")
	if err := errors.Join(p.Alive(), p.Ready(), p.Healthy("o1"), p.Restart()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"jujube-launcher/1 hello from the agent", "alive", "ready", "healthy o1", "restart"} {
		if !said.Scan() || said.Text() != want {
			t.Errorf("the agent says %q, want %q", said.Text(), want)
		}
	}
}

func TestWithoutItsLauncherAnAgentEndsAndKeepsWorkloads(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := newParent(out, r)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	if err := p.Listen(t.Context()); err == nil || !p.Keep {
		t.Errorf("listening ended with %v, keep %v", err, p.Keep)
	}
	<-p.Stopped
}

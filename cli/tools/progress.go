package tools

import (
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tools"
)

// bars shows how much of each archive is copied. On a terminal an archive has a bar; elsewhere it
// has one line, which is written when its copy begins. With --quiet nothing is shown.
type bars struct {
	app   *app.App
	shown *mpb.Progress // nil: no terminal
}

func newBars(a *app.App) *bars {
	b := &bars{app: a}
	if f, ok := a.Stderr.(*os.File); ok && !a.Quiet && !a.Debug && isTerminal(f) {
		b.shown = mpb.New(mpb.WithOutput(f), mpb.WithAutoRefresh())
	}
	return b
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// progress is one archive's bar. Its methods may be called when there is none.
type progress struct {
	bar  *mpb.Bar
	size int64
}

// add begins an archive whose bytes are moved in a number of steps, such as a download and an upload.
func (b *bars) add(t tools.Tools, steps int64) progress {
	p := progress{size: t.Size}
	if b.shown == nil {
		b.app.Say("copying %s (%s)", t.Version, app.Bytes(t.Size))
		return p
	}
	p.bar = b.shown.AddBar(steps*t.Size,
		mpb.PrependDecorators(decor.Name(t.Version.String()+" ")),
		mpb.AppendDecorators(decor.Percentage(), decor.AverageSpeed(decor.SizeB1024(0), " % .1f")))
	return p
}

// step returns what is called with the number of bytes that step n, from 0, has moved.
func (p progress) step(n int64) func(int64) {
	return func(done int64) {
		if p.bar != nil {
			p.bar.SetCurrent(n*p.size + done)
		}
	}
}

// end stops the bar of an archive that could not be copied.
func (p progress) end() {
	if p.bar != nil {
		p.bar.Abort(false)
	}
}

// wait waits until all bars are drawn to their ends.
func (b *bars) wait() {
	if b.shown != nil {
		b.shown.Wait()
	}
}
